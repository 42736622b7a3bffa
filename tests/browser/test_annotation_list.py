"""The list of annotations by hand: a row shows its stroke, keys step through, and a wrong stroke is relabelled."""

import pytest

from tests.browser.studio_hand import StudioHand
from tests.browser.test_review import CELL

pytestmark = pytest.mark.browser


def test_x13_a_wrong_stroke_is_found_in_the_list_and_relabelled(open_notebook):
    notebook = open_notebook([CELL], width=1440, height=900)
    notebook.run_all()
    hand = StudioHand(notebook)
    page = notebook.page
    hand.open_tab("Annotations")
    rows = page.locator(".hw-annotation-list option")
    rows.nth(16).wait_for(state="attached")
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    notebook.screenshot("annotations-1-all")

    # A row that is clicked shows and selects its stroke; the arrow key goes on.
    notebook.execute("studio.canvas.zoom(4)")
    page.locator(".hw-annotation-list select").select_option(index=2)
    third = "[one.id for one in studio.project.annotations(name)][2:3]"
    notebook.wait_for_value(f"list(studio.canvas.selection) == {third}", True)
    notebook.wait_for_value(
        "studio.canvas.view.region.contains(studio.canvas.selected_annotations()[0].shape.region())", True
    )
    page.locator(".hw-annotation-list select").press("ArrowDown")
    notebook.wait_for_value(f"list(studio.canvas.selection) == {third.replace('2:3', '3:4')}", True)
    assert notebook.value("studio.canvas.image_name == name and len(studio.project.annotations(name))") == 17
    notebook.screenshot("annotations-2-chosen")

    # What the prediction contradicts; it is relabelled, and undo brings it back.
    panel = page.locator(".hw-section", has=page.locator(".hw-annotation-list"))
    panel.get_by_label("Show").select_option("contradicted by the prediction")
    notebook.wait_for("() => document.querySelectorAll('.hw-annotation-list option').length === 1", seconds=60)
    assert rows.first.text_content().replace("\xa0", " ") == "Dark, stroke → Bright 100 %"
    panel.get_by_role("button", name="Next").click()
    relabel = panel.get_by_role("button", name="Relabel as Bright")
    relabel.wait_for()
    notebook.screenshot("annotations-3-contradicted")
    relabel.click()
    notebook.wait_for_value("studio.project.count()", {"Dark": 8, "Bright": 9})
    page.get_by_text("No annotation is contradicted by the prediction.").wait_for()
    page.locator(".hw-pointer").first.press("Control+z")
    notebook.wait_for_value("studio.project.count()", {"Dark": 9, "Bright": 8})
    notebook.set_theme(dark=True)
    notebook.screenshot("annotations-4-dark")
    notebook.execute("studio.close()")
