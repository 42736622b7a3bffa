"""A notebook in a real JupyterLab and a headless Chromium, for the benchmarks that look at the page."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.harness import CHROMIUM_ARGUMENTS, LabServer, Notebook, find_chromium  # noqa: E402
from tests.browser.proxy import SlowLine  # noqa: E402


@contextmanager
def open_notebook(cells: list[str], width: int = 1366, height: int = 900) -> Iterator[tuple[Notebook, SlowLine]]:
    """Open a notebook and run its cells; give it with the line to its server, which can be made slow.

    Parameters
    ----------
    cells
        Source of each.
    width, height
        Of the page, in CSS pixels.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder))
        line = SlowLine(server.port)
        try:
            server.wait_until_up()
            server.url = line.url
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
            notebook = Notebook(browser.new_page(viewport={"width": width, "height": height}), server, cells)
            notebook.run_all()
            yield notebook, line
            browser.close()
        finally:
            line.close()
            server.close()
