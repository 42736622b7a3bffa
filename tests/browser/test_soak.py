"""A minute of what an hour of use is: nothing grows. `HISTOWIDGETS_SOAK_MINUTES=60` makes it the hour."""

import os
import sys

import pytest

from benchmarks.soak import CELL, growth, soak

MINUTES = float(os.environ.get("HISTOWIDGETS_SOAK_MINUTES", "1"))


@pytest.mark.slow
def test_minutes_of_painting_training_and_predicting_leave_nothing_behind(open_notebook):
    notebook = open_notebook([CELL], fresh=True, width=1500, height=1000)
    notebook.run_all()
    samples = soak(notebook, MINUTES)
    told = "\n".join(map(str, samples))
    sys.stdout.write(told + "\n")
    later = samples[len(samples) // 3 :]
    # In a few rounds caches still fill; an hour of a real leak would be many times that (benchmarks/soak.py).
    assert growth(samples, "kernel_mb") < 150, told
    assert growth(samples, "heap_mb") < 4, told
    assert growth(samples, "page_mb") < 150, told
    for name in ("widgets", "comms", "models", "threads"):
        assert len({getattr(sample, name) for sample in later}) == 1, f"{name} changed:\n{told}"
    assert growth(samples, "nodes") < 500, told
    assert all(sample.waiting <= 1 for sample in samples), told  # the question itself may be one
    assert notebook.value("len(studio.runs)") >= len(samples)
    notebook.execute("studio.close()")
