"""The events of a run and the record of an epoch: immutable values, safe to pass between threads. No torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

from histowidgets.errors import TrainingError
from histowidgets.training.settings import TrainingSettings

State = Literal["preparing", "running", "paused", "stopping", "finished", "stopped", "failed"]
"""The states of a run; the last three are final."""

FINAL_STATES: frozenset[str] = frozenset({"finished", "stopped", "failed"})

Keep = Literal["best", "last", "nothing"]
"""Which weights a stopped run keeps: those of the best epoch, the last ones, or none."""

KEEP_CHOICES: tuple[Keep, ...] = get_args(Keep)


class EpochRecord(TypedDict):
    """The numbers of one epoch; None means "not measured". Made by the training loop or `parse_epoch_record`.

    ``epoch`` counts from 1. The ``val_…`` entries are None without validation labels; ``val_iou`` holds the IoU of each
    class over labelled pixels, None for a class without validation labels. ``learning_rate`` is that of the decoder at
    the end of the epoch. ``seconds`` is the time since the start of the run, without pauses. ``steps`` is the number of
    steps in an epoch.
    """

    epoch: int
    train_loss: float | None
    val_loss: float | None
    train_miou: float | None
    val_miou: float | None
    val_iou: dict[str, float | None]
    val_accuracy: float | None
    learning_rate: float | None
    seconds: float | None
    steps: int | None


MEASUREMENTS = ("train_loss", "val_loss", "train_miou", "val_miou", "val_accuracy", "learning_rate", "seconds")
"""The entries of a record that hold one number or None."""


def parse_epoch_record(values: Mapping[str, Any], next_epoch: int = 1) -> EpochRecord:
    """Validate an epoch's values from any training loop, and complete them to a record.

    Parameters
    ----------
    values : mapping
        The entries of `EpochRecord`, all optional; ``steps_per_epoch`` is read as ``steps``. Numbers may be NaN or
        infinite (measured, but not finite) and of any numeric type. Other keys are ignored.
    next_epoch : int, default 1
        The epoch if `values` has none. Fractions of an epoch, as some loops report, are kept.

    Returns
    -------
    EpochRecord

    Raises
    ------
    TrainingError
        `values` is not a mapping, or an entry is not a number.
    """
    if not isinstance(values, Mapping):
        raise TrainingError(
            f"The record of an epoch is {values!r}; expected a dict such as {{'epoch': 1, 'train_loss': 0.7}}."
        )
    epoch = _number("epoch", values.get("epoch"))
    if epoch is None or not math.isfinite(epoch):
        epoch = next_epoch
    iou = values.get("val_iou")
    iou = {} if iou is None else iou
    if not isinstance(iou, Mapping):
        raise TrainingError(f"val_iou is {iou!r}; expected a mapping of class names to numbers.")
    steps = next((n for n in (_number(k, values.get(k)) for k in ("steps", "steps_per_epoch")) if n is not None), None)
    record = {
        "epoch": int(epoch) if float(epoch).is_integer() else epoch,
        **{name: _number(name, values.get(name)) for name in MEASUREMENTS},
        "val_iou": {str(name): _number(f"val_iou of {name}", value) for name, value in iou.items()},
        "steps": int(steps) if steps is not None and math.isfinite(steps) else None,
    }
    return cast(EpochRecord, record)


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TrainingError(
            f"{name} is {value!r}; expected a number or None. Give one value per epoch, such as the mean of its steps."
        ) from error


@dataclass(frozen=True)
class RunStarted:
    """Training begins: the network has been built and the tiles have been planned.

    Attributes
    ----------
    run_id : str
    n_train_tiles, n_validation_tiles : int
        0 if unknown.
    steps_per_epoch, epochs : int
        0 if unknown.
    backbone : str
    compute_format : str
        The number format and memory format of the computation.
    class_labels : mapping or None
        Maps class names to the number of annotations in training and the number of pixels in validation; None if
        nothing is held out.
    settings : TrainingSettings or None
        None if unknown.
    """

    run_id: str
    n_train_tiles: int
    n_validation_tiles: int
    steps_per_epoch: int
    epochs: int
    backbone: str
    compute_format: str = ""
    class_labels: Mapping[str, tuple[int, int]] | None = None
    settings: TrainingSettings | None = None


@dataclass(frozen=True)
class BatchEnded:
    """One step is done: `step` of `steps` in `epoch`, both counted from 1."""

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    seconds_left: float | None


@dataclass(frozen=True)
class EpochEnded:
    """One epoch is done.

    Attributes
    ----------
    record : EpochRecord
    is_best : bool
        Whether its weights are the best so far, and kept.
    confusion : list of list of int, or None
        Numbers of labelled validation pixels, with a row for each true class in the order of ``val_iou``; None without
        validation labels.
    """

    record: EpochRecord
    is_best: bool
    confusion: list[list[int]] | None = None


@dataclass(frozen=True)
class StateChanged:
    """The state of the run has changed."""

    state: State


@dataclass(frozen=True)
class Message:
    """A message for the user."""

    level: Literal["info", "warning"]
    text: str


@dataclass(frozen=True)
class RunFailed:
    """The run failed: the reason in one line, and the traceback."""

    reason: str
    traceback: str


@dataclass(frozen=True)
class RunEnded:
    """The last event: the run is over. `best_epoch` is the epoch whose weights are kept, if any."""

    state: State
    best_epoch: int | None


Event = RunStarted | BatchEnded | EpochEnded | StateChanged | Message | RunFailed | RunEnded
