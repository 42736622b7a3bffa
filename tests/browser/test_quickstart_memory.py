"""The quickstart, step by step, in a JupyterLab started as Binder starts it: server and kernel stay under 2 GB.

A container is killed when it is full of memory that the system cannot take back. Pages of the libraries' files can be
read again, and how many of them are resident depends on the machine more than on the program. So they are shown, and
the limit leaves room for them, but they are not counted.
"""

import sys
import threading

import nbformat
import psutil
import pytest

from tests.browser.harness import ROOT, LabServer, Notebook
from tests.browser.studio_hand import StudioHand

#: Bytes that a session on mybinder.org may take before its kernel is killed, less those of the libraries' files that
#: are in use at a time.
MOST = 2e9 - 0.35e9
NOTEBOOK = ROOT / "notebooks" / "01_quickstart.ipynb"
SECONDS = 6


class BinderServer(LabServer):
    """A server with the limits on threads and memory of `binder/start`."""

    def _command(self):
        return ["bash", str(ROOT / "binder" / "start"), *super()._command()]

    def held_bytes(self):
        """What server and kernels hold, and what of it are pages of files.

        What two of them share counts twice, so this is rather too much.
        """
        server = psutil.Process(self._process.pid)
        held = files = 0
        for process in (server, *server.children(recursive=True)):
            try:
                memory = process.memory_info()
            except psutil.NoSuchProcess:
                continue
            held += memory.rss - memory.shared
            files += memory.shared
        return held, files


class Peak:
    """Looks at the memory several times a second, also between two looks of the test."""

    def __init__(self, server):
        self._server, self._done, self.bytes = server, threading.Event(), (0, 0)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        while not self._done.wait(0.1):
            self.bytes = max(self.bytes, self._server.held_bytes())

    def take(self):
        """Return the highest since the last time."""
        highest, self.bytes = max(self.bytes, self._server.held_bytes()), (0, 0)
        return highest

    def close(self):
        self._done.set()
        self._thread.join(10)


@pytest.fixture
def session(browser, tmp_path):
    server = BinderServer(tmp_path)
    peak = None
    try:
        server.wait_until_up()
        peak = Peak(server)
        yield server, peak
    finally:
        if peak is not None:
            peak.close()
        server.close()


def cells():
    """Return the notebook's code, with less time to train."""
    found = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    (parameters,) = (cell for cell in found if "parameters" in cell.metadata.get("tags", []))
    parameters.source = f"seconds = {SECONDS}"
    return [cell.source for cell in found]


@pytest.mark.slow
def test_server_and_kernel_stay_under_2_gb_through_the_quickstart(browser, session):
    server, peak = session
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    sources = cells()
    notebook = Notebook(context.new_page(), server, sources)
    steps = {"JupyterLab with an empty kernel": peak.take()}
    notebook.run_cell(0)
    hand = StudioHand(notebook)
    steps["the studio"] = peak.take()
    notebook.screenshot("quickstart")
    hand.paint_all()
    hand.wait_for_caption("quick")
    notebook.wait_for_value("studio._live.quick.idle.is_set()", True)
    steps["painted, with a first prediction"] = peak.take()
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and len(studio.run.history) >= 2", True, seconds=120)
    notebook.execute("studio.run.stop()")
    notebook.wait_for_value("studio.run.is_over", True, seconds=60)
    notebook.wait_for_value("studio._live.network.idle.is_set()", True, seconds=60)
    steps["trained from the studio"] = peak.take()
    for number, source in enumerate(sources[1:], 1):
        notebook.run_cell(number)
        steps[f"cell {number}: {source.strip().splitlines()[0][:40]}"] = peak.take()
    assert notebook.value("run.state") == "finished", "the notebook ran to its end"
    assert notebook.value("len(studio.project.count())") == 3
    told = "\n".join(
        f"{held / 1e6:6.0f} MB, and {files / 1e6:4.0f} MB of files: {step}" for step, (held, files) in steps.items()
    )
    sys.stdout.write(told + "\n")
    assert not notebook.page_errors
    notebook.close()
    context.close()
    assert max(steps.values())[0] < MOST, told
