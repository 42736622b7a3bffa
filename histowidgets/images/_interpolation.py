"""Resampling along an axis by any factor: area means where pixels become larger, straight lines where smaller.

What a pixel becomes depends on its place alone, and not on how much around it is resampled with it.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Taps:
    """Which values each new one is made of, and in which shares.

    Attributes
    ----------
    index : ndarray of (n, t), int
    weight : ndarray of (n, t), float64
        Sums over t are 1.
    """

    index: np.ndarray
    weight: np.ndarray

    def shifted(self, first: int) -> "Taps":
        """Return the same with indices counted from `first`."""
        return Taps(self.index - first, self.weight)

    def apply(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Resample an axis of an array of float32 or float64; the result has its type."""
        shape = [1] * values.ndim
        shape[axis] = len(self.index)
        total: np.ndarray | None = None
        for index, weight in zip(self.index.T, self.weight.T, strict=True):
            part: np.ndarray = values.take(index, axis) * weight.astype(values.dtype).reshape(shape)
            if total is None:
                total = part
            else:
                total += part
        if total is None:
            raise ValueError("there is nothing to resample")
        return total


def taps_between(edges: np.ndarray, step: float, length: int) -> Taps:
    """Find what new pixels are made of.

    Parameters
    ----------
    edges : ndarray of (n + 1,), float
        Where the new pixels lie, in pixels of the old ones, from their first one.
    step : float
        The usual distance of edges. From 1 on, each new pixel is the mean of the area that it covers; below, it is
        interpolated between the centres of the two old ones around its own.
    length : int
        Number of old pixels; the first and the last stand for what would lie beyond them.
    """
    low, high = edges[:-1], edges[1:]
    if step < 1:
        centre = (low + high) / 2 - 0.5
        first = np.floor(centre).astype(np.int64)
        share = centre - first
        index, weight = np.stack([first, first + 1], 1), np.stack([1 - share, share], 1)
        return Taps(np.clip(index, 0, length - 1), weight)
    low = np.clip(low, 0, length - 1e-6)
    high = np.clip(high, low + 1e-6, length)
    first = np.floor(low).astype(np.int64)
    n = math.ceil(step) + 1
    index = first[:, None] + np.arange(n)
    weight = np.clip(np.minimum(high[:, None], index + 1) - np.maximum(low[:, None], index), 0, None)
    return Taps(np.minimum(index, length - 1), weight / weight.sum(1, keepdims=True))
