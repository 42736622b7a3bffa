"""A pen that feels, a keyboard without a pointer, and fingers, on the annotation canvas in a real JupyterLab."""

import pytest

from tests.browser.canvas_hand import CanvasHand
from tests.browser.test_canvas import CELLS, ORANGE, PREDICTION, close_to, last_points

CURSOR = "() => document.querySelector('.hw-cursor').hidden"
AT = "() => new DOMMatrix(getComputedStyle(document.querySelector('.hw-cursor')).transform)"


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook(CELLS)
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    hand.page.mouse.move(5, 5)
    hand.page.locator(".hw-pointer").focus()
    return hand


class Pen:
    """A pen on the page, through the browser's own input."""

    def __init__(self, hand):
        self.hand = hand
        self.session = hand.page.context.new_cdp_session(hand.page)

    def _send(self, kind, point, force, buttons):
        x, y = self.hand.page_point(point)
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": force, "buttons": buttons}
        button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        self.session.send("Input.dispatchMouseEvent", {**event, **button})

    def paint(self, points, release=True):
        """Draw through (x, y, pressure)."""
        self._send("mouseMoved", points[0][:2], 0, 0)
        self._send("mousePressed", points[0][:2], points[0][2], 1)
        for point in points[1:]:
            self._send("mouseMoved", point[:2], point[2], 1)
        if release:
            self._send("mouseReleased", points[-1][:2], 0, 0)


def widths(hand):
    return hand.kernel("np.asarray(project.annotations(canvas.image_name)[-1].shape.width).tolist()")


def said(hand, pattern):
    hand.notebook.wait_for(
        "words => new RegExp(words).test(document.querySelector('.hw-pointer [role=status]').textContent)",
        argument=pattern,
    )


def keys(hand, *names):
    for name in names:
        hand.page.keyboard.press(name)


# -- a pen ------------------------------------------------------------------------------------------


def test_a_pen_that_is_pressed_less_paints_narrower_and_the_ink_looks_like_the_annotation(hand):
    hand.notebook.execute("import numpy as np; canvas.brush_width = 40.0")
    assert not hand.page.locator(".hw-pen").is_visible()
    pen = Pen(hand)
    pen.paint([(100, 300, 0.1), (160, 300, 0.4), (220, 300, 0.9), (280, 300, 0.9)], release=False)
    edge = [(x, y) for x in range(70, 320, 5) for y in (280, 284, 288, 292, 296, 300, 306, 310, 314, 318, 322)]
    zoom, (x0, y0) = hand.kernel("canvas.view.zoom"), hand.stage_point((100, 300))
    stage = [(x0 + (x - 100) * zoom, y0 + (y - 300) * zoom) for x, y in edge]
    ink = hand.page.evaluate(
        """points => {
          const context = [...document.querySelectorAll(".hw-ink")].pop().getContext("2d");
          return points.map(([x, y]) => context.getImageData(Math.round(x), Math.round(y), 1, 1).data[3] > 0);
        }""",
        stage,
    )
    hand.notebook.screenshot("canvas-pen")
    pen._send("mouseReleased", (280, 300), 0, 0)
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    found = widths(hand)
    assert found == pytest.approx([40 * (0.3 + 0.7 * force) for force in (0.1, 0.4, 0.9, 0.9)], rel=0.01)
    labels = hand.kernel(f"[int(project.label_map(canvas.image_name)[y, x]) for x, y in {edge}]")
    differ = sum(painted != (label == 0) for painted, label in zip(ink, labels, strict=True))
    assert sum(ink) > 100
    assert differ <= 0.03 * len(edge)
    assert hand.page.locator(".hw-pen").is_visible()


def test_the_ink_is_hatched_as_the_annotation_will_be(hand):
    """No line jumps when the kernel's drawing takes the place of the ink."""
    hand.notebook.execute("canvas.patterns = True; canvas.brush_width = 40.0")
    hand.wait_for_drawn()
    hand.paint([(100, 300), (280, 300)], release=False)
    points = [(x, y) for x in range(95, 285, 7) for y in range(286, 315, 3)]
    stage = hand.kernel(f"[canvas.view.to_stage(x, y) for x, y in {points}]")
    places = [tuple(map(round, point)) for point in stage]
    ink = hand.page.evaluate(
        """points => {
          const context = [...document.querySelectorAll(".hw-ink")].pop().getContext("2d");
          return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3));
        }""",
        places,
    )
    hand.notebook.screenshot("canvas-hatched-ink")
    hand.page.mouse.up()
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    drawn = hand.notebook.layer_pixels(hand.kernel("canvas._layers.top_id"), places)
    assert 20 < sum(red < 200 for red, _, _ in ink) < len(ink) / 2, "some of it is lines"
    differ = sum(abs(one[0] - other[0]) > 20 for one, other in zip(ink, drawn, strict=True))
    assert differ <= 0.02 * len(points)


def test_pressure_can_be_turned_off_and_neither_a_mouse_nor_a_pen_without_feeling_has_it(hand):
    hand.notebook.execute("import numpy as np")
    pen = Pen(hand)
    pen.paint([(100, 300, 0.5), (160, 300, 0.5)])
    hand.wait_for_count("Epithelium", 1)
    assert widths(hand) == 12
    hand.paint([(100, 350), (160, 350)])
    hand.wait_for_count("Epithelium", 2)
    assert widths(hand) == 12
    hand.page.locator(".hw-pen").click()
    hand.notebook.wait_for_value("canvas.pen_pressure", False)
    pen.paint([(100, 400, 0.2), (160, 400, 0.8)])
    hand.wait_for_count("Epithelium", 3)
    assert widths(hand) == 12
    hand.notebook.execute("canvas.pen_pressure = True")
    hand.press("e")
    hand.notebook.wait_for_value("canvas.tool", "eraser")
    pen.paint([(100, 400, 0.2), (160, 400, 0.8)])
    hand.notebook.wait_for_value("len(project.annotations(canvas.image_name))", 4)
    assert widths(hand) == pytest.approx([12 * 0.44, 12 * 0.86], rel=0.01)


# -- keys alone ---------------------------------------------------------------------------------------


def test_arrows_move_a_cross_and_what_is_under_it_is_read_out(hand):
    hand.notebook.execute(PREDICTION)
    assert hand.page.evaluate(CURSOR)
    keys(hand, "ArrowRight")
    assert not hand.page.evaluate(CURSOR)
    at = hand.page.evaluate(AT)
    assert (at["e"], at["f"]) == (380, 300)
    said(hand, r"^x 256, y 256: predicted Stroma 80%$")
    keys(hand, "ArrowLeft", "ArrowLeft", "Shift+ArrowUp")
    at = hand.page.evaluate(AT)
    assert (at["e"], at["f"]) == (372, 260)
    said(hand, r"^x 249, y 221: predicted Epithelium 70%$")
    hand.notebook.screenshot("canvas-cursor")
    hand.page.mouse.move(*hand.page_point((300, 300)))
    assert hand.page.evaluate(CURSOR)


def test_strokes_lines_rectangles_and_polygons_by_keys(hand):
    keys(hand, "ArrowRight", "Enter")
    said(hand, "Pen down")
    keys(hand, *["Shift+ArrowRight"] * 3, "ArrowDown", "d")
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    points = last_points(hand)
    assert points[0] == pytest.approx([256, 256], abs=0.1)
    assert points[-1] == pytest.approx([256 + 120 / 1.171875, 256 + 4 / 1.171875], abs=0.1)
    assert close_to(hand.shown((300, 256)), ORANGE)
    keys(hand, "r", "Enter", "Shift+ArrowDown", "Shift+ArrowRight", "Enter")
    hand.wait_for_count("Epithelium", 2)
    assert hand.kernel("project.annotations(canvas.image_name)[-1].shape.width") == pytest.approx(40 / 1.171875)
    keys(hand, "l", "d", "Shift+ArrowLeft", "d")
    hand.wait_for_count("Epithelium", 3)
    keys(hand, "p", "Enter", "Shift+ArrowLeft", "Enter", "Shift+ArrowUp", "Enter", "Enter")
    hand.wait_for_count("Epithelium", 4)
    assert hand.kernel("len(project.annotations(canvas.image_name)[-1].shape.points)") == 3
    keys(hand, "Shift+ArrowLeft", "Enter", "Shift+ArrowLeft", "Enter", "Shift+ArrowDown", "Enter", "c")
    hand.wait_for_count("Epithelium", 5)
    keys(hand, "b", "Enter", "Shift+ArrowDown", "Escape", "ArrowDown", "Enter", "Tab")  # Tab lifts the pen
    hand.wait_for_count("Epithelium", 6)
    assert len(last_points(hand)) == 1
    assert hand.page.evaluate("() => !document.activeElement.closest('.hw-pointer')")


def test_select_and_wand_by_keys_and_the_picture_moves_along(hand):
    hand.notebook.execute("made = project.annotate(canvas.image_name, hw.Rectangle(240, 240, 40, 40), 'Stroma')")
    keys(hand, "v", "ArrowRight", "Enter")
    hand.notebook.wait_for_value("canvas.selection == (made,)", True)
    hand.notebook.wait_for("() => getComputedStyle(document.querySelector('.hw-selection')).display !== 'none'")
    keys(hand, "Shift+ArrowRight")
    hand.notebook.wait_for_value("project.annotation(made).shape.x > 248", True)
    keys(hand, "Escape")
    hand.notebook.wait_for_value("len(canvas.selection)", 0)
    hand.notebook.wait_for("() => getComputedStyle(document.querySelector('.hw-selection')).display === 'none'")
    keys(hand, "w", *["Shift+ArrowLeft"] * 2, "3", "Enter")
    hand.wait_for_count("Lumen", 1)
    keys(hand, *["Shift+ArrowRight"] * 16)
    hand.notebook.wait_for_value("canvas.view.x > 400", True)
    x = hand.settled("canvas.view.x")
    keys(hand, "h", "ArrowLeft")
    hand.notebook.wait_for_value(f"canvas.view.x < {x} - 40", True)


def test_the_list_of_keys_fits_or_scrolls_and_nothing_is_painted_through_it(hand):
    keys(hand, "?")
    hand.notebook.wait_for("() => !document.querySelector('.hw-help').hidden")
    hand.notebook.screenshot("canvas-help")
    fits = "() => { const help = document.querySelector('.hw-help'); return help.scrollHeight <= help.clientHeight; }"
    assert hand.page.evaluate(fits)
    text = hand.page.locator(".hw-help").text_content()
    assert all(word in text for word in ("wand", "select", "cross", "paste", "nudge", "pen down"))
    hand.notebook.execute("canvas.resize(560, 300)")
    hand.notebook.wait_for("() => document.querySelector('.hw-pointer').offsetHeight === 300")
    assert not hand.page.evaluate(fits)
    keys(hand, *["ArrowDown"] * 3)
    hand.notebook.wait_for("() => document.querySelector('.hw-help').scrollTop >= 100")
    hand.page.locator(".hw-help").click()
    keys(hand, "Escape")
    hand.notebook.wait_for("() => document.querySelector('.hw-help').hidden")
    assert sum(hand.count().values()) == 0


def test_every_tool_says_its_name_and_key_and_all_fit_at_a_low_stage(hand):
    hand.notebook.execute("canvas.resize(700, 480)")
    hand.notebook.wait_for("() => document.querySelector('.hw-pointer').offsetHeight === 480")
    buttons = hand.page.locator(".hw-tools .hw-tool")
    titles = buttons.evaluate_all("nodes => nodes.map((node) => node.getAttribute('aria-label') || node.title)")
    assert len(titles) == 14
    for title, key in zip(
        titles, ("H", "V", "B", "E", "L", "R", "P", "W", "Z", "Shift+Z", "+", "−", "F", "?"), strict=True
    ):
        assert f"({key}" in title
    stage, last = hand.page.locator(".hw-stage").bounding_box(), buttons.last.bounding_box()
    assert last["y"] + last["height"] <= stage["y"] + stage["height"]


# -- fingers -------------------------------------------------------------------------------------------


def test_a_finger_outside_scrolls_the_page_and_on_the_picture_it_paints(open_notebook):
    notebook = open_notebook([*CELLS, "\n" * 80], has_touch=True, height=620)
    notebook.run_cell(0)
    hand = CanvasHand(notebook)
    session = hand.page.context.new_cdp_session(hand.page)

    def swipe(start, end):
        places = [tuple((1 - k / 8) * a + k / 8 * b for a, b in zip(start, end, strict=True)) for k in range(9)]
        kinds = ["touchStart", *["touchMove"] * 8, "touchEnd"]
        for kind, at in zip(kinds, [*places, None], strict=True):
            points = [] if at is None else [{"x": at[0], "y": at[1], "id": 0}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def top():
        return hand.page.locator(".hw-stage").bounding_box()["y"]

    hand.scroll_into_view()
    start, end = hand.page_point((200, 300)), hand.page_point((200, 200))
    before = top()
    swipe(start, end)
    hand.wait_for_count("Epithelium", 1)
    assert top() == before
    beside = hand.page.locator(".hw-stage").bounding_box()["x"] + 820
    swipe((beside, start[1]), (beside, end[1]))
    hand.notebook.wait_for(f"() => document.querySelector('.hw-stage').getBoundingClientRect().y < {before} - 30")
    assert hand.count()["Epithelium"] == 1
