"""The history of a run as curves. Independent of widgets and the page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from histowidgets.training import EpochRecord, RunState

# Most points of a path; more are slower to draw and look the same at the width of any screen.
MAX_POINTS = 2000

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """A curve: epochs and values, both float64 of shape (n,); NaN where a value was not finite."""

    x: Floats
    y: Floats


NO_CURVE = Curve(np.empty(0), np.empty(0))

_Key = tuple[str, str | None]


class RunCurves:
    """The history of a run as curves.

    Points are kept and only new ones are added, since a monitor draws five times a second, however long the run is.

    Parameters
    ----------
    state
        The state of the run, read on each call and not copied.
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._points: dict[_Key, tuple[list[float], list[float]]] = {}
        # Number of records already in the points, and in the class names.
        self._taken: dict[_Key, int] = {}
        self._classes: dict[str, None] = {}
        self._named = 0
        self._rewritten = 0

    def __len__(self) -> int:
        return len(self._state.history)

    @property
    def records(self) -> Sequence[EpochRecord]:
        """The records, in the order of epochs."""
        return self._state.history

    @property
    def first_epoch(self) -> float:
        """The lowest epoch; 1 without records."""
        return self.records[0]["epoch"] if self.records else 1.0

    @property
    def last_epoch(self) -> float:
        """The highest epoch; 1 without records."""
        return self.records[-1]["epoch"] if self.records else 1.0

    @property
    def best_epoch(self) -> float | None:
        """The epoch reported as best by the run, else that with the highest val_miou, else with the lowest val_loss."""
        if self._state.record_of(self._state.best_epoch) is not None:
            return self._state.best_epoch
        for name, sign in (("val_miou", -1.0), ("val_loss", 1.0)):
            curve = self.curve(name)
            if np.isfinite(curve.y).any():
                return float(curve.x[np.nanargmin(sign * curve.y)])
        return None

    def record_of(self, epoch: float | None) -> EpochRecord | None:
        """Return the record of an epoch, or None."""
        return self._state.record_of(epoch)

    def class_names(self) -> list[str]:
        """Return the classes for which any record has an IoU, in order of appearance."""
        if self._rewritten != self._state.rewritten:
            self._forget()
        for record in self.records[self._named :]:
            self._classes.update(dict.fromkeys(record["val_iou"]))
        self._named = len(self.records)
        return list(self._classes)

    def curve(self, name: str, class_name: str | None = None) -> Curve:
        """Return a quantity over the epochs; for "val_iou", that of `class_name`.

        Epochs without a measurement are left out, so that the line joins their neighbours (a loop may validate every
        fifth epoch). Measured values that are not finite become NaN, so that the line has a gap.
        """
        if self._rewritten != self._state.rewritten:
            self._forget()
        key = (name, class_name)
        x, y = self._points.setdefault(key, ([], []))
        for record in self.records[self._taken.get(key, 0) :]:
            values: Mapping[str, Any] = record
            value = values[name] if class_name is None else values[name].get(class_name)
            if value is not None:
                x.append(record["epoch"])
                y.append(value if math.isfinite(value) else math.nan)
        self._taken[key] = len(self.records)
        return Curve(np.array(x, dtype=np.float64), np.array(y, dtype=np.float64))

    def _forget(self) -> None:
        """Discard all points, to read everything again after an earlier epoch has changed."""
        self._points.clear()
        self._taken.clear()
        self._named = 0
        self._rewritten = self._state.rewritten


def joined(curves: Sequence[Curve]) -> Curve:
    """Join curves into one, with a gap after each; `trimmed` removes the last gap."""
    parts = [curve for curve in curves if len(curve.x)]
    if not parts:
        return NO_CURVE
    gap = np.array([np.nan])
    return Curve(
        np.concatenate([piece for curve in parts for piece in (curve.x, curve.x[-1:])]),
        np.concatenate([piece for curve in parts for piece in (curve.y, gap)]),
    )


def thin(curve: Curve) -> Curve:
    """Return a curve with at most `MAX_POINTS` points: the ends, and the lowest and highest value of each stretch.

    Unlike taking every n-th point, this keeps a spike of a single epoch on the chart.
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


# Weight of the past in a smoothed point, from 0 to below 1.
SMOOTHING = {"none": 0.0, "light": 0.6, "strong": 0.9}


def smoothed(curve: Curve, memory: float) -> Curve:
    """Return an exponential moving average of a curve, corrected for the bias towards 0 at the start.

    NaN stays NaN and has no weight in its neighbours.
    """
    if memory <= 0 or len(curve.x) == 0:
        return curve
    from scipy.signal import lfilter  # slow to load, and seldom needed

    known = np.isfinite(curve.y)
    top = lfilter([1 - memory], [1, -memory], np.where(known, curve.y, 0.0))
    weight = lfilter([1 - memory], [1, -memory], known.astype(np.float64))
    return Curve(curve.x, np.where(known, top / np.where(known, weight, 1.0), np.nan))


def trimmed(curve: Curve) -> Curve:
    """Return a curve up to its last finite value, since bqplot places an (invisible) label at the last point."""
    finite = np.flatnonzero(np.isfinite(curve.y))
    end = int(finite[-1]) + 1 if len(finite) else 0
    return Curve(curve.x[:end], curve.y[:end])


def positive(curve: Curve) -> Curve:
    """Return a curve with NaN for values that a logarithmic axis cannot show; one would hide the whole line."""
    return Curve(curve.x, np.where(curve.y > 0, curve.y, np.nan))
