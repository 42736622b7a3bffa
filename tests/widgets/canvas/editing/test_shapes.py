"""Lines, rectangles and polygons without a page: what the kernel makes of messages, and of the plain mouse."""

import numpy as np
import pytest

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.errors import ShapeError
from histowidgets.images import samples
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.state import TOOLS
from tests.widgets.canvas.helpers import Page, drag, drawn_edits, kinds, message, parts

CORNERS = [[100, 100], [150, 100], [150, 140]]


@pytest.fixture
def canvas():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(samples.colon_ihc(), name="colon")
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


@pytest.fixture
def page(canvas, monkeypatch):
    return Page(canvas, monkeypatch)


def say_shape(page, tool, points, class_name="Stroma", width=9.0):
    content = {"kind": "shape", "tool": tool, "class_name": class_name, "width": width}
    return page.edit(content, [np.asarray(points, np.float32).tobytes()])


@pytest.mark.parametrize(
    ("tool", "points", "wanted"),
    [
        ("line", [[10, 20], [40, 60]], Line([[10, 20], [40, 60]], width=9.0)),
        ("rectangle", [[60, 20], [10, 50]], Rectangle(10, 20, 50, 30)),
        ("polygon", CORNERS, Polygon(CORNERS)),
    ],
)
def test_a_shape_is_one_annotation_is_answered_and_undone_in_one_step(canvas, page, tool, points, wanted):
    answers = say_shape(page, tool, points)
    (annotation,) = canvas.project.annotations("colon")
    assert (annotation.shape, annotation.class_name) == (wanted, "Stroma")
    assert drawn_edits(answers) == [["page", 1]]
    assert drawn_edits(page.edit({"kind": "undo"})) == [["page", 2]]
    assert canvas.project.annotations("colon") == ()


@pytest.mark.parametrize(
    ("tool", "points", "class_name", "words"),
    [
        ("rectangle", [[10, 10], [10, 50]], "Stroma", "above 0"),
        ("rectangle", CORNERS, "Stroma", "got 3"),
        ("line", [[10, 10]], "Stroma", "got 1"),
        ("polygon", [[10, 10], [20, 20]], "Stroma", "at least 3"),
        ("polygon", np.array(CORNERS) - 900, "Stroma", "outside"),
        ("line", [[10, 10], [np.nan, 2]], "Stroma", "not finite numbers"),
        ("polygon", CORNERS, "Nerve", "Nerve"),
        ("polygon", np.ones((10**5, 2)), "Stroma", "100000 points"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_with_its_reason(canvas, page, tool, points, class_name, words):
    answers = say_shape(page, tool, points, class_name)
    (refusal,) = (answer for answer in answers if answer["kind"] == "refused")
    assert refusal["edits"] == [["page", 1]]
    assert words in refusal["error"]
    assert message(canvas).startswith("Error: ")
    assert canvas.project.annotations("colon") == ()
    assert drawn_edits(say_shape(page, "polygon", CORNERS)) == [["page", 2]]


def test_a_shape_that_cannot_be_read_takes_its_turn_and_is_refused(page):
    answers = page.edit({"kind": "shape", "tool": "hammer", "class_name": "Stroma", "width": 9.0})
    assert [answer["edits"] for answer in answers if answer["kind"] == "refused"] == [[["page", 1]]]
    assert drawn_edits(say_shape(page, "polygon", CORNERS)) == [["page", 2]]


def test_a_polygon_that_is_closed_too_early_is_explained(canvas, page):
    assert kinds(page.say({"kind": "short", "points": 2})) == ["say"]
    assert "needs at least 3 points; this one has 2" in message(canvas)


def test_the_overlay_is_set_not_flipped_so_that_a_blink_ends_as_it_began(canvas, page):
    for on in (False, False, True):
        assert kinds(page.say({"kind": "overlay", "on": on}))[-1] == "chosen"
        assert canvas.overlay_on is parts(canvas).pointer.overlay_on is on
        assert kinds(page.say({"kind": "annotations", "on": on}))[-1] == "chosen"
        assert canvas.annotations_on is parts(canvas).pointer.annotations_on is on
        assert parts(canvas).layers._annotation_alpha == (1.0 if on else 0.0)


def test_every_tool_has_a_button_and_can_be_chosen_from_page_and_python(canvas, page):
    for tool in TOOLS:
        page.say({"kind": "tool", "tool": tool})
        assert canvas.tool == parts(canvas).pointer.tool == tool
        parts(canvas).frame.tools.buttons[tool].click()
        assert canvas.tool == tool


def test_the_plain_mouse_draws_shapes(canvas):
    canvas.brush_width = 7
    path = [(100, 100), (150, 100), (150, 140)]
    for tool in ("line", "rectangle", "polygon"):
        drag(canvas, path, tool)
    line, rectangle, polygon = (annotation.shape for annotation in canvas.project.annotations("colon"))
    assert isinstance(line, Line)
    assert line.width == 7
    assert line.points == pytest.approx(np.array([path[0], path[-1]]))
    assert isinstance(rectangle, Rectangle)
    assert rectangle.bounds == pytest.approx((100, 100, 150, 140))
    assert isinstance(polygon, Polygon)
    drag(canvas, path[:1], "polygon")
    assert "at least 3" in message(canvas)
    assert len(canvas.project.annotations("colon")) == 3


def test_what_a_tool_makes_of_points(canvas):
    editor = parts(canvas).editor
    editor.draw_points("eraser", np.array([[1.0, 2.0]]), 3.0, "Stroma")
    (eraser,) = canvas.project.annotations("colon")
    assert (eraser.shape, eraser.class_name) == (Stroke([[1, 2]], width=3.0), None)
    with pytest.raises(ShapeError, match="got 3"):
        editor.draw_points("line", np.array(CORNERS, float), 3.0, "Stroma")


def test_a_stroke_of_a_pen_has_a_width_for_each_point_and_the_button_comes_with_the_first_pen(canvas, page):
    points, widths = np.array([[10, 10], [40, 10]], np.float32), np.array([3, 9], np.float32)
    content = {"kind": "stroke", "tool": "brush", "class_name": "Stroma", "width": 9.0}
    assert drawn_edits(page.edit(content, [points.tobytes(), widths.tobytes()])) == [["page", 1]]
    (annotation,) = canvas.project.annotations("colon")
    assert annotation.shape == Stroke(points, width=[3, 9])
    answers = page.edit(content, [points.tobytes(), np.array([3, 99], np.float32).tobytes()])
    assert "refused" in kinds(answers)
    pen = parts(canvas).frame.bar.pen
    assert pen.layout.display == "none"
    page.say({"kind": "pen"})
    assert pen.layout.display is None
    page.say({"kind": "tool", "tool": "rectangle"})
    assert pen.layout.display == "none"
    pen.value = False
    assert canvas.pen_pressure is parts(canvas).pointer.pen_pressure is False


def test_an_open_polygon_is_kept_until_it_is_given_up_or_its_tool_or_image_goes(canvas, page):
    canvas.tool = "polygon"
    draft = {"kind": "draft", "image_name": "colon", "corners": [0, 2, 9]}
    points = np.array([[10, 10], [40, 10], [40, 30]], np.float32).tobytes()

    def kept(number, **changes):
        page.say({**draft, "number": number, **changes}, [points] if changes.get("corners", True) else [])
        return parts(canvas).pointer.draft.get("points")

    assert kept(2) == points
    assert parts(canvas).pointer.draft["corners"] == [0, 2], "there is no tenth point"
    assert kept(1, corners=[]) == points, "it is older"
    assert kept(3, image_name="elsewhere") == points
    assert kept(4, corners=[]) == b""
    assert kept(5) == points
    canvas.tool = "brush"
    assert parts(canvas).pointer.draft == {}
    kept(6)
    canvas.project.add_image(np.zeros((40, 50, 3), np.uint8), name="second")
    canvas.show_image("second")
    assert parts(canvas).pointer.draft == {}
    page.say({**draft, "number": 7, "image_name": "second"}, [b"1234567"])
    assert "7 bytes" in message(canvas)
