"""The history of a run as arrays, and the context of the run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from histowidgets.errors import AdviceError, TrainingError
from histowidgets.training import EpochRecord, parse_epoch_record

#: The learning rate warms up if its peak is this many times the first rate (One Cycle starts at 1/25).
RAMP_RATIO = 1.5
#: Share of the epochs that One Cycle warms up for (PyTorch's default).
ONE_CYCLE_RAMP = 0.3

# A larger or missing epoch number is replaced by the position of the record.
_MOST_EPOCHS = 2**53
_Number = Literal["train_loss", "val_loss", "train_miou", "val_miou", "val_accuracy", "learning_rate"]
_NUMBERS: tuple[_Number, ...] = get_args(_Number)
_LOSSES: tuple[_Number, ...] = ("train_loss", "val_loss")


@dataclass(frozen=True)
class Curves:
    """Arrays with one value for each epoch; NaN where nothing was measured.

    Attributes
    ----------
    epoch : ndarray of int
    train_loss, val_loss, train_miou, val_miou, val_accuracy, learning_rate : ndarray of float64
    class_iou : dict of str to ndarray of float64
        Validation IoU of each class.
    broken : tuple of (int, str)
        Epochs in which a loss was NaN or infinite, and the name of this loss. (None means not measured.)
    steps : int or None
        Steps in an epoch, if recorded.
    """

    epoch: np.ndarray
    train_loss: np.ndarray
    val_loss: np.ndarray
    train_miou: np.ndarray
    val_miou: np.ndarray
    val_accuracy: np.ndarray
    learning_rate: np.ndarray
    class_iou: dict[str, np.ndarray]
    broken: tuple[tuple[int, str], ...]
    steps: int | None

    def __len__(self) -> int:
        return len(self.epoch)

    def until(self, epochs: int) -> "Curves":
        """Return the curves of the first epochs only."""
        own = {name: getattr(self, name)[:epochs] for name in ("epoch", *_NUMBERS)}
        iou = {name: values[:epochs] for name, values in self.class_iou.items()}
        broken = tuple(one for one in self.broken if one[0] <= own["epoch"][-1])
        return Curves(class_iou=iou, broken=broken, steps=self.steps, **own)

    @property
    def validated(self) -> bool:
        """Whether any validation was measured."""
        return bool(np.isfinite(self.val_loss).any() or np.isfinite(self.val_miou).any())

    @property
    def warmup_end(self) -> int:
        """Index of the first epoch after a warm-up of the learning rate (One Cycle), 0 without one.

        While the learning rate is still rising, it is the number of epochs.
        """
        rate = self.learning_rate
        known = np.isfinite(rate)
        if known.sum() < 2:
            return 0
        peak = int(np.nanargmax(rate))
        first = rate[known][0]
        if peak == 0 or first <= 0 or first * RAMP_RATIO > rate[peak]:
            return 0
        return peak + 1

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the highest validation mIoU, or else the lowest validation loss."""
        if np.isfinite(self.val_miou).any():
            return int(self.epoch[int(np.nanargmax(self.val_miou))])
        if np.isfinite(self.val_loss).any():
            return int(self.epoch[int(np.nanargmin(self.val_loss))])
        return None


def read_history(history: Iterable[Mapping[str, Any]]) -> Curves:
    """Turn the records of a run into arrays.

    Parameters
    ----------
    history : iterable of mappings
        One record for each epoch; missing keys and None mean "not measured". NumPy numbers are accepted.

    Raises
    ------
    AdviceError
        A record is not a mapping, or a value is not a number.
    """
    try:
        records = list(history)
    except TypeError:
        raise AdviceError(
            f"The history is a {type(history).__name__}; expected a list with one record for each epoch."
        ) from None
    parsed = [_parsed(record, position) for position, record in enumerate(records, 1)]
    columns = {name: _column([record[name] for record in parsed]) for name in _NUMBERS}
    epoch = np.array([_epoch(record["epoch"], i) for i, record in enumerate(parsed)], int)
    broken = [
        (int(epoch[i]), name)
        for i, record in enumerate(parsed)
        for name in _LOSSES
        if (loss := record[name]) is not None and not math.isfinite(loss)
    ]
    classes = dict.fromkeys(name for record in parsed for name in record["val_iou"])
    return Curves(
        epoch=epoch,
        class_iou={name: _column([record["val_iou"].get(name) for record in parsed]) for name in classes},
        broken=tuple(broken),
        steps=next((record["steps"] for record in reversed(parsed) if record["steps"] is not None), None),
        **columns,
    )


def _parsed(record: Any, position: int) -> EpochRecord:
    try:
        return parse_epoch_record(record, position)
    except TrainingError as error:
        raise AdviceError(f"Record {position} of the history is not valid. {error}") from error


def _column(values: Sequence[float | None]) -> np.ndarray:
    """Return values as an array; NaN where nothing was measured, or where the value was not finite."""
    column = np.array([math.nan if value is None else value for value in values], float)
    column[~np.isfinite(column)] = math.nan
    return column


def _epoch(value: float, index: int) -> int:
    return int(value) if abs(value) < _MOST_EPOCHS else index + 1


@dataclass(frozen=True)
class RunContext:
    """What `diagnose` knows about a run: its curves, its settings, and what the history does not contain.

    Attributes
    ----------
    curves : Curves
    settings : object, mapping or None
        An object with the attributes or keys of `TrainingSettings`; missing ones are unknown.
    steps_per_epoch, n_train_tiles : int or None
    class_tiles : mapping or None
        Maps class names to (tiles in training, tiles in validation).
    confusion : mapping or None
        Maps each true class to a mapping from predicted class to number of pixels.
    """

    curves: Curves
    settings: Any = None
    steps_per_epoch: int | None = None
    n_train_tiles: int | None = None
    class_tiles: Mapping[str, tuple[int, int]] | None = None
    confusion: Mapping[str, Mapping[str, float]] | None = None
    held_out_strokes: Mapping[str, int] | None = None

    def setting(self, name: str) -> Any:
        """Return a setting, or None if unknown."""
        if isinstance(self.settings, Mapping):
            return self.settings.get(name)
        return getattr(self.settings, name, None)

    @property
    def learning_rate(self) -> float | None:
        """The highest learning rate: from the settings, or else from the records."""
        value = self.setting("learning_rate")
        if value is not None:
            return float(value)
        recorded = self.curves.learning_rate
        return float(np.nanmax(recorded)) if np.isfinite(recorded).any() else None

    @property
    def best_epoch(self) -> int | None:
        """The epoch that the run keeps: the latest whose score is within ``best_tolerance`` of the highest."""
        tolerance = self.setting("best_tolerance")
        scores = self.curves.val_miou
        if not tolerance or self.setting("early_stopping_metric") != "miou" or not np.isfinite(scores).any():
            return self.curves.best_epoch
        reached = np.fmax.accumulate(scores)
        return int(self.curves.epoch[np.flatnonzero(scores >= reached - tolerance)[-1]])

    @property
    def steps(self) -> int | None:
        """Steps in an epoch: as given, as recorded, as set, or from the numbers of tiles and the batch size."""
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        if self.curves.steps is not None:
            return self.curves.steps
        if self.setting("steps_per_epoch"):
            return int(self.setting("steps_per_epoch"))
        batch = self.setting("batch_size")
        if self.n_train_tiles is not None and batch:
            return max(1, math.ceil(self.n_train_tiles / int(batch)))
        return None

    @property
    def scheduled_warmup(self) -> int:
        """Epochs of the One Cycle warm-up in the settings; 0 if unknown."""
        if self.setting("scheduler") != "one-cycle" or not self.setting("epochs"):
            return 0
        return math.ceil(ONE_CYCLE_RAMP * int(self.setting("epochs")))
