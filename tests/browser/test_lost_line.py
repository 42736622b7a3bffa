"""A page that is far from its server, and one whose line breaks: what the hand did is not lost."""

import statistics

import pytest

from tests.browser.canvas_hand import CanvasHand
from tests.browser.conftest import _assert_no_errors
from tests.browser.harness import FarServer, Notebook
from tests.browser.proxy import SlowLine

CELLS = [
    """
import histowidgets as hw
project = hw.Project(["Epithelium", "Stroma", "Lumen"])
project.add_image(hw.samples.colon_ihc())
canvas = hw.AnnotationCanvas(project)
canvas
"""
]
FRAME_MS = 1000 / 60
CONNECTED = """
() => window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel?.connectionStatus === "connected"
"""


STUDIO = [
    """
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
project, canvas = studio.project, studio.canvas
studio
"""
]


@pytest.fixture
def far(request, pages, lab_server):
    """A canvas whose page reaches the server through a line that can be slow, or cut."""
    line = SlowLine(lab_server.port)
    notebook = Notebook(pages.take(fresh=True), FarServer(lab_server, line.url), getattr(request, "param", CELLS))
    try:
        notebook.run_all()
        hand = CanvasHand(notebook)
        hand.scroll_into_view()
        yield hand, line
        line.mend()
        line.delay = 0
        notebook.wait_for(CONNECTED, seconds=60)
        notebook.close()
        notebook.page.close()
    finally:
        line.close()


def place(hand, x, y):
    """Where the page has a place of the stage; asks no kernel."""
    box = hand.page.locator(".hw-pointer").bounding_box()
    return box["x"] + x, box["y"] + y


def drag(hand, start, end):
    hand.page.mouse.move(*place(hand, *start))
    hand.page.mouse.down()
    hand.page.mouse.move(*place(hand, *end), steps=20)
    hand.page.mouse.up()


@pytest.mark.quiet
def test_ink_is_under_the_pen_within_a_frame_at_150_ms_each_way(far):
    hand, line = far
    hand.measure_ink()
    line.delay = 0.15
    drag(hand, (150, 200), (420, 240))
    times = hand.ink_times()
    assert len(times) >= 15
    assert all(time["painted"] for time in times)
    assert statistics.median(time["frame"] for time in times) <= FRAME_MS
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    _assert_no_errors([hand.notebook])


@pytest.mark.parametrize("far", [STUDIO], indirect=True, ids=["studio"])
def test_a_class_and_a_tool_that_are_clicked_hold_for_what_is_painted_at_once_at_150_ms_each_way(far):
    hand, line = far
    page = hand.page
    page.locator(".hw-class").nth(2).wait_for()
    line.delay = 0.15
    page.locator(".hw-class-name", has_text="Stroma").click()
    drag(hand, (100, 100), (220, 130))
    page.locator(".hw-class-name", has_text="Lumen").click()
    drag(hand, (100, 180), (220, 210))
    page.locator(".hw-chip").nth(0).evaluate("(chip) => chip.click()")  # shown where the list is far below
    drag(hand, (100, 260), (220, 290))
    page.locator(".hw-tool-line").click()
    drag(hand, (100, 340), (220, 370))
    page.locator(".hw-tool-brush").click()
    page.locator(".hw-class-name", has_text="Stroma").click()
    drag(hand, (300, 100), (420, 130))
    hand.notebook.wait_for_value("sum(project.count().values())", 5, seconds=40)
    painted = "[[type(each.shape).__name__, each.class_name] for each in project.annotations(canvas.image_name)]"
    assert hand.kernel(painted) == [
        ["Stroke", "Stroma"],
        ["Stroke", "Lumen"],
        ["Stroke", "Epithelium"],
        ["Line", "Epithelium"],
        ["Stroke", "Stroma"],
    ]
    hand.notebook.wait_for_value("[canvas.tool, canvas.class_name]", ["brush", "Stroma"])
    _assert_no_errors([hand.notebook])


def close_dialog(hand):
    """Close JupyterLab's own message about the line, as a user would; it takes the focus when it opens."""
    if (button := hand.page.locator(".jp-Dialog button", has_text="Close")).count():
        button.click()


@pytest.mark.slow
def test_strokes_painted_while_the_line_is_cut_for_half_a_minute_arrive_in_order_when_it_is_back(far):
    hand, line = far
    drag(hand, (150, 150), (250, 150))
    hand.wait_for_count("Epithelium", 1)
    line.cut()
    hand.notebook.wait_for(f"() => !({CONNECTED.strip()})()", seconds=30)
    close_dialog(hand)
    drag(hand, (150, 200), (250, 200))
    hand.page.keyboard.press("2")
    drag(hand, (150, 250), (250, 250))
    drag(hand, (150, 300), (250, 300))
    hand.page.keyboard.press("z")
    hand.notebook.wait_for("() => document.querySelector('.hw-kept').textContent.includes('4 edits are kept')")
    hand.page.wait_for_timeout(30_000)
    hand.notebook.screenshot("canvas-line-cut")
    line.mend()
    hand.notebook.wait_for(CONNECTED, seconds=60)
    hand.notebook.wait_for_value("project.count()", {"Epithelium": 2, "Stroma": 1, "Lumen": 0}, seconds=40)
    hand.wait_for_no_ink()
    hand.notebook.wait_for("() => document.querySelector('.hw-kept').hidden")
    close_dialog(hand)
    # And the canvas works as before: a view, a class and a stroke.
    hand.press("3")
    drag(hand, (300, 300), (350, 300))
    hand.wait_for_count("Lumen", 1)
    zoom = hand.kernel("canvas.view.zoom")
    hand.press("+")
    hand.notebook.wait_for_value(f"canvas._renderer.view.zoom > {zoom}", True)
    hand.wait_for_drawn()
