"""Select, move, reclassify, copy and paste on the annotation canvas, in a real JupyterLab with a real hand on it."""

import pytest

from tests.browser.canvas_hand import CanvasHand
from tests.browser.test_canvas import BLUE, CELLS, ORANGE, close_to
from tests.browser.test_canvas_shapes import block_kernel

BOXES = """
ids = [project.annotate(canvas.image_name, hw.Rectangle(100, 100, 80, 80), "Epithelium"),
       project.annotate(canvas.image_name, hw.Stroke([(250, 250), (330, 290)], width=20), "Stroma")]
"""
SHOWN = "() => getComputedStyle(document.querySelector('.hw-selection')).display !== 'none'"
HIDDEN = "() => getComputedStyle(document.querySelector('.hw-selection')).display === 'none'"
MOVED = "() => document.querySelector('.hw-selection').dataset.moved === 'true'"
# Arrow keys that follow each other at once, however busy the machine is.
BURST = """
() => {
  for (const [key, shiftKey] of [["ArrowRight"], ["ArrowRight"], ["ArrowDown"], ["ArrowRight", true]]) {
    const event = new KeyboardEvent("keydown", { key, shiftKey: Boolean(shiftKey), bubbles: true, cancelable: true });
    document.querySelector(".hw-pointer").dispatchEvent(event);
  }
}
"""
BOUNDS = "[list(a.shape.bounds) for a in project.annotations(canvas.image_name)]"


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook(CELLS)
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    notebook.execute(BOXES)
    hand.press("v")
    notebook.wait_for_value("canvas.tool", "select")
    return hand


def selected(hand, wanted):
    hand.notebook.wait_for_value("[ids.index(each) for each in canvas.selection]", wanted)


def click(hand, point, *modifiers):
    for key in modifiers:
        hand.page.keyboard.down(key)
    hand.page.mouse.click(*hand.page_point(point))
    for key in modifiers:
        hand.page.keyboard.up(key)


def drawn(hand, point, color):
    for _ in range(100):
        if close_to(hand.shown(point), color):
            return
        hand.page.wait_for_timeout(30)
    pytest.fail(f"{hand.shown(point)} at {point}, not {color}")


def bar_text(hand, text):
    hand.notebook.wait_for(
        "text => { const bar = document.querySelector('.hw-selection-bar');"
        " return !bar.hidden && bar.textContent.includes(text); }",
        argument=text,
    )


def test_clicks_pick_shift_adds_a_box_takes_and_nothing_clears(hand):
    click(hand, (140, 140))
    selected(hand, [0])
    hand.notebook.wait_for(SHOWN)
    bar_text(hand, "1 selected")
    click(hand, (290, 270), "Shift")
    selected(hand, [0, 1])
    bar_text(hand, "2 selected")
    hand.notebook.screenshot("canvas-selection")
    click(hand, (140, 140), "Shift")
    selected(hand, [1])
    click(hand, (400, 400))
    selected(hand, [])
    hand.notebook.wait_for(HIDDEN)
    hand.paint([(80, 80), (350, 310)], release=False)
    hand.notebook.wait_for("() => !document.querySelector('.hw-marquee').hidden")
    hand.notebook.screenshot("canvas-marquee")
    hand.page.mouse.up()
    selected(hand, [0, 1])
    assert hand.page.evaluate("() => document.querySelector('.hw-marquee').hidden")
    hand.press("Escape")
    selected(hand, [])
    hand.press("Control+a")
    selected(hand, [0, 1])
    hand.press("b")
    selected(hand, [])
    hand.notebook.wait_for(HIDDEN)
    assert hand.kernel("len(project.annotations(canvas.image_name))") == 2


def test_a_drag_moves_with_the_pen_at_once_also_while_the_kernel_is_busy(hand):
    click(hand, (140, 140))
    hand.notebook.wait_for(SHOWN)
    places = [hand.page_point(point) for point in ((150, 150), (250, 130))]
    block_kernel(hand, 4)
    hand.page.mouse.move(*places[0])
    hand.page.mouse.down()
    hand.page.mouse.move(*places[1], steps=5)
    assert hand.page.evaluate(MOVED)
    box = hand.page.locator(".hw-selection .hw-outline-light").bounding_box()
    hand.notebook.screenshot("canvas-ghost")
    hand.page.mouse.up()
    assert hand.page.evaluate(MOVED)
    zoom = hand.page.evaluate("() => document.querySelector('.hw-selection g').transform.baseVal[1].matrix.a")
    left = hand.page.locator(".hw-pointer").bounding_box()["x"]
    hand.notebook.wait_for_value(f"[round(x) for x in {BOUNDS}[0]]", [200, 80, 280, 160])
    hand.notebook.wait_for("() => document.querySelector('.hw-selection').dataset.moved === 'false'")
    assert box["x"] - left == pytest.approx(hand.stage_point((200, 80))[0], abs=3 * zoom + 3)
    drawn(hand, (270, 120), ORANGE)
    assert hand.annotation_pixel((110, 170))[3] == 0
    selected(hand, [0])
    hand.press("z")
    hand.notebook.wait_for_value(f"{BOUNDS}[0]", [100, 100, 180, 180])
    selected(hand, [0])
    # What is not selected yet is picked and moved by one drag.
    hand.paint([(290, 270), (290, 370)], steps=20)
    hand.notebook.wait_for_value(f"round({BOUNDS}[1][1])", 340)
    selected(hand, [1])
    drawn(hand, (290, 370), BLUE)
    # A move off the image is refused and the ghost goes back.
    hand.paint([(290, 370), (290, 900)], steps=3)
    hand.notebook.wait_for("() => /outside/.test(document.querySelector('.hw-said').textContent)")
    hand.notebook.wait_for("() => document.querySelector('.hw-selection').dataset.moved === 'false'")
    assert hand.kernel(f"round({BOUNDS}[1][1])") == 340


def test_arrows_nudge_as_one_step_and_delete_removes(hand):
    click(hand, (140, 140))
    hand.notebook.wait_for(SHOWN)
    hand.page.evaluate(BURST)
    zoom = hand.kernel("canvas.view.zoom")
    hand.notebook.wait_for_value(f"round(({BOUNDS}[0][0] - 100) * canvas.view.zoom, 3)", 12)
    assert hand.kernel(f"{BOUNDS}[0][1]") == pytest.approx(100 + 1 / zoom)
    hand.press("z")
    hand.notebook.wait_for_value(f"{BOUNDS}[0]", [100, 100, 180, 180])
    hand.press("ArrowLeft")
    hand.press("Delete")  # sends the nudge first
    hand.notebook.wait_for_value(f"len({BOUNDS})", 1)
    hand.notebook.wait_for(HIDDEN)
    selected(hand, [])
    hand.press("z")
    hand.notebook.wait_for_value(f"{BOUNDS}[0][0] < 100", True)


def test_digits_and_the_palette_give_another_class(hand):
    click(hand, (140, 140))
    hand.notebook.wait_for(SHOWN)
    hand.press("2")
    hand.wait_for_count("Stroma", 2)
    drawn(hand, (110, 170), BLUE)
    selected(hand, [0])
    hand.page.locator(".hw-chip").nth(2).click()
    hand.wait_for_count("Lumen", 1)
    hand.press("z")
    hand.wait_for_count("Stroma", 2)
    hand.press("z")
    hand.wait_for_count("Epithelium", 1)
    hand.press("b")
    hand.press("2")
    hand.notebook.wait_for_value("canvas.class_name", "Stroma")
    assert hand.count()["Epithelium"] == 1


def test_copy_cut_paste_duplicate_by_key_and_onto_another_image(hand):
    cells = hand.page.locator(".jp-Notebook .jp-Cell").count()
    click(hand, (140, 140))
    hand.notebook.wait_for(SHOWN)
    hand.press("Control+d")
    hand.wait_for_count("Epithelium", 2)
    hand.notebook.wait_for_value("canvas.selection == (project.annotations(canvas.image_name)[-1].id,)", True)
    hand.press("Control+x")
    hand.wait_for_count("Epithelium", 1)
    bar_text(hand, "Nothing selected")
    hand.notebook.execute("project.add_image(hw.samples.colon_ihc(), name='second'); canvas.show_image('second')")
    hand.notebook.wait_for(HIDDEN)
    hand.press("Control+v")
    hand.notebook.wait_for_value("len(project.annotations('second'))", 1)
    hand.notebook.wait_for_value("canvas.selection == (project.annotations('second')[0].id,)", True)
    assert hand.kernel("project.annotations('second')[0].shape.x") == pytest.approx(
        100 + 14 / hand.kernel("canvas.view.zoom")
    )
    hand.notebook.wait_for(SHOWN)
    hand.press("Control+c")
    hand.press("Control+v")
    hand.notebook.wait_for_value("len(project.annotations('second'))", 2)
    assert hand.page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_the_bar_does_it_all_without_keys(hand):
    bar = hand.page.locator(".hw-selection-bar")
    assert not bar.is_visible()
    click(hand, (140, 140))
    bar_text(hand, "1 selected")
    bar.locator("select").select_option(label="Lumen")
    hand.wait_for_count("Lumen", 1)
    bar.get_by_role("button", name="Copy").click()
    bar.get_by_role("button", name="Paste").click()
    hand.wait_for_count("Lumen", 2)
    bar.get_by_role("button", name="Delete").click()
    hand.wait_for_count("Lumen", 1)
    bar_text(hand, "Nothing selected")
    assert hand.page.evaluate("() => document.activeElement.classList.contains('hw-pointer')")
    hand.press("Control+a")
    bar_text(hand, "2 selected")
    hand.press("Tab")
    assert hand.page.evaluate("() => document.activeElement.tagName") == "SELECT"
    for _ in range(5):
        hand.page.keyboard.press("Tab")
    assert not hand.page.evaluate("() => document.activeElement.closest('.hw-pointer')")


def test_a_stroke_that_is_going_on_when_another_image_comes_stays_on_its_own(hand):
    hand.press("b")
    hand.notebook.execute("project.add_image(hw.samples.colon_ihc(), name='second')")
    hand.paint([(100, 300), (200, 300)], release=False)
    hand.notebook.execute("canvas.show_image('second')")
    hand.notebook.wait_for_value("len(project.annotations('colon_ihc'))", 3)
    hand.page.mouse.move(*hand.page_point((200, 380)))
    hand.page.mouse.up()
    hand.wait_for_no_ink()
    assert hand.kernel("len(project.annotations('second'))") == 0
