"""Edits of annotations, classes and images that go beyond drawing: each one step of undo, kept in the journal."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from histowidgets.annotations import Annotation, Change, Line, Polygon, Project, Rectangle, Stroke, rasterize
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError, ProjectFolderError, ShapeError
from histowidgets.images import Region
from tests.annotations.conftest import CLASSES, blank, random_stroke

SQUARE = Rectangle(10, 10, 20, 20)
DATA = Path(__file__).parent / "data"


def fresh_map(project, name, downsample=1):
    """The label map without any cache."""
    index = {c: i for i, c in enumerate(project.classes)}
    return rasterize(project.annotations(name), index, project.image(name).region, downsample)


def state(project):
    """All that an edit can change, from maps made anew; the kept maps must be the same."""
    for name in project.image_names:
        for downsample in (1, 3):
            np.testing.assert_array_equal(project.label_map(name, downsample), fresh_map(project, name, downsample))
    images = [(n, project.role(n), project.annotations(n)) for n in project.image_names]
    return project.classes, list(project.colors.items()), images, project.count()


def check_one_step(project, edit):
    """Make an edit, which must be one step that undo and redo follow; return what subscribers were told."""
    before = state(project)
    told = []
    stop = project.subscribe(told.append)
    edit()
    after = state(project)
    assert after != before
    assert project.undo()
    assert state(project) == before
    assert project.redo()
    assert state(project) == after
    stop()
    assert len(told) == 3
    assert told[0] == told[1] == told[2]
    if project.folder is not None:
        project.close()
        again = Project.open(project.folder)
        assert state(again) == after
        again.undo()
        assert state(again) == before
        again.close()
    return told[0]


@pytest.fixture(params=["memory", "folder"])
def two(request, tmp_path):
    """A project with two painted images and three classes, in memory and in a folder."""
    project = Project(CLASSES, None if request.param == "memory" else tmp_path / "project")
    project.add_image(blank())
    project.add_image(blank(60, 50, "small"), role="validation")
    rng = np.random.default_rng(4)
    for _ in range(12):
        project.annotate("blank", random_stroke(rng), str(rng.choice(CLASSES)))
    project.annotate("blank", SQUARE, "Gland")
    project.erase("blank", Stroke([[20, 20]], 7))
    project.annotate("small", Line([[5, 5], [50, 40]], 6), "Gland")
    project.annotate("small", Rectangle(20, 5, 10, 10), "Lumen")
    yield project
    project.close()


# --- annotations ---


def test_several_annotations_are_removed_at_once(two):
    ids = [a.id for a in two.annotations("blank")]
    change = check_one_step(two, lambda: two.remove([ids[9], ids[2], ids[2], ids[13]]))
    assert (change.kind, change.image_name) == ("annotations", "blank")


def test_annotations_are_moved_in_their_place(two):
    ids = [a.id for a in two.annotations("blank")]
    old = two.annotation(ids[12])
    change = check_one_step(two, lambda: two.move(ids[12], 30.5, -4))
    assert change == Change("annotations", "blank", Region(10, 6, 51, 24))
    new = two.annotation(ids[12])
    assert new.shape == Rectangle(40.5, 6, 20, 20)
    assert (new.time, new.annotator, new.class_name) == (old.time, old.annotator, old.class_name)
    assert [a.id for a in two.annotations("blank")] == ids


def test_a_move_out_of_the_image_moves_nothing(project):
    near = project.annotate("blank", Rectangle(100, 10, 10, 10), "Gland")
    far = project.annotate("blank", SQUARE, "Gland")
    before = state(project)
    with pytest.raises(ShapeError, match="entirely outside image 'blank' of 120 x 90"):
        project.move([far, near], 50, 0)
    with pytest.raises(ShapeError, match="finite"):
        project.move(far, float("nan"), 0)
    assert state(project) == before
    project.move([far, near], 15, 0)
    assert project.annotation(near).shape.x == 115


@pytest.mark.parametrize("dx", [3, -2.25])
def test_every_shape_can_be_moved(shapes, dx):
    for shape in shapes:
        moved = shape.moved(dx, 4)
        assert type(moved) is type(shape)
        np.testing.assert_allclose(moved.bounds, np.add(shape.bounds, [dx, 4, dx, 4]))
        assert moved.moved(-dx, -4) == shape
    one = [shape.moved(3, 4) for shape in shapes]
    region = Region(0, 0, 120, 90)
    labels = [rasterize_one(s, region) for s in shapes]
    moved = [rasterize_one(s, Region(3, 4, 120, 90)) for s in one]
    np.testing.assert_array_equal(moved, labels)


def rasterize_one(shape, region):
    project = Project(["A"])
    project.add_image(blank(200, 200, "large"))
    project.annotate("large", shape, "A")
    return rasterize(project.annotations("large"), {"A": 0}, region)


def test_annotations_get_another_class_in_their_place(two):
    ids = [a.id for a in two.annotations("blank")][:5]
    change = check_one_step(two, lambda: two.reclassify(ids, "Lumen"))
    assert (change.kind, change.image_name) == ("annotations", "blank")
    assert [two.annotation(i).class_name for i in ids] == ["Lumen"] * 5


def test_erasers_have_no_class_to_change(project):
    painted = project.annotate("blank", SQUARE, "Gland")
    eraser = project.erase("blank", Stroke([[20, 20]], 7))
    with pytest.raises(ClassNameError, match="1 of the 2 annotations are erasers"):
        project.reclassify([painted, eraser], "Lumen")
    with pytest.raises(ClassNameError, match="no class 'Nerve'"):
        project.reclassify(painted, "Nerve")
    assert project.annotation(painted).class_name == "Gland"


def test_annotations_are_pasted_on_another_image(two):
    copied = two.annotations("blank")[10:]
    two.annotator = "Ada"
    pasted = []
    check_one_step(two, lambda: pasted.extend(two.paste("small", copied, dx=2)))
    new = two.annotations("small")[2:]
    assert [a.id for a in new] == pasted
    assert not set(pasted) & {a.id for a in copied}
    on_image = [a for a in copied if a.shape.moved(2, 0).region().intersect(Region(0, 0, 60, 50))]
    assert 0 < len(on_image) < len(copied)
    assert [(a.shape, a.class_name) for a in new] == [(a.shape.moved(2, 0), a.class_name) for a in on_image]
    assert {a.annotator for a in new} == {"Ada"}
    assert all(a.time >= copied[-1].time for a in new)


def test_what_cannot_be_pasted_is_refused(project):
    project.annotate("blank", SQUARE, "Gland")
    copied = project.annotations("blank")
    with pytest.raises(ShapeError, match=r"None of the 1 annotation\(s\)"):
        project.paste("blank", copied, dx=200)
    with pytest.raises(ShapeError, match="None of the 0"):
        project.paste("blank", [])
    other = Project(["Nerve"])
    other.add_image(blank())
    with pytest.raises(ClassNameError, match="no class 'Gland'"):
        other.paste("blank", copied)
    with pytest.raises(ImageNameError, match="no image named"):
        project.paste("nothing", copied)
    assert not other.can_undo


@pytest.mark.parametrize("edit", ["remove", "move", "reclassify"])
def test_unknown_ids_and_ids_of_two_images_are_refused(two, edit):
    values = {"remove": (), "move": (1, 1), "reclassify": ("Lumen",)}[edit]
    call = getattr(two, edit)
    first, second = two.annotations("blank")[0].id, two.annotations("small")[0].id
    before = state(two)
    with pytest.raises(ProjectError, match="no annotation with the id 'nothing'"):
        call([first, "nothing"], *values)
    with pytest.raises(ProjectError, match="from 2 images: 'blank', 'small'"):
        call([second, first], *values)
    with pytest.raises(ProjectError, match="list of ids is empty"):
        call([], *values)
    assert state(two) == before


# --- finding ---


def test_the_topmost_annotation_at_a_point_is_found(project):
    below = project.annotate("blank", Rectangle(10, 10, 40, 40), "Gland")
    above = project.annotate("blank", Stroke([[20, 20], [40, 20]], 6), "Lumen")
    project.erase("blank", Stroke([[30, 20]], 4))
    assert project.annotation_at("blank", 30, 20) == above
    assert project.annotation_at("blank", 30, 22.9) == above
    assert project.annotation_at("blank", 30, 23.1) == below
    assert project.annotation_at("blank", 30, 23.1, tolerance=0.2) == above
    assert project.annotation_at("blank", 51, 30) is None
    assert project.annotation_at("blank", 51, 51, tolerance=1.5) == below
    assert project.annotation_at("blank", 51, 51, tolerance=1.4) is None
    assert project.annotation(above).shape == Stroke([[20, 20], [40, 20]], 6)
    with pytest.raises(ProjectError, match="no annotation with the id"):
        project.annotation("nothing")


def test_a_hole_is_not_part_of_a_polygon(project):
    ring = project.annotate(
        "blank", Polygon([[10, 10], [50, 10], [50, 50], [10, 50]], [[[20, 20], [40, 20], [40, 40], [20, 40]]]), "Gland"
    )
    assert project.annotation_at("blank", 15, 30) == ring
    assert project.annotation_at("blank", 30, 30) is None
    assert project.annotation_at("blank", 30, 21, tolerance=1) == ring


def test_what_is_found_at_a_pixel_is_what_was_painted_there(project, shapes):
    shapes = [shape.moved(0.013, 0.007) for shape in shapes]  # no edge runs through the centre of a pixel
    ids = [project.annotate("blank", shape, "Gland") for shape in shapes]
    owner = np.full((90, 120), "", object)
    for shape, identity in zip(shapes, ids, strict=True):
        owner[rasterize_one(shape, Region(0, 0, 120, 90)) == 0] = identity
    found = [[project.annotation_at("blank", x + 0.5, y + 0.5) or "" for x in range(120)] for y in range(90)]
    np.testing.assert_array_equal(np.array(found, object), owner)


def test_annotations_wholly_within_a_region_are_found(project):
    inside = project.annotate("blank", SQUARE, "Gland")
    project.annotate("blank", Rectangle(25, 25, 20, 20), "Gland")
    project.erase("blank", Stroke([[20, 20]], 4))
    assert project.annotations_in("blank", Region(10, 10, 20, 20)) == [inside]
    assert project.annotations_in("blank", Region(11, 10, 20, 20)) == []
    assert len(project.annotations_in("blank", Region(0, 0, 120, 90))) == 2


# --- classes ---


def test_classes_are_merged_with_undo(two):
    count = two.count()
    change = check_one_step(two, lambda: two.merge_classes(["Stroma", "Lumen"], "Lumen"))
    assert change == Change("classes")
    assert two.classes == ["Gland", "Lumen"]
    assert two.count() == {"Gland": count["Gland"], "Lumen": count["Stroma"] + count["Lumen"]}


def test_several_classes_are_merged_into_one(two):
    check_one_step(two, lambda: two.merge_classes(["Lumen", "Stroma"], "Gland"))
    assert two.classes == ["Gland"]
    assert set(np.unique(two.label_map("blank"))) == {0, 255}


def test_an_empty_class_is_deleted_with_undo(two):
    two.add_class("Nerve", "#123456")
    two.merge_classes("Stroma", "Lumen")
    two.add_class("Muscle")
    two.reclassify([a.id for a in two.annotations("blank") if a.class_name == "Lumen"], "Muscle")
    change = check_one_step(two, lambda: two.delete_class("Nerve"))
    assert change == Change("classes")
    assert two.classes == ["Gland", "Lumen", "Muscle"]


def test_what_cannot_be_merged_or_deleted_is_refused(two):
    before = state(two)
    with pytest.raises(ClassNameError, match=r"'Gland' has \d+ annotation.*merge_classes"):
        two.delete_class("Gland")
    with pytest.raises(ClassNameError, match="no class 'Nerve'"):
        two.delete_class("Nerve")
    with pytest.raises(ClassNameError, match="no class 'Nerve'"):
        two.merge_classes(["Gland", "Nerve"], "Lumen")
    with pytest.raises(ClassNameError, match="no class 'Nerve'"):
        two.merge_classes("Gland", "Nerve")
    with pytest.raises(ClassNameError, match="pass a class other than 'Gland'"):
        two.merge_classes("Gland", "Gland")
    with pytest.raises(ClassNameError, match="only class"):
        Project(["A"]).delete_class("A")
    assert state(two) == before


# --- images ---


def test_an_image_is_removed_with_undo(two):
    change = check_one_step(two, lambda: two.remove_image("blank"))
    assert change == Change("images", "blank")
    assert two.image_names == ["small"]
    assert list(two.snapshot().annotations) == ["small"]
    with pytest.raises(ImageNameError, match="no image named 'blank'"):
        two.label_map("blank")


def test_a_project_may_become_empty_and_full_again(two):
    before = state(two)
    two.remove_image("small")
    two.remove_image("blank")
    assert (two.image_names, two.removed_images) == ([], ["blank", "small"])
    with pytest.raises(ImageNameError, match="undo can bring it back"):
        two.add_image(blank(), name="blank")
    two.add_image(blank(30, 30, "later"))
    assert two.undo()
    assert two.undo()
    assert two.image_names == ["blank", "small", "later"]
    two.remove_image("later")
    two.undo()
    names, classes, colors, images, count = two.image_names, *before
    assert names == ["blank", "small", "later"]
    assert state(two)[:2] == (classes, colors)
    assert state(two)[2][:2] == images
    assert two.count() == count
    assert two.removed_images == []
    if two.folder is not None:
        after = state(two)
        two.close()
        again = Project.open(two.folder)
        assert state(again) == after
        again.close()


# --- journals of earlier versions ---


def test_a_journal_of_the_first_version_opens(tmp_path):
    shutil.copy(DATA / "first_project.json", tmp_path / "project.json")
    shutil.copy(DATA / "first_journal.jsonl", tmp_path / "journal.jsonl")
    project = Project.open(tmp_path)
    kinds = [(a.class_name, type(a.shape).__name__, a.annotator) for a in project.annotations("slide")]
    assert kinds == [
        ("Stroma", "Stroke", "Ada"),
        ("Crypt", "Line", "Ada"),
        ("Crypt", "Polygon", "Ada"),
        (None, "Rectangle", "Ada"),
    ]
    assert project.colors == {"Stroma": "#E69F00", "Crypt": "#ABCDEF", "Lumen": "#123456"}
    assert project.role("slide") == "train"
    assert np.bincount(project.label_map("slide").ravel())[[0, 1, 255]].tolist() == [84, 377, 1939]
    assert project.redo()
    assert project.count()["Lumen"] == 1
    while project.undo():
        pass
    assert (project.classes, project.annotations("slide")) == (["Stroma", "Gland"], ())
    project.close()


@pytest.mark.parametrize(
    "line",
    [
        '{"op":"move","image":"slide","ids":["nothing"],"dx":1,"dy":1}',
        '{"op":"move","image":"slide","ids":["ffcfb834ce2841399f83259603af8e33"],"dx":1}',
        '{"op":"move","image":"slide","ids":["ffcfb834ce2841399f83259603af8e33"],"dx":1,"dy":"down"}',
        '{"op":"reclassify","image":"slide","ids":[],"class":"Nerve"}',
        '{"op":"merge-classes","names":5,"into":"Stroma"}',
        '{"op":"delete-class","name":["Stroma"]}',
        '{"op":"remove-image","image":"other"}',
    ],
)
def test_a_damaged_line_of_a_new_edit_is_named(tmp_path, line):
    shutil.copy(DATA / "first_project.json", tmp_path / "project.json")
    journal = (DATA / "first_journal.jsonl").read_text() + line + '\n{"op":"undo"}\n'
    (tmp_path / "journal.jsonl").write_text(journal)
    with pytest.raises(ProjectFolderError, match=r"Line 15 of .*journal.jsonl is damaged"):
        Project.open(tmp_path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda project: project.remove(None), "ids are None"),
        (lambda project: project.remove([5]), r"ids are \[5\]"),
        (lambda project: project.reclassify([["a"]], "Gland"), "ids are"),
        (lambda project: project.paste("blank", None), "None is not a list of annotations"),
        (
            lambda project: project.paste("blank", [Stroke([(1, 1)])]),
            "not a list of .* to draw a shape, use annotate",
        ),
        (lambda project: project.merge_classes(None, "Gland"), "classes to merge are None"),
        (lambda project: project.annotate(["blank"], Stroke([(1, 1)]), "Gland"), "no image named"),
        (lambda project: project.annotate("blank", [(1, 1)], "Gland"), "A list is not a shape"),
        (lambda project: project.annotate("blank", Stroke([(1, 1)]), ["Gland"]), r"no class \['Gland'\]"),
    ],
)
def test_what_an_edit_cannot_use_is_named(project, edit, message):
    with pytest.raises(ProjectError, match=message):
        edit(project)
    assert not project.can_undo


# --- edits are made as objects, and written to the journal as records ---


def test_a_shape_is_kept_as_it_was_given(project):
    """Nothing is serialized and parsed on its way into the project."""
    stroke = Stroke([[10, 10], [40, 30]], 6)
    assert project.annotation(project.annotate("blank", stroke, "Gland")).shape is stroke


def test_a_shape_that_the_journal_cannot_hold_is_refused(project):
    class Blot(Stroke):
        pass

    blot = Blot([[10, 10]], 6)
    with pytest.raises(ShapeError, match="A Blot is not a shape"):
        project.annotate("blank", blot, "Gland")
    with pytest.raises(ProjectError, match="not a list of annotations"):
        project.paste("blank", [Annotation("id", blot, "Gland", 0.0, "")])


def test_the_lines_of_the_journal_stay_as_they_were(tmp_path):
    project = Project(CLASSES, tmp_path / "project")
    project.annotator = "Ada"
    project.add_image(blank())
    project.add_image(blank(), name="other")
    first = project.annotate("blank", Stroke([[10, 10], [40, 30.5]], [6, 7]), "Gland")
    second = project.erase("blank", Rectangle(1, 2, 3, 4))
    project.move([first, second], 1, 2.5)
    project.reclassify(first, "Lumen")
    project.remove([second, first])
    project.add_class(" Nerve ", "#aabbcc")
    project.rename_class("Nerve", "Fibre")
    project.recolor_class("Fibre", "#001122")
    project.merge_classes(["Stroma", "Fibre"], into="Gland")
    project.delete_class("Lumen")
    project.set_role("blank", "train")
    project.remove_image("other")
    project.undo()
    project.redo()
    project.close()
    lines = [json.loads(line) for line in (tmp_path / "project" / "journal.jsonl").read_text().splitlines()]
    for line in lines[:2]:
        assert isinstance(line["annotations"][0].pop("time"), float)
    stroke = {"type": "stroke", "points": [[10.0, 10.0], [40.0, 30.5]], "width": [6.0, 7.0]}
    rectangle = {"type": "rectangle", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
    annotations = [
        {"id": first, "class": "Gland", "annotator": "Ada", "shape": stroke},
        {"id": second, "class": None, "annotator": "Ada", "shape": rectangle},
    ]
    assert lines == [
        {"op": "add", "image": "blank", "annotations": [annotations[0]]},
        {"op": "add", "image": "blank", "annotations": [annotations[1]]},
        {"op": "move", "image": "blank", "ids": [first, second], "dx": 1.0, "dy": 2.5},
        {"op": "reclassify", "image": "blank", "ids": [first], "class": "Lumen"},
        {"op": "remove", "image": "blank", "ids": [first, second]},
        {"op": "add-class", "name": "Nerve", "color": "#AABBCC"},
        {"op": "rename-class", "old": "Nerve", "new": "Fibre"},
        {"op": "recolor-class", "name": "Fibre", "color": "#001122"},
        {"op": "merge-classes", "names": ["Stroma", "Fibre"], "into": "Gland"},
        {"op": "delete-class", "name": "Lumen"},
        {"op": "set-role", "image": "blank", "role": "train"},
        {"op": "remove-image", "image": "other"},
        {"op": "undo"},
        {"op": "redo"},
    ]
