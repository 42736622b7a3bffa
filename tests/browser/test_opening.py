"""While an image is being opened the page says so, and a pointer over it does nothing wrong."""

from tests.browser.studio_hand import StudioHand

GATE = "opened"
# The first drawing waits, as for a slide on a slow disk, until the test makes a file. The kernel may be drawing on its
# main thread, where no code can tell it to continue.
CELL = f"""
import pathlib, time
import histowidgets as hw
from histowidgets.widgets.canvas.drawing import Renderer
draw_all = Renderer.draw_all
def draw_when_open(self):
    while not pathlib.Path({GATE!r}).exists():
        time.sleep(0.01)
    draw_all(self)
Renderer.draw_all = draw_when_open
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma"], fresh=True)
studio
"""


def test_a_slow_image_says_that_it_is_being_opened_and_a_pointer_over_it_harms_nothing(open_notebook):
    notebook = open_notebook([CELL])
    notebook.run_all()
    page = notebook.page
    page.locator(".hw-opening", has_text="Opening colon_ihc").wait_for(timeout=60_000)
    notebook.wait_for("() => document.querySelector('.hw-side') && document.querySelector('.hw-class')")
    notebook.screenshot("opening")
    box = page.locator(".hw-pointer").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.move(x + 40, y + 20, steps=5)
    page.mouse.wheel(0, -100)
    page.mouse.down()
    page.mouse.move(x + 80, y + 20, steps=5)
    page.mouse.up()
    page.keyboard.press("f")
    assert "NaN" not in page.locator(".hw-studio").inner_text()
    assert not page.locator(".hw-scale").is_visible()
    side = page.locator(".hw-side").bounding_box()
    (notebook.server.notebooks / GATE).touch()
    page.locator(".hw-opening").wait_for(state="hidden")
    hand = StudioHand(notebook)
    page.mouse.move(x, y)
    notebook.wait_for("() => document.querySelector('.hw-place').textContent.startsWith('x ')")
    assert notebook.value("sum(studio.project.count().values())") == 0, "nothing was painted blindly"
    assert "unreadable" not in notebook.value("studio.log")
    assert page.locator(".hw-status .hw-error").count() == 0
    assert page.locator(".hw-side").bounding_box()["x"] == side["x"], "the right column was there from the start"
    hand.paint([(60, 70), (90, 110)])
    notebook.wait_for_value("studio.project.count()['Epithelium']", 1)
    notebook.execute("studio.close()")
