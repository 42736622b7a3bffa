"""Draw with ipycanvas from any thread, one batch and one job at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipycanvas import Canvas, hold_canvas

# hold_canvas holds all canvases of the kernel at once, so there is one lock for the kernel.
_hold_lock = threading.RLock()


@contextmanager
def batch(anchor: Canvas) -> Iterator[None]:
    """Send the draw commands of the block as one message, even if the block fails halfway.

    Parameters
    ----------
    anchor
        A canvas on which nothing else is drawn. ipycanvas names the canvas of a command only when it differs
        from that of the last command; a page that was loaded since does not know the last one, and would stop
        drawing for good (ipycanvas #322). A command on the anchor first makes every batch name its canvases.
    """
    with _hold_lock:
        hold = hold_canvas()
        hold.__enter__()
        try:
            anchor.restore()  # has no effect, since nothing was saved
            yield
        finally:
            # hold_canvas has no `finally`: after an error it would hold back all drawing for ever.
            hold.__exit__(None, None, None)


class SerialQueue:
    """Runs jobs one after the other on the threads that submit them, without making these wait.

    Messages from the page arrive on different threads, depending on the version of ipykernel and the message, and a
    project announces an edit on the thread that made it. A thread that finds the queue idle runs its jobs; one that
    finds it busy leaves its job to the running thread. Since no thread waits, the locks of canvas and project cannot
    deadlock in any order.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = threading.Lock()

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job, which must not raise, now or after those that are waiting."""
        self._jobs.append(job)
        # Checked again after each release, since a job may have been added between the last check and the release.
        while self._jobs and self._busy.acquire(blocking=False):
            try:
                self._run_waiting()
            finally:
                self._busy.release()

    def _run_waiting(self) -> None:
        while self._jobs:
            self._jobs.popleft()()
