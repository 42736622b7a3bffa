"""A training yields to the page; the rest of the kernel keeps its priority."""

import os
import sys
import threading

import pytest

from histowidgets.training import BatchEnded, start_training
from tests.training.helpers import painted, quick


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux only")
def test_the_training_thread_is_nicer_than_the_kernel_and_nothing_else_is():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, seen = niceness(), []
    run = start_training(painted(), quick(epochs=3))
    run.subscribe(lambda event: seen.append(niceness()) if isinstance(event, BatchEnded) else None)
    assert run.wait(60) == "finished"
    assert seen
    assert min(seen) > before
    assert niceness() == before
