"""Resample along an axis by any factor: area means where pixels become larger, linear interpolation where smaller.

The result for a pixel depends only on its position, and not on how large an area is resampled at once.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Taps:
    """The indices and weights of the old values that make up each new one.

    Attributes
    ----------
    index : ndarray of (n, t), int
    weight : ndarray of (n, t), float64
        Weights, which sum to 1 over t.
    """

    index: np.ndarray
    weight: np.ndarray

    def shifted(self, first: int) -> "Taps":
        """Return the same taps with indices relative to `first`."""
        return Taps(self.index - first, self.weight)

    def apply(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Resample an axis of a float32 or float64 array; the dtype is kept."""
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
    """Compute the taps of new pixels.

    Parameters
    ----------
    edges : ndarray of (n + 1,), float
        Edges of the new pixels, in old pixels from the first one.
    step : float
        The usual distance between edges. From 1 on, each new pixel is the mean of the area that it covers; below 1, it
        is interpolated between the two nearest pixel centres.
    length : int
        Number of old pixels; the first and last are repeated beyond the ends.
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
