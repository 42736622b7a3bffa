"""GeoJSON as QuPath writes and reads it."""

import gzip
import json
import unicodedata
import uuid
import warnings
import zipfile

import numpy as np
import pytest
import shapely

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.annotations.io import _unpack
from histowidgets.errors import (
    AnnotationFileError,
    ClassNameError,
    DuplicateAnnotationsError,
    GeoJSONError,
    ImageNameError,
    ReadOnlyError,
    SeveralEntriesError,
    UnknownClassError,
)
from histowidgets.images import ArrayImage
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
    project.import_geojson("blank", path, on_duplicate="add")  # beside those that are there
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
        ("3", "has no GeoJSON"),
        ({"type": "Topology"}, "has no GeoJSON"),
        ({"type": "FeatureCollection"}, "has no GeoJSON"),
        ([3, feature(None)], "Feature 1 .*Feature.*1 more"),
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
    with pytest.raises(AnnotationFileError, match="cannot be read"):
        another().import_geojson("blank", tmp_path / "none.geojson")
    for name, value, words in [
        ("unknown_classes", "maybe", 'choose "error", "add" or "skip"'),
        ("on_duplicate", "maybe", '"replace"'),
        ("unit", "mm", '"px" or "um"'),
        ("scale", 0, "above 0"),
        ("scale", "2", "above 0"),
        ("offset", 3, r"\(x, y\)"),
        ("plane", (1,), r"\(z, t\)"),
        ("classes", ["Gland"], "mapping"),
        ("classes", {"Gland": 3}, "name of a class"),
    ]:
        with pytest.raises(AnnotationFileError, match=words):
            imported(path, QUPATH, **{name: value})
    with pytest.raises(ImageNameError, match="no image named"):
        another().import_geojson("none", path)
    many = [feature(square(1, 1), f"c{i}") for i in range(254)]
    with pytest.raises(ClassNameError, match="the most possible"):
        imported(path, many, unknown_classes="add")


def test_a_reader_cannot_import(tmp_path, path):
    writer = Project(CLASSES, tmp_path / "p")
    writer.add_image(blank())
    reader = Project.open(tmp_path / "p")
    with pytest.raises(ReadOnlyError, match="is read-only"):
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


# --- files as they come ---


def told(path, content, project=None, **options):
    """Import, and return the project with what was said."""
    said = []
    return imported(path, content, project, tell=said.append, **options), " ".join(said)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (feature(None), "it has no geometry"),
        (feature({"type": "Polygon", "coordinates": []}), "no outline"),
        (feature({"type": "Polygon", "coordinates": [[[1, 1], [2, 2], [1, 1]]]}), "at least 3"),
        (feature({"type": "Polygon", "coordinates": [[[1, 1], [float("inf"), 2], [1, 3]]]}), "finite"),
        (feature({"type": "Curve"}), "'Curve'"),
        ({"type": "Point", "properties": 3}, None),
        (7, "object of type"),
        (None, "object of type"),
    ],
)
def test_one_odd_feature_does_not_lose_the_others(path, odd, why):
    squares = [feature(square(x, y, 8)) for x in range(0, 110, 10) for y in range(0, 80, 10)]
    squares.insert(40, odd)
    project, said = told(path, {"type": "FeatureCollection", "features": squares})
    assert project.count()["Gland"] == 88
    if why is not None:
        assert "1 that cannot be read" in said
        assert "Feature 41 cannot be read: " in said
        assert why in said


def test_a_hole_without_an_area_is_left_out_and_its_polygon_is_drawn(path):
    content = feature({"type": "Polygon", "coordinates": [*square(10, 10, 40)["coordinates"], [[20, 20], [30, 30]]]})
    project, said = told(path, content)
    assert (project.label_map("blank") == 1).sum() == 1600
    assert "1 hole(s) without an area" in said


@pytest.mark.parametrize(
    ("color", "wanted"),
    [
        ([200, 0, 0], "#C80000"),
        ([200.0, 0.0, 0.0, 255.0], "#C80000"),
        ("#c80000", "#C80000"),
        ("rgb(200, 0, 0)", "#C80000"),
        (-3670016, "#C80000"),
        ("reddish", "#009E73"),
        ([1, 2, 999], "#009E73"),
        ({"r": 1}, "#009E73"),
    ],
)
def test_a_colour_in_any_spelling_and_none_that_hinders(path, color, wanted):
    item = feature(square(10, 10))
    item["properties"]["classification"] = {"name": "Nerve", "color": color}
    assert imported(path, item, unknown_classes="add").colors["Nerve"] == wanted


@pytest.mark.parametrize(
    "content",
    [
        square(10, 10),
        [square(10, 10), square(40, 10)],
        {"type": "GeometryCollection", "geometries": [square(10, 10)]},
        [{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": square(10, 10)}]}],
        "\n".join(json.dumps({"type": "Feature", "geometry": square(x, 10)}) for x in (10, 40)),
    ],
)
def test_geometries_without_features_take_the_class_that_is_said(path, content):
    project = imported(path, content, classes="Gland")
    assert (project.label_map("blank")[10:20, 10:20] == 1).all()
    assert set(project.count().values()) <= {0, len(project.annotations("blank"))}


def test_compressed_files_are_read_whatever_they_are_called(tmp_path):
    text = json.dumps(QUPATH).encode()
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(text))
    (tmp_path / "a.geojson").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("__MACOSX/._x.geojson", b"\0")
        archive.writestr("folder/x.geojson", text)
    with zipfile.ZipFile(tmp_path / "several.zip", "w") as archive:
        archive.writestr("other.geojson", "{}")
        archive.writestr("blank.ome.geojson.gz", gzip.compress(text))
    for name in ("a.geojson.gz", "a.geojson", "a.zip", "several.zip"):
        project = another()
        assert project.import_geojson("blank", tmp_path / name) == 6
    with zipfile.ZipFile(tmp_path / "others.zip", "w") as archive:
        archive.writestr("one.geojson", text)
        archive.writestr("two.geojson", "[]")
    with pytest.raises(SeveralEntriesError, match=r"'one\.geojson', 'two\.geojson'") as caught:
        another().import_geojson("blank", tmp_path / "others.zip")
    assert caught.value.entries == ["one.geojson", "two.geojson"]
    assert another().import_geojson("blank", tmp_path / "others.zip", entry="one.geojson") == 6
    (tmp_path / "cut.gz").write_bytes(gzip.compress(text)[:-20])
    (tmp_path / "cut.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:200])
    for name in ("cut.gz", "cut.zip"):
        with pytest.raises(AnnotationFileError, match="cannot be unpacked"):
            another().import_geojson("blank", tmp_path / name)


def test_a_small_archive_of_a_large_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "MOST_BYTES", 1000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(100_000)))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.geojson", bytes(100_000))
    for name in ("bomb.gz", "bomb.zip"):
        with pytest.raises(AnnotationFileError, match="more than 1,000 bytes"):
            another().import_geojson("blank", tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters_of_any_encoding(path, encoding):
    item = feature(square(10, 10), "Nécrose")
    path.write_bytes(json.dumps(item, ensure_ascii=False).encode(encoding))
    project, said = another(["Nécrose"]), []
    assert project.import_geojson("blank", path, tell=said.append) == 1
    assert bool(said) == (encoding == "cp1252")


# --- places ---


def um_image(pixel_size_um=0.25, side=400):
    project = Project(CLASSES)
    project.add_image(ArrayImage(np.zeros((side, side), np.uint8), "blank", pixel_size_um=pixel_size_um))
    return project


def ring_of(points):
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


UM = ring_of([(40.0113, 40.0087), (360.0113, 50.0087), (350.0113, 370.0087), (20.0113, 300.0087)])


def test_um_are_said_where_they_look_like_it_and_read_as_such_where_that_is_said(path):
    scaled = {"type": "Polygon", "coordinates": [[[x / 4, y / 4] for x, y in UM["coordinates"][0]]]}
    plain = {"type": "Feature", "geometry": scaled, "properties": {"classification": "Gland"}}
    project, said = told(path, plain, um_image())
    assert 'unit="um"' in said
    assert "100 x 100" in said
    wanted = imported(path, {**plain, "geometry": UM}, um_image())
    project, said = told(path, plain, um_image(), unit="um")
    assert said == ""
    np.testing.assert_array_equal(project.label_map("blank"), wanted.label_map("blank"))
    by_scale = imported(path, plain, um_image(None), scale=4)
    np.testing.assert_array_equal(by_scale.label_map("blank"), wanted.label_map("blank"))
    with pytest.raises(AnnotationFileError, match="pixel size of image 'blank' is not known"):
        imported(path, plain, um_image(None), unit="um")
    # QuPath never writes um, and whole numbers in a corner are no sign of them.
    for other in (feature(scaled), {**plain, "geometry": square(10, 10)}):
        assert told(path, other, um_image())[1] == ""


def test_coordinates_of_a_map_are_said(path):
    crs = {"type": "name", "properties": {"name": "EPSG:4326"}}
    degrees = ring_of([(8.1, 47.2), (12.3, 47.2), (12.3, 51.4)])
    content = {"type": "FeatureCollection", "crs": crs, "features": [feature(degrees)]}
    assert "EPSG:4326" in told(path, content)[1]


def at_plane(z, t=0):
    item = feature(square(10 + 20 * z, 10))
    item["geometry"]["plane"] = {"c": -1, "z": z, "t": t}
    return item


def test_what_is_of_another_plane_is_left_out_and_said(path):
    content = [feature(square(10, 40)), at_plane(0), at_plane(1), at_plane(1), at_plane(2, 1)]
    content[3]["geometry"]["coordinates"] = square(50, 50)["coordinates"]
    project, said = told(path, content)
    assert project.count()["Gland"] == 2
    assert "2 on another plane (z 1, t 0), 1 on another plane (z 2, t 1)" in said
    assert told(path, content, plane=(1, 0))[0].count()["Gland"] == 2
    assert told(path, content, plane="all")[0].count()["Gland"] == 5


class OfSlide(ArrayImage):
    """A whole slide of which a part was scanned, and a plane of a stack."""

    bounds_offset = (30, 20)
    slide_origin = (0, 0)
    opened_with = {"plane": (3, 0)}  # noqa: RUF012 - as an image has it


def test_coordinates_count_from_the_scanned_area_as_in_qupath(path, tmp_path):
    project = Project(CLASSES)
    project.add_image(OfSlide(np.zeros((90, 120), np.uint8), "blank"))
    item = feature(square(10, 10))
    item["geometry"]["plane"] = {"c": -1, "z": 3, "t": 0}
    project, said = told(path, item, project)
    assert "(30, 20)" in said
    rows, columns = np.nonzero(project.label_map("blank") == 1)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (40, 49, 30, 39)
    project.annotate("blank", Stroke([[60.25, 50], [80, 60]], 7), "Stroma")
    project.erase("blank", Rectangle(70, 40, 5, 40))
    written = exported(project, path)
    corners = shapely.from_geojson(json.dumps(written["features"][0]["geometry"])).bounds
    assert corners == (10, 10, 20, 20)
    assert written["features"][0]["geometry"]["plane"] == {"c": -1, "z": 3, "t": 0}
    # Into the same slide, and into a picture that is the scanned area alone.
    again = Project(CLASSES)
    again.add_image(OfSlide(np.zeros((90, 120), np.uint8), "blank"))
    again.import_geojson("blank", path)
    assert in_order(again) == in_order(project)
    cropped = another()
    cropped.import_geojson("blank", path, plane="all")
    np.testing.assert_array_equal(cropped.label_map("blank")[:70, :90], project.label_map("blank")[20:, 30:])
    # What was written without an offset stays where it was.
    project.export_geojson("blank", path, offset=(0, 0))
    moved = another()
    moved.import_geojson("blank", path, offset=(0, 0), plane="all")
    np.testing.assert_array_equal(moved.label_map("blank"), project.label_map("blank"))


def test_exact_shapes_of_earlier_versions_have_the_places_of_the_image(project, path):
    project.annotate("blank", Stroke([[60.25, 50], [80, 60]], 7), "Stroma")
    content = exported(project, path)
    del content["features"][0]["properties"]["histowidgets"]["offset"]
    slide = Project(CLASSES)
    slide.add_image(OfSlide(np.zeros((90, 120), np.uint8), "blank"))
    imported(path, content, slide)
    assert in_order(slide) == in_order(project)


# --- twice ---


def three(path):
    project = another()
    for y in (10, 30, 50):
        project.annotate("blank", Stroke([(10, y), (80, y)], 6), "Gland")
    return project, exported(project, path)


def test_a_file_that_is_imported_twice_is_drawn_once(path):
    project, _ = three(path)
    before = in_order(project)
    said = []
    assert project.import_geojson("blank", path, tell=said.append) == 0
    assert in_order(project) == before
    assert "3 of 3 annotations of annotations.geojson are on the image already" in said[0]
    with pytest.raises(DuplicateAnnotationsError, match="on_duplicate=") as caught:
        project.import_geojson("blank", path, on_duplicate="error")
    assert caught.value.count == 3
    assert project.import_geojson("blank", path, on_duplicate="add") == 3
    assert project.count()["Gland"] == 6


def test_what_was_corrected_elsewhere_replaces_what_was_there(path):
    project, content = three(path)
    mine = project.annotate("blank", Rectangle(100, 70, 10, 10), "Lumen")
    ids = [a.id for a in project.annotations("blank")]
    content["features"][1]["geometry"] = square(20, 60)  # corrected
    del content["features"][2]  # deleted
    content["features"].append(feature(square(90, 10)))  # new
    _, said = told(path, content, project)
    assert "1 of them differently" in said
    assert [a.id for a in project.annotations("blank")][:4] == ids
    assert project.count()["Gland"] == 4
    project.undo()
    _, said = told(path, content, project, on_duplicate="replace")
    assert "Replaced 2" in said
    assert "2 that the file does not have were kept" in said
    assert {a.id for a in project.annotations("blank")} > {*ids[:2], ids[2], mine}
    assert project.annotation(ids[1]).shape == Polygon(square(20, 60)["coordinates"][0][:-1])
    project.undo()
    before = in_order(project)
    told(path, content, project, on_duplicate="replace_all")
    assert [a.id for a in project.annotations("blank")][:2] == ids[:2]
    assert project.count() == {"Stroma": 0, "Gland": 3, "Lumen": 0}
    assert project.undo()
    assert in_order(project) == before


def test_duplicates_without_ids_are_known_by_their_shape_and_class(path):
    content = [
        {"type": "Feature", "geometry": square(x, 10), "properties": {"classification": "Gland"}} for x in (5, 50)
    ]
    content.append(dict(content[0]))  # twice in the file: both are drawn
    project = imported(path, content)
    assert project.count()["Gland"] == 3
    assert "3 of 3 annotations" in told(path, content, project)[1]
    assert project.count()["Gland"] == 3
    content[0]["properties"] = {"classification": "Lumen"}
    told(path, content, project)
    assert project.count() == {"Stroma": 0, "Gland": 3, "Lumen": 1}


def test_a_replacement_survives_reopening_with_its_undo(tmp_path, path):
    project = Project(CLASSES, tmp_path / "p")
    project.add_image(blank())
    project.annotate("blank", Rectangle(1, 1, 30, 30), "Gland")
    labels = project.label_map("blank")
    imported(
        path, [feature(square(50, 50), "Nerve")], project, on_duplicate="replace_all", unknown_classes="add", tell=id
    )
    after = in_order(project), project.label_map("blank")
    project.close()
    again = Project.open(tmp_path / "p")
    assert in_order(again) == after[0]
    np.testing.assert_array_equal(again.label_map("blank"), after[1])
    assert again.undo()
    np.testing.assert_array_equal(again.label_map("blank"), labels)
    assert again.classes == CLASSES
    assert again.redo()
    np.testing.assert_array_equal(again.label_map("blank"), after[1])
    again.close()


# --- names ---


def named(name, x=10):
    item = feature(square(x, 10), None)
    item["properties"]["name"] = name
    return item


def test_names_of_objects_become_classes_as_the_table_says(path):
    content = [named("core"), named("edge", 30), named("edge", 50), feature(square(70, 10), None), named("lumen ", 90)]
    project, said = told(path, content)
    assert project.count() == {"Stroma": 0, "Gland": 0, "Lumen": 1}  # whose name is that of a class
    assert "4 without a class" in said
    assert "'core', 'edge' (2)" in said
    assert "classes={name: class}" in said
    assert "named like the class 'Lumen'" in said
    table = {"core": "Gland", "EDGE": None}
    project, said = told(path, content, classes=table)
    assert project.count() == {"Stroma": 0, "Gland": 1, "Lumen": 1}
    assert "2 without a class, as classes= says" in said
    project, _ = told(path, content, classes={**table, None: "Stroma"})
    assert project.count() == {"Stroma": 1, "Gland": 1, "Lumen": 1}
    project, _ = told(path, content, classes="Gland")
    assert project.count()["Gland"] == 5


def test_classes_are_renamed_on_the_way_in(path):
    content = [feature(square(10, 10), "Tumour"), feature(square(30, 10), "Ignore*"), feature(square(50, 10))]
    project, said = told(path, content, classes={"Tumour": "Gland", "Ignore*": None})
    assert project.count()["Gland"] == 2
    assert "1 of class 'Ignore*', as classes= says" in said


def test_classes_that_differ_by_capitals_or_unicode_are_the_same_and_it_is_said(path):
    accents = unicodedata.normalize("NFD", "Nécrose")
    content = [feature(square(10, 10), accents), feature(square(30, 10), " GLAND"), feature(square(50, 10), "Fat")]
    content.append(feature(square(70, 10), "fat"))
    project, said = told(path, content, another(["Nécrose", "Gland"]), unknown_classes="add")
    assert project.classes == ["Nécrose", "Gland", "Fat"]
    assert project.count() == {"Nécrose": 1, "Gland": 1, "Fat": 2}
    assert "'GLAND' was taken as the class 'Gland'" in said
    assert "'Nécrose'" in said
    two = another(["fat", "FAT"])  # which of the two cannot be told
    with pytest.raises(UnknownClassError, match="'Fat'"):
        imported(path, feature(square(10, 10), "Fat"), two)


def test_a_preview_says_what_an_import_needs_and_changes_nothing(path):
    project, content = three(path)
    content["features"] += [named("core"), feature(square(70, 70), "Nerve")]
    path.write_text(json.dumps(content))
    preview = project.preview_import("blank", path)
    assert (preview.format, preview.count, preview.duplicates) == ("GeoJSON", 4, 3)
    assert preview.unnamed == {"core": 1}
    assert preview.unknown_classes == ["Nerve"]
    assert project.classes == CLASSES
    assert project.count()["Gland"] == 3


# --- geometry ---


def test_every_polygon_that_leaves_is_valid(project, path):
    rng = np.random.default_rng(3)
    for _ in range(60):
        outline = rng.integers(10, 90, (rng.integers(3, 12), 2))
        holes = [rng.integers(10, 90, (rng.integers(3, 6), 2)) for _ in range(rng.integers(0, 3))]
        project.annotate("blank", Polygon(outline, holes), "Gland")
        project.annotate("blank", Stroke(rng.integers(5, 85, (4, 2)), float(rng.integers(1, 9))), "Lumen")
        if rng.random() < 0.2:
            project.erase("blank", Polygon(rng.integers(10, 90, (6, 2))))
    project.annotate("blank", Line([[20, 20], [20, 20]], 4), "Gland")
    for item in exported(project, path)["features"]:
        geometry = shapely.from_geojson(json.dumps(item["geometry"]))
        assert geometry.is_valid, shapely.is_valid_reason(geometry)
    again = another()
    again.import_geojson("blank", path)
    np.testing.assert_array_equal(again.label_map("blank"), project.label_map("blank"))


def test_what_is_thinner_than_a_pixel_is_drawn_and_said(path):
    strip = ring_of([(10, 10.6), (100, 10.6), (100, 10.9), (10, 10.9)])
    thin, line = feature(strip), feature(ring_of([(5, 20), (100, 80), (100, 81.5), (5, 21.5)]))
    project, said = told(path, [thin, line, feature(square(50, 50))])
    assert project.count()["Gland"] == 3
    assert "1 is so thin or small that no pixel's centre lies inside" in said
