"""Controls of a run: pause, resume, stop, its clock, and the weights it has kept so far."""

import threading
import time
from collections.abc import Callable

from histowidgets.training._events import Keep
from histowidgets.training.loop._distributed import ProcessGroup
from histowidgets.training.storage import BestWeights

_KEEPS: tuple[Keep, ...] = ("best", "last", "nothing")


class RunControl:
    """Shared by the trainer, which obeys, and by other threads, which pause, resume and stop it.

    Attributes
    ----------
    group : ProcessGroup
        The processes that train together.
    kept : BestWeights or None
        The weights that are kept so far; the trainer alone replaces the whole object, so that reading needs no lock.
    leaving : bool
        Whether the kernel is ending, and no person stopped the run: it can then be resumed later.
    """

    def __init__(self, group: ProcessGroup | None = None) -> None:
        self.group = ProcessGroup() if group is None else group
        self.kept: BestWeights | None = None
        self.leaving = False
        self._changed = threading.Condition()
        self._paused = False
        self._keep: Keep | None = None
        self._started = time.perf_counter()
        self._rested = 0.0

    @property
    def keep(self) -> Keep | None:
        """What `stop` asked to keep; None unless the run was stopped."""
        return self._keep

    def pause(self) -> None:
        """Hold the trainer at its next check."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Let the trainer continue."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self, keep: Keep) -> None:
        """End the training at its next check; the first call decides what is kept."""
        with self._changed:
            if self._keep is None:
                self._keep = keep
            self._changed.notify_all()

    def start_clock(self, used: float = 0.0) -> None:
        """Start counting time, from the seconds that were used before."""
        self._started, self._rested = time.perf_counter() - used, 0.0

    def seconds(self) -> float:
        """Return the time since the start, without pauses."""
        return time.perf_counter() - self._started - self._rested

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Wait while paused; say whether to stop. The trainer calls this around every batch.

        `tell` is called with True when a pause begins, and with False when training continues.
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


class DistributedControl(RunControl):
    """Controls held by the first process: its clock, and its stop, count for all."""

    def __init__(self, group: ProcessGroup) -> None:
        super().__init__(group)
        self._now = 0.0

    def stop(self, keep: Keep) -> None:
        """End the training at its next check, if this is the first process."""
        if self.group.rank == 0:
            super().stop(keep)

    def start_clock(self, used: float = 0.0) -> None:
        """Start counting time, from the seconds that were used before."""
        super().start_clock(used)
        self._now = used

    def seconds(self) -> float:
        """Return the time since the start as the first process had it at the last check."""
        return self._now

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Ask the first process whether to stop, and what time it is; all processes call this at the same places."""
        if self.group.rank == 0:
            super().should_stop(tell)
        code = 0 if self._keep is None else 1 + _KEEPS.index(self._keep)
        self._now, decided = self.group.broadcast(super().seconds(), code)
        self._keep = _KEEPS[int(decided) - 1] if decided else None
        return self._keep is not None


def make_control() -> RunControl:
    """Return the controls of a run: held by the first process if there are several."""
    group = ProcessGroup.current()
    return RunControl(group) if group.size == 1 else DistributedControl(group)
