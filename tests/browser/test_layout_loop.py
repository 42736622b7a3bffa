"""Through the whole loop nothing overlaps, is cut without a tooltip, or moves; then at each size of the window."""

import pytest

from tests.browser.layout_check import LayoutCheck
from tests.browser.studio_hand import STROKES, StudioHand

CELL = """
import histowidgets as hw
settings = hw.TrainingSettings.preset("cpu").model_copy(update=dict(
    epochs=4, steps_per_epoch=2, tile_size=64, batch_size=2, consistency=0.0, max_seconds=None, ema_decay=0.0,
))
studio = hw.Studio(
    hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], folder="glands of the colon, first patient",
    settings=settings,
)
studio
"""
#: Width and height of the window, and whether the file browser is open.
SIZES = [
    (1280, 720, False),
    (1366, 768, True),
    (1440, 900, True),
    (1440, 900, False),
    (1920, 1080, False),
    (820, 900, False),
]


def _open_files(page, wanted):
    """Open or close JupyterLab's file browser, which takes a quarter of a laptop's screen."""
    page.evaluate(
        """async (wanted) => {
          const { shell, commands } = window.jupyterapp;
          if (wanted) await commands.execute("filebrowser:activate");
          if (shell.leftCollapsed === wanted) await commands.execute("application:toggle-left-area");
        }""",
        wanted,
    )


def _settle(hand, width, height, files):
    """Give the window a size, and return once the studio fills what is left of it."""
    page, notebook = hand.page, hand.notebook
    page.set_viewport_size({"width": width, "height": height})
    _open_files(page, files)
    notebook.wait_for(
        """() => {
          const key = JSON.stringify([".hw-studio", ".hw-stage", ".hw-side"].map((name) => {
            const { width, height } = document.querySelector(name).getBoundingClientRect();
            return [width, height];
          }));
          const now = performance.now();
          if (window.hwKey !== key) [window.hwKey, window.hwSince] = [key, now];
          return now - window.hwSince > 600;
        }"""
    )
    wide = page.evaluate("() => Math.floor(document.querySelector('.hw-studio').getBoundingClientRect().width)")
    notebook.wait_for_value("studio._page_size.size[0]", wide)
    stage = notebook.value("studio.canvas.view.stage_width")  # which the page may not have yet
    notebook.wait_for("(wide) => document.querySelector('.hw-stage').clientWidth === wide", stage)


@pytest.mark.slow
def test_never_again_anything_that_overlaps_is_cut_or_moves(open_notebook):
    notebook = open_notebook([CELL], width=1366, height=768)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    _settle(hand, 1366, 768, files=True)
    layout = LayoutCheck(page)
    problems = {}

    def look(step):
        found = layout.problems()
        if found:
            problems[step] = found
            notebook.screenshot(f"layout-loop-{step}")

    look("new")
    notebook.screenshot("layout-1-new")
    hand.pick_class("Epithelium")
    hand.paint(STROKES["Epithelium"][0])
    notebook.wait_for_value("studio.project.count()['Epithelium']", 1)
    look("first stroke")
    for class_name, lines in STROKES.items():
        hand.pick_class(class_name)
        for points in lines[1:]:
            hand.paint(points)
    hand.wait_for_caption("quick")
    look("painted")
    x, y = hand.page_point((134, 76))
    page.mouse.move(x, y)
    notebook.wait_for("() => document.querySelector('.hw-place').textContent.includes('painted')")
    look("hover over a stroke")
    page.keyboard.press("v")
    page.mouse.click(x, y)
    notebook.wait_for("() => document.querySelector('.hw-selection-bar').textContent.includes('1 selected')")
    look("select")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    for dx in (0, 40):
        page.mouse.click(x + 60 + dx, y + 90)
    page.keyboard.press("Enter")
    notebook.wait_for("() => document.querySelector('.hw-status .hw-error')?.textContent.includes('3 points')")
    look("refused")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    notebook.execute(
        "studio.notify('The disk of this computer is full: free some space, then paint on. ' * 2, 'error')"
    )
    hand.wait_for_next("disk")
    page.locator(".hw-next-button", has_text="Dismiss").click()
    look("an error was dismissed")
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and studio.run.is_over", True, seconds=120)
    page.locator(".hw-kept-line", has_text="is kept").wait_for()
    look("trained")
    notebook.screenshot("layout-2-trained")
    page.locator(".hw-charts").get_by_role("button", name="Score").click()
    look("score")
    hand.open_tab("Results")
    page.locator(".hw-table").wait_for()
    hand.save("Labels (PNG)")
    hand.wait_for_notice("Saved .*_labels.png")
    said, button = page.locator(".hw-files .hw-said-here"), page.locator(".hw-files button", has_text="Save")
    button.scroll_into_view_if_needed()
    assert said.is_visible()
    assert said.bounding_box()["y"] - button.bounding_box()["y"] < 60, "it answers beside the button"
    look("exported")
    notebook.screenshot("layout-3-exported")
    hand.open_tab("Annotations")
    page.locator(".hw-annotation-list option").nth(3).wait_for(state="attached")
    look("annotations")
    page.get_by_role("button", name="Next", exact=True).click()
    page.locator(".hw-section:has(.hw-annotation-list) [role=status]", has_text="1 of").wait_for()
    look("an annotation")
    page.locator(".hw-pointer").first.press("b")
    hand.open_tab("Project")
    look("project")
    hand.open_tab("Settings")
    look("settings")
    hand.open_tab("Train")
    page.locator(".hw-next-info").click()
    page.locator(".hw-coach-line").first.wait_for()
    layout.start_again()
    look("all advice")
    page.locator(".hw-next-info").click()
    hand.open_display()
    page.locator(".hw-eye-panel").get_by_label("Hatch annotations").wait_for()
    layout.start_again()
    look("eye")
    notebook.screenshot("layout-4-eye")
    page.locator(".hw-eye").click()

    for width, height, files in SIZES:
        _settle(hand, width, height, files)
        layout.start_again()
        look(f"{width} x {height}{' with files' if files else ''}")
        notebook.screenshot(f"studio-{width}x{height}{'-files' if files else ''}")
    assert problems == {}
    notebook.execute("studio.close()")
