"""Confidence intervals of shares and ratios from points that were drawn by stratum.

Each quantity is a value v at which a sum over the strata is zero: sum(a p) = c, where p is the share of points in each
stratum that have a property, and a and c depend linearly on v. A share of the area has a = weights and c = v; IoU,
recall and precision are ratios of such sums. The interval has all v that a score test does not reject: the variance is
that at the most likely p for which the sum is zero. With one stratum this is Wilson's interval (Wilson 1927; for
strata and ratios, the same idea as in Miettinen and Nurminen 1985). It has a width even where all points agree.
"""

from dataclasses import dataclass

import numpy as np

from histowidgets._intervals import Z_95

_OUTER, _INNER = 24, 34


@dataclass(frozen=True)
class Contrast:
    """What defines a quantity v: sum((a + v da) p) = c + v dc over the strata; the left minus the right falls with v.

    Attributes
    ----------
    a, da : ndarray, (..., strata)
    c, dc : ndarray, (...)
    """

    a: np.ndarray
    da: np.ndarray
    c: np.ndarray
    dc: np.ndarray

    def at(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients (..., strata), and the sum that they must give."""
        return self.a + v[..., None] * self.da, self.c + v * self.dc


def share(weights: np.ndarray) -> Contrast:
    """Return the contrast of a share of the area: sum(weights p) = v."""
    zero = np.zeros(weights.shape[:-1])
    return Contrast(weights, np.zeros_like(weights), zero, zero + 1)


def precision(weights: np.ndarray, own: np.ndarray) -> Contrast:
    """Return the contrast of the share of the strata marked in `own` (0 or 1) that has the class."""
    zero = np.zeros(weights.shape[:-1])
    return Contrast(weights * own, np.zeros_like(weights), zero, (weights * own).sum(-1))


def recall(weights: np.ndarray, own: np.ndarray) -> Contrast:
    """Return the contrast of the share of a class that lies in its own stratum."""
    zero = np.zeros(weights.shape[:-1])
    return Contrast(weights * own, -weights, zero, zero)


def iou(weights: np.ndarray, own: np.ndarray) -> Contrast:
    """Return the contrast of the intersection of a class and its own stratum over their union."""
    zero = np.zeros(weights.shape[:-1])
    return Contrast(weights * own, -weights * (1 - own), zero, (weights * own).sum(-1))


def estimate(hits: np.ndarray, n: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return the value, NaN where nothing decides it: (...) from `hits` and `n`, (..., strata)."""
    p = hits / n
    above = (contrast.a * p).sum(-1) - contrast.c
    below = contrast.dc - (contrast.da * p).sum(-1)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def score_interval(
    hits: np.ndarray, n: np.ndarray, contrast: Contrast, z: float = Z_95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of a value between 0 and 1.

    Parameters
    ----------
    hits, n : ndarray of float, (..., strata)
        Points that have the property, and all points; `n` above 0. They need not be whole numbers.
    contrast : Contrast
        Of the same shape.
    z : float
        Quantile of the normal distribution.

    Returns
    -------
    low, high : ndarray, (...)
    """
    found = estimate(hits, n, contrast)
    middle = np.where(np.isnan(found), 0.5, np.clip(found, 0, 1))
    ends = []
    for sign, end in ((1.0, 0.0), (-1.0, 1.0)):
        outside, inside = np.full(middle.shape, end), middle
        reaches_end = sign * _score(hits, n, *contrast.at(outside)) <= z
        for _ in range(_OUTER):
            half = (outside + inside) / 2
            kept = sign * _score(hits, n, *contrast.at(half)) <= z
            inside, outside = np.where(kept, half, inside), np.where(kept, outside, half)
        ends.append(np.where(reaches_end, end, (outside + inside) / 2))
    return ends[0], ends[1]


def _score(hits: np.ndarray, n: np.ndarray, a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return by how many standard errors the sum over the strata differs from `c`, if it were `c` in truth."""
    difference = (a * hits / n).sum(-1) - c
    # The multiplier of the constraint, from -inf to inf, is scale s / (1 - |s|); the sum falls with it.
    size = np.abs(a).sum(-1)
    scale = n.sum(-1) / np.where(size > 0, size, 1.0)
    low, high = -np.ones_like(difference), np.ones_like(difference)
    for _ in range(_INNER):
        s = (low + high) / 2
        above = (a * _likely(hits, n, a, scale, s)).sum(-1) > c
        low, high = np.where(above, s, low), np.where(above, high, s)
    p = _likely(hits, n, a, scale, (low + high) / 2)
    error = np.sqrt((a * a * p * (1 - p) / n).sum(-1))
    no_error = np.where(np.abs(difference) < 1e-12, 0.0, np.where(difference > 0, np.inf, -np.inf))
    return np.divide(difference, error, out=no_error, where=error > 0)


def _likely(hits: np.ndarray, n: np.ndarray, a: np.ndarray, scale: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Return the most likely share of each stratum for a multiplier: hits / p - (n - hits) / (1 - p) = u."""
    u = (scale * s / (1 - np.abs(s)))[..., None] * a
    m = n + u
    root = np.sqrt(np.maximum(m * m - 4 * u * hits, 0))
    # Two forms of the same root of u p^2 - m p + hits = 0: each cancels where the other does not.
    positive = np.divide(2 * hits, m + root, out=np.zeros_like(m), where=(m >= 0) & (m + root > 0))
    negative = np.divide(m - root, 2 * u, out=np.zeros_like(m), where=m < 0)
    return np.clip(np.where(m >= 0, positive, negative), 0, 1)
