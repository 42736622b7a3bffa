"""What every test shares: real sample data, and the rule that no test leaves a thread behind."""

import os
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def no_thread_left():
    """Fail a test that leaves one of our threads running."""
    before = set(threading.enumerate())
    yield
    ours = [t for t in threading.enumerate() if t not in before and t.name.startswith("histowidgets")]
    for thread in ours:
        thread.join(timeout=5)
    left = [t.name for t in ours if t.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real images that are not part of the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("HISTOWIDGETS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test images at {folder}; set HISTOWIDGETS_TEST_DATA to a folder that has them")
    return folder
