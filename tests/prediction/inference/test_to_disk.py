"""Predictions that go to disk as they are made."""

import json

import numpy as np
import pytest
import tifffile
import zarr

import histowidgets as hw
from histowidgets.errors import PredictionCancelled, PredictionError, PredictionReplacedWarning
from histowidgets.images import Region
from histowidgets.prediction import Prediction, open_prediction
from histowidgets.prediction.inference import _to_disk
from histowidgets.prediction.results import _base as _results
from histowidgets.prediction.results import _stored as _stored_prediction
from histowidgets.prediction.results import _zarr_store as _store
from tests.prediction.models import BrightnessModel, brightness_classifier, picture

KINDS = ["labels.zarr", "labels.ome.tif"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks and pyramids of a test's size."""
    for module in (_to_disk, _store, _results):
        monkeypatch.setattr(module, "BLOCK_SIDE", 128)
    monkeypatch.setattr(_store, "_CHUNK", 64)
    monkeypatch.setattr(_store, "PYRAMID_SIDE", 64)


@pytest.fixture
def image():
    pixels = picture(300, 410).read(0, 0, 410, 300)
    return hw.open_image(pixels, name="slide", pixel_size_um=0.5)


def region_of(image):
    return (0, 0, image.width, image.height)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("downsample", [1, 2])
def test_it_is_the_prediction_in_memory(image, tmp_path, kind, downsample):
    classifier = brightness_classifier(image, downsample=downsample)
    expected = classifier.predict(image)
    calls = []
    stored = classifier.predict_to(image, tmp_path / kind, probabilities=True, progress=lambda *c: calls.append(c))
    assert calls[-1][0] == calls[-1][1] > 10
    assert stored.complete
    assert (stored.classes, stored.colors, stored.image_name) == (expected.classes, expected.colors, "slide")
    labels = stored.read_labels()
    # Blocks have other tiles than the whole, and real context everywhere.
    assert (labels == expected.labels).mean() > (0.999 if downsample == 1 else 0.99)
    part = Region(100, 90, 150, 170)
    probabilities = stored.read_probabilities(part)
    assert np.abs(probabilities - expected.probabilities[90:260, 100:250]).mean() < 0.02
    assert (probabilities.argmax(-1) == labels[90:260, 100:250]).mean() > 0.99
    np.testing.assert_array_equal(stored.labels[90:260, 100:250], labels[90:260, 100:250])
    assert stored.labels.shape == (300, 410)
    assert [p.name for p in tmp_path.iterdir()] == [kind]


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_as_an_image_with_levels_and_pixel_size(image, tmp_path, kind):
    stored = brightness_classifier(image).predict_to(image, tmp_path / kind)
    opened = hw.open_image(tmp_path / kind)
    assert (opened.width, opened.height, len(opened.channel_names)) == (410, 300, 1)
    assert opened.pixel_size_um == 0.5
    assert opened.downsamples == (1.0, 2.0, 4.0, 8.0)
    labels = stored.read_labels()
    np.testing.assert_array_equal(opened.read(*region_of(opened), 4)[..., 0], labels[::4, ::4])
    rows, columns = np.arange(22, 300, 4), np.arange(2, 410, 4)
    whole = Prediction(None, labels=labels.copy(), classes=stored.classes, colors=stored.colors, region=stored.region)
    assert (stored.labels_on(rows, columns) == whole.labels_on(rows, columns)).mean() > 0.8


def test_the_files_name_classes_and_colours(image, tmp_path):
    classifier = brightness_classifier(image)
    for kind in KINDS:
        classifier.predict_to(image, tmp_path / kind, probabilities=True)
    ome = zarr.open_group(tmp_path / "labels.zarr", mode="r").attrs["ome"]
    assert ome["image-label"]["properties"][1] == {"label-value": 1, "class": "Bright"}
    assert ome["image-label"]["colors"][0] == {"label-value": 0, "rgba": [213, 94, 0, 255]}
    with tifffile.TiffFile(tmp_path / "labels.ome.tif") as tiff:
        assert tiff.is_ome
        assert tiff.series[0].is_pyramidal
        assert tiff.pages[0].is_tiled
        assert tiff.series[1].axes == "CYX"
        assert '"Bright"' in tiff.ome_metadata.replace("&quot;", '"')


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keywords", [{}, {"blur_px": 2.0, "probabilities": True}])
def test_an_interrupted_prediction_goes_on(image, tmp_path, kind, keywords):
    expected = brightness_classifier(image).predict_to(image, tmp_path / f"other-{kind}", **keywords).read_labels()
    model = BrightnessModel()
    classifier = brightness_classifier(image, model)
    with pytest.raises(PredictionCancelled, match="resumes from there"):
        classifier.predict_to(image, tmp_path / kind, should_stop=lambda: len(model.shapes) > 12, **keywords)
    first = len(model.shapes)
    if kind == "labels.zarr":
        half = open_prediction(tmp_path / kind)
        assert not half.complete
        assert (half.read_labels() == 255).any()
        assert (half.read_labels() != 255).any()
    calls = []
    stored = classifier.predict_to(image, tmp_path / kind, progress=lambda *c: calls.append(c), **keywords)
    whole = BrightnessModel()
    brightness_classifier(image, whole).predict_to(image, tmp_path / f"again-{kind}", **keywords)
    assert len(model.shapes) - first < len(whole.shapes)
    assert calls[0][0] > 4  # what was there counts
    np.testing.assert_array_equal(stored.read_labels(), expected)
    n = len(model.shapes)
    np.testing.assert_array_equal(classifier.predict_to(image, tmp_path / kind, **keywords).read_labels(), expected)
    assert len(model.shapes) == n  # complete: nothing is computed


@pytest.mark.parametrize("kind", KINDS)
def test_another_classifier_or_setting_starts_anew_and_says_so(image, tmp_path, kind):
    classifier = brightness_classifier(image)
    classifier.predict_to(image, tmp_path / kind)
    with pytest.warns(PredictionReplacedWarning, match="It is replaced by a new one"):
        classifier.predict_to(image, tmp_path / kind, blur_px=1)
    other = brightness_classifier(image, tile_size=32)
    with pytest.warns(PredictionReplacedWarning):
        other.predict_to(image, tmp_path / kind, blur_px=1)


def test_what_is_not_ours_is_left_alone(image, tmp_path):
    classifier = brightness_classifier(image)
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "precious").write_text("x")
    tifffile.imwrite(tmp_path / "mine.ome.tif", np.zeros((8, 8), np.uint8))
    for name in ("mine.zarr", "mine.ome.tif"):
        with pytest.raises(PredictionError, match="another name"):
            classifier.predict_to(image, tmp_path / name)
    assert (tmp_path / "mine.zarr" / "precious").exists()
    with pytest.raises(PredictionError, match=r"neither in \.zarr nor in \.ome\.tif"):
        classifier.predict_to(image, tmp_path / "labels.png")
    with pytest.raises(PredictionError, match="no option 'blur'"):
        classifier.predict_to(image, tmp_path / "x.zarr", blur=2)
    with pytest.raises(PredictionError, match="There is no prediction at"):
        open_prediction(tmp_path / "missing.zarr")
    with pytest.raises(PredictionError, match="is not a prediction by histowidgets"):
        open_prediction(tmp_path / "mine.ome.tif")
    state = tmp_path / "mine.zarr" / _store.STATE
    state.write_text(json.dumps({"format": "histowidgets prediction", "version": 99}))
    with pytest.raises(PredictionError, match="newer version"):
        open_prediction(tmp_path / "mine.zarr")


def test_b8_objects_on_disk_are_joined_over_the_borders_of_blocks(image, tmp_path):
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / "labels.zarr", probabilities=True)
    labels = stored.read_labels().copy()
    whole = Prediction(
        None, labels=labels, classes=stored.classes, colors=stored.colors, region=stored.region, pixel_size_um=0.5
    )
    expected, found = whole.objects(2), stored.objects(2)
    assert len(found) == len(expected) > 20
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.class_name, mine.area_px) == (theirs.class_name, theirs.area_px)
        assert mine.polygon.equals(theirs.polygon)
        assert mine.polygon.area == mine.area_px
        assert 0.5 < mine.mean_probability <= 1
    assert stored.measurements() == whole.measurements()


def test_a_region_lies_where_it_was(image, tmp_path):
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / "r.zarr", (40, 30, 200, 150))
    assert stored.region == Region(40, 30, 200, 150)
    expected = classifier.predict(image, (40, 30, 200, 150))
    assert (stored.read_labels() == expected.labels).mean() > 0.999
    largest = max(stored.objects(), key=lambda o: o.area_px)
    assert largest.polygon.bounds[0] >= 40
    assert stored.read_labels((100, 60, 20, 10)).shape == (10, 20)


def test_what_is_on_disk_goes_out_as_png_and_ome_tiff(image, tmp_path, monkeypatch):
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / "labels.zarr", probabilities=True)
    expected = classifier.predict(image)
    stored.save_png(tmp_path / "a.png")
    expected.save_png(tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    stored.save_ome_tiff(tmp_path / "labels.ome.tif", probabilities=True)
    again = open_prediction(tmp_path / "labels.ome.tif")
    np.testing.assert_array_equal(again.read_labels(), expected.labels)
    assert (again.has_probabilities, again.pixel_size_um, again.complete) == (True, 0.5, True)
    stored.save_ome_tiff(tmp_path / "alone.ome.tif")
    assert not open_prediction(tmp_path / "alone.ome.tif").has_probabilities
    alone = classifier.predict_to(image, tmp_path / "alone.zarr")
    with pytest.raises(PredictionError, match="has labels only"):
        alone.save_ome_tiff(tmp_path / "b.ome.tif", probabilities=True)
    with pytest.raises(PredictionError, match="is already an OME-TIFF"):
        again.save_ome_tiff(tmp_path / "c.ome.tif")
    monkeypatch.setattr(_stored_prediction, "PNG_PIXELS", 1000)
    with pytest.raises(PredictionError, match="too many for a PNG"):
        stored.save_png(tmp_path / "d.png")


@pytest.mark.parametrize("step", [1, 3, 8])
def test_labels_under_drawn_pixels_are_those_of_the_level_that_fits(image, tmp_path, step):
    classifier = brightness_classifier(image)
    stored, expected = classifier.predict_to(image, tmp_path / "x.zarr", probabilities=True), classifier.predict(image)
    rows, columns = np.arange(7, 290, step), np.arange(11, 400, step)
    seen = stored.labels_on(rows, columns)
    level = 1 << (step.bit_length() - 1)
    wanted = expected.labels[np.ix_(rows // level * level, columns // level * level)]
    np.testing.assert_array_equal(seen, wanted)
    np.testing.assert_allclose(stored.probabilities_at(33, 44), expected.probabilities_at(33, 44), atol=1 / 255)


def test_pixels_are_counted_as_they_are_written_also_over_an_interruption(image, tmp_path, monkeypatch):
    classifier, asked = brightness_classifier(image), []

    def stop():
        asked.append(True)
        return len(asked) > 20

    with pytest.raises(PredictionCancelled):
        classifier.predict_to(image, tmp_path / "x.zarr", should_stop=lambda: True)
    with pytest.raises(PredictionError, match="has no pixels"):
        open_prediction(tmp_path / "x.zarr")
    with pytest.raises(PredictionCancelled):
        classifier.predict_to(image, tmp_path / "x.zarr", should_stop=stop)
    stored = classifier.predict_to(image, tmp_path / "x.zarr")
    counts = np.bincount(stored.read_labels().ravel(), minlength=2)
    monkeypatch.setattr(stored, "_read_block", lambda *_: pytest.fail("the pixels were counted already"))
    assert stored.pixel_counts() == {"Dark": counts[0], "Bright": counts[1]}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_that_are_not_square_stay_so_on_disk(tmp_path, kind):
    pixels = picture(300, 410).read(0, 0, 410, 300)
    image = hw.open_image(pixels, name="slide", pixel_size_um=(0.5, 0.25))
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / kind)
    expected = classifier.predict(image)
    assert stored.info.pixel_size_yx_um == expected.info.pixel_size_yx_um == (0.5, 0.25)
    assert open_prediction(tmp_path / kind).info.pixel_size_yx_um == (0.5, 0.25)
    written = hw.open_image(tmp_path / kind)
    assert written.pixel_size_yx_um == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize("kind", KINDS)
def test_the_prediction_of_another_image_is_not_replaced(image, tmp_path, kind):
    from PIL import Image as PillowImage

    classifier = brightness_classifier(image, pixel_size_um=None)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        pixels = picture(90, 120, seed=ord(folder)).read(0, 0, 120, 90)
        PillowImage.fromarray(pixels).save(tmp_path / folder / "01.png")
    out = tmp_path / kind
    first = classifier.predict_to(tmp_path / "a" / "01.png", out, blur_px=1).read_labels()
    with pytest.raises(PredictionError, match="prediction of another image, '01'"):
        classifier.predict_to(tmp_path / "b" / "01.png", out)
    np.testing.assert_array_equal(open_prediction(out).read_labels(), first)
    with pytest.warns(PredictionReplacedWarning):
        found = classifier.predict_to(tmp_path / "b" / "01.png", out, overwrite=True)
    np.testing.assert_array_equal(found.read_labels(), classifier.predict(tmp_path / "b" / "01.png").labels)
    with pytest.raises(PredictionError, match="another image, '01'"):
        classifier.predict_to(image, out)


@pytest.mark.parametrize("address", ["s3://bucket/out.zarr", "https://x.org/out.ome.tif", "file:///tmp/out.zarr"])
def test_an_address_is_no_folder(image, tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    classifier = brightness_classifier(image)
    with pytest.raises(PredictionError, match="is an address, not a path on this computer"):
        classifier.predict_to(image, address)
    with pytest.raises(PredictionError, match="is an address"):
        classifier.predict(image).save_png(address.rpartition(".")[0] + ".png")
    assert list(tmp_path.iterdir()) == []
