"""The records of a run as curves, and the numbers on their axes. Knows neither a widget nor the page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from histowidgets.errors import WidgetError

# A path of more points is slower to draw and looks the same at the width of any screen.
MAX_POINTS = 2000
# About how many numbers stand on an axis.
EPOCH_TICKS, LINEAR_TICKS = 6, 4

# What a record may hold beside `epoch` and `val_iou`, all optional.
NUMBERS = (
    "train_loss",
    "val_loss",
    "train_miou",
    "val_miou",
    "val_accuracy",
    "learning_rate",
    "seconds",
)

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """One curve: epochs and values, both float64 of shape (n,); NaN where a value was no number."""

    x: Floats
    y: Floats


# Colour and dash of the two lines of a chart, wherever it is drawn.
TRAIN_LINE, VALIDATION_LINE = ("#0072B2", "solid"), ("#D55E00", "dashed")

NO_CURVE = Curve(np.empty(0), np.empty(0))


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise WidgetError(
            f"{name} of an epoch's record must be a number or None, got {value!r}; leave it out instead"
        ) from error


class EpochLog:
    """The records of one run in the order of their epochs; a record of an epoch seen before replaces the old one."""

    def __init__(self) -> None:
        self._records: dict[float, dict[str, Any]] = {}
        self._in_order = True
        self._reported_best: float | None = None
        self._first, self._last = math.inf, -math.inf
        self._classes: dict[str, None] = {}
        # Each curve's epochs and values so far: a monitor draws five times a second, however long the run is.
        self._points: dict[tuple[str, str | None], tuple[list[float], list[float]]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Mapping[str, Any], is_best: bool | None = None) -> None:
        """Take in what one epoch measured.

        Parameters
        ----------
        record
            ``epoch`` (the next whole number if missing), ``train_loss``, ``val_loss``, ``train_miou``, ``val_miou``,
            ``val_iou`` (class name to IoU), ``val_accuracy``, ``learning_rate``, ``seconds``. Anything may be
            missing or None (not measured), NaN or infinite (measured, and no number). More keys are ignored.
        is_best
            Whether the run says that this is its best epoch so far; None if it does not say.

        Raises
        ------
        WidgetError
            The record is no mapping, or holds something that is no number.
        """
        if not isinstance(record, Mapping):
            raise WidgetError(
                f"an epoch's record must be a dict such as {{'epoch': 1, 'train_loss': 0.7}}, got {record!r}"
            )
        epoch = _number(record.get("epoch"), "epoch")
        if epoch is None or not math.isfinite(epoch):
            epoch = math.floor(self.last_epoch) + 1.0 if self._records else 1.0
        row: dict[str, Any] = {"epoch": epoch}
        row.update({name: _number(record.get(name), name) for name in NUMBERS})
        per_class = record.get("val_iou")
        per_class = {} if per_class is None else per_class
        if not isinstance(per_class, Mapping):
            raise WidgetError(f"val_iou must map class names to numbers, got {per_class!r}")
        row["val_iou"] = {str(name): _number(value, f"val_iou of {name}") for name, value in per_class.items()}
        self._keep(epoch, row)
        if is_best:
            self._reported_best = epoch

    def _keep(self, epoch: float, row: dict[str, Any]) -> None:
        is_next = epoch > self._last
        if not is_next:
            self._in_order = self._in_order and epoch in self._records
            self._points.clear()
        self._records[epoch] = row
        self._classes.update(dict.fromkeys(row["val_iou"]))
        self._first, self._last = min(self._first, epoch), max(self._last, epoch)
        if is_next:
            for (name, class_name), points in self._points.items():
                _append(points, row, name, class_name)

    def mark_best(self, epoch: float | None) -> None:
        """Take the run's word for which epoch is best; None changes nothing."""
        if epoch is not None:
            self._reported_best = float(epoch)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records, first epoch first."""
        if not self._in_order:
            self._records = dict(sorted(self._records.items()))
            self._in_order = True
        return list(self._records.values())

    @property
    def first_epoch(self) -> float:
        """The lowest epoch; 1 without records."""
        return self._first if self._records else 1.0

    @property
    def last_epoch(self) -> float:
        """The highest epoch; 1 without records."""
        return self._last if self._records else 1.0

    @property
    def best_epoch(self) -> float | None:
        """The epoch the run reported as best, else that of the highest val_miou, else of the lowest val_loss."""
        if self._reported_best in self._records:
            return self._reported_best
        for name, sign in (("val_miou", -1.0), ("val_loss", 1.0)):
            curve = self.curve(name)
            if np.isfinite(curve.y).any():
                return float(curve.x[np.nanargmin(sign * curve.y)])
        return None

    def record_of(self, epoch: float | None) -> dict[str, Any] | None:
        """Return the record of `epoch`, or None."""
        return None if epoch is None else self._records.get(epoch)

    def class_names(self) -> list[str]:
        """Return the classes that any record has an IoU for, in the order they came."""
        return list(self._classes)

    def curve(self, name: str, class_name: str | None = None) -> Curve:
        """Return one quantity over the epochs; of "val_iou", that of `class_name`.

        What was not measured is left out, so that the line joins its neighbours (a loop may validate every fifth
        epoch); what was measured and is no finite number stays in as NaN, so that the line has a gap.
        """
        points = self._points.get((name, class_name))
        if points is None:
            points = self._points[name, class_name] = ([], [])
            for row in self.records:
                _append(points, row, name, class_name)
        return Curve(np.array(points[0], dtype=np.float64), np.array(points[1], dtype=np.float64))


def _append(points: tuple[list[float], list[float]], row: Mapping[str, Any], name: str, class_name: str | None) -> None:
    value = row[name] if class_name is None else row[name].get(class_name)
    if value is not None:
        points[0].append(row["epoch"])
        points[1].append(value if math.isfinite(value) else math.nan)


def joined(curves: Sequence[Curve]) -> Curve:
    """Return the curves as one, with a gap after each; `trimmed` takes off the last."""
    parts = [curve for curve in curves if len(curve.x)]
    if not parts:
        return NO_CURVE
    gap = np.array([np.nan])
    return Curve(
        np.concatenate([piece for curve in parts for piece in (curve.x, curve.x[-1:])]),
        np.concatenate([piece for curve in parts for piece in (curve.y, gap)]),
    )


def thin(curve: Curve) -> Curve:
    """Return `curve` with at most `MAX_POINTS` points, keeping the ends and each stretch's lowest and highest value.

    Keeping the extremes, and not every n-th point, keeps a spike of one epoch on the chart.
    """
    n = len(curve.x)
    if n <= MAX_POINTS:
        return curve
    buckets = (MAX_POINTS - 2) // 2
    size = math.ceil(n / buckets)
    values = np.full(buckets * size, np.nan)
    values[:n] = curve.y
    grid = values.reshape(buckets, size)
    missing = np.isnan(grid)
    offset = np.arange(buckets) * size
    lows = np.where(missing, np.inf, grid).argmin(axis=1) + offset
    highs = np.where(missing, -np.inf, grid).argmax(axis=1) + offset
    keep = np.unique(np.concatenate([[0, n - 1], lows, highs]))
    keep = keep[keep < n]
    return Curve(curve.x[keep], curve.y[keep])


# How much of the past a smoothed point keeps, from 0 to below 1.
SMOOTHING = {"none": 0.0, "light": 0.6, "strong": 0.9}


def smoothed(curve: Curve, memory: float) -> Curve:
    """Return an exponential moving average of `curve`, without its usual pull towards 0 at the start.

    What is NaN stays so, and counts for nothing in its neighbours.
    """
    if memory <= 0 or len(curve.x) == 0:
        return curve
    from scipy.signal import lfilter  # slow to load, and most never smooth

    known = np.isfinite(curve.y)
    top = lfilter([1 - memory], [1, -memory], np.where(known, curve.y, 0.0))
    weight = lfilter([1 - memory], [1, -memory], known.astype(np.float64))
    return Curve(curve.x, np.where(known, top / np.where(known, weight, 1.0), np.nan))


def trimmed(curve: Curve) -> Curve:
    """Return `curve` up to its last finite value; bqplot places an (invisible) label there, and cannot at NaN."""
    finite = np.flatnonzero(np.isfinite(curve.y))
    end = int(finite[-1]) + 1 if len(finite) else 0
    return Curve(curve.x[:end], curve.y[:end])


def positive(curve: Curve) -> Curve:
    """Return `curve` with NaN for what a logarithmic axis cannot hold; one such value would hide the whole line."""
    return Curve(curve.x, np.where(curve.y > 0, curve.y, np.nan))


class Ticks(NamedTuple):
    """The ends of an axis and the values that are written on it."""

    low: float
    high: float
    values: tuple[float, ...]


IOU_TICKS = Ticks(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def _nice_step(rough: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, … (or their tenths) at or above `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def epoch_ticks(first: float, last: float, total: float | None = None) -> Ticks:
    """Return an epoch axis with whole numbers.

    It ends at a round number at or after `last`, at most at `total`, so that it stands still for many epochs and yet is
    mostly filled.
    """
    low = math.floor(first)
    # 1 to 50, not 1 to 51: the span counts both of its ends.
    room = low - 1 + math.ceil(_round_up(max(last - low + 1, 5)))
    high = max(room if total is None else min(room, total), math.ceil(last), low + 1)
    step = max(1.0, _nice_step((high - low) / EPOCH_TICKS))
    inner = [v for v in np.arange(math.ceil(low / step) * step, high + step / 1000, step) if v - low >= 0.6 * step]
    return Ticks(float(low), float(high), (float(low), *(float(v) for v in inner)))


def _round_up(span: float) -> float:
    power = 10.0 ** math.floor(math.log10(span))
    return next(f * power for f in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if f * power >= span * (1 - 1e-9))


def linear_ticks(values: Floats) -> Ticks:
    """Return a linear axis from 0 (or below, where a value is) to a round number at or above the highest value."""
    finite = values[np.isfinite(values)]
    low = min(0.0, float(finite.min())) if len(finite) else 0.0
    high = float(finite.max()) if len(finite) else 1.0
    if high <= low:
        high = low + 1.0
    step = _nice_step((high - low) / LINEAR_TICKS)
    # Counted in whole steps, since 3 * 0.1 is not 0.3.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{k * step:.12g}") for k in range(first, last + 1))
    return Ticks(ticks[0], ticks[-1], ticks)


def log_ticks(values: Floats, most: int = 6) -> Ticks:
    """Return a logarithmic axis around the positive values, with ticks at 1, 2, 5 or at powers of ten."""
    usable = values[np.isfinite(values) & (values > 0)]
    low, high = (float(usable.min()), float(usable.max())) if len(usable) else (0.1, 1.0)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    # Decimal literals, since 10.0 ** -3 * 5 is not 0.005.
    fine = [float(f"{f}e{p}") for p in range(first - 1, last + 1) for f in (1, 2, 5)]
    below = max(v for v in fine if v <= low)
    above = min(v for v in [*fine, float(f"1e{last + 1}")] if v >= high and v > below)
    ticks = [v for v in fine if below <= v <= above] + ([above] if above > fine[-1] else [])
    if len(ticks) > most:
        step = max(1, math.ceil((last - first) / most))
        ticks = [float(f"1e{p}") for p in range(first, last + 1, step) if below <= float(f"1e{p}") <= above]
    return Ticks(below, above, tuple(ticks))
