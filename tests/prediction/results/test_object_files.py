"""Objects as label image with a table, as GeoPackage and as GeoParquet."""

import csv
import sys

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from histowidgets.errors import PredictionError
from histowidgets.images import Region
from tests.prediction.results.test_prediction import prediction_of, random_labels


def read_table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_numbers_are_those_of_connected_areas(tmp_path):
    """Larger than a tile, so that the file has several, of which those at the edge are cut."""
    rng = np.random.default_rng(0)
    labels = (ndimage.gaussian_filter(rng.normal(size=(700, 610)), 6) > 0.01).astype(np.uint8)
    prediction = prediction_of(labels, Region(100, 40, 610, 700), pixel_size_um=0.5)
    found = prediction.save_object_labels(tmp_path / "cells.ome.tif", min_area_um2=0)
    with tifffile.TiffFile(tmp_path / "cells.ome.tif") as tiff:
        numbers = tiff.asarray()
        assert 'PhysicalSizeX="0.5"' in tiff.ome_metadata
    assert (numbers.dtype, numbers.shape) == (np.int32, labels.shape)
    assert numbers.min() == 1, "all pixels are of some object"
    for k in range(2):
        expected, n = ndimage.label(labels == k)
        pairs = np.unique(np.stack([expected[labels == k], numbers[labels == k]]), axis=1)
        assert pairs.shape == (2, n), "one number for each area, and one area for each number"
    assert numbers.max() == len(found)
    rows = read_table(tmp_path / "cells.csv")
    assert [int(row["label"]) for row in rows] == [int(row["index"]) for row in rows] == list(range(1, len(found) + 1))
    areas = np.bincount(numbers.ravel())[1:] * 0.25
    assert [float(row["Area (um2)"]) for row in rows] == pytest.approx(areas.tolist())
    assert [row["Class"] for row in rows] == [one.class_name for one in found]


def test_a_small_object_in_a_filled_hole_stays_visible(tmp_path):
    labels = np.zeros((60, 60), np.uint8)
    labels[10:50, 10:50] = 2
    labels[25:35, 25:35] = 1
    prediction = prediction_of(labels)
    found = prediction.save_object_labels(tmp_path / "a.tif", fill_holes_um2=200)
    numbers = tifffile.imread(tmp_path / "a.tif")
    gland = next(n for n, one in enumerate(found, 1) if one.class_name == "Gland")
    assert (numbers[25:35, 25:35] == gland).all()


def test_what_is_left_out_is_zero_and_no_object_is_an_empty_table(tmp_path):
    labels = np.full((30, 40), 1, np.uint8)
    labels[5:7, 5:7] = 2
    prediction_of(labels).save_object_labels(tmp_path / "a.ome.tif", min_area_um2=10)
    numbers = tifffile.imread(tmp_path / "a.ome.tif")
    assert (numbers[5:7, 5:7] == 0).all()
    assert (np.delete(numbers.ravel(), np.flatnonzero(labels.ravel() == 2)) == 1).all()
    assert prediction_of(labels).save_object_labels(tmp_path / "none.ome.tif", min_area_um2=1e9) == []
    assert not tifffile.imread(tmp_path / "none.ome.tif").any()
    assert read_table(tmp_path / "none.csv") == []
    for name in ("a.png", "a", ".tif"):
        with pytest.raises(PredictionError, match=r"does not end in \.ome\.tif or \.tif"):
            prediction_of(labels).save_object_labels(tmp_path / name)


def test_without_geopandas_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    for save in (prediction_of(random_labels()).save_geopackage, prediction_of(random_labels()).save_parquet):
        with pytest.raises(PredictionError, match=r"pip install 'histowidgets\[geo\]'"):
            save(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["gpkg", "parquet"])
def test_tables_with_geometry_are_read_back(tmp_path, ending):
    geopandas = pytest.importorskip("geopandas")
    prediction = prediction_of(random_labels(2), Region(30, 50, 50, 40), pixel_size_um=0.5, bounds_offset=(10, 20))
    path = tmp_path / f"objects.{ending}"
    if ending == "gpkg":
        found = prediction.save_geopackage(path, min_area_um2=1)
        table = geopandas.read_file(path, layer="objects")
    else:
        found = prediction.save_parquet(path, min_area_um2=1)
        table = geopandas.read_parquet(path)
    assert table.crs is None or ending == "gpkg"
    assert len(table) == len(found) > 5
    assert table["Class"].tolist() == [one.class_name for one in found]
    assert table["Area (um2)"].tolist() == pytest.approx([one.area_um2 for one in found])
    for mine, theirs in zip(found, table.geometry, strict=True):
        assert theirs.equals(mine.polygon) is False
        assert theirs.area == mine.area_px
        assert theirs.bounds == tuple(np.array(mine.polygon.bounds) - (10, 20, 10, 20))
