"""GeoJSON as QuPath writes and reads it."""

import json
import uuid
import warnings

import numpy as np
import pytest
import shapely

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.errors import ClassNameError, GeoJSONError, ImageNameError, ReadOnlyError, UnknownClassError
from tests.annotations.conftest import CLASSES, blank, random_stroke


@pytest.fixture
def path(tmp_path):
    return tmp_path / "annotations.geojson"


@pytest.fixture(autouse=True)
def no_other_warning():
    """Fail on a warning that a test does not expect."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def exported(project, path):
    project.export_geojson("blank", path)
    return json.loads(path.read_text(encoding="utf-8"))


def another(classes=CLASSES):
    project = Project(classes)
    project.add_image(blank())
    return project


def in_order(project):
    return [(a.shape, a.class_name, a.time, a.annotator) for a in project.annotations("blank")]


def feature(geometry, name="Gland", **properties):
    classification = {} if name is None else {"classification": {"name": name, "color": [200, 0, 10]}}
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": geometry,
        "properties": {"objectType": "annotation", **classification, **properties},
    }


def square(x, y, side=10):
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def imported(path, content, project=None, **options):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    project = project or another()
    project.import_geojson("blank", path, **options)
    return project


# --- out ---


def test_features_are_as_qupath_wants_them(project, shapes, path):
    for shape in shapes:
        project.annotate("blank", shape, "Gland")
    content = exported(project, path)
    assert content["type"] == "FeatureCollection"
    kinds = [f["geometry"]["type"] for f in content["features"]]
    assert kinds == ["Polygon", "Polygon", "LineString", "Polygon", "Polygon"]
    for item in content["features"]:
        assert item["type"] == "Feature"
        assert str(uuid.UUID(item["id"])) == item["id"]
        assert item["properties"]["objectType"] == "annotation"
        assert item["properties"]["classification"] == {"name": "Gland", "color": [0x56, 0xB4, 0xE9]}
    assert len(content["features"][3]["geometry"]["coordinates"]) == 2  # outline and hole


def test_a_stroke_shows_the_area_that_it_paints(project, path):
    rng = np.random.default_rng(0)
    for _ in range(20):
        project.annotate("blank", random_stroke(rng), "Gland")
    for item, annotation in zip(exported(project, path)["features"], project.annotations("blank"), strict=True):
        area = shapely.from_geojson(json.dumps(item["geometry"]))
        assert area.is_valid
        alone = another()
        alone.annotate("blank", annotation.shape, "Gland")
        x, y = np.meshgrid(np.arange(120) + 0.5, np.arange(90) + 0.5)
        inside = shapely.contains_xy(area, x, y)
        # The outline has straight pieces where the brush is round.
        assert (inside != (alone.label_map("blank") == 1)).sum() <= 0.05 * inside.sum() + 4


def test_erasers_are_cut_out_of_what_came_before(project, path):
    project.annotate("blank", Rectangle(10, 10, 40, 40), "Gland")
    project.annotate("blank", Line([[0, 30], [100, 30]], 5), "Stroma")
    project.annotate("blank", Rectangle(60, 60, 5, 5), "Lumen")
    project.erase("blank", Rectangle(20, 0, 10, 90))
    project.erase("blank", Rectangle(55, 55, 20, 20))
    project.annotate("blank", Rectangle(22, 20, 4, 4), "Lumen")
    content = exported(project, path)
    areas = [shapely.from_geojson(json.dumps(f["geometry"])) for f in content["features"]]
    assert [a.geom_type for a in areas] == ["MultiPolygon", "MultiLineString", "Polygon"]
    assert areas[0].area == 40 * 40 - 10 * 40
    assert areas[1].length == 90
    assert areas[2].area == 16  # drawn after the eraser
    del content["histowidgets"]  # what another program would not keep
    for item in content["features"]:
        del item["properties"]["histowidgets"]
    plain = imported(path, content)
    np.testing.assert_array_equal(plain.label_map("blank")[:50, :50] == 1, project.label_map("blank")[:50, :50] == 1)


def test_what_comes_out_goes_in_again_unchanged(project, shapes, path):
    project.annotator = "Ada Ü"
    rng = np.random.default_rng(1)
    for shape in shapes:
        project.annotate("blank", shape, str(rng.choice(CLASSES)))
    project.erase("blank", Stroke([[40, 20], [60, 60]], 9))
    for _ in range(30):
        draw = project.erase if rng.random() < 0.3 else lambda n, s: project.annotate(n, s, str(rng.choice(CLASSES)))
        draw("blank", random_stroke(rng))
    project.annotate("blank", Rectangle(1, 1, 3, 3), "Lumen")
    project.erase("blank", Rectangle(0, 0, 10, 10))  # wipes it out
    first = exported(project, path)
    again = another()
    assert again.import_geojson("blank", path) == len(project.annotations("blank"))
    assert in_order(again) == in_order(project)
    np.testing.assert_array_equal(again.label_map("blank"), project.label_map("blank"))
    second = exported(again, path)
    for content in (first, second):
        for item in content["features"]:
            del item["id"]
    assert second == first


def test_ids_come_back_unless_they_are_taken(project, shapes, path, tmp_path):
    for shape in shapes:
        project.annotate("blank", shape, "Gland")
    project.erase("blank", Rectangle(0, 0, 20, 20))
    exported(project, path)
    ids = [a.id for a in project.annotations("blank")]
    other = another()
    other.import_geojson("blank", path)
    assert [a.id for a in other.annotations("blank")] == ids
    other.export_geojson("blank", tmp_path / "again.geojson")
    assert (tmp_path / "again.geojson").read_bytes() == path.read_bytes()
    project.import_geojson("blank", path)  # beside those that are there
    both = [a.id for a in project.annotations("blank")]
    assert both[: len(ids)] == ids
    assert len(set(both)) == 2 * len(ids)


def test_of_two_features_with_one_id_each_is_kept(path):
    content = {"type": "FeatureCollection", "features": [feature(square(10, 10)), feature(square(40, 10))]}
    content["features"][1]["id"] = content["features"][0]["id"]
    content["features"].append(feature(square(70, 10)) | {"id": "PathAnnotationObject"})
    first, second, third = imported(path, content).annotations("blank")
    assert first.id == uuid.UUID(content["features"][0]["id"]).hex
    assert len({first.id, second.id, third.id}) == 3


def test_a_changed_geometry_goes_before_the_exact_shape(project, path):
    project.annotate("blank", Stroke([[20, 20], [40, 40]], 6), "Gland")
    content = exported(project, path)
    content["features"][0]["geometry"] = square(70, 70)
    again = imported(path, content)
    assert again.annotations("blank")[0].shape == Polygon(square(70, 70)["coordinates"][0][:-1])


def test_a_feature_left_out_leaves_the_others_exact(project, path):
    for i in range(3):
        project.annotate("blank", Stroke([[20 * i + 10, 20]], 6), "Gland")
        project.erase("blank", Stroke([[20 * i + 12, 20]], 2))
    content = exported(project, path)
    del content["features"][1]
    again = imported(path, content)
    assert [a.shape.points[0, 0] for a in again.annotations("blank")] == [10, 50]


def test_nothing_drawn_is_an_empty_collection(project, path):
    assert exported(project, path) == {"type": "FeatureCollection", "features": []}
    assert another().import_geojson("blank", path) == 0


def test_a_path_that_cannot_be_written_is_refused(project, tmp_path):
    with pytest.raises(GeoJSONError, match="cannot be written"):
        project.export_geojson("blank", tmp_path / "none" / "x.geojson")
    with pytest.raises(ImageNameError, match="no image named"):
        project.export_geojson("none", tmp_path / "x.geojson")


# --- in ---


QUPATH = {
    "type": "FeatureCollection",
    "features": [
        feature(
            {
                "type": "Polygon",
                "coordinates": [
                    [[10, 10], [50, 10], [50, 50], [10, 50], [10, 10]],
                    [[20, 20], [40, 20], [40, 40], [20, 40], [20, 20]],
                ],
            },
            isLocked=True,
            measurements={"Area": 1200},
        ),
        feature(
            {"type": "MultiPolygon", "coordinates": [square(60, 10)["coordinates"], square(80, 10)["coordinates"]]}
        ),
        feature({"type": "LineString", "coordinates": [[5, 70], [100, 70], [100, 80]]}, "Stroma"),
        feature({"type": "MultiLineString", "coordinates": [[[5, 60], [30, 60]], [[40, 60], [50, 60]]]}, "Lumen"),
    ],
}


def test_qupaths_file_is_read(path):
    project = imported(path, QUPATH)
    kinds = [(type(a.shape).__name__, a.class_name) for a in project.annotations("blank")]
    assert kinds == [
        ("Polygon", "Gland"),
        ("Polygon", "Gland"),
        ("Polygon", "Gland"),
        ("Line", "Stroma"),
        ("Line", "Lumen"),
        ("Line", "Lumen"),
    ]
    labels = project.label_map("blank")
    assert (labels == 1).sum() == 1200 + 200
    assert (labels[60:80, 50] == 0).sum() == 5  # QuPath's width of a line


@pytest.mark.parametrize("spell", [lambda f: f, lambda f: f["features"], lambda f: f["features"][0]])
def test_a_list_and_a_single_feature_are_read_too(path, spell):
    assert imported(path, spell(QUPATH)).count()["Gland"] >= 1


@pytest.mark.parametrize(
    ("classification", "name", "color"),
    [
        ({"name": "Nerve", "color": [1, 2, 255]}, "Nerve", "#0102FF"),
        ({"name": " Nerve ", "colorRGB": -16776961}, "Nerve", "#0000FF"),
        ({"names": ["Tumor", "Positive"], "color": [9, 9, 9]}, "Tumor: Positive", "#090909"),
        ("Nerve", "Nerve", "#009E73"),
    ],
)
def test_classifications_in_all_spellings(path, classification, name, color):
    item = feature(square(10, 10))
    item["properties"]["classification"] = classification
    project = imported(path, item, unknown_classes="add")
    assert project.classes == [*CLASSES, name]
    assert project.colors[name] == color


def test_import_is_one_step_of_undo_with_its_classes(path):
    project = another(["Stroma"])
    project.annotate("blank", Rectangle(1, 1, 5, 5), "Stroma")
    before = project.label_map("blank")
    imported(path, QUPATH, project, unknown_classes="add")
    assert project.classes == ["Stroma", "Gland", "Lumen"]
    after = project.label_map("blank")
    assert project.undo()
    assert (project.classes, len(project.annotations("blank"))) == (["Stroma"], 1)
    np.testing.assert_array_equal(project.label_map("blank"), before)
    assert project.redo()
    np.testing.assert_array_equal(project.label_map("blank"), after)


def test_unknown_classes_are_an_error_that_names_them(path):
    project = another(["Stroma"])
    with pytest.raises(UnknownClassError, match=r"'Gland', 'Lumen'.*unknown_classes=\"add\".*'Stroma'"):
        imported(path, QUPATH, project)
    assert project.annotations("blank") == ()
    assert not project.can_undo


def test_unknown_classes_can_be_left_out(path):
    project = another(["Stroma"])
    with pytest.warns(UserWarning, match="3 of the unknown class 'Gland', 2 of the unknown class 'Lumen'"):
        imported(path, QUPATH, project, unknown_classes="skip")
    assert project.count() == {"Stroma": 1}


def test_what_has_no_area_no_class_or_no_place_is_left_out_and_counted(path):
    content = [
        feature({"type": "Point", "coordinates": [5, 5]}),
        feature({"type": "MultiPoint", "coordinates": [[5, 5]]}),
        feature(square(10, 10), None),
        feature(square(10, 10), " "),
        feature(square(1000, 10)),
        feature({"type": "GeometryCollection", "geometries": [square(20, 20), square(40, 40)]}),
    ]
    with pytest.warns(UserWarning, match=r"2 point\(s\).*2 without a class, 1 outside the image"):
        project = imported(path, content)
    assert project.count()["Gland"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("3", "holds no GeoJSON"),
        ({"type": "Topology"}, "holds no GeoJSON"),
        ({"type": "FeatureCollection"}, "holds no GeoJSON"),
        ([feature(square(1, 1)), 3], "Feature 2 .*Feature"),
        ([feature(square(1, 1)), {"type": "Point"}], "Feature 2 "),
        ([feature({"type": "Circle"})], "Feature 1 .*'Circle'"),
        ([feature(None)], "Feature 1 "),
        ([feature([])], "Feature 1 "),
        ([feature({"type": "Polygon"})], "Feature 1 .*no outline"),
        ([feature({"type": "Polygon", "coordinates": 3})], "Feature 1 "),
        ([feature({"type": "Polygon", "coordinates": [[[1, 1], [2, 2], [1, 1]]]})], "Feature 1 .*at least 3"),
        ([feature({"type": "Polygon", "coordinates": [[["1", 1], [2, 2], [3, 1], [1, 1]]]})], "two finite numbers"),
        ([feature({"type": "LineString", "coordinates": [[1, 1]]})], "Feature 1 .*at least 2"),
        ([feature({"type": "LineString", "coordinates": [[1], [2]]})], r"Feature 1 .*not \[x, y\]"),
        ([feature({"type": "LineString", "coordinates": [[True, 1], [2, 2]]})], "two finite numbers"),
        ([feature({"type": "LineString", "coordinates": [[float("nan"), 1], [2, 2]]})], "two finite numbers"),
        ([feature({"type": "LineString", "coordinates": [[1e300, 1], [2, 2]]})], "pixels away"),
        ([feature({"type": "MultiPolygon", "coordinates": [[]]})], "no outline"),
        ([feature({"type": "GeometryCollection"})], "geometries"),
        ([{**feature(square(1, 1)), "properties": 3}], "properties"),
        ([{**feature(square(1, 1)), "properties": {"classification": 3}}], "classification"),
        ([{**feature(square(1, 1)), "properties": {"classification": {"name": 3}}}], "is not text"),
        ([{**feature(square(1, 1)), "properties": {"classification": {"name": "x", "color": "red"}}}], "three numbers"),
        ([{**feature(square(1, 1)), "properties": {"classification": {"name": "x", "color": [1, 2, 999]}}}], "three"),
    ],
)
def test_bad_files_are_refused_with_the_number_of_the_feature(path, content, message):
    project = another()
    with pytest.raises(GeoJSONError, match=message):
        imported(path, content, project, unknown_classes="add")
    assert not project.can_undo


def test_a_damaged_own_member_is_refused(project, path):
    project.annotate("blank", Rectangle(1, 1, 30, 30), "Gland")
    project.erase("blank", Rectangle(5, 5, 10, 10))
    content = exported(project, path)
    content["histowidgets"]["beside"][0]["shape"] = {"type": "rectangle"}
    with pytest.raises(GeoJSONError, match=r'"histowidgets" member .*is damaged'):
        imported(path, content)


def test_other_bad_arguments_are_refused(path, tmp_path):
    with pytest.raises(GeoJSONError, match="cannot be read"):
        another().import_geojson("blank", tmp_path / "none.geojson")
    with pytest.raises(GeoJSONError, match="choose"):
        imported(path, QUPATH, unknown_classes="maybe")
    with pytest.raises(ImageNameError, match="no image named"):
        another().import_geojson("none", path)
    many = [feature(square(1, 1), f"c{i}") for i in range(254)]
    with pytest.raises(ClassNameError, match="most it can hold"):
        imported(path, many, unknown_classes="add")


def test_a_reader_cannot_import(tmp_path, path):
    writer = Project(CLASSES, tmp_path / "p")
    writer.add_image(blank())
    reader = Project.open(tmp_path / "p")
    with pytest.raises(ReadOnlyError, match="reading only"):
        imported(path, QUPATH, reader)
    reader.close()
    writer.close()


def test_imported_annotations_survive_reopening(tmp_path, path):
    project = Project(["Stroma"], tmp_path / "p")
    project.add_image(blank())
    imported(path, QUPATH, project, unknown_classes="add")
    before = in_order(project), project.classes, project.colors
    project.close()
    again = Project.open(tmp_path / "p")
    assert (in_order(again), again.classes, again.colors) == before
    again.close()
