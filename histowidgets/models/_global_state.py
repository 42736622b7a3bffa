"""A lock for torch's global state: optimizing threads share it, and a thread that changes it needs exclusive access."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two calls of `should_stop` while waiting.
_POLL_SECONDS = 0.1

_changed = threading.Condition()
_optimizing: Counter[int] = Counter()  # maps each thread to how often it has entered
_alone: int | None = None  # the thread with exclusive access


@contextmanager
def using_optimizers() -> Iterator[None]:
    """Hold shared access for an optimizing thread; waits while another thread is in `alone_with_torch`."""
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
    """Wait until no other thread optimizes, then hold exclusive access.

    Parameters
    ----------
    should_stop : callable, optional
        Called every tenth of a second; True ends the waiting.

    Yields
    ------
    bool
        Whether the thread has exclusive access; False if `should_stop` ended the waiting.
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
