"""Select, move, reclassify, copy and paste without a page."""

import numpy as np
import pytest
import traitlets

from histowidgets.annotations import Polygon, Project, Rectangle, Stroke
from histowidgets.errors import HistowidgetsError, ProjectError, ShapeError
from histowidgets.images import Region, samples
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.editing._outlines import MAX_OUTLINES, selection_outlines
from tests.widgets.canvas.helpers import Page, drag, drawn_edits, kinds, message, parts


@pytest.fixture
def project():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(samples.colon_ihc(), name="colon")
    project.add_image(samples.colon_ihc().read(0, 0, 200, 100), name="small")
    return project


@pytest.fixture
def canvas(project):
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


@pytest.fixture
def page(canvas, monkeypatch):
    return Page(canvas, monkeypatch)


@pytest.fixture
def boxes(project):
    """Ids of a box, and of a box of another class over a corner of it."""
    lower = project.annotate("colon", Rectangle(100, 100, 80, 80), "Epithelium")
    upper = project.annotate("colon", Rectangle(150, 150, 80, 80), "Stroma")
    return lower, upper


def pick(page, x, y, add=False, **more):
    return page.edit({"kind": "pick", "x": x, "y": y, "tolerance": 3, "add": add, **more})


def bounds(project, name="colon"):
    return [annotation.shape.bounds for annotation in project.annotations(name)]


def test_a_pick_takes_the_topmost_shift_adds_and_takes_out_and_nothing_clears(canvas, page, boxes):
    lower, upper = boxes
    answers = pick(page, 160, 160)
    assert canvas.selection == (upper,)
    assert drawn_edits(answers) == [["page", 1]]
    assert [answer["hit"] for answer in answers if answer["kind"] == "picked"] == [True]
    assert canvas.tool == parts(canvas).pointer.tool == "select"
    pick(page, 110, 110, add=True)
    assert canvas.selection == (upper, lower)
    pick(page, 160, 160, add=True)
    assert canvas.selection == (lower,)
    answers = pick(page, 300, 300, add=True)
    assert canvas.selection == (lower,)
    assert [answer["hit"] for answer in answers if answer["kind"] == "picked"] == [False]
    pick(page, 300, 300)
    assert canvas.selection == ()


def test_a_marquee_selects_what_lies_in_it(canvas, page, boxes):
    lower, upper = boxes
    box = {"kind": "marquee", "x": 90.5, "y": 90.5, "width": 100, "height": 100}
    page.edit({**box, "add": False})
    assert canvas.selection == (lower,)
    page.edit({**box, "x": 149.5, "y": 149.5, "add": True})
    assert canvas.selection == (lower, upper)
    page.edit({**box, "x": 300, "add": False})
    assert canvas.selection == ()
    assert message(canvas) == "Nothing selected."


def test_what_is_selected_is_moved_reclassified_and_deleted_each_in_one_step(canvas, page, project, boxes):
    page.edit({"kind": "select-all"})
    assert canvas.selection == boxes
    assert drawn_edits(page.edit({"kind": "move", "dx": 20, "dy": -10})) == [["page", 2]]
    assert bounds(project) == [(120, 90, 200, 170), (170, 140, 250, 220)]
    assert parts(canvas).pointer.selected[0]["rings"] == [[200.0, 90.0, 200.0, 170.0, 120.0, 170.0, 120.0, 90.0]]
    page.edit({"kind": "reclassify", "class_name": "Stroma"})
    assert project.count("colon") == {"Epithelium": 0, "Stroma": 2}
    assert canvas.class_name == "Stroma"
    page.edit({"kind": "delete"})
    assert project.annotations("colon") == ()
    assert canvas.selection == ()
    assert parts(canvas).pointer.selected == []
    page.edit({"kind": "undo"})
    assert project.count("colon") == {"Epithelium": 0, "Stroma": 2}
    page.edit({"kind": "undo"})
    assert project.count("colon") == {"Epithelium": 1, "Stroma": 1}
    page.edit({"kind": "undo"})
    assert bounds(project) == [(100, 100, 180, 180), (150, 150, 230, 230)]
    assert page.edit({"kind": "delete"})
    assert message(canvas) == "Nothing is selected."


def test_a_chip_of_the_palette_reclassifies_and_a_class_it_has_is_no_step(canvas, project, boxes):
    canvas.selection = boxes[:1]
    parts(canvas).frame.palette.children[1].click()
    assert project.count("colon") == {"Epithelium": 1, "Stroma": 1}
    parts(canvas).frame.palette.children[2].click()
    assert project.count("colon") == {"Epithelium": 0, "Stroma": 2}
    assert canvas.class_name == "Stroma"
    project.undo()
    assert project.count("colon") == {"Epithelium": 1, "Stroma": 1}
    canvas.class_name = "Epithelium"  # by Python it is only what is painted next
    assert project.count("colon") == {"Epithelium": 1, "Stroma": 1}


def test_the_selection_follows_undo_edits_elsewhere_tool_and_image(canvas, page, project, boxes):
    lower, upper = boxes
    canvas.selection = [upper, lower, upper]
    assert canvas.selection == (upper, lower)
    project.remove(upper)
    assert canvas.selection == (lower,)
    assert len(parts(canvas).pointer.selected) == 1
    project.move(lower, 5, 5)
    assert min(parts(canvas).pointer.selected[0]["rings"][0]) == 105
    project.recolor_class("Epithelium", "#123456")
    assert parts(canvas).pointer.selected[0]["color"] == "#123456"
    for _ in range(5):
        project.undo()
    assert canvas.selection == ()
    for _ in range(3):
        project.redo()
    canvas.selection = (lower,)
    canvas.tool = "brush"
    assert canvas.selection == ()
    canvas.selection = (lower,)
    assert canvas.tool == "select"
    canvas.show_image("small")
    assert canvas.selection == ()
    assert parts(canvas).pointer.selected == []
    with pytest.raises(ProjectError, match="no annotation"):
        canvas.selection = (lower,)
    with pytest.raises(traitlets.TraitError):
        canvas.selection = 3


def test_copies_come_to_the_same_place_of_another_image_or_to_the_middle_of_the_view(canvas, page, project, boxes):
    page.edit({"kind": "paste"})
    assert message(canvas) == "Nothing to paste. Copy a selection first."
    canvas.selection = boxes[:1]
    page.edit({"kind": "copy"})
    assert parts(canvas).pointer.copied == 1
    canvas.show_image("small")
    page.edit({"kind": "paste"})  # 140, 140 is outside
    assert bounds(project, "small") == [(60, 10, 140, 90)]
    assert canvas.selection == tuple(a.id for a in project.annotations("small"))
    project.undo()
    project.add_image(samples.colon_ihc(), name="third")
    canvas.show_image("third")
    page.edit({"kind": "paste"})
    assert bounds(project, "third") == [(100, 100, 180, 180)]
    canvas.look(canvas.view.look(400, 300, 4))
    page.edit({"kind": "paste"})  # not in view
    assert bounds(project, "third")[1] == (360, 260, 440, 340)


def test_a_copy_beside_its_original_is_seen_and_a_cut_piece_comes_back_where_it_was(canvas, page, project, boxes):
    canvas.selection = boxes[:1]
    page.edit({"kind": "copy"})
    page.edit({"kind": "paste"})
    page.edit({"kind": "paste"})
    step = 14 / canvas.view.zoom
    lefts = [left for left, *_ in bounds(project)]
    assert lefts == pytest.approx([100, 150, 100 + step, 100 + 2 * step])
    page.edit({"kind": "duplicate"})
    assert bounds(project)[-1][0] == pytest.approx(100 + 3 * step)
    canvas.selection = boxes[:1]
    page.edit({"kind": "cut"})
    assert len(project.annotations("colon")) == 4
    page.edit({"kind": "paste"})
    assert bounds(project)[-1] == (100, 100, 180, 180)
    project.undo()
    project.undo()
    assert bounds(project)[0] == (100, 100, 180, 180)


def test_python_has_it_all_and_errors_are_named(canvas, project, boxes):
    canvas.select_all()
    canvas.copy()
    canvas.delete_selection()
    canvas.paste()
    assert len(canvas.selection) == len(project.annotations("colon")) == 2
    canvas.select_in(Region(90, 90, 100, 100))
    assert len(canvas.selection) == 1
    with pytest.raises(ShapeError, match="outside"):
        canvas.move_selection(900, 0)
    with pytest.raises(HistowidgetsError, match="Nerve"):
        canvas.choose_class("Nerve")
    assert bounds(project)[0] == (100, 100, 180, 180)


def test_a_move_that_cannot_be_is_refused_with_its_reason(canvas, page, boxes):
    canvas.selection = boxes
    answers = page.edit({"kind": "move", "dx": 400, "dy": 0})
    assert [answer["edits"] for answer in answers if answer["kind"] == "refused"] == [[["page", 1]]]
    assert "outside" in message(canvas)
    answers = page.edit({"kind": "move", "dx": float("nan"), "dy": 0})
    assert [answer["edits"] for answer in answers if answer["kind"] == "refused"] == [[["page", 2]]]


def test_a_drawing_lands_on_the_image_it_was_drawn_on(canvas, page, project, boxes):
    canvas.selection = boxes
    canvas.show_image("small")
    content = {"kind": "stroke", "tool": "brush", "class_name": "Stroma", "width": 8.0, "image_name": "colon"}
    page.edit(content, [np.array([[300, 300], [320, 320]], np.float32).tobytes()])
    assert project.annotations("small") == ()
    assert project.annotations("colon")[-1].shape == Stroke([[300, 300], [320, 320]], width=8.0)
    assert kinds(pick(page, 160, 160, image_name="colon"))[-1] == "drawn"
    assert canvas.selection == ()
    answers = page.edit({**content, "image_name": "nowhere"}, [np.ones((2, 2), np.float32).tobytes()])
    assert "refused" in kinds(answers)


def test_the_plain_mouse_picks_and_moves(canvas, project, boxes):
    drag(canvas, [(160, 160)], "select")
    assert canvas.selection == boxes[1:]
    drag(canvas, [(110, 110), (115, 120), (120, 130)])
    assert canvas.selection == boxes[:1]
    assert bounds(project)[0] == pytest.approx((110, 120, 190, 200))


def test_outlines_have_holes_and_many_are_only_boxes(project):
    hole = np.array([[20, 20], [40, 20], [40, 40]])
    project.annotate("colon", Polygon([[0, 0], [60, 0], [60, 60], [0, 60]], [hole]), "Stroma")
    project.erase("colon", Stroke([[5, 5]], width=4))
    donut, eraser = selection_outlines(project.annotations("colon"), project.colors)
    assert [len(ring) for ring in donut["rings"]] == [8, 6]
    assert donut["color"] == project.colors["Stroma"]
    assert eraser["color"] == "#e1e4e8"
    many = project.annotations("colon")[:1] * (MAX_OUTLINES + 5)
    assert [len(shape["rings"]) for shape in selection_outlines(many, project.colors)][-6:] == [2, 1, 1, 1, 1, 1]


def test_the_status_line_says_how_many_are_selected_and_nothing_once_none_is(canvas, page, boxes):
    canvas.selection = boxes
    assert message(canvas) == "2 selected."
    page.edit({"kind": "deselect"})
    assert message(canvas) == ""


def test_a_class_of_the_studios_list_is_given_to_the_selection(project, boxes):
    from histowidgets.widgets import Studio

    studio = Studio(project)
    studio.canvas.selection = boxes[:1]
    studio.canvas.class_name = "Stroma"  # the list follows, the annotation does not
    assert studio._classes.classes.selected == "Stroma"
    assert project.count("colon") == {"Epithelium": 1, "Stroma": 1}
    studio._classes.classes.selected = "Epithelium"
    studio._classes.classes.selected = "Stroma"
    assert project.count("colon") == {"Epithelium": 0, "Stroma": 2}
    studio.close()
