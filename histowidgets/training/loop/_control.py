"""The reins of a loop: pause, resume, stop, its clock, and the weights it has kept so far."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from histowidgets.training._events import EpochRecord, Keep

if TYPE_CHECKING:  # it needs torch
    from histowidgets.models import Network


@dataclass(frozen=True)
class Kept:
    """Weights that outlive the loop: a network of its own on the CPU, in evaluation mode, and its epoch's record.

    The record is None for weights that were kept before an epoch had ended. The confusion matrix counts the labelled
    pixels of validation, a row for each true class; None without validation labels.
    """

    network: "Network"
    record: EpochRecord | None
    confusion: list[list[int]] | None = None

    def scores(self) -> dict[str, Any]:
        """Return the record with the confusion matrix; empty where nothing was measured."""
        return {} if self.record is None else {**self.record, "confusion": self.confusion}


class RunControl:
    """Shared by the loop, which obeys, and by whoever steers it from another thread.

    Attributes
    ----------
    kept : Kept or None
        The best weights so far; written by the loop alone, whole, so that reading needs no lock.
    leaving : bool
        Whether it is the kernel that ends, and no person who stopped the run: it can then be gone on with later.
    """

    def __init__(self) -> None:
        self.kept: Kept | None = None
        self.leaving = False
        self._changed = threading.Condition()
        self._paused = False
        self._keep: Keep | None = None
        self._started = time.perf_counter()
        self._rested = 0.0

    @property
    def keep(self) -> Keep | None:
        """What `stop` asked to keep; None while nobody stopped the run."""
        return self._keep

    def pause(self) -> None:
        """Hold the loop at its next check."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Let the loop go on."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self, keep: Keep) -> None:
        """End the loop at its next check; the first call decides what is kept."""
        with self._changed:
            if self._keep is None:
                self._keep = keep
            self._changed.notify_all()

    def start_clock(self, used: float = 0.0) -> None:
        """Count time from now, on top of the seconds that were used before."""
        self._started, self._rested = time.perf_counter() - used, 0.0

    def seconds(self) -> float:
        """Time since the start, pauses left out."""
        return time.perf_counter() - self._started - self._rested

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Wait while paused; say whether to stop. The loop calls this around every batch.

        `tell` is called with True when a pause begins, and with False when the loop goes on.
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
