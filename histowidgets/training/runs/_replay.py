"""A run that replays given records without training. No torch."""

from collections.abc import Iterable, Mapping
from typing import Any

from histowidgets._threads import BackgroundThread
from histowidgets.training._events import EpochEnded, Keep, RunStarted, StateChanged, parse_epoch_record
from histowidgets.training.loop import ModelSelection
from histowidgets.training.runs._base import Run
from histowidgets.training.settings import TrainingSettings


class ReplayedRun(Run):
    """A run made of records; see `replay`."""

    classifier = None

    def __init__(self, records: Iterable[Mapping[str, Any]], settings: TrainingSettings) -> None:
        super().__init__("replay", settings)
        self._settings = settings
        self._left = [parse_epoch_record(record, number) for number, record in enumerate(records, 1)]
        self._emit(RunStarted(self.id, 0, 0, 0, len(self._left), settings.backbone, settings=settings))
        self._emit(StateChanged("running"))

    @property
    def settings(self) -> TrainingSettings:
        """The settings that the run reports."""
        return self._settings

    def advance(self) -> bool:
        """Emit the next epoch, and the end after the last one; return whether any epochs are left."""
        with self._changed:
            if self.is_over:
                return False
            record = self._left.pop(0) if self._left else None
        if record is not None:
            best = self._state.record_of(self.best_epoch)
            better = ModelSelection.of(self.settings).is_better(record, best, self.history)
            self._emit(EpochEnded(record, better), when=lambda: not self.is_over)
        if not self._left:
            self._end("finished", self.best_epoch)
        return not self.is_over

    def stop(self, keep: Keep = "best") -> None:
        """End the replay at once; `keep` determines `best_epoch`, as in a training."""
        super().stop(keep)
        best = self.best_epoch
        if keep == "nothing":
            best = None
        elif keep == "last" and self.history:
            best = self.history[-1]["epoch"]
        self._end("stopped", best)

    def play(self, interval: float) -> None:
        """Emit an epoch every `interval` seconds until the end."""
        while not self._ended.wait(interval):
            self._hold_while_paused()
            self.advance()


def replay(
    records: Iterable[Mapping[str, Any]], settings: TrainingSettings | None = None, interval: float | None = 0
) -> ReplayedRun:
    """Return a run that emits given records instead of training, for tests, demos and old histories.

    Parameters
    ----------
    records : iterable of EpochRecord or of mappings
        The epochs, in order; missing entries of a record mean "not measured".
    settings : TrainingSettings, optional
        The settings that the run reports; by default the default settings.
    interval : float or None
        Seconds between epochs, which a thread emits; with 0 all are emitted before returning; with None each call of
        ``advance()`` emits one.

    Returns
    -------
    ReplayedRun
        With the attributes and methods of a `TrainingRun`; its classifier is None.

    Raises
    ------
    TrainingError
        A record is not a mapping, or a value is not a number.
    """
    run = ReplayedRun(records, settings if settings is not None else TrainingSettings())
    if interval == 0:
        while run.advance():
            pass
    elif interval is not None:
        BackgroundThread(run.play, "replay", (interval,), stop=run.stop).start()
    return run
