"""Drawing with ipycanvas from whichever thread: one batch at a time, and one job at a time."""

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
        from that of the last command; a page that was loaded since has not heard of the last one, and would stop
        drawing for good (ipycanvas #322). A command on the anchor first makes every batch name its canvases.
    """
    with _hold_lock:
        hold = hold_canvas()
        hold.__enter__()
        try:
            anchor.restore()  # undoes the last save, of which there is none
            yield
        finally:
            # hold_canvas has no such clause itself: after an error it would hold all drawing for ever.
            hold.__exit__(None, None, None)


class SerialQueue:
    """Runs jobs one after the other on the threads that bring them, and makes nobody wait.

    Which thread a message from the page comes on differs between versions of ipykernel and from message to
    message, and a project tells of an edit on the thread that made it. Who finds the queue idle runs what is in
    it; who finds it busy leaves the job to the thread that is at it. Since nobody waits here, no order of
    locks between the canvas and the project can block.
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
