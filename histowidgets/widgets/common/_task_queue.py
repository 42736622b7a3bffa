"""Do slow work, such as reading and writing files, on a thread, so that callbacks of the page return at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from histowidgets._threads import SerialExecutor, process_is_ending
from histowidgets.errors import HistowidgetsError

#: Called with a text and a level ("info", "good", "warning" or "error").
Notify = Callable[[str, str], None]

_CLOSE_SECONDS = 10.0


class TaskQueue:
    """Runs tasks one after the other on one thread, and reports the result of each.

    Parameters
    ----------
    name
        Names the thread: ``histowidgets-<name>``. It starts with the first task.
    notify
        Called with a message and its level: on the caller's thread when a task is submitted, and on the queue's
        thread when a task begins after waiting and when it ends.
    """

    def __init__(self, name: str, notify: Notify) -> None:
        self._notify = notify
        self._executor = SerialExecutor(name)
        self._lock = threading.Lock()
        self._last: Future[None] | None = None
        self._closed = False

    def submit(self, doing: str, task: Callable[[], str | tuple[str, str]], failed: str = "") -> None:
        """Queue a task and return at once; does nothing once the queue is closed.

        Parameters
        ----------
        doing
            Reported when the task begins, such as ``"Opening slide.svs…"``, and also at once if it has to wait.
        task
            Returns the message to report at level "good", or a message and another level. Exceptions are reported too.
        failed
            Prefix of error messages.
        """
        if self._closed:
            return
        waits = not self.wait(0)
        self._notify(f"{doing} Waiting for earlier tasks." if waits else doing, "info")
        with self._lock:
            if not self._closed:
                self._last = self._executor.submit(self._run, doing if waits else "", task, failed)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all submitted tasks are done; return whether that was reached before the timeout."""
        last = self._last
        return last is None or last in wait([last], timeout).done

    @property
    def is_closing(self) -> bool:
        """Whether long tasks should end early, because the queue is closed or the process is ending."""
        return self._closed or process_is_ending()

    def close(self) -> None:
        """Accept no more tasks, and wait up to ten seconds for the submitted ones."""
        with self._lock:
            self._closed = True
        self._executor.close(wait=self.wait(_CLOSE_SECONDS))

    def _run(self, doing: str, task: Callable[[], str | tuple[str, str]], failed: str) -> None:
        if doing:
            self._notify(doing, "info")
        try:
            done = task()
        except (HistowidgetsError, OSError) as error:
            self._notify(f"{failed}{error}", "error")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            self._notify(f"{failed}{type(error).__name__}: {error}", "error")
        else:
            text, level = (done, "good") if isinstance(done, str) else done
            self._notify(text, level)
