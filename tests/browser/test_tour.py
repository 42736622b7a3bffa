"""The tour by hand: offered to someone new, done by doing, left, and resumed in the tab Project."""

import pytest

from tests.browser.studio_hand import STROKES, StudioHand

pytestmark = pytest.mark.browser

CELL = """
import histowidgets as hw
from histowidgets.widgets.studio._tour import TourMemory
TourMemory()._path.unlink(missing_ok=True)  # someone new
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
studio
"""


def test_x17_a_tour_of_the_studio(open_notebook):
    notebook = open_notebook([CELL], width=1366, height=768)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    card = page.locator(".hw-tour")
    card.get_by_text("New here?").wait_for()
    notebook.screenshot("tour-0-offered")
    card.get_by_role("button", name="Start the tour").click()

    def wait_for(number, done=False):
        words = f"Step {number} of 8" + (" Done" if done else "")
        card.locator("p", has_text=words).wait_for()

    def go_on():
        card.get_by_role("button", name="Next", exact=True).click()

    wait_for(1)
    notebook.screenshot("tour-1")
    hand.page.locator(".hw-pointer").first.press("+")
    wait_for(1, done=True)
    hand.page.locator(".hw-pointer").first.press("f")
    go_on()
    wait_for(2)
    hand.pick_class("Stroma")
    wait_for(2, done=True)
    go_on()
    wait_for(3)
    hand.paint(STROKES["Stroma"][0])
    wait_for(3, done=True)
    go_on()
    wait_for(4)
    hand.pick_class("Epithelium")
    hand.paint(STROKES["Epithelium"][0])
    card.locator("p", has_text="Done").wait_for(timeout=60_000)
    notebook.screenshot("tour-4-done")
    assert page.locator(".hw-tour-here").count() == 1
    card.get_by_role("button", name="Leave").click()
    card.wait_for(state="hidden")
    assert page.locator(".hw-tour-here").count() == 0

    hand.open_tab("Project")
    page.get_by_role("button", name="Tour of the studio").click()
    wait_for(4)
    for number in (5, 6, 7, 8):
        go_on()
        wait_for(number)
    notebook.screenshot("tour-8")
    assert page.locator(".hw-tabs .lm-TabBar-tab[aria-selected=true]").text_content() == "Results"
    card.get_by_role("button", name="Finish").click()
    card.wait_for(state="hidden")
    notebook.execute("studio.close()")
