"""Controls of a run: pause, resume, stop, its clock, and the weights kept so far. No torch."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from histowidgets.training._events import Keep

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training.storage import BestWeights


class RunControl:
    """Controls shared by the trainer, which obeys them, and other threads, which pause, resume and stop it.

    Attributes
    ----------
    kept : BestWeights or None
        The weights kept so far; only the trainer replaces the object, as a whole, so that reading needs no lock.
    leaving : bool
        Whether the run ends because the kernel is ending, rather than being stopped by the user, so that it can be
        resumed.
    """

    def __init__(self) -> None:
        self.kept: BestWeights | None = None
        self.leaving = False
        self._changed = threading.Condition()
        self._paused = False
        self._keep: Keep | None = None
        self._started = time.perf_counter()
        self._rested = 0.0

    @property
    def keep(self) -> Keep | None:
        """Which weights to keep, as given to `stop`; None unless the run was stopped."""
        return self._keep

    def pause(self) -> None:
        """Hold the trainer at its next check."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Let the trainer continue."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self, keep: Keep) -> None:
        """Stop the training at its next check; the first call determines what is kept."""
        with self._changed:
            if self._keep is None:
                self._keep = keep
            self._changed.notify_all()

    def start_clock(self, used: float = 0.0) -> None:
        """Start the clock, at the seconds used before."""
        self._started, self._rested = time.perf_counter() - used, 0.0

    def seconds(self) -> float:
        """Return the training time in seconds, without pauses."""
        return time.perf_counter() - self._started - self._rested

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Wait while paused; return whether to stop. The trainer calls this around every batch.

        `tell` is called with True when a pause begins, and with False when training continues.
        """
        with self._changed:
            if not self._paused or self._keep is not None:
                return self._keep is not None
        tell(True)
        began = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: not self._paused or self._keep is not None)
            stopped = self._keep is not None
        self._rested += time.perf_counter() - began
        if not stopped:
            tell(False)
        return stopped
