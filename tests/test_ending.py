"""A process ends by itself, with status 0 and nothing on stderr, whatever works in it; see benchmarks/ending.py."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "ending.py"


@pytest.fixture(scope="module")
def ending():
    spec = importlib.util.spec_from_file_location("ending", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ending"] = module  # where dataclasses look
    spec.loader.exec_module(module)
    yield module
    del sys.modules["ending"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "host", "seconds"),
    [
        ("studio", "python", 0.0),  # while the quick learner's thread loads torch
        ("studio", "python", 2.0),  # likewise, on a slow machine
        ("studio and run", "python", 3.0),
        ("prediction", "python", 0.3),
        ("run", "ipython", 1.0),
        ("studio", "nbclient", 0.5),
    ],
)
def test_a_process_ends_well(ending, scene, host, seconds, quick_python):
    loads = (scene, host) == ("studio", "python")
    found = ending.end(scene, host, seconds, python=[sys.executable] if loads else quick_python)
    assert (found.status, found.stderr) == (0, "")
