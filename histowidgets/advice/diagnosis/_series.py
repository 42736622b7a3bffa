"""Statistics of short, noisy series in which some points may be missing (NaN). NumPy only."""

import functools
import math
import statistics

import numpy as np

# Longer series are reduced to this many block medians, since the statistics compare all pairs.
MOST_POINTS = 120


def finite(values: np.ndarray) -> np.ndarray:
    """Drop missing values."""
    return values[np.isfinite(values)]


def thin(values: np.ndarray) -> np.ndarray:
    """Return at most `MOST_POINTS` block medians of the finite values, in order."""
    kept = finite(values)
    if len(kept) <= MOST_POINTS:
        return kept
    return np.array([np.median(block) for block in np.array_split(kept, MOST_POINTS)])


def recent(values: np.ndarray, count: int = 3) -> float:
    """Return the median of the last `count` finite values; NaN if there is none."""
    kept = finite(values)
    # NumPy's median takes a hundred times longer for so few values.
    return float(statistics.median(kept[-count:].tolist())) if len(kept) else math.nan


@functools.cache  # at most `MOST_POINTS` different ones
def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the first and the second of all pairs of `n` values."""
    first, second = np.triu_indices(n, 1)
    return first, second


def trend_score(values: np.ndarray) -> float:
    """Return the Mann-Kendall z score: above 0 for a rise, below 0 for a fall, 0 if there are too few values.

    It ignores the size of the steps, so that single spikes do not make a trend.
    """
    kept = thin(values)
    n = len(kept)
    if n < 4:
        return 0.0
    first, second = _pairs(n)
    balance = float(np.sign(kept[second] - kept[first]).sum())
    variance = n * (n - 1) * (2 * n + 5) / 18
    return (balance - math.copysign(1, balance)) / math.sqrt(variance) if balance else 0.0


def trend_change(values: np.ndarray) -> float:
    """Return the change from start to end of the series, by the median of all pairwise slopes."""
    kept = thin(values)
    n = len(kept)
    if n < 2:
        return 0.0
    first, second = _pairs(n)
    return float(np.median((kept[second] - kept[first]) / (second - first))) * (n - 1)


def noise(values: np.ndarray) -> float:
    """Return the standard deviation of the noise around the trend of the series.

    It is estimated from the median of the second differences, which vanish for a straight line, so that a few spikes
    have little effect. 0 for fewer than four values.
    """
    kept = finite(values)
    if len(kept) < 4:
        return 0.0
    second = kept[2:] - 2 * kept[1:-1] + kept[:-2]
    return float(np.median(np.abs(second))) * 1.4826 / math.sqrt(6)


def running_median(values: np.ndarray, width: int = 3) -> np.ndarray:
    """Smooth with a running median of `width` (odd) finite values; the window shrinks at the ends."""
    if len(values) == 0:
        return values.astype(float)
    padded = np.pad(values.astype(float), width // 2, constant_values=math.nan)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)  # NaN last
    count = np.count_nonzero(~np.isnan(windows), axis=1)
    rows = np.arange(len(values))
    # `np.nanmedian` takes a hundred times longer for such short windows.
    out = 0.5 * (windows[rows, np.maximum(count - 1, 0) // 2] + windows[rows, np.minimum(count // 2, width - 1)])
    out[~np.isfinite(windows).any(axis=1)] = math.nan
    return out


def off_trend(values: np.ndarray) -> np.ndarray:
    """Return the deviation of each loss from the trend of the series, as a share of the trend.

    The trend is a parabola fitted to the logarithms, since a loss mostly decays exponentially. The largest outlier is
    left out, so that a single spike neither bends the trend nor counts. Empty for fewer than seven values, or if a
    value is not above 0.
    """
    kept = finite(values)
    if len(kept) < 7 or kept.min() <= 0:
        return np.empty(0)
    steps = np.linspace(-1, 1, len(kept))
    furthest = int(np.argmax(np.abs(np.log(kept) - _parabola(steps, np.log(kept)))))
    steps, kept = np.delete(steps, furthest), np.delete(kept, furthest)
    return kept / np.exp(_parabola(steps, np.log(kept))) - 1


def _parabola(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.polyval(np.polyfit(steps, values, 2), steps)


def swing(values: np.ndarray) -> float:
    """Return the coefficient of variation of a detrended series of losses: the swings as a share of the level."""
    off = off_trend(values)
    if len(off) == 0:
        return 0.0
    # Fitting the parabola uses three degrees of freedom.
    return float(math.sqrt(np.sum((off - off.mean()) ** 2) / (len(off) - 3)))
