"""Totals over the labels of all images, by class, for several pieces of advice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from histowidgets.advice import _thresholds as t
from histowidgets.advice.coaching._image_summary import ImageSummary
from histowidgets.annotations import UNLABELLED


@dataclass(frozen=True)
class Totals:
    """Numbers of labelled full-size pixels by class index, (255,) each; estimates if images are downsampled.

    Attributes
    ----------
    areas : ndarray
        Pixels of all labels.
    sampled, near : ndarray
        Pixels of the grid that is searched for boundaries: all of them, and those within 10 pixels of another class's
        label.
    images : ndarray
        Number of images with a label of the class.
    """

    areas: np.ndarray
    sampled: np.ndarray
    near: np.ndarray
    images: np.ndarray

    def boundary_share(self, index: int | None = None) -> float:
        """Return the share of labelled pixels that are near another class, of one class or of all; 0 without labels."""
        near, sampled = (self.near, self.sampled) if index is None else (self.near[index], self.sampled[index])
        return float(near.sum() / max(1, sampled.sum()))


def totals_of(summaries: Sequence[ImageSummary]) -> Totals:
    """Add up the labels of all images."""
    areas, sampled, near, images = (np.zeros(UNLABELLED, np.int64) for _ in range(4))
    for summary in summaries:
        areas += summary.areas[:UNLABELLED]
        images += summary.areas[:UNLABELLED] > 0
        some, of_those, step = at_boundary(summary)
        sampled += of_those * step**2
        near += some * step**2
    return Totals(areas, sampled, near, images)


def at_boundary(summary: ImageSummary) -> tuple[np.ndarray, np.ndarray, int]:
    """Count the labelled pixels within 10 full-size pixels of another class's label.

    The neighbourhood is a square; in a downsampled image it extends by at least one of its pixels.

    Returns
    -------
    at_boundary, labelled : ndarray of (255,)
        Number of grid pixels by class index.
    step : int
        Full-size pixels from one grid pixel to the next.
    """
    # Every other pixel is enough to estimate a share, and four times as fast.
    skip = max(1, t.BOUNDARY_PIXELS // (5 * summary.downsample))
    labels = np.ascontiguousarray(summary.labels[::skip, ::skip])
    step = skip * summary.downsample
    size = 2 * max(1, round(t.BOUNDARY_PIXELS / step)) + 1
    # Two filters suffice for any number of classes: another class means a higher or a lower index nearby.
    raised = labels + np.uint8(1)  # 255, the unlabelled, becomes 0
    other = (ndimage.maximum_filter(raised, size) != raised) | (ndimage.minimum_filter(labels, size) != labels)
    near, labelled = (np.bincount(some.ravel(), minlength=256)[:UNLABELLED] for some in (labels[other], labels))
    return near, labelled, step
