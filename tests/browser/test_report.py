"""A report by hand: the button answers beside itself, the page stays usable, and the file is readable by everybody."""

import re
from pathlib import Path

from tests.browser.axe import violations
from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np, tempfile, histowidgets as hw
rng = np.random.default_rng(0)
pixels = rng.integers(60, 110, (256, 256, 3)).astype(np.uint8)
pixels[:, 128:] += 90
folder = tempfile.mkdtemp()
settings = hw.TrainingSettings(tile_size=64, batch_size=2, epochs=3, steps_per_epoch=2, max_seconds=None)
studio = hw.Studio(pixels, classes=["Dark", "Bright"], folder=folder, settings=settings)
name = studio.project.image_names[0]
for y in range(20, 240, 30):
    studio.project.annotate(name, hw.Stroke([(20, y), (100, y)], width=8), "Dark")
    studio.project.annotate(name, hw.Stroke([(150, y), (230, y)], width=8), "Bright")
studio
"""


def check_studio(notebook, hand):
    """Check each tab of the studio with axe, light and dark: contrast, names and roles."""
    page, found = notebook.page, {}

    def look(place):
        texts, passed = violations(page, ".hw-studio")
        assert passed > 10
        for text in texts:
            found.setdefault(text, place)

    for scheme in ("dark", "light"):
        notebook.set_theme(dark=scheme == "dark")
        for tab in ("Train", "Settings", "Results", "Annotations", "Project"):
            hand.open_tab(tab)
            look(f"{tab}, {scheme}")
        hand.open_display()
        look(f"eye, {scheme}")
        page.locator(".hw-eye").click()
        page.locator(".hw-next-info").click()
        look(f"all advice, {scheme}")
        page.locator(".hw-next-info").click()
    assert found == {}


def test_x8_a_report_by_hand_that_passes_axe_as_the_studio_does(open_notebook):
    notebook = open_notebook([CELL], width=1366, height=768)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    notebook.execute("studio.train()")
    notebook.wait_for_value("studio.run is not None and studio.run.is_over", True, seconds=120)
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    hand.wait_until_settled()
    check_studio(notebook, hand)
    hand.open_tab("Results")
    panel = page.locator(".hw-report")
    panel.scroll_into_view_if_needed()
    notebook.screenshot("report-before")
    panel.get_by_role("button", name="Report").click()
    notebook.wait_for(
        "() => /Saved .*report\\.html/.test(document.querySelector('.hw-report .hw-said-here')?.textContent ?? '')",
        seconds=90,
    )
    notebook.screenshot("report-after")
    assert panel.get_by_role("button", name="Cancel").is_disabled()
    path = Path(notebook.value("str(studio._state.folder / 'report.html')"))
    assert path.with_suffix(".ipynb").is_file()
    notebook.execute("studio.close()")

    # The file itself, in both colour schemes and on a phone: nothing is requested, and axe finds nothing.
    for scheme, width in (("light", 1100), ("dark", 1100), ("light", 390)):
        context = page.context.browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        try:
            shown, requests = context.new_page(), []
            shown.on("request", lambda request, seen=requests: seen.append(request.url))
            shown.goto(path.as_uri())
            assert [one for one in requests if not one.startswith(("file:", "data:"))] == []
            assert shown.title().startswith("Report: ")
            assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
            shown.locator("summary").evaluate_all("all => all.forEach((one) => one.click())")
            found, passed = violations(shown)
            assert found == []
            assert passed > 15
            text = shown.locator("main").inner_text()
            assert re.search(r"Pixels were classified with histowidgets [\d.]+ \[1\]", text)
            notebook.screenshot(f"report-{scheme}-{width}", shown)
        finally:
            context.close()
