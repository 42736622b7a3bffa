"""A run that replays given records: the face of a training without the training. No torch."""

import threading
from collections.abc import Iterable

from histowidgets.training._events import EpochEnded, EpochRecord, Keep, RunStarted, StateChanged
from histowidgets.training.loop import ModelSelection
from histowidgets.training.runs._pausable import PausableRun
from histowidgets.training.settings import TrainingSettings


class ReplayedRun(PausableRun):
    """A run made of records; see `replay`."""

    classifier = None

    def __init__(self, records: Iterable[EpochRecord], settings: TrainingSettings) -> None:
        super().__init__("replay", settings)
        self._left = list(records)
        self._emit(RunStarted(self.id, 0, 0, 0, len(self._left), settings.backbone))
        self._emit(StateChanged("running"))

    def advance(self) -> bool:
        """Emit the next epoch, and the end after the last; return whether any is left."""
        with self._changed:
            if self.is_over:
                return False
            record = self._left.pop(0) if self._left else None
        if record is not None:
            best = next((past for past in self.history if past["epoch"] == self.best_epoch), None)
            better = ModelSelection.of(self.settings).is_better(record, best, self.history)
            self._emit(EpochEnded(record, better), when=lambda: not self.is_over)
        if not self._left:
            self._end("finished")
        return not self.is_over

    def stop(self, keep: Keep = "best") -> None:
        """End the replay; `keep` says which epoch `best_epoch` names, as in a training."""
        with self._changed:
            if self.is_over:
                return
            if keep == "nothing":
                self.best_epoch = None
            elif keep == "last" and self.history:
                self.best_epoch = self.history[-1]["epoch"]
        self._end("stopped")

    def _play(self, interval: float) -> None:
        while not self._ended.wait(interval):
            self._hold()
            self.advance()


def replay(
    records: Iterable[EpochRecord], settings: TrainingSettings | None = None, interval: float | None = 0
) -> ReplayedRun:
    """Make a run that emits given records instead of training, for tests, demos and old histories.

    Parameters
    ----------
    records : iterable of EpochRecord
        The epochs, in order.
    settings : TrainingSettings, optional
        What the run says it was started with; the defaults if left out.
    interval : float or None
        Seconds between epochs, emitted by a thread; 0 emits all before returning; None emits one at each call of
        ``advance()``.

    Returns
    -------
    ReplayedRun
        With the attributes and methods of a `TrainingRun`; its classifier is None.
    """
    run = ReplayedRun(records, settings if settings is not None else TrainingSettings())
    if interval == 0:
        while run.advance():
            pass
    elif interval is not None:
        threading.Thread(target=run._play, args=(interval,), name="histowidgets-replay", daemon=True).start()
    return run
