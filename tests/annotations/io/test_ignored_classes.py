"""Classes whose names end in * are ignored areas, from QuPath and back."""

import json
import uuid

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import is_ignored_class
from histowidgets.errors import HistowidgetsWarning, UnknownClassError
from histowidgets.images import Region
from histowidgets.prediction import Prediction


def feature(name, color, x, y, side):
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "classification": {"name": name, "color": color}},
    }


@pytest.fixture
def from_qupath(tmp_path):
    """Annotations as QuPath writes them, with its standard classes."""
    path = tmp_path / "qupath.geojson"
    features = [
        feature("Region*", [0, 0, 180], 0, 0, 100),
        feature("Tumor", [200, 0, 0], 10, 10, 30),
        feature("Ignore*", [180, 180, 180], 50, 50, 20),
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def project_with(classes):
    project = hw.Project(classes=classes)
    return project, project.add_image(np.zeros((100, 100, 3), np.uint8))


def test_x7_ignored_areas_come_in_with_their_star_and_go_out_with_it(from_qupath, tmp_path):
    project, name = project_with(["Tumor"])
    said = []
    assert project.import_geojson(name, from_qupath, tell=said.append) == 2
    assert project.classes == ["Tumor", "Ignore*"]
    assert project.colors["Ignore*"] == "#B4B4B4"
    assert is_ignored_class("Ignore*")
    assert "Added 'Ignore*' as ignored" in said[0]
    assert "of QuPath's class 'Region*'" in said[0]
    project.export_geojson(name, tmp_path / "back.geojson")
    features = json.loads((tmp_path / "back.geojson").read_text(encoding="utf-8"))["features"]
    classes = [one["properties"]["classification"] for one in features]
    assert classes == [{"name": "Tumor", "color": classes[0]["color"]}, {"name": "Ignore*", "color": [180, 180, 180]}]
    assert features[1]["geometry"]["coordinates"][0][0] in ([50, 50], [70, 50], [70, 70], [50, 70])
    other, again = project_with(["Tumor", "Ignore*"])
    assert other.import_geojson(again, tmp_path / "back.geojson") == 2
    np.testing.assert_array_equal(other.label_map(again), project.label_map(name))


def test_x7_other_unknown_classes_are_still_asked_about(from_qupath):
    project, name = project_with(["Stroma"])
    with pytest.raises(UnknownClassError, match=r"project does not: 'Tumor'\. Add"):
        project.import_geojson(name, from_qupath, tell=print)
    assert project.classes == ["Stroma"]
    with pytest.warns(HistowidgetsWarning, match="unknown class"):
        assert project.import_geojson(name, from_qupath, unknown_classes="skip") == 0
    assert project.classes == ["Stroma"]


def test_x7_a_project_with_a_class_for_regions_gets_them(from_qupath):
    project, name = project_with(["Region*", "Tumor", "Ignore*"])
    assert project.import_geojson(name, from_qupath) == 3
    mapped, name = project_with(["Tumor", "Ignore*", "Area"])
    assert mapped.import_geojson(name, from_qupath, classes={"Region*": "Area"}) == 3


def test_x7_ignored_areas_have_no_objects_and_are_not_measured(tmp_path):
    labels = np.zeros((100, 100), np.uint8)
    labels[:40], labels[40:50] = 1, 2
    prediction = Prediction(
        None,
        classes=["Stroma", "Ignore*", "Tumor"],
        colors=["#000000", "#B4B4B4", "#C80000"],
        region=Region(0, 0, 100, 100),
        pixel_size_um=0.5,
        labels=labels,
    )
    measured = prediction.measurements()
    assert measured["Tumor (%)"] == pytest.approx(100 * 10 / 60)
    assert measured["Stroma (%)"] + measured["Tumor (%)"] == pytest.approx(100)
    assert {one.class_name for one in prediction.objects()} == {"Stroma", "Tumor"}
    prediction.save_geojson(tmp_path / "a.geojson")
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    assert {one["properties"]["classification"]["name"] for one in features} == {"Stroma", "Tumor"}
    assert prediction.counts().area_um2 == 60 * 100 * 0.25
