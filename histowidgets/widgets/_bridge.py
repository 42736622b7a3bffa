"""The one place where what a training thread says becomes something that widgets may act on."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from histowidgets.training import RunEnded

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
        self._unsubscribe = run.subscribe(lambda event: self._bell.set())
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

    def _hand_over(self) -> Any:
        """Hand over what has come since the last time; return the last event of it."""
        events: Sequence[Any] = self._run.events
        batch = list(events[self._next :])
        if not batch:
            return None
        self._next += len(batch)
        try:
            self._apply(batch)
        except Exception:
            log.exception("A widget could not show what the run reported")
        return batch[-1]

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
