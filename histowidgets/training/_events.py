"""What a run tells those who listen: frozen objects, safe to pass between threads. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

State = Literal["preparing", "running", "paused", "stopping", "finished", "stopped", "failed"]
"""The states of a run; the last three are final."""

Keep = Literal["best", "last", "nothing"]
"""Which weights a run that is stopped keeps: those of the best epoch, those of that moment, or none."""

FINAL_STATES: frozenset[str] = frozenset({"finished", "stopped", "failed"})


class EpochRecord(TypedDict):
    """One epoch in numbers.

    ``epoch`` counts from 1. ``val_…`` are None without validation labels; ``val_iou`` has each class's IoU over
    labelled pixels, None for a class that the validation labels lack (row B12). ``seconds`` count from the start
    of the run, pauses left out. ``learning_rate`` is the decoder's at the epoch's end. ``steps`` is how many steps an
    epoch has (row N10); None in runs of versions that did not say so.
    """

    epoch: int
    train_loss: float
    val_loss: float | None
    train_miou: float | None
    val_miou: float | None
    val_iou: dict[str, float | None]
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    steps: int | None


@dataclass(frozen=True)
class RunStarted:
    """Training begins: the network is built and the tiles are placed; `arithmetic` says how it computes.

    `class_labels` has for each class how many annotations training sees, and how many pixels validation measures on;
    None where nothing is held out.
    """

    run_id: str
    n_train_tiles: int
    n_validation_tiles: int
    steps_per_epoch: int
    epochs: int
    backbone: str
    arithmetic: str = ""
    class_labels: Mapping[str, tuple[int, int]] | None = None


@dataclass(frozen=True)
class BatchEnded:
    """One step is done: `step` of `steps` in `epoch`, both from 1."""

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    seconds_left: float | None


@dataclass(frozen=True)
class EpochEnded:
    """One epoch is done; `is_best` says that its weights are kept."""

    record: EpochRecord
    is_best: bool


@dataclass(frozen=True)
class StateChanged:
    """The run is in another state."""

    state: State


@dataclass(frozen=True)
class Message:
    """Something a person should know."""

    level: Literal["info", "warning"]
    text: str


@dataclass(frozen=True)
class RunFailed:
    """The run broke off; the reason in a line, and the traceback."""

    reason: str
    traceback: str


@dataclass(frozen=True)
class RunEnded:
    """The run is over; the last event. `best_epoch` is the epoch whose weights are kept, if any."""

    state: State
    best_epoch: int | None


Event = RunStarted | BatchEnded | EpochEnded | StateChanged | Message | RunFailed | RunEnded
