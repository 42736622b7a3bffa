"""The one place where what a training thread says becomes something that widgets may act on."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from histowidgets.training import RunEnded
from histowidgets.widgets.common._colab import comm_queue

log = logging.getLogger("histowidgets")


class ObservableRun(Protocol):
    """What the bridge needs of a run: an append-only list of events, and a bell that rings after each."""

    events: Any

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call `callback` after each event; return what ends that."""
        ...


class RunBridge:
    """Hand the events of a run over in batches, from one thread, at most `rate_hz` times a second.

    A run may emit hundreds of events a second; each trait that is written costs a message to the page. The
    bridge reads the run's list of events by position, so that none is lost, doubled or out of order, and
    those from before it was made come first. It ends by itself after the run's last event.

    Where the page takes nothing from threads (Colab), events that come on the main thread, as they do while
    ``run.watch()`` is in the running cell, are handed over right there.

    Parameters
    ----------
    run
        A `TrainingRun`, or anything with its ``events`` and ``subscribe``.
    apply
        Called with a list of events, never empty and never from two threads at once. What it raises is
        logged and does not end the bridge.
    rate_hz
        The most calls a second, in Hz, above 0.
    """

    def __init__(self, run: ObservableRun, apply: Callable[[list[Any]], None], rate_hz: float = 5.0) -> None:
        if not rate_hz > 0:
            raise ValueError(f"rate_hz must be above 0, got {rate_hz}")
        self._run = run
        self._apply = apply
        self._pause = 1.0 / rate_hz
        self._next = 0
        self._bell = threading.Event()
        self._closed = threading.Event()
        self._turn = threading.RLock()
        self._handed_at = -math.inf
        self._unsubscribe = run.subscribe(self._rung)
        self._bell.set()
        self._thread = threading.Thread(target=self._work, name="histowidgets-bridge", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._closed.is_set():
            self._bell.wait()
            self._bell.clear()
            if self._closed.is_set():
                return
            if isinstance(self._hand_over(), RunEnded):
                self._unsubscribe()
                return
            self._closed.wait(self._pause)

    def _rung(self, event: Any) -> None:
        mail = comm_queue()
        if mail is None or threading.current_thread() is not threading.main_thread():
            self._bell.set()
            return
        due = isinstance(event, RunEnded) or time.monotonic() - self._handed_at >= self._pause
        if due and isinstance(self._hand_over(), RunEnded):
            self._bell.set()  # the thread finds nothing more, and ends
        mail.flush()

    def _hand_over(self) -> Any:
        """Hand over what has come since the last time; return the last event that was handed over."""
        with self._turn:
            events: Sequence[Any] = self._run.events
            batch = list(events[self._next :])
            if batch and not self._closed.is_set():
                self._next += len(batch)
                self._handed_at = time.monotonic()
                try:
                    self._apply(batch)
                except Exception:
                    log.exception("A widget could not show what the run reported")
            return events[self._next - 1] if self._next else None

    @property
    def alive(self) -> bool:
        """Whether more events can come."""
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait up to `timeout` seconds until the run's last event has been handed over."""
        self._thread.join(timeout)

    def close(self) -> None:
        """Hand nothing over any more, and end the thread."""
        self._closed.set()
        self._unsubscribe()
        self._bell.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
