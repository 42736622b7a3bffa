"""The history of a run as arrays, and what else is known about the run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from histowidgets.errors import AdviceError

#: A peak learning rate this many times the first one is a warm-up (One Cycle starts at a 25th).
RAMP_RATIO = 1.5
#: Share of the epochs that One Cycle warms up for (PyTorch's default).
ONE_CYCLE_RAMP = 0.3

# A larger number, or a missing one, is replaced by the position of the record.
_MOST_EPOCHS = 2**53
_NUMBERS = ("train_loss", "val_loss", "train_miou", "val_miou", "val_accuracy", "learning_rate")


@dataclass(frozen=True)
class Curves:
    """One value an epoch in each array; NaN where nothing was measured.

    Attributes
    ----------
    epoch : ndarray of int
    train_loss, val_loss, train_miou, val_miou, val_accuracy, learning_rate : ndarray of float64
    class_iou : dict of str to ndarray of float64
        Validation IoU of each class.
    broken : tuple of (int, str)
        Epochs whose loss was computed and is NaN or infinite, and which loss. (None means not measured.)
    steps : int or None
        Steps in an epoch, where the records say so.
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
        """Return the first epochs alone."""
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

        It equals the number of epochs while the learning rate is still rising.
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
        """The epoch with the best validation mIoU, else with the lowest validation loss."""
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
        One record an epoch; missing keys and None mean "not measured". NumPy numbers are accepted.

    Raises
    ------
    AdviceError
        A record is not a mapping, or holds something else where a number is needed.
    """
    try:
        records = list(history)
    except TypeError:
        raise AdviceError(
            f"The history is a {type(history).__name__}; a list of one record an epoch is wanted."
        ) from None
    for position, record in enumerate(records, 1):
        if not isinstance(record, Mapping):
            raise AdviceError(f"Record {position} of the history is a {type(record).__name__}; a dict is wanted.")
    epoch = [_number(r.get("epoch"), "epoch", i) for i, r in enumerate(records, 1)]
    columns = {
        name: np.array([_number(r.get(name), name, i) for i, r in enumerate(records, 1)], float) for name in _NUMBERS
    }
    broken = []
    for i, record in enumerate(records):
        for name in ("train_loss", "val_loss"):
            if record.get(name) is not None and not math.isfinite(columns[name][i]):
                broken.append((_epoch(epoch[i], i), name))
    for name in _NUMBERS:
        columns[name][~np.isfinite(columns[name])] = math.nan
    return Curves(
        epoch=np.array([_epoch(value, i) for i, value in enumerate(epoch)], int),
        class_iou=_class_columns(records),
        broken=tuple(broken),
        steps=_steps(records),
        **columns,
    )


def _epoch(value: float, index: int) -> int:
    return int(value) if abs(value) < _MOST_EPOCHS else index + 1


def _class_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """IoU of each class that any record names, in the order in which they first appear."""
    columns: dict[str, np.ndarray] = {}
    for i, record in enumerate(records):
        scores = record.get("val_iou")
        if scores is None:
            continue
        if not isinstance(scores, Mapping):
            raise AdviceError(
                f"val_iou of record {i + 1} is a {type(scores).__name__}; a dict of class name to IoU is wanted."
            )
        for name, value in scores.items():
            column = columns.setdefault(str(name), np.full(len(records), math.nan))
            column[i] = _number(value, f"val_iou of {name}", i + 1)
    return columns


def _steps(records: Sequence[Mapping[str, Any]]) -> int | None:
    for i in range(len(records) - 1, -1, -1):
        for name in ("steps", "steps_per_epoch"):
            value = _number(records[i].get(name), name, i + 1)
            if math.isfinite(value):
                return int(value)
    return None


def _number(value: Any, name: str, record: int) -> float:
    if value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        raise AdviceError(
            f"{name} of record {record} of the history is {value!r}; a number or None is wanted."
        ) from None


@dataclass(frozen=True)
class RunContext:
    """What `diagnose` knows of a run: the curves, the settings, and what the history does not contain.

    Attributes
    ----------
    curves : Curves
    settings : object, mapping or None
        Has the attributes or keys of `TrainingSettings`; missing ones count as unknown.
    steps_per_epoch, n_train_tiles : int or None
    class_tiles : mapping or None
        Class name to (tiles in training, tiles in validation).
    confusion : mapping or None
        True class to a mapping of predicted class to a number of pixels.
    """

    curves: Curves
    settings: Any = None
    steps_per_epoch: int | None = None
    n_train_tiles: int | None = None
    class_tiles: Mapping[str, tuple[int, int]] | None = None
    confusion: Mapping[str, Mapping[str, float]] | None = None
    held_out_strokes: Mapping[str, int] | None = None

    def setting(self, name: str) -> Any:
        """Return a setting, or None where it is not known."""
        if isinstance(self.settings, Mapping):
            return self.settings.get(name)
        return getattr(self.settings, name, None)

    @property
    def learning_rate(self) -> float | None:
        """The highest learning rate: the one that was set, else the highest that was recorded."""
        value = self.setting("learning_rate")
        if value is not None:
            return float(value)
        recorded = self.curves.learning_rate
        return float(np.nanmax(recorded)) if np.isfinite(recorded).any() else None

    @property
    def best_epoch(self) -> int | None:
        """The epoch that the run keeps: with ``best_tolerance`` the latest that comes so near to the highest score."""
        tolerance = self.setting("best_tolerance")
        scores = self.curves.val_miou
        if not tolerance or self.setting("early_stopping_metric") != "miou" or not np.isfinite(scores).any():
            return self.curves.best_epoch
        reached = np.fmax.accumulate(scores)
        return int(self.curves.epoch[np.flatnonzero(scores >= reached - tolerance)[-1]])

    @property
    def steps(self) -> int | None:
        """Steps in an epoch, as told, as recorded, as set, or from tiles and batch size."""
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
        """Epochs that the One Cycle of the settings warms up for; 0 where it is not known."""
        if self.setting("scheduler") != "one-cycle" or not self.setting("epochs"):
            return 0
        return math.ceil(ONE_CYCLE_RAMP * int(self.setting("epochs")))
