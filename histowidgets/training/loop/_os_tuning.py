"""Asking the operating system for a low priority, and to keep the memory that each step needs again."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

#: Added to the niceness of the calling thread; with 10 it gets about a tenth of a busy core.
NICENESS = 10

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
#: Bytes of freed memory that glibc keeps, and the size from which it maps a block by itself. By default it returns what
#: a step leaves free, and fetches it again: 140 MB a step of a small U-Net, a tenth of the time.
_KEPT = 1 << 30
#: A thread's heaps are of 64 MB: one that holds a single large block is returned with it, unless the heap before it has
#: less room left than this padding. Padding is not touched, and so takes no memory.
_HEAP, _USUAL_PAD = 64 << 20, 128 << 10


def lower_thread_priority() -> None:
    """Let this thread, and those that it starts to compute with, wait for the page and the kernel's other threads.

    On two cores the browser, the kernel's answers and the quick learner would otherwise compete with a training that
    has minutes to spend. Threads have their own niceness on Linux only; elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Let the allocator keep what is freed inside the block, and return all of it to the system at its end."""
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_TOP_PAD, _HEAP)
    library.mallopt(_TRIM_THRESHOLD, _KEPT)
    library.mallopt(_MMAP_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        library.mallopt(_TOP_PAD, _USUAL_PAD)
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    """Return glibc, or None on another system."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
