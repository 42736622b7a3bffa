"""How the picture is shown, under a real hand; and that reload, a second view and a cell run again show the same."""

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np
import histowidgets as hw
rng = np.random.default_rng(0)
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
many = rng.integers(100, 3000, (128, 128, 12)).astype(np.uint16)
if "studio" not in globals():
    images = [hw.open_image(colon, name="colon"), hw.open_image(many, name="many")]
studio = hw.Studio(images, classes=["Epithelium", "Stroma"])
studio
"""


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook([CELL, "studio"])
    notebook.run_cell(0)
    return StudioHand(notebook)


def _slide(hand, slider, steps):
    """Move an ipywidgets slider with the keyboard."""
    handle = hand.page.locator(f".hw-display .widget-slider:has-text('{slider}') .noUi-handle")
    handle.focus()
    for _ in range(abs(steps)):
        hand.page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def test_the_display_is_changed_by_hand_and_kept_by_reload_second_view_and_a_cell_run_again(hand):
    notebook, page = hand.notebook, hand.page
    hand.open_display()
    upper = page.get_by_label("Red, green, blue, upper end")
    upper.wait_for()
    dark = hand.picture_at((100, 100))
    upper.focus()
    for _ in range(10):
        page.keyboard.press("PageDown")
    notebook.wait_for_value("studio.canvas.display[0].high < 200", True)
    wanted = notebook.value("studio.canvas.display[0].high")
    notebook.wait_for_value("studio._display.controls.rows[0]['high'] == studio.canvas.display[0].high", True)
    for _ in range(100):
        if sum(hand.picture_at((100, 100))[:3]) > sum(dark[:3]) + 10:
            break
        page.wait_for_timeout(50)
    else:
        raise AssertionError("the picture is as dark as before")
    _slide(hand, "Annotations", -20)
    notebook.wait_for_value("studio.canvas.annotation_opacity < 0.9", True)
    opacity = notebook.value("studio.canvas.annotation_opacity")
    page.get_by_label("Hatch annotations").check()
    page.get_by_label("Hatch annotations").uncheck()
    page.get_by_label("Hatch prediction").check()
    notebook.wait_for_value("[studio.canvas.patterns, studio.canvas.prediction_patterns]", [False, True])
    notebook.screenshot("display-1-rgb")

    # Another image, of many channels: a list that is filtered, each with its switch.
    page.locator(".hw-strip-image", has_text="many").click()
    notebook.wait_for("() => document.querySelectorAll('.hw-channel').length === 12")
    page.get_by_label("Filter the channels by name").fill(
        notebook.value("studio.project.image('many').channel_names[4]")
    )
    page.locator(".hw-channel:visible").first.locator("input[type=checkbox]").uncheck()
    notebook.wait_for_value("[one.visible for one in studio.canvas.display].count(False) >= 1", True)
    notebook.wait_for_value("studio.canvas.display[4].visible", False)
    notebook.screenshot("display-2-many")
    hand.wait_until_settled()
    shown = hand.picture()

    state = (
        "[studio.canvas.image_name, studio._strip.shown, round(studio.canvas.annotation_opacity, 3),"
        " studio.canvas.prediction_patterns, studio.canvas.display[4].visible,"
        " studio.canvas._renderer.display('colon')[0].high]"
    )
    before = notebook.value(state)
    assert before == ["many", "many", round(opacity, 3), True, False, wanted]

    # The page is loaded anew: nothing runs, everything is there.
    notebook.reload()
    hand = StudioHand(notebook)
    hand.wait_for_picture(shown)
    assert page.locator("[data-name=many] [aria-current=true]").count() == 1
    assert notebook.value(state) == before

    # A second view of the same studio below the first.
    notebook.run_cell(1)
    notebook.wait_for("() => document.querySelectorAll('[data-name=many] [aria-current=true]').length === 2")
    notebook.wait_for(
        "() => [...document.querySelectorAll('canvas.hw-picture')].filter((c) =>"
        " c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[3] > 0).length === 2"
    )
    assert notebook.value(state) == before

    # The cell is run again: it goes on where the first one was.
    notebook.run_cell(0)
    notebook.wait_for("() => document.querySelectorAll('[data-name=many] [aria-current=true]').length === 1")
    assert notebook.value(state) == before
    StudioHand(notebook).wait_for_picture(shown)
    notebook.execute("studio.close()")


CONTROLS = {
    "button", "textbox", "slider", "checkbox", "radio", "combobox", "spinbutton", "tab", "listbox", "application",
    "link", "switch", "searchbox", "dialog", "radiogroup", "DisclosureTriangle",
}  # fmt: skip
_MARKUP = "function() { return this.closest?.('.hw-studio') ? this.outerHTML.slice(0, 200) : ''; }"


def _nameless(page):
    """Return the markup of the controls that the browser's accessibility tree has no name for."""
    session = page.context.new_cdp_session(page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        if node.get("ignored") or role not in CONTROLS or name.strip():
            continue
        place = session.send("DOM.resolveNode", {"backendNodeId": node["backendDOMNodeId"]})["object"]["objectId"]
        call = {"objectId": place, "functionDeclaration": _MARKUP, "returnByValue": True}
        found.append(session.send("Runtime.callFunctionOn", call)["result"]["value"])
    session.detach()
    return [markup for markup in found if markup]


def test_every_control_of_every_tab_has_a_name_for_a_screen_reader(hand):
    hand.notebook.wait_for("() => document.querySelectorAll('.noUi-handle[aria-label]').length >= 3")
    hand.open_display()
    for tab in ("Train", "Settings", "Results", "Project"):
        hand.open_tab(tab)
        hand.page.wait_for_function(
            "() => [...document.querySelectorAll('.hw-studio .noUi-handle')].every((one) => one.ariaLabel)"
        )
        assert _nameless(hand.page) == [], tab
