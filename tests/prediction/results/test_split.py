"""Touching objects are split, the same in memory and on disk, whatever the blocks."""

import csv
import json

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure
from skimage.color import rgb2hed

import histowidgets as hw
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.prediction.results import BLOCK_SIDE, Card, ObjectOptions, Store, _split, open_prediction
from histowidgets.prediction.results._block import Block
from histowidgets.prediction.results._objects import find_objects

CLASSES, COLORS = ["Background", "Nucleus"], ["#000000", "#56B4E9"]


def discs(shape, middles, radius):
    yy, xx = np.mgrid[: shape[0], : shape[1]] + 0.5
    labels = np.zeros(shape, np.uint8)
    for x, y in middles:
        labels[np.hypot(yy - y, xx - x) < radius] = 1
    return labels


def prediction_of(labels, confidence=0.9, region=None, **more):
    """A prediction with the given probability of each label."""
    sure = np.broadcast_to(np.float32(confidence), labels.shape)
    nucleus = np.where(labels == 1, sure, 1 - sure)
    region = region or Region(0, 0, labels.shape[1], labels.shape[0])
    probabilities = np.stack([1 - nucleus, nucleus], -1)
    return Prediction(probabilities, classes=CLASSES, colors=COLORS, region=region, **{"pixel_size_um": 0.5} | more)


def nuclei(prediction, **options):
    return [one for one in prediction.objects(**options) if one.class_name == "Nucleus"]


def crowd(side, seed=0, count=None):
    """Ellipses of many sizes that touch at random, with holes and uncertain places."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint8)
    yy, xx = np.mgrid[:41, :41] - 20
    for _ in range(count or side * side // 800):
        y, x = rng.integers(20, side - 21, 2)
        stretch = rng.uniform(0.7, 1.4)
        inside = (yy * stretch) ** 2 + (xx / stretch) ** 2 < rng.uniform(6, 13) ** 2
        labels[y - 20 : y + 21, x - 20 : x + 21][inside] = 1
    labels[rng.random(labels.shape) < 0.002] = 0
    return labels, np.clip(0.8 + ndimage.gaussian_filter(rng.normal(0, 0.6, labels.shape), 2), 0.51, 1)


def described(objects):
    """What must agree exactly; outlines begin anywhere on their rings."""
    return sorted(
        (o.class_name, o.area_px, o.polygon.normalize().wkb_hex, o.mean_probability, o.eccentricity, *o.means.values())
        for o in objects
    )


def test_x6_touching_discs_are_split_in_the_middle_and_only_if_asked():
    labels = discs((60, 90), [(30, 30), (54, 30)], 15)
    prediction = prediction_of(labels)
    assert [o.area_px for o in nuclei(prediction)] == [int(labels.sum())]
    for split in ("distance", "probability"):
        left, right = sorted(nuclei(prediction, split=split), key=lambda o: o.polygon.centroid.x)
        assert left.area_px + right.area_px == labels.sum()
        assert left.polygon.bounds[2] == right.polygon.bounds[0] == 42
        assert left.area_um2 == left.area_px * 0.25
        assert not left.polygon.overlaps(right.polygon)


def test_x6_the_depth_in_um_decides_what_is_split():
    # Discs of radius 60 px whose middles are 96 px apart: the neck is 36 px wide on either side of the axis.
    labels = discs((140, 240), [(70, 70), (166, 70)], 60)
    depth, pixel = (60 - np.sqrt(60**2 - 48**2)) * 0.5, 0.5  # 12 um
    prediction = prediction_of(labels)
    assert len(nuclei(prediction, split="distance", split_depth_um=depth - 2 * pixel)) == 2
    assert len(nuclei(prediction, split="distance", split_depth_um=depth + pixel)) == 1
    uncalibrated = prediction_of(labels, pixel_size_um=None)
    assert len(nuclei(uncalibrated, split="distance", split_depth_um=22)) == 2  # then in pixels
    assert len(nuclei(uncalibrated, split="distance", split_depth_um=25)) == 1


def test_x6_pixels_that_are_not_square_are_split_by_um():
    high = np.repeat(discs((60, 90), [(30, 30), (54, 30)], 15), 2, axis=0)
    prediction = prediction_of(high, pixel_size_um=(0.25, 0.5))
    assert [o.area_px for o in nuclei(prediction, split="distance", split_depth_um=1.75)] == [high.sum() / 2] * 2
    assert len(nuclei(prediction, split="distance", split_depth_um=3.5)) == 1
    flat = discs((60, 90), [(30, 30), (54, 30)], 15)[:, ::2]  # the same discs, in pixels twice as wide
    one = nuclei(prediction_of(flat, pixel_size_um=(0.5, 1.0)))[0]
    square = nuclei(prediction_of(discs((60, 90), [(30, 30), (54, 30)], 15)))[0]
    assert one.eccentricity == pytest.approx(square.eccentricity, abs=0.01)


def test_x6_probability_splits_where_the_shape_alone_does_not():
    labels = np.zeros((40, 100), np.uint8)
    labels[10:30, 10:90] = 1  # a bar of constant width
    dip = 0.95 - 0.4 * np.exp(-(((np.arange(100) + 0.5 - 50) / 4) ** 2))
    prediction = prediction_of(labels, dip[None])
    assert len(nuclei(prediction, split="distance", split_depth_um=1)) == 1
    left, right = nuclei(prediction, split="probability", split_depth_um=1)
    assert {left.area_px, right.area_px} == {800}


def test_x6_pieces_that_are_too_small_stay_with_their_neighbour():
    labels = discs((80, 120), [(40, 40)], 25) | discs((80, 120), [(70, 40)], 8)
    prediction = prediction_of(labels)
    large, small = sorted(nuclei(prediction, split="distance"), key=lambda o: -o.area_px)
    assert small.area_um2 > 10
    (joined,) = nuclei(prediction, split="distance", min_area_um2=small.area_um2 + 1)
    assert joined.area_px == labels.sum() == large.area_px + small.area_px


def test_x6_filled_holes_do_not_split_an_object():
    labels = discs((60, 60), [(30, 30)], 18)
    labels[28:32, 20:22] = labels[28:32, 38:40] = 0
    prediction = prediction_of(labels)
    assert len(nuclei(prediction, split="distance", split_depth_um=0.5)) > 1
    (one,) = nuclei(prediction, split="distance", split_depth_um=0.5, fill_holes_um2=4)
    assert one.area_px == labels.sum() + 16
    assert one.mean_probability == pytest.approx(0.9, abs=1 / 255)


def test_x6_only_the_chosen_classes_are_split_and_ignored_ones_have_no_objects():
    labels = discs((60, 90), [(30, 30), (54, 30)], 15)
    labels[:4] = 2
    prediction = Prediction(
        np.eye(3, dtype=np.float32)[labels],
        classes=["Nucleus", "Other", "Ignore*"],
        colors=["#000000", "#56B4E9", "#E69F00"],
        region=Region(0, 0, 90, 60),
        pixel_size_um=0.5,
    )
    found = prediction.objects(split="distance", split_classes=["Other"])
    assert sorted(o.class_name for o in found) == ["Nucleus", "Other", "Other"]


@pytest.mark.parametrize("split", ["distance", "probability"])
@pytest.mark.parametrize("side", [37, 100, 256])
def test_x6_blocks_do_not_change_objects(split, side):
    labels, sure = crowd(300)
    sure = np.rint(sure * 255).astype(np.uint8)
    channel = np.random.default_rng(1).integers(0, 4096, labels.shape).astype(np.uint16)

    def read(region):
        part = np.s_[region.y : region.bottom, region.x : region.right]
        return Block(region, labels[part], sure[part], (channel[part],))

    def objects(side):
        edges = range(0, 300, side)
        blocks = [Region.from_edges(x, y, min(x + side, 300), min(y + side, 300)) for y in edges for x in edges]
        options = ObjectOptions(min_area_um2=5, fill_holes_um2=2, split=split)
        return find_objects(blocks, read, CLASSES, (0.5, 0.5), options, [False, True], ["DNA"])

    whole = objects(300)
    assert len(whole) > 40
    assert described(objects(side)) == described(whole)


def test_x6_an_object_as_large_as_a_slide_is_split_in_squares_without_seams(monkeypatch):
    labels, _ = crowd(400, count=500)
    prediction = prediction_of(labels)
    options = {"split": "distance", "split_depth_um": 1.0, "min_area_um2": 5}
    whole = nuclei(prediction, **options)
    monkeypatch.setattr(_split, "MOST_PIXELS", 100 * 100)
    monkeypatch.setattr(_split, "SQUARE", 90)
    monkeypatch.setattr(_split, "MARGIN", 60)
    largest = max(nuclei(prediction, min_area_um2=5), key=lambda o: o.area_px).polygon.bounds
    assert (largest[2] - largest[0]) * (largest[3] - largest[1]) > 4 * 90 * 90  # several squares
    found = nuclei(prediction, **options)
    assert sum(o.area_px for o in found) == sum(o.area_px for o in whole)
    same = set(described(found)) & set(described(whole))
    assert len(same) >= 0.95 * len(whole)
    assert abs(len(found) - len(whole)) <= 0.02 * len(whole)


def stored(prediction, path):
    """The same prediction on disk, in blocks of another size."""
    info, region = prediction.info, prediction.region
    card = Card(**dict(info), probabilities=True, fingerprint="x")
    store = Store(path, card)
    store.open()
    values = np.rint(np.moveaxis(prediction.probabilities, -1, 0) * 255).astype(np.uint8)
    store.write(Region(0, 0, region.width, region.height), prediction.labels, values)
    store.note(1, 1)
    return open_prediction(path)


def test_x6_a_prediction_on_disk_gives_exactly_the_same_objects(tmp_path):
    size = BLOCK_SIDE + 150, 420  # two blocks
    labels, sure = np.zeros(size, np.uint8), np.full(size, 0.95)
    for top in (0, BLOCK_SIDE - 200):  # over the corner of the image, and over the border of the blocks
        labels[top : top + 340, :340], sure[top : top + 340, :340] = crowd(340, seed=top)
    region = Region(37, 41, size[1], size[0])
    memory = prediction_of(labels, sure, region)
    disk = stored(memory, tmp_path / "a.zarr")
    pixels = np.random.default_rng(0).integers(100, 255, (size[0] + 50, size[1] + 50, 3), np.uint8)
    image = hw.open_image(pixels, name="a", pixel_size_um=0.5)
    for split in (None, "distance", "probability"):
        options = {"split": split, "split_classes": ["Nucleus"], "image": image, "min_area_um2": 4}
        in_memory, on_disk = memory.objects(**options), disk.objects(**options)
        assert len(in_memory) > 50
        assert described(in_memory) == described(on_disk)
        assert memory.counts(in_memory) == disk.counts(on_disk)
        (_, bottom), border = (0, region.bottom), region.y + BLOCK_SIDE
        assert len([o for o in in_memory if o.polygon.bounds[1] < border < o.polygon.bounds[3] < bottom]) > 3
    assert "OD DAB" in in_memory[0].means


def test_x6_each_object_has_its_measurements(tmp_path):
    yy, xx = np.mgrid[:80, :100] + 0.5
    labels = (((xx - 50) / 30) ** 2 + ((yy - 40) / 15) ** 2 < 1).astype(np.uint8)
    labels[38:42, 48:52] = 0
    rng = np.random.default_rng(0)
    pixels = np.full((80, 100, 3), 240, np.uint8)
    pixels[labels == 1] = rng.integers(60, 160, (int(labels.sum()), 3))
    image = hw.open_image(pixels, name="a", pixel_size_um=0.5)
    (one,) = nuclei(prediction_of(labels, 0.8), image=image)
    (theirs,) = measure.regionprops(labels, pixels)
    assert one.eccentricity == pytest.approx(theirs.eccentricity, abs=1e-9)
    assert [one.means[name] for name in image.channel_names] == pytest.approx(theirs.intensity_mean.tolist())
    density = 6 * rgb2hed(pixels)[labels == 1].mean(0)
    assert one.means["OD hematoxylin"] == pytest.approx(density[0], abs=1e-5)
    assert one.means["OD DAB"] == pytest.approx(density[2], abs=1e-5)
    prediction = prediction_of(labels, 0.8)
    found = prediction.save_csv(tmp_path / "a.csv", image=image)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["Mean OD DAB"]) for row in rows] == [o.means["OD DAB"] for o in found]
    assert list(rows[0]) == list(prediction.object_table(image=image)[0])
    prediction.save_geojson(tmp_path / "a.geojson", image=image)
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    assert features[1]["properties"]["measurements"]["Mean OD DAB"] == one.means["OD DAB"]
    assert features[1]["properties"]["measurements"]["Eccentricity"] == one.eccentricity


def test_fluorescence_has_channels_but_no_optical_densities():
    labels = discs((60, 90), [(30, 30)], 15)
    pixels = np.stack([labels * np.uint16(3000), labels * np.uint16(10) + 5], -1)
    image = hw.open_image(pixels, name="a", channel_names=["DAPI", "Ki67"])
    (one,) = nuclei(prediction_of(labels), image=image)
    assert one.means == {"DAPI": 3000, "Ki67": 15}
    with pytest.raises(PredictionError, match="Pass the image that was predicted"):
        prediction_of(labels).objects(image=hw.open_image(pixels[:40]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "magic"}, "split is 'magic'; use 'distance' or 'probability', or None"),
        ({"split_depth_um": 0}, "split_depth_um is 0; expected a number above 0"),
        ({"split_depth_um": -1.0}, "split_depth_um is -1.0"),
        ({"split_depth_um": float("nan")}, "split_depth_um is nan"),
        ({"split_depth_um": 1000}, "at most 100"),
        ({"split": "distance", "min_area_um2": float("inf")}, "cannot be split"),
        ({"split": "distance", "split_classes": ["Cell"]}, "There is no class 'Cell' to split"),
        ({"split": "distance", "split_classes": "Nucleus"}, "pass a list"),
    ],
)
def test_x6_impossible_options_are_refused(options, words, tmp_path):
    prediction = prediction_of(discs((60, 90), [(30, 30)], 15))
    (tmp_path / "a.csv").write_text("kept")
    with pytest.raises(PredictionError, match=words):
        prediction.objects(**options)
    with pytest.raises(PredictionError, match=words):
        prediction.save_csv(tmp_path / "a.csv", **options)
    assert (tmp_path / "a.csv").read_text() == "kept"


def test_x6_splitting_by_probability_needs_probabilities():
    labels = discs((60, 90), [(30, 30), (54, 30)], 15)
    only = Prediction(None, classes=CLASSES, colors=COLORS, region=Region(0, 0, 90, 60), labels=labels)
    with pytest.raises(PredictionError, match="labels only, so its objects cannot be split by probability"):
        only.objects(split="probability")
    assert len(nuclei(only, split="distance")) == 2
