"""Ask the operating system for a low priority, and the allocator to keep memory that each step needs again."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

#: Increase of the niceness of the calling thread; with 10 it gets about a tenth of a busy core.
NICENESS = 10

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
#: Bytes of freed memory that glibc keeps, and the size from which it maps a block separately. By default it returns the
#: memory that a step frees, and requests it again: 140 MB per step of a small U-Net, a tenth of the time.
_KEPT = 1 << 30
#: A thread's heaps have 64 MB. A heap with a single large block is returned when the block is freed, unless the
#: previous heap has less space left than this padding. The padding is never touched, so it takes no memory.
_HEAP, _USUAL_PAD = 64 << 20, 128 << 10


def lower_thread_priority() -> None:
    """Give this thread, and its compute threads, a lower priority than the page and the kernel's other threads.

    On two cores, the browser, the kernel and the quick learner would otherwise compete with a training that takes
    minutes. Only on Linux do threads have their own niceness; elsewhere this does nothing.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Let the allocator keep memory freed inside the block, and return it to the system at the end."""
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
    """Return glibc, or None on other systems."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
