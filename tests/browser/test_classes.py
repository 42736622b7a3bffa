"""The palette under a real hand: rename, recolour, merge, delete, add, and the coach beside it."""

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np
import histowidgets as hw
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
if "studio" in globals():
    studio.close()
studio = hw.Studio(hw.open_image(colon, name="colon"), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
project = studio.project
project.annotate("colon", hw.Stroke([(30, 30), (90, 60)], width=10), "Epithelium")
studio
"""


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook([CELL])
    notebook.run_all()
    return StudioHand(notebook)


def _menu(hand, name):
    row = hand.page.locator(f".hw-class-row[data-name='{name}']")
    row.hover()
    row.locator(".hw-class-more").click()


def test_a_class_is_renamed_by_double_click_and_by_f2_and_undo_takes_it_back(hand):
    notebook, page = hand.notebook, hand.page
    page.locator(".hw-class-name", has_text="Stroma").dblclick()
    field = page.get_by_label("New name of Stroma")
    field.fill("Connective tissue")
    field.press("Enter")
    notebook.wait_for_value("project.classes", ["Epithelium", "Connective tissue", "Lumen"])
    notebook.wait_for_value("studio.canvas.class_name", "Connective tissue")
    page.locator(".hw-class[aria-checked='true']").focus()
    page.keyboard.press("F2")
    page.keyboard.type("Epithelium")
    page.keyboard.press("Enter")
    notebook.wait_for("() => document.querySelector('.hw-class-said').textContent.includes('two classes')")
    page.locator(".hw-pointer").first.focus()
    page.keyboard.press("z")
    notebook.wait_for_value("project.classes", ["Epithelium", "Stroma", "Lumen"])
    notebook.wait_for("() => document.querySelectorAll('.hw-class-name')[1].textContent === 'Stroma'")


def test_a_class_that_is_pressed_while_counts_change_is_chosen(hand):
    notebook, page = hand.notebook, hand.page
    box = page.locator(".hw-class-row[data-name='Lumen'] .hw-class-name").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    notebook.execute("project.annotate('colon', hw.Stroke([(30, 90), (90, 120)], width=10), 'Lumen')")
    notebook.wait_for(
        "() => document.querySelector(\".hw-class-row[data-name='Lumen'] .hw-class-count\").textContent.startsWith('1')"
    )
    page.mouse.up()
    notebook.wait_for_value("studio.canvas.class_name", "Lumen")


def test_a_class_is_added_recoloured_merged_and_deleted_when_it_is_empty(hand):
    notebook, page = hand.notebook, hand.page
    page.get_by_role("button", name="+ class").click()
    page.get_by_label("Name of the new class").fill("Nerve")
    page.keyboard.press("Enter")
    notebook.wait_for_value("project.classes[-1]", "Nerve")
    _menu(hand, "Nerve")
    page.get_by_label("Colour of Nerve").fill("#112233")
    notebook.wait_for_value("project.colors['Nerve']", "#112233")
    # One with annotations says why it stays; merging moves them, and undo brings both back.
    _menu(hand, "Epithelium")
    delete = page.locator(".hw-popup:popover-open .hw-menu-item", has_text="Delete")
    assert "1 annotation" in delete.inner_text()
    notebook.screenshot("classes-1-menu")
    delete.click(force=True)  # it can be pressed, and does nothing
    assert "Epithelium" in notebook.value("project.classes")
    page.get_by_role("button", name="Merge into…").click()
    page.locator(".hw-popup:popover-open .hw-menu-item", has_text="Stroma").click()
    notebook.wait_for_value("project.count()", {"Stroma": 1, "Lumen": 0, "Nerve": 0})
    notebook.wait_for("() => document.querySelectorAll('.hw-class').length === 3")
    page.locator(".hw-pointer").first.focus()
    page.keyboard.press("z")
    notebook.wait_for_value("project.count()", {"Epithelium": 1, "Stroma": 0, "Lumen": 0, "Nerve": 0})
    notebook.wait_for("() => document.querySelectorAll('.hw-class').length === 4")
    _menu(hand, "Nerve")
    page.locator(".hw-popup:popover-open .hw-menu-item", has_text="Delete").click()
    notebook.wait_for_value("project.classes", ["Epithelium", "Stroma", "Lumen"])
    # What is done on the page is done for a second look too.
    notebook.wait_for("() => document.querySelectorAll('.hw-class').length === 3")


def test_the_menu_of_a_class_is_for_the_keyboard_too(hand):
    notebook, page = hand.notebook, hand.page
    page.locator(".hw-class[aria-checked='true']").focus()
    page.keyboard.press("ArrowDown")
    notebook.wait_for_value("studio.canvas.class_name", "Stroma")
    notebook.wait_for("() => document.activeElement.matches('.hw-class[aria-checked=true]')")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "hw-class-more"
    page.keyboard.press("Enter")
    notebook.wait_for("() => document.activeElement.textContent === 'Rename (F2)'")
    page.keyboard.press("Escape")
    notebook.wait_for("() => document.activeElement.className === 'hw-class-more'")


# Middles, in image pixels, of where the test below paints two classes.
OVERLAPS = [[60, 170], [220, 170]]


def _marked_overlap(hand, overlaps):
    """Return the first of these that comes to be in the middle of the frame that marks a place."""
    places = [hand.page_point(point) for point in overlaps]
    found = hand.notebook.wait_for(
        """(places) => {
          const mark = document.querySelector(".hw-mark");
          const box = mark.getBoundingClientRect();
          const middle = [box.left + box.width / 2, box.top + box.height / 2];
          const at = places.findIndex((place) => place.every((value, i) => Math.abs(value - middle[i]) < 8));
          return !mark.hidden && box.width > 0 && at + 1;
        }""",
        [list(place) for place in places],
    )
    return overlaps[found - 1]


def test_the_coach_steps_through_places_with_two_classes(hand):
    notebook, page = hand.notebook, hand.page
    notebook.execute(
        "for x in (40, 200):\n"
        "    project.annotate('colon', hw.Rectangle(x, 150, 30, 30), 'Stroma')\n"
        "    project.annotate('colon', hw.Rectangle(x + 10, 160, 30, 30), 'Lumen')\n"
    )
    page.locator(".hw-next-info").click()
    line = page.locator(".hw-coach-row", has_text="Conflicts")
    line.get_by_role("button", name="Go there (1/2)").click()
    line.get_by_role("button", name="Go there (2/2)").wait_for()
    # The whole image is in view at 200 %, the most that it zooms to: the frame tells where to look.
    first = _marked_overlap(hand, OVERLAPS)
    notebook.screenshot("classes-2-coach")
    line.get_by_role("button", name="Go there (2/2)").click()
    line.get_by_role("button", name="Go there (1/2)").wait_for()
    _marked_overlap(hand, [one for one in OVERLAPS if one != first])
    assert notebook.value("studio.canvas.view.zoom") == 2
