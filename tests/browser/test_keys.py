"""The keys of the studio work wherever in it the focus is, and none of them reaches the notebook."""

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
if "studio" in globals():
    studio.close()
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
studio = hw.Studio(hw.open_image(colon, name="colon"), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
studio
"""
BEFORE, AFTER = "first = 1", "last = 2"
_CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map((cell) => [cell.model.type, cell.model.sharedModel.getSource()])"""
_IN_STUDIO = "() => Boolean(document.activeElement?.closest('.hw-studio'))"
# Notebook commands: cut, insert above and below, to Raw, Markdown and code, copy, a heading.
_HARMFUL = ["x", "a", "b", "r", "m", "y", "c", "1"]


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook([BEFORE, CELL, AFTER])
    notebook.run_all()
    return StudioHand(notebook)


def _cells(hand):
    return hand.page.evaluate(_CELLS)


def test_right_after_its_cell_was_run_the_studio_has_the_keys(hand):
    notebook, page = hand.notebook, hand.page
    page.evaluate(
        """() => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = 1;
          notebook.mode = "command";
          notebook.activate();
        }"""
    )
    before = _cells(hand)
    page.keyboard.press("Shift+Enter")
    notebook.wait_for(_IN_STUDIO)
    page.keyboard.press("2")
    notebook.wait_for_value("studio.canvas.class_name", "Stroma")
    page.keyboard.press("e")
    notebook.wait_for_value("studio.canvas.tool", "eraser")
    assert _cells(hand) == before


@pytest.mark.parametrize(
    "place",
    [
        ".hw-class[aria-checked='true']",
        ".hw-tool >> nth=2",
        ".hw-tabs .lm-TabBar-tab >> nth=1",
        ".hw-bar .hw-brush .noUi-handle",
        ".hw-strip-image",
        ".hw-pointer",
        ".hw-next",
    ],
)
def test_wherever_the_focus_is_keys_are_those_of_the_studio(hand, place):
    notebook, page = hand.notebook, hand.page
    before = _cells(hand)
    page.locator(f".hw-studio {place}").first.click()
    for key in _HARMFUL:
        page.keyboard.press(key)
    page.keyboard.press("3")
    page.keyboard.press("e")
    notebook.wait_for_value("[studio.canvas.tool, studio.canvas.class_name]", ["eraser", "Lumen"])
    assert _cells(hand) == before
    assert page.locator(".hw-studio .hw-pointer").count() == 1


def test_in_a_text_field_keys_are_text(hand):
    notebook, page = hand.notebook, hand.page
    before = _cells(hand)
    hand.open_tab("Project")
    field = page.locator(".hw-studio .widget-text:has(label:text-is('Add class')) input")
    field.click()
    page.keyboard.type("x b 2 Nerve")
    assert field.input_value() == "x b 2 Nerve"
    assert notebook.value("[studio.canvas.tool, studio.canvas.class_name]") == ["brush", "Epithelium"]
    assert _cells(hand) == before
    field.fill("")


def test_a_key_with_control_that_means_nothing_here_is_for_the_notebook(hand):
    notebook, page = hand.notebook, hand.page
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.model.dirty = true; }")
    page.locator(".hw-class").first.click()
    page.keyboard.press("Control+s")
    notebook.wait_for("() => !window.jupyterapp.shell.currentWidget.content.model.dirty")


def test_a_stroke_that_follows_the_choice_of_a_class_at_once_has_that_class(hand):
    notebook, page = hand.notebook, hand.page
    # Within one task of the page: no answer of the kernel can come between the two.
    page.evaluate(
        """() => {
          document.querySelector(".hw-class-row[data-name='Lumen'] .hw-class").click();
          const pointer = document.querySelector(".hw-pointer");
          pointer.setPointerCapture = () => {};
          const box = pointer.getBoundingClientRect();
          const send = (name, x, y) => pointer.dispatchEvent(new PointerEvent(name, {
            bubbles: true, cancelable: true, pointerId: 7, pointerType: "mouse", button: 0, buttons: 1,
            clientX: box.left + box.width / 2 + x, clientY: box.top + box.height / 2 + y,
          }));
          send("pointerdown", 0, 0);
          for (let i = 1; i < 20; i += 1) send("pointermove", 2 * i, i);
          send("pointerup", 40, 20);
        }"""
    )
    notebook.wait_for_value("studio.project.count()", {"Epithelium": 0, "Stroma": 0, "Lumen": 1})
    notebook.wait_for_value("studio.canvas.class_name", "Lumen")
