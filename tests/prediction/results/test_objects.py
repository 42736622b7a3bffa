"""Objects with holes filled and outlines smoothed, their table, and measurements of annotations."""

import csv
import json

import numpy as np
import pandas
import pytest
import shapely
import tifffile
from scipy import ndimage
from shapely.geometry import shape as as_shape

import histowidgets as hw
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.prediction.results import ObjectOptions
from histowidgets.prediction.results._block import Block
from histowidgets.prediction.results._objects import find_objects
from tests.prediction.results.test_prediction import CLASSES, COLORS, prediction_of


def disc(radius=30, hole=0):
    yy, xx = np.mgrid[:100, :120] + 0.5
    distance = np.hypot(yy - 50, xx - 60)
    return ((distance < radius) & (distance >= hole)).astype(np.uint8)


def glands(prediction, **keywords):
    return [o for o in prediction.objects(**keywords) if o.class_name == "Gland"]


def test_b8_filled_holes_count_and_larger_ones_stay():
    labels = disc()
    labels[50:52, 60:62] = 0  # 4 px: 1 um2
    labels[40:45, 50:55] = 0  # 25 px: 6.25 um2
    prediction = prediction_of(labels, pixel_size_um=0.5)
    (plain,), (some,), (all_,) = (glands(prediction, fill_holes_um2=a) for a in (0, 1, 10))
    n = int(labels.sum())
    assert [len(o.polygon.interiors) for o in (plain, some, all_)] == [2, 1, 0]
    assert [o.area_px for o in (plain, some, all_)] == [n, n + 4, n + 29]
    for found in (plain, some, all_):
        assert found.polygon.area == found.area_px
        assert found.area_um2 == found.area_px * 0.25


def test_smoothed_outlines_stay_near_the_pixels_and_keep_the_area():
    prediction = prediction_of(disc(hole=10), pixel_size_um=0.5)
    (plain,), (smooth,) = glands(prediction), glands(prediction, simplify_um=0.5)
    assert smooth.area_px == plain.area_px
    assert len(smooth.polygon.exterior.coords) < len(plain.polygon.exterior.coords) / 2
    assert smooth.polygon.is_valid
    assert len(smooth.polygon.interiors) == 1
    assert shapely.hausdorff_distance(smooth.polygon, plain.polygon) <= 1.0 + 1e-9
    assert smooth.polygon.area == pytest.approx(plain.area_px, rel=0.01)


@pytest.mark.parametrize("simplify_um", [0.5, 4, 1000])
def test_smoothed_outlines_in_a_file_are_valid_and_keep_the_area(tmp_path, simplify_um):
    rough = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(120, 120)), 1.5)
    prediction = prediction_of((rough > np.median(rough)).astype(np.uint8), pixel_size_um=0.5)
    prediction.save_geojson(tmp_path / "a.geojson", simplify_um=simplify_um)
    plain = prediction.objects()
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert len(features) == len(plain)
    for feature, one in zip(features, plain, strict=True):
        polygon = as_shape(feature["geometry"])
        assert polygon.is_valid, shapely.is_valid_reason(polygon)
        assert polygon.area == pytest.approx(one.area_px, rel=0.01)


def test_perimeter_and_circularity_of_shapes_that_are_known():
    (round_one,) = glands(prediction_of(disc(), pixel_size_um=0.5))
    assert round_one.perimeter_px == pytest.approx(2 * np.pi * 30, rel=0.03)
    assert round_one.perimeter_um == pytest.approx(round_one.perimeter_px * 0.5)
    assert round_one.circularity == pytest.approx(1, abs=0.05)
    square = np.zeros((40, 40), np.uint8)
    square[10:30, 5:25] = 1
    (square_one,) = glands(prediction_of(square))
    assert square_one.perimeter_px == 80
    assert square_one.perimeter_um is None
    assert square_one.circularity == pytest.approx(np.pi / 4)
    (ring,) = glands(prediction_of(disc(hole=10)))
    assert ring.circularity == pytest.approx(1, abs=0.05)
    assert ring.perimeter_px > round_one.perimeter_px + 50


def test_the_table_as_rows_csv_and_data_frame(tmp_path):
    probabilities = np.zeros((60, 80, 2), np.float32)
    probabilities[..., 0] = 0.75
    probabilities[10:30, 20:50, 0] = 0.1
    probabilities[..., 1] = 1 - probabilities[..., 0]
    region = Region(100, 200, 80, 60)
    prediction = Prediction(
        probabilities, classes=CLASSES[:2], colors=COLORS[:2], region=region, pixel_size_um=0.5, image_name="a"
    )
    table = pandas.DataFrame(prediction.object_table())
    assert list(table["Class"]) == ["Stroma", "Gland"]
    gland = table.iloc[1]
    assert gland["Area (um2)"] == 600 * 0.25
    assert (gland["Centroid X (px)"], gland["Centroid Y (px)"]) == (135, 220)
    assert gland["Perimeter (um)"] == 50
    assert gland["Mean probability"] == pytest.approx(0.9, abs=1 / 255)
    assert table.iloc[0]["Mean probability"] == pytest.approx(0.75, abs=1 / 255)
    prediction.save_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(table.columns)
    assert float(rows[1]["Area (um2)"]) == 150
    prediction_of(np.zeros((9, 9), np.uint8)).save_csv(tmp_path / "none.csv", min_area_um2=1000)
    assert (tmp_path / "none.csv").read_text().startswith("Class,Centroid X (px),Centroid Y (px),Area (px2)")
    with pytest.raises(PredictionError, match="cannot be written"):
        prediction.save_csv(tmp_path / "missing" / "a.csv")


def test_geojson_carries_the_measurements(tmp_path):
    prediction = prediction_of(disc(hole=3), pixel_size_um=0.5)
    prediction.save_geojson(tmp_path / "a.geojson", fill_holes_um2=100, simplify_um=0.5)
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    gland = next(f for f in features if f["properties"]["classification"]["name"] == "Gland")
    measured = gland["properties"]["measurements"]
    assert set(measured) == {"Area µm^2", "Perimeter µm", "Circularity", "Eccentricity", "Mean probability"}
    assert measured["Mean probability"] == 1
    assert len(gland["geometry"]["coordinates"]) == 1
    assert as_shape(gland["geometry"]).is_valid


def test_share_of_tissue_leaves_the_background_out():
    labels = np.zeros((10, 10), np.uint8)
    labels[:3], labels[3:4] = 1, 2
    measured = prediction_of(labels, pixel_size_um=0.5).measurements(background=["Stroma"])
    assert measured["Gland (%)"] == 30
    assert measured["Gland (% of tissue)"] == 75
    assert measured["<b>Lumen</b> (% of tissue)"] == 25
    assert "Stroma (% of tissue)" not in measured
    with pytest.raises(PredictionError, match="no class 'Glass'"):
        prediction_of(labels).measurements(background=["Glass"])


def test_b8_annotations_are_measured_by_the_pixels_inside_them():
    labels = np.zeros((600, 700), np.uint8)
    labels[:, 300:] = 1
    prediction = prediction_of(labels, Region(0, 0, 700, 600), pixel_size_um=0.5)
    project = hw.Project(classes=["Tumor", "Other"])
    name = project.add_image(np.zeros((600, 900, 3), np.uint8))
    project.annotate(name, hw.Rectangle(250, 10, 100, 560), "Tumor")
    project.annotate(name, hw.Polygon([(0, 0), (100, 0), (0, 100)]), "Other")
    project.annotate(name, hw.Rectangle(800, 10, 50, 50), "Other")  # outside what was predicted
    whole, triangle, outside = prediction.measure_annotations(project.annotations(name))
    assert whole["Annotated class"] == "Tumor"
    assert whole["Annotation"] == project.annotations(name)[0].id
    assert whole["Stroma area (um2)"] == 50 * 560 * 0.25 == whole["Gland area (um2)"]
    assert whole["Gland (%)"] == 50
    assert triangle["Gland (%)"] == 0
    assert triangle["Stroma area (um2)"] == pytest.approx(5000 * 0.25, rel=0.03)
    assert outside["Stroma area (um2)"] == 0
    project.erase(name, hw.Rectangle(0, 0, 300, 600))  # the left half of the first, and all of the second
    half, outside = prediction.measure_annotations(project.annotations(name))
    assert (half["Gland area (um2)"], half["Stroma area (um2)"]) in [(50 * 560 * 0.25, 0), (0, 50 * 560 * 0.25)]
    assert outside["Annotated class"] == "Other"


@pytest.mark.parametrize("name", ["min_area_um2", "fill_holes_um2", "simplify_um"])
def test_negative_sizes_are_refused(name):
    with pytest.raises(PredictionError, match=f"{name} is -1"):
        prediction_of(disc()).objects(**{name: -1})


def test_b8_pieces_in_two_blocks_that_touch_at_a_corner_stay_apart():
    labels = np.zeros((8, 8), np.uint8)
    labels[2:4, 2:4] = labels[4:6, 4:6] = 1  # meet where four blocks do
    labels[4:5, 2:4] = 1  # and this one hangs under the first
    blocks = [Region(x, y, 4, 4) for y in (0, 4) for x in (0, 4)]

    def read(region):
        return Block(region, labels[region.y : region.bottom, region.x : region.right])

    options = blocks, read, ["A", "B"], None, ObjectOptions(min_area_um2=0), [False, False]
    found = [o for o in find_objects(*options) if o.class_name == "B"]
    labels[4:5, 2:4] = 0
    assert sorted(o.area_px for o in found) == [10]  # side by side: 4 + 2 + 4
    found = [o for o in find_objects(*options) if o.class_name == "B"]
    assert sorted(o.area_px for o in found) == [4, 4]
    assert all(o.polygon.is_valid for o in found)


def test_pixels_that_are_not_square_count_with_both_sides(tmp_path):
    labels = np.zeros((100, 120), np.uint8)
    labels[10:50, 20:100] = 1  # 80 px wide, 40 px high
    prediction = prediction_of(labels, pixel_size_um=(0.5, 0.25))
    (found,) = glands(prediction)
    assert found.area_um2 == pytest.approx(80 * 0.25 * 40 * 0.5)
    assert found.perimeter_um == pytest.approx(2 * (80 * 0.25 + 40 * 0.5))
    assert found.circularity == pytest.approx(np.pi / 4, rel=1e-6)  # a square of 20 um
    assert prediction.measurements()["Gland area (um2)"] == pytest.approx(400)
    row = next(row for row in prediction.object_table() if row["Class"] == "Gland")
    assert (row["Area (um2)"], row["Perimeter (um)"]) == (pytest.approx(400), pytest.approx(80))
    prediction.save_ome_tiff(tmp_path / "a.ome.tif")
    again = hw.open_image(tmp_path / "a.ome.tif")
    assert again.pixel_size_yx_um == pytest.approx((0.5, 0.25))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        across, down = (tiff.pages[0].tags[name].value for name in ("XResolution", "YResolution"))
    assert (across[0] / across[1], down[0] / down[1]) == (pytest.approx(40_000), pytest.approx(20_000))
