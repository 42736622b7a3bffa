"""What a prediction gives: labels, objects, measurements, files."""

import json

import numpy as np
import pytest
import shapely
import tifffile
from PIL import Image as PillowImage
from shapely.geometry import shape as as_shape

from histowidgets.errors import ClassifierError, PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import Classifier, Prediction, ProbabilityMap, open_prediction, overlay_rgba
from histowidgets.prediction.results._polygons import polygons_of
from histowidgets.prediction.tiling import BAND_ROWS

CLASSES, COLORS = ["Stroma", "Gland", "<b>Lumen</b>"], ["#d55e00", "#0072b2", "#009e73"]


def prediction_of(labels, region=None, n_classes=3, **keywords):
    height, width = labels.shape
    region = region or Region(0, 0, width, height)
    probabilities = (labels[..., None] == np.arange(n_classes)).astype(np.float32)
    return Prediction(probabilities, classes=CLASSES[:n_classes], colors=COLORS[:n_classes], region=region, **keywords)


def random_labels(seed=0, shape=(40, 50), n_classes=3):
    return np.random.default_rng(seed).integers(0, n_classes, shape).astype(np.uint8)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_b8_polygon_areas_are_pixel_counts_and_valid(seed, n_classes):
    """Noise is the hardest case: pixels that touch at corners, holes in holes, rings at the border."""
    labels = random_labels(seed, (30, 37), n_classes)
    groups = polygons_of(labels, n_classes)
    assert sum(g.n_pixels for g in groups) == labels.size
    painted = np.zeros(labels.shape)
    for group in groups:
        assert group.polygon.is_valid
        assert group.polygon.area == group.n_pixels
        yy, xx = np.mgrid[:30, :37] + 0.5
        inside = shapely.contains_xy(group.polygon, xx, yy)
        assert (labels[inside] == group.class_index).all()
        painted += inside
    assert (painted == 1).all()


def test_b8_holes_are_left_out_of_the_area():
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 5:15] = 1
    labels[8:12, 8:12] = 0
    objects = prediction_of(labels, pixel_size_um=0.5).objects(min_area_um2=0)
    gland = next(o for o in objects if o.class_name == "Gland")
    assert gland.area_px == 100 - 16 == gland.polygon.area
    assert gland.area_um2 == 84 * 0.25
    assert len(gland.polygon.interiors) == 1


def test_b15_the_first_class_becomes_objects_too():
    labels = random_labels()
    found = {o.class_name for o in prediction_of(labels).objects(min_area_um2=0)}
    assert found == set(CLASSES)
    only_first = prediction_of(np.zeros((9, 9), np.uint8)).objects()
    assert [(o.class_name, o.area_px) for o in only_first] == [("Stroma", 81)]


def test_small_objects_are_left_out_by_their_area_in_um2():
    labels = np.zeros((30, 30), np.uint8)
    labels[2:4, 2:4] = 1  # 4 px
    labels[10:15, 10:18] = 1  # 40 px
    calibrated = prediction_of(labels, pixel_size_um=0.5)
    assert [o.area_px for o in calibrated.objects(10) if o.class_name == "Gland"] == [40]
    assert [o.area_px for o in calibrated.objects(1) if o.class_name == "Gland"] == [4, 40]
    assert [o.area_px for o in prediction_of(labels).objects(10) if o.class_name == "Gland"] == [40]
    # What is left out leaves its hole.
    stroma = next(o for o in calibrated.objects(10) if o.class_name == "Stroma")
    assert stroma.area_px == 900 - 44 == stroma.polygon.area


def test_offsets_of_a_region_are_those_of_the_image(tmp_path):
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 6:16] = 1
    prediction = prediction_of(labels, Region(1000, 2000, 30, 20))
    gland = next(o for o in prediction.objects() if o.class_name == "Gland")
    assert gland.polygon.bounds == (1006, 2005, 1016, 2015)
    prediction.save_geojson(tmp_path / "x.geojson")
    features = json.loads((tmp_path / "x.geojson").read_text())["features"]
    bounds = [as_shape(f["geometry"]).bounds for f in features]
    assert (1006, 2005, 1016, 2015) in bounds


def test_measurements_say_their_unit():
    labels = np.zeros((10, 10), np.uint8)
    labels[:3] = 1
    assert prediction_of(labels, n_classes=2, pixel_size_um=0.5).measurements() == {
        "Stroma area (um2)": 70 * 0.25,
        "Stroma (%)": 70.0,
        "Gland area (um2)": 30 * 0.25,
        "Gland (%)": 30.0,
    }
    plain = prediction_of(labels).measurements()
    assert plain["Gland area (px2)"] == 30
    assert plain["<b>Lumen</b> (%)"] == 0
    assert not any("um2" in key for key in plain)


def test_geojson_is_qupaths_flavour(tmp_path):
    labels = random_labels(1)
    prediction = prediction_of(labels, pixel_size_um=0.5)
    prediction.save_geojson(tmp_path / "a.geojson", min_area_um2=0)
    collection = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))
    assert collection["type"] == "FeatureCollection"
    areas = dict.fromkeys(CLASSES, 0.0)
    ids = set()
    for feature in collection["features"]:
        assert feature["type"] == "Feature"
        properties = feature["properties"]
        assert properties["objectType"] == "annotation"
        name = properties["classification"]["name"]
        assert (
            properties["classification"]["color"]
            == {
                "Stroma": [213, 94, 0],
                "Gland": [0, 114, 178],
                "<b>Lumen</b>": [0, 158, 115],
            }[name]
        )
        polygon = as_shape(feature["geometry"])
        assert polygon.is_valid
        ring = feature["geometry"]["coordinates"][0]
        assert ring[0] == ring[-1]
        assert properties["measurements"]["Area µm^2"] == polygon.area * 0.25
        areas[name] += polygon.area
        ids.add(feature["id"])
    assert len(ids) == len(collection["features"])
    assert areas == {name: (labels == k).sum() for k, name in enumerate(CLASSES)}


def test_geojson_detections_and_bad_requests(tmp_path):
    prediction = prediction_of(random_labels())
    prediction.save_geojson(tmp_path / "d.geojson", object_type="detection")
    features = json.loads((tmp_path / "d.geojson").read_text())["features"]
    assert {f["properties"]["objectType"] for f in features} == {"detection"}
    assert "Area px^2" in features[0]["properties"]["measurements"]
    with pytest.raises(PredictionError, match="object_type is 'cell'"):
        prediction.save_geojson(tmp_path / "x.geojson", object_type="cell")
    for save in (prediction.save_geojson, prediction.save_png, prediction.save_ome_tiff):
        with pytest.raises(PredictionError, match="cannot be written"):
            save(tmp_path / "no such folder" / "x.out")


def test_geojson_can_be_imported_as_annotations(tmp_path, sample):
    import histowidgets as hw

    labels = np.zeros((60, 60), np.uint8)
    labels[10:40, 20:50] = 1
    prediction_of(labels, Region(100, 50, 60, 60)).save_geojson(tmp_path / "a.geojson")
    project = hw.Project(classes=CLASSES)
    name = project.add_image(sample)
    project.import_geojson(name, tmp_path / "a.geojson")
    found = project.label_map(name)[50:110, 100:160]
    assert (found == labels).mean() > 0.96


def test_png_reads_back_as_indices_with_the_colours(tmp_path):
    labels = random_labels()
    prediction_of(labels).save_png(tmp_path / "a.png")
    picture = PillowImage.open(tmp_path / "a.png")
    assert picture.mode == "P"
    np.testing.assert_array_equal(np.asarray(picture), labels)
    rgb = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(rgb[labels == 1], np.tile([0, 114, 178], ((labels == 1).sum(), 1)))


def test_ome_tiff_holds_labels_pixel_size_and_probabilities(tmp_path):
    labels = random_labels(2, (300, 270))
    prediction = prediction_of(labels, Region(40, 20, 270, 300), pixel_size_um=0.25, image_name="slide")
    prediction.save_ome_tiff(tmp_path / "a.ome.tif", probabilities=True)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        assert tiff.is_ome
        assert tiff.pages[0].is_tiled
        np.testing.assert_array_equal(tiff.series[0].asarray(), labels)
        np.testing.assert_array_equal(np.moveaxis(tiff.series[1].asarray(), 0, -1), prediction.probabilities)
        ome = tiff.ome_metadata
    assert 'PhysicalSizeX="0.25"' in ome
    assert 'PositionX="10.0"' in ome
    assert 'Name="Gland"' in ome
    from histowidgets.images import open_image

    assert open_image(tmp_path / "a.ome.tif").pixel_size_um == pytest.approx(0.25)


def test_ome_tiff_without_pixel_size(tmp_path):
    labels = random_labels()
    prediction_of(labels).save_ome_tiff(tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        assert len(tiff.series) == 1
        np.testing.assert_array_equal(tiff.asarray(), labels)
        assert "PhysicalSizeX" not in tiff.ome_metadata


def test_parts_are_read_by_their_place_in_the_image():
    labels = random_labels(3, (100, 120))
    prediction = prediction_of(labels, Region(50, 30, 120, 100))
    np.testing.assert_array_equal(prediction.read_labels(), labels)
    np.testing.assert_array_equal(prediction.read_labels((60, 40, 20, 10)), labels[10:20, 10:30])
    rows, columns = np.arange(1, 100, 2), np.repeat(np.arange(120), 2)
    np.testing.assert_array_equal(prediction.labels_on(rows, columns), labels[np.ix_(rows, columns)])
    part = prediction.read_probabilities((60, 40, 20, 10))
    np.testing.assert_array_equal(part, prediction.probabilities[10:20, 10:30])
    np.testing.assert_array_equal(prediction.probabilities_at(61, 42), part[2, 1])
    for read in (prediction.read_labels, prediction.read_probabilities):
        with pytest.raises(RegionError, match="is not inside the predicted region"):
            read((0, 0, 20, 10))


@pytest.mark.parametrize("scale", [1, 2])
def test_probabilities_of_a_part_are_those_of_the_whole(scale):
    height, width = BAND_ROWS + 60, 40
    values = np.random.default_rng(0).random((2, -(-height // scale), -(-width // scale))).astype(np.float32)
    found = ProbabilityMap(values, width, height, scale)
    prediction = Prediction(found, classes=CLASSES[:2], colors=COLORS[:2], region=Region(5, 7, width, height))
    part = prediction.read_probabilities((10, 7 + BAND_ROWS - 20, 25, 50))
    np.testing.assert_array_equal(part, prediction.probabilities[BAND_ROWS - 20 : BAND_ROWS + 30, 5:30])


def test_b8_what_is_not_predicted_belongs_to_no_object():
    labels = random_labels(4)
    labels[10:20, 10:30] = 255
    prediction = Prediction(None, labels=labels, classes=CLASSES, colors=COLORS, region=Region(0, 0, 50, 40))
    assert sum(found.area_px for found in prediction.objects(0)) == labels.size - 200


def test_a_saved_prediction_comes_back_with_its_classes(tmp_path, sample):
    """The project has other classes, in another order: the file says which is which."""
    import histowidgets as hw

    labels = np.zeros((sample.height, sample.width), np.uint8)
    labels[10:60, 20:90], labels[100:180, 40:140] = 1, 2
    prediction_of(labels).save_png(tmp_path / "a.png")
    project = hw.Project(classes=["Gland", "Stroma"])
    name = project.add_image(sample)
    assert project.import_label_png(name, tmp_path / "a.png", unknown_classes="add") == 3
    assert tuple(project.classes) == ("Gland", "Stroma", "<b>Lumen</b>")
    assert project.colors["<b>Lumen</b>"] == COLORS[2].upper()
    np.testing.assert_array_equal(project.label_map(name), np.array([1, 0, 2])[labels])


def test_a_colour_may_be_any_that_css_knows():
    plain = prediction_of(random_labels())
    colors = ["red", "#0F0", "#0072b2"]
    named = Prediction(plain.probability_map, classes=CLASSES, colors=colors, region=plain.region)
    assert list(named.colors.values()) == ["#ff0000", "#00ff00", "#0072b2"]


def test_labels_are_computed_once_and_read_only():
    prediction = prediction_of(random_labels())
    assert prediction.labels is prediction.labels
    with pytest.raises(ValueError, match="read-only"):
        prediction.labels[0, 0] = 1
    assert repr(prediction).startswith("<Prediction of 'image' at x=0, y=0, 50 x 40: Stroma ")


@pytest.mark.parametrize("scale", [1, 2, 3, 8])
def test_probability_maps_enlarge_without_seams(scale):
    height, width = BAND_ROWS + 101, 67
    rows, cols = -(-height // scale), -(-width // scale)
    values = np.random.default_rng(0).random((2, rows, cols)).astype(np.float32)
    found = ProbabilityMap(values, width, height, scale)
    full = found.expanded()
    small = found.values.astype(np.float32)
    y = np.clip((np.arange(height) + 0.5) / scale - 0.5, 0, rows - 1)
    x = np.clip((np.arange(width) + 0.5) / scale - 0.5, 0, cols - 1)
    from scipy.ndimage import map_coordinates

    for k in range(2):
        expected = map_coordinates(small[k], np.meshgrid(y, x, indexing="ij"), order=1)
        np.testing.assert_allclose(full[..., k], expected, atol=2e-5)
    np.testing.assert_array_equal(found.labels(), full.argmax(-1))


def test_probability_maps_stay_modest_in_memory():
    found = ProbabilityMap(np.zeros((3, 2048, 2048), np.float32), 4096, 4096, 2)
    assert found.values.nbytes < 51e6
    large = ProbabilityMap(np.broadcast_to(np.float32(0.5), (3, 4096, 4096)), 4096, 4096)
    assert large.values.nbytes < 101e6
    assert ProbabilityMap(np.zeros((1, 5, 5), np.float16), 5, 5).values.dtype == np.float16, "nothing to gain"


def test_what_does_not_fit_is_refused():
    with pytest.raises(PredictionError, match=r"shape \(3, 4, 5\) do not fit a region of 9 x 9"):
        ProbabilityMap(np.zeros((3, 4, 5)), 9, 9)
    with pytest.raises(PredictionError, match=r"expected \(height, width, classes\)"):
        Prediction(np.zeros((4, 4)), classes=["a"], colors=["#000000"], region=Region(0, 0, 4, 4))
    with pytest.raises(PredictionError, match="has no colour"):
        Prediction(np.zeros((4, 4, 1)), classes=["a"], colors={"b": "#000000"}, region=Region(0, 0, 4, 4))
    with pytest.raises(PredictionError, match=r"2 colour\(s\) were given for 1 classes"):
        Prediction(np.zeros((4, 4, 1)), classes=["a"], colors=COLORS[:2], region=Region(0, 0, 4, 4))


def test_overlay_colours_classes_and_leaves_the_rest_clear():
    labels = np.array([[0, 1], [2, 255]], np.uint8)
    rgba = overlay_rgba(labels, dict(zip(CLASSES, COLORS, strict=True)), alpha=128)
    assert rgba.dtype == np.uint8
    assert rgba.tolist() == [[[213, 94, 0, 128], [0, 114, 178, 128]], [[0, 158, 115, 128], [0, 0, 0, 0]]]
    assert overlay_rgba(labels, COLORS, alpha=[10, 20, 30])[..., 3].tolist() == [[10, 20], [30, 0]]
    assert overlay_rgba(np.zeros((3, 0), np.uint8), COLORS).shape == (3, 0, 4)
    with pytest.raises(PredictionError, match="'reddish' is not a colour"):
        overlay_rgba(labels, ["reddish"])


@pytest.mark.parametrize("name", ["min_area_um2", "fill_holes_um2", "simplify_um"])
@pytest.mark.parametrize("value", ["x", None, -1, float("nan"), [1]])
def test_areas_and_lengths_are_numbers(name, value):
    prediction = Prediction(np.ones((4, 4, 1)), classes=["a"], colors=["#000000"], region=Region(0, 0, 4, 4))
    with pytest.raises(PredictionError, match=rf"{name} is .*; expected a number of at least 0"):
        prediction.objects(**{name: value})


@pytest.mark.parametrize("path", [None, 5, ""])
def test_what_is_no_path_is_named(path):
    prediction = Prediction(np.ones((4, 4, 1)), classes=["a"], colors=["#000000"], region=Region(0, 0, 4, 4))
    for save in ("save_png", "save_geojson", "save_ome_tiff", "save_csv", "save_measurements"):
        with pytest.raises(PredictionError, match=r"The path is .*; expected"):
            getattr(prediction, save)(path)
        with pytest.raises(PredictionError, match=r"is a folder. Give the path of a file"):
            getattr(prediction, save)(".")
    with pytest.raises(PredictionError, match=r"The path is .*; expected"):
        open_prediction(path)
    with pytest.raises(ClassifierError, match=r"The path is .*; expected"):
        Classifier.load(path)
