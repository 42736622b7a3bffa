"""Drawing with ipycanvas from any thread: one batch at a time, and one job at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipycanvas import Canvas, hold_canvas

# hold_canvas holds every canvas of the kernel at once, so the lock is the kernel's too.
_hold_lock = threading.RLock()


@contextmanager
def batch(anchor: Canvas) -> Iterator[None]:
    """Send the draw commands of the block as one message, even if the block fails halfway.

    Parameters
    ----------
    anchor
        A canvas on which nothing else is drawn. ipycanvas names the canvas a command is for only when it differs
        from that of the last command; a page that was loaded since does not know the last one, and would stop
        drawing for good (ipycanvas #322). A command on the anchor first makes every batch name its canvases.
    """
    with _hold_lock:
        hold = hold_canvas()
        hold.__enter__()
        try:
            anchor.restore()  # undoes the last save, of which there is none
            yield
        finally:
            # hold_canvas itself has no finally: after an error it would hold all drawing for ever.
            hold.__exit__(None, None, None)


class SerialQueue:
    """Run jobs one after the other on the threads that submit them, without making any of them wait.

    The thread on which a message from the page arrives differs between versions of ipykernel and from message to
    message, and a project announces an edit on the thread that made it. A thread that finds the queue idle runs the
    jobs in it; one that finds it busy leaves its job to the thread that runs them. Since no thread waits, no order
    of locks between the canvas and the project can deadlock.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = threading.Lock()

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` now, or after those that are waiting. A job must not raise."""
        self._jobs.append(job)
        # Asked again after each release: a job may have come between the last look and the release.
        while self._jobs and self._busy.acquire(blocking=False):
            try:
                self._run_waiting()
            finally:
                self._busy.release()

    def _run_waiting(self) -> None:
        while self._jobs:
            self._jobs.popleft()()
