"""What all tests share: sample data, the rule that no test leaves a thread behind, and how they run in parallel.

With pytest-xdist the tests of a file run in one process, since they share fixtures. All browser tests count as one
file, since they share a JupyterLab. They begin first, then files with slow tests, so that nothing long is left for the
end; what runs beside them gives way to them. A test marked `quiet` runs while no other does.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from tests import kernel_forks

ROOT = Path(__file__).resolve().parent.parent
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:  # before torch is imported: the processes have the cores, and small networks gain nothing by threads
    os.environ.setdefault("OMP_NUM_THREADS", "1")
#: Of what runs beside the browser tests. The thread of a run adds 10 to it; 19 is the most.
NICENESS = 5
#: More than any test takes, so that a test that hangs ends the waiting too.
MOST_SECONDS = 600


@pytest.hookimpl(trylast=True)  # after the markers are set
def pytest_collection_modifyitems(items):
    rank = {}
    for item in items:
        found = 0 if item.get_closest_marker("browser") else 1 if item.get_closest_marker("slow") else 2
        rank[item.path] = min(found, rank.get(item.path, found))
    items.sort(key=lambda item: rank[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneBrowserScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)

    return OneBrowserScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    if not hasattr(node.config, "turns_folder"):
        node.config.turns_folder = tempfile.mkdtemp(prefix="histowidgets-tests-")
        node.config.add_cleanup(lambda: shutil.rmtree(node.config.turns_folder, ignore_errors=True))
    node.workerinput["turns_folder"] = node.config.turns_folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    with ExitStack() as turn:
        if hasattr(item.config, "workerinput") and WORKERS > 1:
            if not item.get_closest_marker("browser"):
                _give_way()
            _wait_for_turn(item, turn)
        return (yield)


def _give_way():
    """Leave the cores to the process with the browser tests: they take longest, and a page must not be kept waiting."""
    if hasattr(os, "nice") and os.nice(0) < NICENESS:
        os.nice(NICENESS - os.nice(0))


def _wait_for_turn(item, turn):
    """Hold this process's lock for the test; a quiet test holds those of all, and the gate that each passes first."""
    folder, mine = Path(item.config.workerinput["turns_folder"]), item.config.workerinput["workerid"]
    quiet = item.get_closest_marker("quiet") is not None
    names = [f"gw{number}" for number in range(WORKERS)] if quiet else [mine]
    gate = FileLock(folder / "gate")
    with gate.acquire(timeout=MOST_SECONDS, poll_interval=0.01):
        for name in names:
            turn.enter_context(FileLock(folder / name).acquire(timeout=MOST_SECONDS, poll_interval=0.01))
        if quiet:
            turn.enter_context(gate.acquire())  # counted: it opens when the test is over


@pytest.fixture(scope="session", autouse=True)
def _no_state_of_the_user(tmp_path_factory):
    """Keep what a studio remembers about its user out of the folder of who runs the tests."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(autouse=True)
def no_thread_left():
    """Fail a test that leaves one of our threads running."""
    before = set(threading.enumerate())
    yield
    ours = [t for t in threading.enumerate() if t not in before and t.name.startswith("histowidgets")]
    end = time.monotonic() + 20
    for thread in ours:
        thread.join(timeout=max(0, end - time.monotonic()))
    left = [t.name for t in ours if t.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture(scope="session")
def _forks(tmp_path_factory):
    if not kernel_forks.AVAILABLE:
        yield None
        return
    forks = kernel_forks.KernelForks(tmp_path_factory.mktemp("kernels"))
    try:
        forks.wait_until_up()
        yield forks
    finally:
        forks.close()


@pytest.fixture(scope="session")
def quick_kernels(_forks):
    """Folder for JUPYTER_PATH with kernels that start at once (`kernel_forks.py`), or None where there are none."""
    return None if _forks is None else _forks.folder


@pytest.fixture(scope="session")
def quick_python(_forks):
    """Command, a list of words, that stands for `python` and starts at once where that is possible."""
    return [sys.executable] if _forks is None else _forks.python


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real images that are not part of the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("HISTOWIDGETS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test images at {folder}; set HISTOWIDGETS_TEST_DATA to a folder that has them")
    return folder
