"""Torch's global state: threads that optimize share it, and a thread that changes it has to be alone."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two questions whether to stop waiting.
_POLL_SECONDS = 0.1

_changed = threading.Condition()
_optimizing: Counter[int] = Counter()  # thread to how often it entered
_alone: int | None = None  # the thread that is alone


@contextmanager
def using_optimizers() -> Iterator[None]:
    """Let the thread optimize; many can, but not while another is in `alone_with_torch`, whose end is waited for."""
    me = threading.get_ident()
    with _changed:
        _changed.wait_for(lambda: _alone in (None, me))
        _optimizing[me] += 1
    try:
        yield
    finally:
        with _changed:
            _optimizing[me] -= 1
            if not _optimizing[me]:
                del _optimizing[me]
            _changed.notify_all()


@contextmanager
def alone_with_torch(should_stop: Callable[[], bool] | None = None) -> Iterator[bool]:
    """Wait until no other thread optimizes, and keep others from it.

    Parameters
    ----------
    should_stop : callable, optional
        Asked every tenth of a second; True ends the waiting.

    Yields
    ------
    bool
        Whether the thread is alone; False if it was told to stop waiting.
    """
    global _alone
    me = threading.get_ident()
    with _changed:
        before = _alone
        while _alone not in (None, me) or _optimizing.keys() - {me}:
            if should_stop is not None and should_stop():
                break
            _changed.wait(_POLL_SECONDS)
        else:
            _alone = me
        alone = _alone == me
    try:
        yield alone
    finally:
        if alone:
            with _changed:
                _alone = before
                _changed.notify_all()
