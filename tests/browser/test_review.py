"""The review by hand: the worst tile first, cells that filter, a click that shows the place, marks and the brush."""

from tests.browser.studio_hand import StudioHand

# Two halves; one stroke is painted as the wrong class.
CELL = """
import numpy as np, histowidgets as hw
rng = np.random.default_rng(0)
pixels = rng.integers(60, 110, (512, 512, 3)).astype(np.uint8)
pixels[:, 256:] += 90
studio = hw.Studio(pixels, classes=["Dark", "Bright"], fresh=True)
name = studio.project.image_names[0]
for y in range(30, 500, 60):
    studio.project.annotate(name, hw.Stroke([(20, y), (200, y)], width=10), "Dark")
    studio.project.annotate(name, hw.Stroke([(300, y), (480, y)], width=10), "Bright")
studio.project.annotate(name, hw.Stroke([(400, 470), (440, 470)], width=6), "Dark")
studio
"""


def test_n6_the_review_by_hand(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1250)
    notebook.run_all()
    hand = StudioHand(notebook)
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    hand.open_tab("Results")
    page = notebook.page
    page.get_by_role("button", name="Review", exact=True).click()
    page.locator(".hw-review-tiles tbody tr").first.wait_for(timeout=90_000)
    worst = notebook.value("list(studio._review.review.tiles[0].region)")
    assert worst[0] <= 400 < worst[0] + worst[2]
    assert worst[1] <= 470 < worst[1] + worst[3]
    rows = page.locator(".hw-review-tiles tbody tr")
    count = rows.count()
    first = rows.first
    assert first.get_attribute("data-tile") == "0"
    assert first.locator("img").get_attribute("src").startswith("data:image/jpeg")
    notebook.screenshot("review-light")
    notebook.set_theme(dark := True)  # from here on
    notebook.screenshot("review-dark")

    # A cell lists its tiles; again, and all are there.
    cell = page.get_by_role("button", name="Dark predicted as Bright")
    cell.click()
    notebook.wait_for("(n) => document.querySelectorAll('.hw-review-tiles tbody tr').length < n", count)
    assert rows.first.get_attribute("data-tile") == "0"
    cell.click()
    notebook.wait_for("(n) => document.querySelectorAll('.hw-review-tiles tbody tr').length === n", count)

    # A column sorts, one way and the other.
    page.locator(".hw-review-tiles thead").get_by_role("button", name="loss").press("Enter")
    page.locator(".hw-review-tiles th[aria-sort=ascending]").wait_for()
    assert rows.last.get_attribute("data-tile") == "0"
    page.locator(".hw-review-tiles thead").get_by_role("button", name="loss").press("Enter")

    # The picture shows the place; relabel brings the brush of the class that it was predicted as.
    notebook.execute("studio.canvas.fit(); studio.canvas.tool = 'pan'")
    before = notebook.value("list(studio.canvas.view.region)")
    first.locator(".hw-review-place").click()
    notebook.wait_for_value(f"list(studio.canvas.view.region) != {before}", True)
    # The strokes there have the colour of how far the prediction contradicts them, not of their class.
    page.locator(".hw-review-overlay[aria-pressed=true]").wait_for()
    notebook.wait_for_value("studio.canvas.disagreement", True)
    notebook.wait_for_value("studio.canvas.disagreement", True)
    red, green, blue, _ = hand.picture_at((420, 470))
    assert blue > 60, f"the stroke is no longer orange: {red, green, blue}"
    notebook.screenshot(f"review-disagreement-{'dark' if dark else 'light'}")
    first.get_by_role("button", name="Correct").click()
    notebook.wait_for_value("[studio.canvas.class_name, studio.canvas.tool]", ["Bright", "brush"])
    notebook.wait_for_value("studio.canvas.disagreement", False)

    # What is right goes to the end, and the focus stays on its button.
    first.get_by_role("button", name="Keep").press("Enter")
    page.locator("tr[data-tile='0'] button[aria-pressed=true]").wait_for()
    assert rows.last.get_attribute("data-tile") == "0"
    assert page.evaluate("() => document.activeElement.closest('tr')?.dataset.tile") == "0"

    # The stroke that was painted as the wrong class is relabelled with one click, and Ctrl+Z takes it back.
    wrong = notebook.value("studio.project.annotations(name)[-1].id")
    stroke = page.locator(f"[data-stroke='{wrong}']")
    stroke.get_by_role("button", name="Relabel as Bright").click()
    notebook.wait_for_value("studio.project.annotations(name)[-1].class_name", "Bright")
    stroke.wait_for(state="detached")
    page.keyboard.press("Control+z")
    notebook.wait_for_value("studio.project.annotations(name)[-1].class_name", "Dark")
    stroke.wait_for()
    stroke.scroll_into_view_if_needed()
    notebook.screenshot("review-strokes")

    # Predicted areas are counted, added as labels, and taken back.
    notebook.execute("studio.canvas.fit()")
    n = notebook.value("len(studio.project.annotations(name))")
    panel = page.locator(".hw-accept")
    panel.get_by_text("Accept predicted areas as labels").click()
    add = panel.get_by_role("button", name="Accept as label")
    notebook.wait_for_value("studio._accept._found is not None", True, seconds=60)
    panel.scroll_into_view_if_needed()
    notebook.screenshot("accept-counted")
    assert notebook.value("len(studio.project.annotations(name))") == n
    assert "Dark: " in panel.inner_text()
    add.click()
    notebook.wait_for_value(f"len(studio.project.annotations(name)) > {n}", True)
    hand.wait_until_settled()
    notebook.screenshot("accept-added")
    page.keyboard.press("Control+z")
    notebook.wait_for_value("len(studio.project.annotations(name))", n)
    notebook.execute("studio.close()")


CALIBRATED = """
import histowidgets as hw
from tests.training.helpers import painted, quick
project = painted(strokes=6)
run = hw.train(project, quick(epochs=1, seed=7, scheduler="none"))
studio = hw.Studio(project)
studio._offer(run, final=True)
studio._live.show_learner("network")
studio
"""


def test_x4_probabilities_are_calibrated_by_hand(open_notebook):
    notebook = open_notebook([CALIBRATED], width=1600, height=1100)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    notebook.wait_for_value("studio.classifier is not None and studio.classifier.kind", "network", seconds=60)
    hand.open_tab("Results")
    panel = page.locator(".hw-calibration")
    panel.get_by_role("button", name="Calibrate").click()
    notebook.wait_for_value("studio._calibration.wait(30)", True, seconds=40)
    panel.locator("[data-level=good]").wait_for(timeout=20_000)
    panel.scroll_into_view_if_needed()
    notebook.screenshot("calibrated")
    assert "pixels of the strokes in the test area" in panel.inner_text()
    undo = panel.get_by_role("button", name="Undo calibration")
    if undo.is_visible():
        undo.click()
        panel.get_by_text("The probabilities are as before.").wait_for(timeout=20_000)
    notebook.execute("studio.close()")
