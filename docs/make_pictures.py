"""Make the pictures of the documentation: `python docs/make_pictures.py` (needs the extra `test` and Chromium)."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import PIL.Image

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
# A larger picture is saved with fewer colours.
MOST_BYTES, COLORS = 390_000, 256
sys.path.insert(0, str(ROOT))

CELL = """
import numpy as np
import histowidgets as hw
settings = hw.TrainingSettings.preset("cpu").model_copy(update={"max_seconds": 45.0})
sample = hw.samples.colon_ihc()
pieces = {"colon_ihc": (0, 0, 512), "upper left": (0, 0, 300), "lower left": (0, 200, 300), "right": (200, 100, 300)}
images = [
    hw.open_image(sample.read(x, y, side, side), name=name, pixel_size_um=0.5)
    for name, (x, y, side) in pieces.items()
]
rng = np.random.default_rng(0)
rows, columns = np.mgrid[:400, :400]
cells = np.zeros((400, 400, 3))
for x, y, size in zip(rng.uniform(0, 400, 90), rng.uniform(0, 400, 90), rng.uniform(6, 13, 90)):
    apart = np.hypot(columns - x, rows - y)
    cells[..., 0] += 2600 * np.exp(-((apart / size) ** 4))
    cells[..., 1] += 900 * np.exp(-(((apart - size - 3) / 3) ** 2))
    cells[..., 2] += 1400 * np.exp(-((apart / (2 * size)) ** 2)) * (size > 10)
cells = rng.poisson(cells + 120).astype(np.uint16)
images.append(hw.open_image(cells, name="generated cells", channel_names=["DNA", "Membrane", "Marker"]))
STUDIO
"""
STUDIO = """
studio = hw.Studio(images[:4], classes=["Epithelium", "Stroma", "Lumen"], settings=settings)
studio.project.set_role("right", "validation")
studio
"""
DISPLAY = """
studio = hw.Studio(images[4], classes=["Nucleus", "Background"], settings=settings)
studio
"""


def _notebook(browser: Any, server: Any, theme: str, cell: str, height: int) -> tuple[Any, Any]:
    from tests.browser.harness import Notebook
    from tests.browser.studio_hand import StudioHand

    page = browser.new_page(viewport={"width": 1400, "height": height})
    notebook = Notebook(page, server, [CELL.replace("STUDIO", cell)])
    notebook.page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme }).then(() => null)", theme
    )
    notebook.run_all()
    return notebook, StudioHand(notebook)


def _keep(notebook: Any, selector: str, name: str) -> None:
    """Save a screenshot of a part of the page."""
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_timeout(500)  # until hover effects have faded
    path = PICTURES / f"{name}.png"
    notebook.page.locator(selector).first.screenshot(path=str(path))
    picture = PIL.Image.open(path).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        picture.quantize(COLORS, kmeans=4, dither=PIL.Image.Dither.NONE).save(path, optimize=True)


def studio(browser: Any, server: Any, theme: str, name: str) -> None:
    """Paint, train, and save a screenshot of the studio in a theme of JupyterLab, and one of its image strip."""
    notebook, hand = _notebook(browser, server, theme, STUDIO, height=1000)
    hand.paint_all()
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and studio.run.is_over", True, seconds=180)
    notebook.wait_for_value("studio._live.network.idle.is_set()", True)
    notebook.execute("studio._live.show_learner('network')")
    hand.wait_for_caption("U-Net")
    hand.wait_for_curve(3)
    _keep(notebook, ".hw-studio", name)
    if name == "studio":
        _keep(notebook, ".hw-strip", "strip")
    notebook.execute("studio.close()")
    notebook.close()


def display(browser: Any, server: Any) -> None:
    """Save a screenshot of the channels of a fluorescence image."""
    notebook, hand = _notebook(browser, server, "JupyterLab Dark", DISPLAY, height=860)
    hand.open_display()
    notebook.wait_for("() => document.querySelectorAll('.hw-channel').length === 3")
    _keep(notebook, ".hw-studio", "display")
    notebook.execute("studio.close()")
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
            display(browser, server)
            studio(browser, server, "JupyterLab Light", "studio")
            studio(browser, server, "JupyterLab Dark", "studio-dark")
            browser.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
