"""Estimates from judged points, weighted by the known areas of the predicted classes.

The estimates are those of Olofsson et al. (2014): within each predicted class the points are a random sample, and each
class has the weight of its pixels. For shares of the area this is also the difference estimator that prediction-powered
inference (Angelopoulos et al. 2023) uses: the pixel count, plus the mean error at the points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets._intervals import wilson
from histowidgets.errors import AuditError
from histowidgets.prediction.auditing._intervals import (
    Contrast,
    estimate,
    iou,
    precision,
    recall,
    score_interval,
    share,
)
from histowidgets.prediction.auditing._results import AuditedClass, AuditEstimate

#: By which factors the number of points is multiplied to find the one that halves an interval.
_FACTORS = np.linspace(1.5, 6.0, 10)


@dataclass(frozen=True)
class Numbers:
    """The accuracy and the classes of an audit."""

    accuracy: AuditEstimate
    classes: tuple[AuditedClass, ...]


def stratified_numbers(
    counts: np.ndarray, pixels: np.ndarray, classes: Sequence[str], pixel_shares: Sequence[float | None]
) -> Numbers:
    """Return the estimates for the prediction on which the points were drawn.

    Parameters
    ----------
    counts : ndarray of int, (K, K)
        Judged points by predicted class (row) and class seen (column).
    pixels : ndarray of int, (K,)
        Pixels of each predicted class; those without a judged point are left out.
    classes : sequence of str
    pixel_shares : sequence of float
        Share of the pixels of each predicted class.

    Raises
    ------
    AuditError
        If no point was judged.
    """
    strata, weights, n = _strata(counts, pixels)
    seen = counts[strata].astype(float)  # (H, K)
    rows = [(seen[np.arange(len(strata)), strata], share(weights))]
    rows += [(seen[:, k], share(weights)) for k in range(len(classes))]
    own = [(strata == k).astype(float) for k in range(len(classes))]
    for ratio in (precision, recall, iou):
        rows += [(seen[:, k], ratio(weights, own[k])) for k in strata]
    hits = np.stack([one for one, _ in rows])
    contrast = _stacked([one for _, one in rows])
    found = _with_intervals(hits, n, contrast)
    n_classes, n_strata = len(classes), len(strata)
    ratios = {int(k): found[1 + n_classes + i :: n_strata] for i, k in enumerate(strata)}
    results = []
    for k, name in enumerate(classes):
        three = ratios.get(k, [None, None, None])
        n_predicted, n_seen = int(counts[k].sum()), int(counts[:, k].sum())
        results.append(
            AuditedClass(name, _known(found[1 + k]), pixel_shares[k], three[0], three[1], three[2], n_predicted, n_seen)
        )
    return Numbers(_known(found[0]), tuple(results))


def weighted_numbers(
    strata: np.ndarray,
    predicted: np.ndarray,
    seen: np.ndarray,
    pixels: np.ndarray,
    classes: Sequence[str],
    pixel_shares: Sequence[float | None],
) -> Numbers:
    """Return the estimates for another prediction than the one on which the points were drawn.

    Each point stands for the pixels of its stratum divided by its points (Horvitz-Thompson). Accuracy and shares of the
    area are shares within strata, as in `stratified_numbers`. The others are ratios of two estimates: their variance is
    that of the linearized ratio, and their interval is Wilson's for the number of points that would give this variance.

    Parameters
    ----------
    strata, predicted, seen : ndarray of int, (N,)
        Of each judged point: the class predicted when it was drawn, the class predicted now, and the class seen.
    pixels : ndarray of int, (K,)
        Pixels of each class when the points were drawn.
    classes : sequence of str
    pixel_shares : sequence of float or None
        Share of the pixels of each class that is predicted now.

    Raises
    ------
    AuditError
        If no point was judged.
    """
    size = len(classes)
    counts = cross_counts(strata, seen, size)
    used, weights, n = _strata(counts, pixels)
    right = np.bincount(strata[predicted == seen], minlength=size)[used].astype(float)
    hits = np.stack([right, *counts[used].T.astype(float)])
    found = _with_intervals(hits, n, _stacked([share(weights)] * len(hits)))
    each = np.zeros(size)
    each[used] = weights / n
    results = []
    for k, name in enumerate(classes):
        was, now = seen == k, predicted == k
        three = [
            _weighted_ratio(strata, each[strata], n[np.searchsorted(used, strata)], was & now, whole)
            for whole in (now, was, was | now)
        ]
        if not now.any():
            three[0] = three[2] = None
        n_predicted, n_seen = int(now.sum()), int(was.sum())
        results.append(
            AuditedClass(name, _known(found[1 + k]), pixel_shares[k], three[0], three[1], three[2], n_predicted, n_seen)
        )
    return Numbers(_known(found[0]), tuple(results))


def cross_counts(rows: np.ndarray, columns: np.ndarray, size: int) -> np.ndarray:
    """Count the points of each pair of classes: int64 (size, size), from two arrays of class indices (N,)."""
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def _strata(counts: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the classes with judged points, their weights, and their numbers of points."""
    n = counts.sum(1)
    strata = np.flatnonzero((n > 0) & (pixels > 0))
    if not len(strata):
        raise AuditError("No point has been judged yet, so there is nothing to count. Judge some points first.")
    return strata, pixels[strata] / pixels[strata].sum(), n[strata].astype(float)


def _stacked(contrasts: Sequence[Contrast]) -> Contrast:
    a, da = (np.stack([getattr(one, name) for one in contrasts]) for name in ("a", "da"))
    c, dc = (np.array([float(getattr(one, name)) for one in contrasts]) for name in ("c", "dc"))
    return Contrast(a, da, c, dc)


def _with_intervals(hits: np.ndarray, n: np.ndarray, contrast: Contrast) -> list[AuditEstimate | None]:
    """Return the estimate of each row, None where nothing decides it; `hits` is (rows, strata), `n` (strata,)."""
    values = estimate(hits, n, contrast)
    # All factors at once: (factors, rows, strata), the first of which is 1.
    factors = np.array([1.0, *_FACTORS])[:, None, None]
    many = Contrast(*(np.broadcast_to(one, (len(factors), *one.shape)) for one in vars(contrast).values()))
    low, high = score_interval(hits * factors, np.broadcast_to(n * factors, many.a.shape), many)
    widths = high - low
    results: list[AuditEstimate | None] = []
    for row, value in enumerate(values):
        if math.isnan(value):
            results.append(None)
            continue
        factor = np.interp(-widths[0, row] / 2, -widths[1:, row], _FACTORS)
        ends = min(float(low[0, row]), float(value)), max(float(high[0, row]), float(value))
        results.append(AuditEstimate(float(value), *ends, math.ceil(factor * n.sum())))
    return results


def _weighted_ratio(
    strata: np.ndarray, weights: np.ndarray, n: np.ndarray, part: np.ndarray, whole: np.ndarray
) -> AuditEstimate | None:
    """Return the ratio of two weighted counts of points, of which `part` lies within `whole`."""
    total = weights[whole].sum()
    if total == 0:
        return None
    value = weights[part].sum() / total
    residuals = n * weights * (part - value * whole) / total  # the linearized ratio, weighted by the stratum
    variance = 0.0
    for k in np.unique(strata):
        of = residuals[strata == k]
        variance += of.var() / max(len(of) - 1, 1)
    # Where all points agree, as many equally weighted points as these are worth (Kish).
    alike = total**2 / (weights[whole] ** 2).sum()
    effective = value * (1 - value) / variance if variance > 0 else alike
    low, high = wilson(np.array(value), np.array(effective))
    return AuditEstimate(float(value), float(low), float(high), 4 * len(strata))


def _known(found: AuditEstimate | None) -> AuditEstimate:
    if found is None:  # a share of the area always has a value
        raise AuditError("No point has been judged yet, so there is nothing to count. Judge some points first.")
    return found
