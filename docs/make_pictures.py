"""Make the pictures of the documentation: `python docs/make_pictures.py` (needs the test extra and a Chromium)."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT))

CELL = """
import histowidgets as hw
settings = hw.TrainingSettings.preset("cpu").model_copy(update={"max_seconds": 45.0})
image = hw.open_image(hw.samples.colon_ihc().read(0, 0, 512, 512), name="colon_ihc", pixel_size_um=0.5)
studio = hw.Studio(image, classes=["Epithelium", "Stroma", "Lumen"], settings=settings)
studio
"""


def studio(browser, server, theme: str, name: str) -> None:
    """Paint, train, and take the studio's picture in a theme of JupyterLab."""
    from tests.browser.harness import Notebook
    from tests.browser.studio_hand import StudioHand

    notebook = Notebook(browser.new_page(viewport={"width": 1400, "height": 1180}), server, [CELL])
    notebook.page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme }).then(() => null)", theme
    )
    notebook.run_all()
    hand = StudioHand(notebook)
    hand.paint_all()
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and studio.run.is_over", True, seconds=180)
    notebook.wait_for_value("studio.live.network.idle.is_set()", True)
    notebook.execute("studio.live.show_learner('network')")
    hand.wait_for_caption("U-Net")
    hand.wait_for_curve(3)
    notebook.page.locator(".hw-studio").first.screenshot(path=str(PICTURES / f"{name}.png"))
    notebook.close()


def main() -> None:
    """Write every picture to `docs/pictures`."""
    from playwright.sync_api import sync_playwright

    from tests.browser.harness import CHROMIUM_ARGUMENTS, LabServer, find_chromium

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder))
        try:
            server.wait_until_up()
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
            studio(browser, server, "JupyterLab Light", "studio")
            studio(browser, server, "JupyterLab Dark", "studio-dark")
            browser.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
