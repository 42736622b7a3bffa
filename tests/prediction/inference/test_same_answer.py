"""The same pixel of an image gets the same answer, whichever region, view or block asks (row X1)."""

import numpy as np
import pytest

from histowidgets.images import Region, open_image
from histowidgets.prediction import ViewPredictor
from histowidgets.prediction.inference import Job, PredictOptions, _to_disk
from histowidgets.prediction.results import _base, _zarr_store
from tests.prediction.models import BrightnessModel, brightness_classifier, picture

REGIONS = [(160, 160, 100, 90), (33, 77, 150, 133), (0, 0, 50, 60), (300, 200, 110, 100), (101, 3, 1, 1)]
OPTIONS = [{}, {"blur_px": 2.0}, {"blend": "gaussian"}, {"blend": "linear", "overlap": 0.4}, {"grids": 2}]


@pytest.fixture
def image():
    return open_image(picture(300, 410).read(0, 0, 410, 300), name="slide", pixel_size_um=0.5)


@pytest.fixture
def small_blocks(monkeypatch):
    for module in (_to_disk, _zarr_store, _base):
        monkeypatch.setattr(module, "BLOCK_SIDE", 128)
    monkeypatch.setattr(_zarr_store, "_CHUNK", 64)


def cut(values, region):
    x, y, width, height = region
    return values[y : y + height, x : x + width]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda one: next(iter(one), "plain"))
@pytest.mark.parametrize(("downsample", "stride"), [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("pixel_size", [0.5, 0.7])
def test_x1_whole_region_view_and_disk_agree_exactly(
    image, small_blocks, tmp_path, options, downsample, stride, pixel_size
):
    model = BrightnessModel(output_stride=stride, slanted=True)
    classifier = brightness_classifier(image, model, downsample=downsample, pixel_size_um=pixel_size)
    whole = classifier.predict(image, **options)
    for region in REGIONS:
        found = classifier.predict(image, region, **options)
        np.testing.assert_array_equal(found.probabilities, cut(whole.probabilities, region))
        np.testing.assert_array_equal(found.labels, cut(whole.labels, region))
        alone = classifier.predict(image, region, probabilities=False, **options)
        np.testing.assert_array_equal(alone.labels, found.labels)
    for probabilities in (True, False):
        out = tmp_path / f"{probabilities}.zarr"
        stored = classifier.predict_to(image, out, probabilities=probabilities, **options)
        np.testing.assert_array_equal(stored.read_labels(), whole.labels)
    part = classifier.predict_to(image, tmp_path / "part.zarr", (37, 21, 301, 222), **options)
    np.testing.assert_array_equal(part.read_labels(), cut(whole.labels, (37, 21, 301, 222)))
    if not options:
        view = ViewPredictor(classifier.spec)
        for region in (Region(11, 13, 200, 150), Region(51, 63, 200, 150)):
            np.testing.assert_array_equal(view.predict(image, region).labels, cut(whole.labels, region))


@pytest.mark.parametrize("kind", ["quick", "network_classifier", "ensemble"])
def test_x1_real_models_agree_exactly(request, sample, monkeypatch, tmp_path, kind):
    classifier = request.getfixturevalue(kind)
    monkeypatch.setattr(classifier.model, "largest_tile", 256, raising=False)
    whole = classifier.predict(sample, precision="fp32")
    for region in [(160, 160, 200, 200), (333, 33, 170, 300), (201, 99, 111, 85)]:
        found = classifier.predict(sample, region, precision="fp32")
        np.testing.assert_array_equal(found.probabilities, cut(whole.probabilities, region))
        view = ViewPredictor(classifier.spec).predict(sample, Region(*region))
        np.testing.assert_array_equal(view.labels, cut(whole.labels, region))
    stored = classifier.predict_to(sample, tmp_path / "x.zarr", precision="fp32")
    np.testing.assert_array_equal(stored.read_labels(), whole.labels)


def test_x1_a_block_asks_again_for_few_tiles(image, small_blocks, tmp_path):
    """Blocks end where tiles end; what two share is computed once."""
    for stride, downsample, options in [(1, 1, {}), (2, 2, {}), (1, 1, {"blur_px": 2.0}), (1, 1, {"blend": "linear"})]:
        models = [BrightnessModel(output_stride=stride) for _ in range(2)]
        whole, disk = (brightness_classifier(image, model, downsample=downsample) for model in models)
        whole.predict(image, **options)
        disk.predict_to(image, tmp_path / f"{stride}{options}.zarr", **options)
        computed = [sum(shape[0] for shape in model.shapes) for model in models]
        assert computed[0] == computed[1], options


def test_x1_a_small_region_needs_the_tiles_it_lies_in(image):
    spec = brightness_classifier(image).spec
    tiles = {tile for plan in Job.of(spec, image).plans for tile in plan.tile_regions()}
    for region in REGIONS:
        own = [tile for plan in Job.of(spec, image, region).plans for tile in plan.tile_regions()]
        assert set(own) <= tiles
        assert len(own) <= (region[2] // 40 + 2) * (region[3] // 40 + 2)
    assert Job.of(spec, image, (101, 3, 1, 1)).n_tiles == 1


def test_x1_labels_of_a_large_region_are_those_of_exact_probabilities(image, monkeypatch):
    from histowidgets.prediction.tiling import _probability_map

    classifier = brightness_classifier(image, BrightnessModel(output_stride=2))
    exact = classifier.predict(image)
    monkeypatch.setattr(_probability_map, "EXACT_PROBABILITIES", 1000)
    large = classifier.predict(image)
    assert large.probability_map.values.dtype == np.float16
    np.testing.assert_array_equal(large.labels, exact.labels)


@pytest.mark.parametrize("pixel_size", [0.5, 0.7])
def test_x1_regions_of_a_held_out_rectangle_lie_on_one_grid(image, pixel_size):
    classifier = brightness_classifier(image, BrightnessModel(slanted=True), pixel_size_um=pixel_size)
    held = Region(37, 21, 301, 222)
    whole = classifier.predict(image, held, within=held)
    for region in (Region(60, 70, 100, 90), Region(37, 33, 77, 150), Region(337, 242, 1, 1)):
        found = classifier.predict(image, region, within=held)
        inside = (region.x - held.x, region.y - held.y, region.width, region.height)
        np.testing.assert_array_equal(found.probabilities, cut(whole.probabilities, inside))


def test_what_was_asked_within_a_part_reads_nothing_else(image):
    classifier = brightness_classifier(image)
    pixels = image.read(0, 0, 410, 300)
    other = np.zeros_like(pixels)
    other[50:200, 40:300] = pixels[50:200, 40:300]
    options = PredictOptions(precision="fp32").to_dict()
    found = [
        classifier.predict(one, (60, 70, 100, 90), within=Region(40, 50, 260, 150), **options).probabilities
        for one in (image, open_image(other))
    ]
    np.testing.assert_array_equal(*found)
