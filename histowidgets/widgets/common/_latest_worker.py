"""A thread that answers only the newest request."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from histowidgets._threads import BackgroundThread

Payload = TypeVar("Payload")
Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


class LatestWorker(Generic[Payload, Answer]):
    """A thread that works on the newest request; answers to older requests are dropped.

    Parameters
    ----------
    name
        Names the thread: ``histowidgets-<name>``.
    work
        ``work(payload, is_stale)`` computes the answer, on the worker's thread. ``is_stale()`` becomes True once
        there is a newer request or the worker is closed. Long work should check it from time to time, and may then
        return anything.
    deliver
        ``deliver(payload, answer, error)`` receives the answer, or the exception that `work` raised (with its
        traceback), on the worker's thread. It is called only if there is no newer request.
    rest
        Seconds to wait for a newer request before work begins; 0 by default. Requests can override it.

    Attributes
    ----------
    idle : threading.Event
        Set while no request is waiting or being worked on.

    Examples
    --------
    >>> worker = LatestWorker("doubling", lambda payload, is_stale: 2 * payload, lambda p, answer, e: print(answer))
    >>> worker.request(21)
    1
    >>> worker.idle.wait()
    42
    True
    >>> worker.close()
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Payload, Callable[[], bool]], Answer],
        deliver: Callable[[Payload, Answer | None, BaseException | None], None],
        rest: float = 0.0,
    ) -> None:
        self._work, self._deliver, self._rest = work, deliver, rest
        self._rest_now = rest  # that of the newest request
        self._changed = threading.Condition()
        self._waiting: list[Payload] = []  # empty, or the newest payload
        self._newest = 0
        self._closed = False
        self.idle = threading.Event()
        self.idle.set()
        self._thread = BackgroundThread(self._loop, name, stop=self._retire)
        self._thread.start()

    def request(self, payload: Payload, rest: float | None = None) -> int:
        """Request an answer; returns at once.

        Parameters
        ----------
        payload
            Passed to `work` and `deliver`.
        rest
            Seconds to wait for a newer request before work begins; by default the worker's `rest`.

        Returns
        -------
        int
            Number of the request, from 1. After `close`, requests are numbered but not worked on.
        """
        with self._changed:
            self._newest += 1
            if not self._closed:
                self._waiting = [payload]
                self._rest_now = self._rest if rest is None else rest
                self.idle.clear()
                self._changed.notify()
            return self._newest

    def request_more(self, payload: Payload) -> None:
        """Make a further request from within `deliver`; ignored if a newer request is waiting."""
        with self._changed:
            if not self._waiting:
                self.request(payload)

    def close(self) -> None:
        """End the thread; work under way becomes stale, and nothing is delivered after this returns."""
        self._retire()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _retire(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting = []
            self._changed.notify()

    def _loop(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self.idle.set()
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._let_rest()
                if self._closed:
                    self.idle.set()
                    return
                payload, number = self._waiting.pop(), self._newest
            self._answer(payload, number)

    def _let_rest(self) -> None:
        """Wait until no newer request has come for the rest time; called with the lock held."""
        newest = None
        while self._rest_now and newest != self._newest and not self._closed:
            newest = self._newest
            self._changed.wait(self._rest_now)

    def _answer(self, payload: Payload, number: int) -> None:
        def is_stale() -> bool:
            return self._closed or self._newest != number

        answer, error = None, None
        try:
            answer = self._work(payload, is_stale)
        except Exception as raised:  # noqa: BLE001 - the boundary of the thread: the error is the answer
            error = raised
        if is_stale():
            return
        try:
            self._deliver(payload, answer, error)
        except Exception:  # noqa: BLE001 - the boundary of the thread
            # The error cannot be reported to the caller, and the next request must still be answered.
            _log.exception("%s could not deliver an answer", self._thread.name)
