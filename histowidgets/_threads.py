"""Threads that end with the process: once the main thread has ended, they are asked to stop and are joined.

A daemon thread that Python kills inside native code can abort the process, and one that is killed during an import
keeps the import lock, so that the process hangs. Joining them in `atexit` is too late: by then concurrent.futures
refuses work, and exit handlers of a library that is still being imported are no longer called. Therefore a single
non-daemon thread waits for the end of the main thread, which comes before all of that, and Python waits for this
thread.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

log = logging.getLogger("histowidgets")

#: Seconds to wait for threads when the process ends; importing torch takes up to half a minute.
END_SECONDS = 120.0

_lock = threading.Lock()
_running: set["BackgroundThread"] = set()
_ending = threading.Event()
_usher: threading.Thread | None = None


class BackgroundThread(threading.Thread):
    """A thread that does not keep the process alive, but is joined before the process ends.

    Parameters
    ----------
    target : callable
        The function to run.
    name : str
        The thread is called ``histowidgets-<name>``.
    args : tuple
        Arguments of `target`.
    stop : callable, optional
        Asks the work to end soon, and returns at once; called from another thread when the process ends. Without it,
        the process waits until the work is done.
    """

    def __init__(
        self,
        target: Callable[..., object],
        name: str,
        args: tuple[Any, ...] = (),
        stop: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(target=target, name=f"histowidgets-{name}", args=args, daemon=True)
        self._ask_to_stop = stop

    def start(self) -> None:
        """Start the thread; see `threading.Thread`."""
        _watch_main_thread()
        with _lock:
            _running.add(self)
        try:
            super().start()
        except RuntimeError:  # no more threads are possible, or the process is ending
            self._forget()
            raise

    def run(self) -> None:
        """Run the target; the body of the thread."""
        try:
            super().run()
        finally:
            self._forget()

    def ask_to_stop(self) -> None:
        """Ask the work to end soon."""
        stop = self._ask_to_stop
        if stop is not None:
            try:
                stop()
            except Exception:
                log.exception("%s could not be asked to stop", self.name)

    def _forget(self) -> None:
        self._ask_to_stop = None  # it may refer to the owner of this thread: break the cycle
        with _lock:
            _running.discard(self)


class BackgroundTimer(BackgroundThread):
    """Calls a function after a delay, on its own thread, unless it is cancelled first.

    Parameters
    ----------
    seconds : float
    function : callable
    name : str
        See `BackgroundThread`.
    """

    def __init__(self, seconds: float, function: Callable[[], object], name: str) -> None:
        self._cancelled = threading.Event()
        self._seconds, self._function = seconds, function
        super().__init__(self._wait_and_call, name, stop=self.cancel)

    def cancel(self) -> None:
        """Cancel the call if it has not started yet."""
        self._cancelled.set()

    def _wait_and_call(self) -> None:
        if not self._cancelled.wait(self._seconds):
            self._function()


class SerialExecutor:
    """Runs functions one after another on its own thread, which is started with the first one.

    Unlike a `ThreadPoolExecutor`, it accepts work from threads that are still running while the process ends.

    Parameters
    ----------
    name : str
        See `BackgroundThread`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: BackgroundThread | None = None
        self._closed = False

    def submit(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> "Future[Result]":
        """Queue a function after those submitted before; after `close`, run it on the caller's thread."""
        future: Future[Result] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - raised again by Future.result
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if not self._closed:
                if self._thread is None:
                    self._thread = BackgroundThread(self._work, self._name, stop=self._close)
                    self._thread.start()
                self._waiting.put(work)
                return future
        self._join()
        work()
        return future

    def close(self, wait: bool = True) -> None:
        """End the thread once all submitted functions have run; by default, wait for that."""
        self._close()
        if wait:
            self._join()

    def _close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)

    def _join(self) -> None:
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _work(self) -> None:
        while True:
            work = self._waiting.get()
            if work is None:
                return
            work()
            del work  # free the arguments too: they may be large


def process_is_ending() -> bool:
    """Return whether the process is ending, so that background work should end too."""
    return _ending.is_set()


def _watch_main_thread() -> None:
    global _usher
    with _lock:
        if _usher is None:
            # Not a daemon: Python waits for it before anything is torn down.
            _usher = threading.Thread(target=_end_with_main_thread, name="end-of-histowidgets", daemon=False)
            _usher.start()


def _end_with_main_thread() -> None:
    threading.main_thread().join()
    for thread in threading.enumerate():
        # A program may keep working on its own threads after the main thread has ended: wait for these first.
        if not thread.daemon and thread not in (threading.main_thread(), threading.current_thread()):
            thread.join()
    _ending.set()
    end_threads(END_SECONDS)


def end_threads(seconds: float) -> bool:
    """Ask all threads to stop, including those that start meanwhile, and join them; return whether all have ended."""
    deadline = time.monotonic() + seconds
    asked: set[BackgroundThread] = set()
    while True:
        with _lock:
            running = [one for one in _running if one.is_alive() and one is not threading.current_thread()]
        if not running or time.monotonic() > deadline:
            return not running
        for thread in running:
            if thread not in asked:
                asked.add(thread)
                thread.ask_to_stop()
        running[0].join(0.05)


def _reset_after_fork() -> None:
    """Reset the state in a forked process, which has none of the threads."""
    global _lock, _usher
    _lock, _usher = threading.Lock(), None
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
