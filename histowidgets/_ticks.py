"""The numbers on the axes of the charts. Independent of widgets and the page."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Approximate number of ticks on an axis.
EPOCH_TICKS, LINEAR_TICKS = 6, 4

Floats = NDArray[np.float64]


class Ticks(NamedTuple):
    """The ends of an axis and its tick values."""

    low: float
    high: float
    values: tuple[float, ...]


IOU_TICKS = Ticks(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def _nice_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, … (or their tenths) at or above `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def epoch_ticks(first: float, last: float, total: float | None = None) -> Ticks:
    """Return an epoch axis with whole numbers.

    It ends at a round number at or after `last`, but at most at `total`, so that it stays the same for many epochs
    while being mostly filled.
    """
    low = math.floor(first)
    # 1 to 50, not 1 to 51: the span includes both ends.
    room = low - 1 + math.ceil(_round_up(max(last - low + 1, 5)))
    high = max(room if total is None else min(room, total), math.ceil(last), low + 1)
    step = max(1.0, _nice_step((high - low) / EPOCH_TICKS))
    inner = [v for v in np.arange(math.ceil(low / step) * step, high + step / 1000, step) if v - low >= 0.6 * step]
    return Ticks(float(low), float(high), (float(low), *(float(v) for v in inner)))


def _round_up(span: float) -> float:
    power = 10.0 ** math.floor(math.log10(span))
    return next(f * power for f in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if f * power >= span * (1 - 1e-9))


def linear_ticks(values: Floats) -> Ticks:
    """Return a linear axis from 0 (or below, if values are) to a round number at or above the highest value."""
    finite = values[np.isfinite(values)]
    low = min(0.0, float(finite.min())) if len(finite) else 0.0
    high = float(finite.max()) if len(finite) else 1.0
    if high <= low:
        high = low + 1.0
    step = _nice_step((high - low) / LINEAR_TICKS)
    # Counted in whole steps, since 3 * 0.1 is not exactly 0.3.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{k * step:.12g}") for k in range(first, last + 1))
    return Ticks(ticks[0], ticks[-1], ticks)


def log_ticks(values: Floats, most: int = 6) -> Ticks:
    """Return a logarithmic axis around the positive values, with ticks at 1, 2, 5 or powers of ten."""
    usable = values[np.isfinite(values) & (values > 0)]
    low, high = (float(usable.min()), float(usable.max())) if len(usable) else (0.1, 1.0)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    # Decimal literals, since 10.0 ** -3 * 5 is not exactly 0.005.
    fine = [float(f"{f}e{p}") for p in range(first - 1, last + 1) for f in (1, 2, 5)]
    below = max(v for v in fine if v <= low)
    above = min(v for v in [*fine, float(f"1e{last + 1}")] if v >= high and v > below)
    ticks = [v for v in fine if below <= v <= above] + ([above] if above > fine[-1] else [])
    if len(ticks) > most:
        step = max(1, math.ceil((last - first) / most))
        ticks = [float(f"1e{p}") for p in range(first, last + 1, step) if below <= float(f"1e{p}") <= above]
    return Ticks(below, above, tuple(ticks))
