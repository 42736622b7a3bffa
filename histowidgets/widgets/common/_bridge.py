"""Pass the events of a run from its thread to widgets, in batches."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from histowidgets._threads import BackgroundThread
from histowidgets.training import RunEnded
from histowidgets.widgets.colab import comm_queue

log = logging.getLogger("histowidgets")


class ObservableRun(Protocol):
    """A run as the bridge needs it: an append-only list of events, and a callback after each."""

    @property
    def events(self) -> Sequence[Any]:
        """All events so far."""
        ...

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call `callback` after each event; return a function to unsubscribe."""
        ...


class RunBridge:
    """Passes on the events of a run in batches, from one thread, at most `rate_hz` times a second.

    A run may emit hundreds of events a second, and each write to a trait costs a message to the page. The bridge reads
    the list of events by position, starting with those from before it was made, so that no event is lost, doubled or
    out of order. It ends by itself after the last event of the run.

    Where the page accepts no messages from threads (Colab), events on the main thread, as in a cell that runs
    ``run.watch()``, are passed on from that thread.

    Parameters
    ----------
    run
        A `TrainingRun`, or any object with its ``events`` and ``subscribe``.
    apply
        Called with a non-empty list of events, never from two threads at once. Its errors are logged and do not end
        the bridge.
    rate_hz
        Highest rate of calls in Hz, above 0.
    """

    def __init__(self, run: ObservableRun, apply: Callable[[list[Any]], None], rate_hz: float = 5.0) -> None:
        if not rate_hz > 0:
            raise ValueError(f"rate_hz must be above 0, got {rate_hz}")
        self._run = run
        self._apply = apply
        self._pause = 1.0 / rate_hz
        self._next = 0
        self._news = threading.Event()
        self._closed = threading.Event()
        self._turn = threading.RLock()
        self._handed_at = -math.inf
        self._unsubscribe = run.subscribe(self._on_event)
        self._news.set()
        self._thread = BackgroundThread(self._work, "bridge", stop=self._end)
        self._thread.start()

    def _work(self) -> None:
        while not self._closed.is_set():
            self._news.wait()
            self._news.clear()
            if self._closed.is_set():
                return
            if isinstance(self._hand_over(), RunEnded):
                self._unsubscribe()
                return
            self._closed.wait(self._pause)

    def _on_event(self, event: Any) -> None:
        mail = comm_queue()
        if mail is None or threading.current_thread() is not threading.main_thread():
            self._news.set()
            return
        due = isinstance(event, RunEnded) or time.monotonic() - self._handed_at >= self._pause
        if due and isinstance(self._hand_over(), RunEnded):
            self._news.set()  # lets the thread find that there are no more events, and end
        mail.flush()

    def _hand_over(self) -> Any:
        """Pass on the new events; return the last event passed on so far."""
        with self._turn:
            events: Sequence[Any] = self._run.events
            batch = list(events[self._next :])
            if batch and not self._closed.is_set():
                self._next += len(batch)
                self._handed_at = time.monotonic()
                try:
                    self._apply(batch)
                except Exception:
                    log.exception("A widget could not show the events of the run")
            return events[self._next - 1] if self._next else None

    def _end(self) -> None:
        self._closed.set()
        self._unsubscribe()
        self._news.set()

    @property
    def alive(self) -> bool:
        """Whether more events may come."""
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait up to `timeout` seconds until the last event of the run was passed on."""
        self._thread.join(timeout)

    def close(self) -> None:
        """Stop passing on events, and end the thread."""
        self._end()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
