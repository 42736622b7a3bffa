"""The wand on the annotation canvas, in a real JupyterLab with a real hand on it."""

import pytest

from tests.browser.canvas_hand import CanvasHand
from tests.browser.test_canvas import BLUE, ORANGE, close_to

CELLS = [
    """
import numpy as np
import histowidgets as hw
if "canvas" in globals():
    canvas.close()
y, x = np.mgrid[:400, :500] + 0.5
away = np.hypot(x - 250, y - 200)
pixels = np.where((away < 80)[..., None], (90, 70, 150), (225, 170, 190))
pixels = np.where((away < 25)[..., None], (245, 245, 245), pixels)
pixels = np.where(((away >= 80) & (away < 120))[..., None], (110, 85, 155), pixels).astype(np.uint8)
project = hw.Project(["Epithelium", "Stroma", "Lumen"])
project.add_image(pixels, name="rings")
canvas = hw.AnnotationCanvas(project)
canvas.patterns = False  # colours are looked at
canvas
"""
]
PREVIEW = "() => document.querySelector('.hw-wand-area')?.getBBox().width ?? 0"
NO_PREVIEW = "() => getComputedStyle(document.querySelector('.hw-wand')).display === 'none'"


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook(CELLS)
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    hand.press("w")
    notebook.wait_for_value("canvas.tool", "wand")
    notebook.execute("canvas.wand_tolerance = 5.0")
    return hand


def label(hand, x, y):
    return hand.kernel(f"int(project.label_map(canvas.image_name)[{y}, {x}])")


def test_a_click_fills_the_similar_region_without_its_hole(hand):
    hand.press("2")
    hand.page.mouse.click(*hand.page_point((200, 200)))
    hand.wait_for_count("Stroma", 1)
    hand.notebook.wait_for(NO_PREVIEW)
    assert (label(hand, 200, 200), label(hand, 250, 200), label(hand, 150, 200)) == (1, 255, 255)
    assert close_to(hand.shown((200, 200)), BLUE)
    hand.notebook.wait_for_value("canvas.tool", "wand")
    assert hand.kernel("canvas.class_name") == "Stroma"
    hand.press("z")
    hand.wait_for_count("Stroma", 0)


def test_a_drag_takes_more_the_preview_follows_and_escape_drops_it(hand):
    x, y = hand.page_point((200, 200))
    hand.page.mouse.move(x, y)
    hand.page.mouse.down()
    hand.notebook.wait_for(f"() => Math.abs(({PREVIEW})() - 160) < 4")
    hand.page.mouse.move(x + 30, y, steps=4)
    hand.notebook.wait_for(f"() => Math.abs(({PREVIEW})() - 240) < 4")
    hand.notebook.screenshot("canvas-wand")
    assert hand.page.locator(".hw-tag").text_content() == "tolerance 15"
    assert hand.count()["Epithelium"] == 0
    hand.page.keyboard.press("Escape")
    hand.notebook.wait_for(NO_PREVIEW)
    hand.page.mouse.up()
    hand.page.mouse.move(x, y)
    hand.page.mouse.down()
    hand.page.mouse.move(x, y - 30, steps=4)  # upwards is more, too
    hand.page.mouse.up()
    hand.wait_for_count("Epithelium", 1)
    hand.notebook.wait_for(NO_PREVIEW)
    assert label(hand, 150, 200) == 0
    assert close_to(hand.shown((150, 200)), ORANGE)
    hand.notebook.wait_for_value("canvas.wand_tolerance", 15)
    hand.page.mouse.move(x, y)
    hand.page.mouse.down()
    hand.page.mouse.move(x - 30, y, steps=4)
    hand.page.mouse.up()
    hand.wait_for_count("Epithelium", 2)
    assert hand.kernel("project.annotations('rings')[-1].shape.bounds[2]") == pytest.approx(330, abs=2)


def test_its_slider_and_keys_set_the_tolerance(hand):
    bar = hand.page.locator(".hw-bar")
    assert bar.locator(".hw-tolerance").is_visible()
    assert not bar.locator(".hw-brush").is_visible()
    hand.press("]")
    hand.notebook.wait_for_value("canvas.wand_tolerance", 6)
    hand.press("[")
    hand.notebook.wait_for_value("canvas.wand_tolerance", 5)
    bar.locator(".hw-tolerance [role=slider]").focus()
    hand.page.keyboard.press("End")
    hand.notebook.wait_for_value("canvas.wand_tolerance", 100)
    hand.press("b")
    hand.notebook.wait_for("() => document.querySelector('.hw-brush').offsetWidth > 0")
    assert not bar.locator(".hw-tolerance").is_visible()
    assert hand.kernel("canvas.brush_width") == 12


def test_a_region_that_the_view_cuts_is_filled_as_far_as_that_and_it_is_said(hand):
    hand.page.mouse.move(*hand.page_point((200, 200)))
    for _ in range(5):
        hand.page.mouse.wheel(0, -200)
    hand.notebook.wait_for_value("canvas.view.zoom > 5", True)
    hand.wait_for_drawn()
    hand.page.mouse.click(*hand.page_point((200, 200)))
    hand.wait_for_count("Epithelium", 1)
    hand.notebook.wait_for("() => /edge of the view/.test(document.querySelector('.hw-said').textContent)")
    left, _, _, bottom = hand.kernel("list(project.annotations('rings')[-1].shape.bounds)")
    region = hand.kernel("list(canvas.view.region)")
    assert left >= region[0]
    assert bottom <= region[1] + region[3]
