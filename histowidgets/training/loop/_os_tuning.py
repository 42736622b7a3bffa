"""A training takes the time that nobody else wants."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10
"""Added to that of the calling thread; 10 leaves a busy core to others nine times in ten."""


def yield_to_the_hand() -> None:
    """Let this thread, and those that it starts to compute with, wait for the page and the kernel's other threads.

    On two cores the browser, the kernel's answers and the quick learner would else share them with a training that has
    minutes to spend. A thread has a niceness of its own on Linux only; elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
