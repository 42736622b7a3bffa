"""A training yields to the page; a step takes the memory that the step before has freed."""

import os
import sys
import threading

import pytest

from histowidgets.training import BatchEnded, start_training
from histowidgets.training.loop._os_tuning import _glibc
from tests.training.helpers import painted, quick


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux only")
def test_the_training_thread_is_nicer_than_the_kernel_and_nothing_else_is():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, seen = niceness(), []
    run = start_training(painted(), quick(epochs=3))
    run.subscribe(lambda event: seen.append(niceness()) if isinstance(event, BatchEnded) else None)
    assert run.wait(200) == "finished"
    assert seen
    assert min(seen) > before
    assert niceness() == before


def faults():
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(_glibc() is None, reason="only glibc is told")
def test_a_run_fetches_little_once_it_is_under_way():
    counts = []
    run = start_training(painted(), quick(epochs=1, steps_per_epoch=14, tile_size=256, batch_size=4))
    run.subscribe(lambda event: counts.append(faults()) if isinstance(event, BatchEnded) else None)
    assert run.wait(300) == "finished"
    steps = [after - before for before, after in zip(counts[-7:-1], counts[-6:], strict=True)]
    # About 30,000 a step where the allocator gives back what is free.
    assert sorted(steps)[len(steps) // 2] < 5000, steps
