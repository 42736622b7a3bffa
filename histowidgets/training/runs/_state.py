"""The state of a run, computed from its events. No torch."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from histowidgets.training._events import (
    FINAL_STATES,
    BatchEnded,
    EpochEnded,
    EpochRecord,
    Event,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    State,
    StateChanged,
)
from histowidgets.training.settings import TrainingSettings

Confusion = list[list[int]]


@dataclass
class RunState:
    """The state of a run according to its events so far.

    Each run has one, and so has each reader that needs a consistent state on its own thread, such as the monitor. It is
    not thread-safe: use it on one thread, or with a lock.

    Attributes
    ----------
    settings : TrainingSettings or None
        None if unknown, as for your own training loop.
    state : str or None
        None before the first event.
    epochs : int or None
        The planned number of epochs.
    backbone, compute_format : str
    n_train_tiles, n_validation_tiles, steps_per_epoch : int
        0 if unknown.
    class_labels : mapping or None
        See `RunStarted`.
    history : list of EpochRecord
        In the order of the epochs; a new record of the same epoch replaces the earlier one.
    rewritten : int
        Number of times that `history` was changed other than at its end.
    best_epoch : int or None
        The epoch whose weights are kept.
    messages : list of Message
    epoch : int or None
        The present epoch, from 1.
    step, steps : int or None
        The last step of the present epoch, from 1, and the number of its steps; None between epochs.
    seconds_left : float or None
        Estimated remaining time.
        reason, traceback : str
        Why the run failed.
    ended : bool
        Whether the last event has arrived.
    """

    settings: TrainingSettings | None = None
    state: State | None = None
    epochs: int | None = None
    backbone: str = ""
    compute_format: str = ""
    n_train_tiles: int = 0
    n_validation_tiles: int = 0
    steps_per_epoch: int = 0
    class_labels: Mapping[str, tuple[int, int]] | None = None
    history: list[EpochRecord] = field(default_factory=list)
    rewritten: int = 0
    best_epoch: int | None = None
    messages: list[Message] = field(default_factory=list)
    epoch: int | None = None
    step: int | None = None
    steps: int | None = None
    seconds_left: float | None = None
    reason: str = ""
    traceback: str = ""
    ended: bool = False
    _confusions: dict[int, Confusion | None] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Update the state with the next event."""
        match event:
            case RunStarted():
                self._start(event)
            case BatchEnded():
                self.epoch, self.step, self.steps = event.epoch, event.step, event.steps
                self.seconds_left = event.seconds_left
            case EpochEnded():
                self._add(event)
            case StateChanged():
                self.state = event.state
            case Message():
                self.messages.append(event)
            case RunFailed():
                self.reason, self.traceback = event.reason, event.traceback
            case RunEnded():
                self.state, self.best_epoch = event.state, event.best_epoch
                self.step, self.seconds_left, self.ended = None, 0.0, True
                if self.history:
                    self.epoch = self.history[-1]["epoch"]

    def record_of(self, epoch: float | None) -> EpochRecord | None:
        """Return the record of an epoch, or None if there is none."""
        if epoch is None:
            return None
        at = self._place_of(epoch)
        return self.history[at] if at < len(self.history) and self.history[at]["epoch"] == epoch else None

    @property
    def next_epoch(self) -> int:
        """The next whole epoch."""
        return int(self.history[-1]["epoch"] // 1) + 1 if self.history else 1

    @property
    def seconds(self) -> float | None:
        """Seconds of training up to the end of the last epoch, without pauses."""
        return self.history[-1]["seconds"] if self.history else None

    @property
    def is_over(self) -> bool:
        """Whether the run is in a final state."""
        return self.state in FINAL_STATES

    @property
    def scores(self) -> dict[str, Any]:
        """The record of the best epoch, with its confusion matrix as ``confusion``; empty if there is none."""
        record = self.record_of(self.best_epoch)
        return {} if record is None else {**record, "confusion": self._confusions.get(record["epoch"])}

    def _start(self, event: RunStarted) -> None:
        self.epochs = event.epochs or None
        self.backbone, self.compute_format, self.class_labels = event.backbone, event.compute_format, event.class_labels
        self.n_train_tiles, self.n_validation_tiles = event.n_train_tiles, event.n_validation_tiles
        self.steps_per_epoch = event.steps_per_epoch
        if event.settings is not None:
            self.settings = event.settings

    def _add(self, event: EpochEnded) -> None:
        record = event.record
        at = self._place_of(record["epoch"])
        if at == len(self.history):
            self.history.append(record)
        else:
            self.rewritten += 1
            self.history[at : at + (self.history[at]["epoch"] == record["epoch"])] = [record]
        if event.is_best:
            self.best_epoch = record["epoch"]
        # A stopped run keeps the best or the last epoch, so other confusion matrices are not needed.
        wanted = {self.best_epoch, self.history[-1]["epoch"]}
        confusions = {**self._confusions, record["epoch"]: event.confusion}
        self._confusions = {epoch: matrix for epoch, matrix in confusions.items() if epoch in wanted}
        self.epoch, self.step = self.history[-1]["epoch"], None

    def _place_of(self, epoch: float) -> int:
        if not self.history or epoch > self.history[-1]["epoch"]:
            return len(self.history)
        return bisect_left(self.history, epoch, key=lambda record: record["epoch"])
