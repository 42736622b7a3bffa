"""A number of pixels is not a number of micrometres: images are seen at the pixel size of the classifier."""

import warnings

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import OutsideTrainingWarning, PredictionError
from histowidgets.images import Region, at_pixel_size
from histowidgets.prediction import PredictOptions, ViewPredictor, mean_of, open_prediction
from histowidgets.prediction.inference import prediction_fingerprint
from tests.prediction.models import BrightnessModel, brightness_classifier, picture

PIXELS = picture(120, 160).read(0, 0, 160, 120)


def scan(times, um, name="scan"):
    """The same tissue with every pixel repeated along rows and columns."""
    pixels = np.repeat(np.repeat(PIXELS, times[0], axis=0), times[1], axis=1)
    return hw.open_image(pixels, name=name, pixel_size_um=um)


@pytest.fixture(scope="module")
def half():
    """The image of training, at 0.5 um, a classifier of it, and what it answers."""
    image = scan((1, 1), 0.5)
    classifier = brightness_classifier(image, pixel_size_um=0.5)
    return classifier, classifier.predict(image)


@pytest.mark.parametrize(
    ("times", "um"), [((2, 2), 0.25), ((4, 4), 0.125), ((2, 4), (0.25, 0.125)), ((1, 2), (0.5, 0.25))]
)
def test_a_finer_scan_of_the_same_tissue_gets_the_same_answer(half, times, um):
    classifier, expected = half
    image = scan(times, um)
    found = classifier.predict(image)
    assert found.labels.shape == (120 * times[0], 160 * times[1])
    # The model sees the very same pixels; the answer is brought back to the image's own.
    np.testing.assert_array_equal(found.probability_map.values, expected.probability_map.values)
    middle = found.labels[times[0] // 2 :: times[0], times[1] // 2 :: times[1]]
    assert (middle == expected.labels).mean() > 0.97
    for name in classifier.classes:
        area = expected.measurements()[f"{name} area (um2)"]
        assert found.measurements()[f"{name} area (um2)"] == pytest.approx(area, rel=0.02)
    assert found.info.predicted_at_um == 0.5
    assert found.resampling == f"resampled from {image.pixel_size_um:.3g} to 0.5 µm per pixel"
    assert found.resampling in repr(found)


def test_a_coarser_scan_is_enlarged_and_that_is_said(half):
    classifier, expected = half
    image = hw.open_image(PIXELS.reshape(40, 3, 40, 4, 3).mean((1, 3)).astype(np.uint8), pixel_size_um=(1.5, 2.0))
    with pytest.warns(OutsideTrainingWarning, match="less detail") as said:
        found = classifier.predict(image)
    assert said[0].message.evidence["classifier_um"] == 0.5
    assert found.labels.shape == (40, 40)
    assert found.probability_map.values.shape == (2, 120, 160)
    share = expected.measurements()["Bright (%)"]
    assert found.measurements()["Bright (%)"] == pytest.approx(share, abs=5)


def test_objects_and_files_are_in_the_pixels_of_the_image(half, tmp_path):
    classifier, expected = half
    found = classifier.predict(scan((2, 2), 0.25))
    largest, theirs = (max(one.objects(), key=lambda o: o.area_px) for one in (found, expected))
    assert largest.area_um2 == pytest.approx(theirs.area_um2, rel=0.05)
    np.testing.assert_allclose(np.array(largest.polygon.bounds) / 2, theirs.polygon.bounds, atol=1.5)
    found.save_png(tmp_path / "x.png")
    assert hw.open_image(tmp_path / "x.png").width == 320


def test_within_ten_percent_pixels_are_taken_as_they_are(half):
    classifier, expected = half
    for um in (0.5, 0.46, 0.54):
        found = classifier.predict(scan((1, 1), um))
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert (found.resampling, found.info.predicted_at_um) == ("", None)


@pytest.mark.parametrize("kind", ["labels.zarr", "labels.ome.tif"])
def test_on_disk_and_in_view_it_is_the_same(half, tmp_path, kind):
    classifier, _ = half
    image = scan((2, 2), 0.31)
    whole = classifier.predict(image)
    stored = classifier.predict_to(image, tmp_path / kind, probabilities=True)
    np.testing.assert_array_equal(stored.read_labels(), whole.labels)
    np.testing.assert_allclose(stored.read_probabilities(image.region), whole.probabilities, atol=1 / 255)
    assert open_prediction(tmp_path / kind).resampling == "resampled from 0.31 to 0.5 µm per pixel"
    assert stored.pixel_size_um == 0.31
    part = Region(51, 33, 120, 90)
    seen = ViewPredictor(classifier.spec).predict(image, part)
    np.testing.assert_array_equal(seen.labels, whole.labels[33:123, 51:171])
    assert seen.resampling == whole.resampling


def test_only_what_may_be_read_is_read(half):
    classifier, _ = half
    pixels = scan((2, 2), 0.25).read(0, 0, 320, 240)
    other = np.full_like(pixels, 255)
    other[60:200, 41:251] = pixels[60:200, 41:251]
    a, b = (hw.open_image(one, pixel_size_um=0.25) for one in (pixels, other))
    within = Region(41, 60, 210, 140)
    found = [classifier.predict(one, (71, 80, 100, 60), within=within).probabilities for one in (a, b)]
    np.testing.assert_array_equal(*found)


def test_blur_is_in_the_pixels_of_the_image(half):
    classifier, _ = half
    by_pixels = classifier.predict(scan((2, 2), 0.25), blur_px=4)
    by_um = classifier.predict(scan((2, 2), 0.25), blur_um=1.0)
    np.testing.assert_array_equal(by_pixels.probabilities, by_um.probabilities)
    theirs = classifier.predict(scan((1, 1), 0.5), blur_um=1.0)
    np.testing.assert_array_equal(by_um.probability_map.values, theirs.probability_map.values)


def test_who_does_not_know_a_size_is_told(half):
    classifier, expected = half
    plain = hw.open_image(PIXELS, name="plain")
    with pytest.warns(OutsideTrainingWarning, match="pixel size of image plain is not known") as said:
        found = classifier.predict(plain)
    assert "0.5 µm" in str(said[0].message)
    np.testing.assert_array_equal(found.labels, expected.labels)
    unaware = brightness_classifier(plain)
    with pytest.warns(OutsideTrainingWarning, match="classifier does not know the pixel size"):
        unaware.predict(scan((2, 2), 0.25))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unaware.predict(plain)  # neither knows: there is nothing to compare
    assert [found.id for found in classifier.check(plain)] == ["pixel-size-unknown"]


@pytest.mark.filterwarnings("ignore::histowidgets.errors.OutsideTrainingWarning")
@pytest.mark.parametrize("um", [0.005, 50.0, 8.1])
def test_sizes_far_apart_are_refused_unless_they_are_to_be_ignored(half, um, tmp_path):
    classifier, expected = half
    image = scan((1, 1), um)
    for work in (
        lambda: classifier.predict(image),
        lambda: classifier.predict(image, (0, 0, 20, 20)),
        lambda: classifier.predict_to(image, tmp_path / "x.zarr"),
        lambda: ViewPredictor(classifier.spec).predict(image, Region(0, 0, 20, 20)),
    ):
        with pytest.raises(PredictionError, match=r"times apart.*ignore_pixel_size"):
            work()
    assert [found.id for found in classifier.check(image)] == ["pixel-size-far"]
    found = classifier.predict(image, ignore_pixel_size=True)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.resampling == ""


def test_another_size_of_the_classifier_is_another_prediction_where_it_matters(half):
    classifier, _ = half
    other = brightness_classifier(scan((1, 1), 0.5), pixel_size_um=0.52)
    what = {"options": PredictOptions().to_dict()}
    fine, same = scan((2, 2), 0.25), scan((1, 1), 0.5)
    assert prediction_fingerprint(classifier.spec, fine, what) != prediction_fingerprint(other.spec, fine, what)
    assert prediction_fingerprint(classifier.spec, same, what) == prediction_fingerprint(other.spec, same, what)


def test_a_mean_is_of_classifiers_of_one_pixel_size(half):
    classifier, _ = half
    other = brightness_classifier(scan((1, 1), 0.5), BrightnessModel(), pixel_size_um=0.25)
    with pytest.raises(hw.errors.ClassifierError, match="another pixel size"):
        mean_of([classifier.spec, other.spec])


def test_adapting_measures_at_the_pixel_size_of_the_classifier(small_network_classifier, sample):
    pixels = sample.read(0, 0, 256, 256)
    fine = hw.open_image(np.repeat(np.repeat(pixels, 2, 0), 2, 1), name="x", pixel_size_um=0.25)
    same = hw.open_image(pixels, name="x", pixel_size_um=0.5)
    assert at_pixel_size(fine, 0.5) is not fine
    a, b = (small_network_classifier.adapted_to(one).model.tensors() for one in (fine, same))
    for name, values in a.items():
        np.testing.assert_array_equal(values, b[name], err_msg=name)
