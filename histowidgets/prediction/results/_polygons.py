"""Polygons that follow pixel boundaries exactly.

Each polygon is a group of pixels of one class that touch along a side. Its rings run along pixel edges, so that its
area is the number of its pixels, without holes. Where a group touches itself only at a corner, the ring is split, so
that every polygon is valid.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from histowidgets.annotations.raster import UNLABELLED, Areas, find_areas, trace_outlines


@dataclass(frozen=True)
class Group:
    """Pixels of one class that touch along their sides.

    Attributes
    ----------
    class_index : int
    n_pixels : int
    polygon : shapely.Polygon
        With holes, in pixels of the label map; (0, 0) is the outer corner of the first pixel.
    mean : float or None
        Mean of the given values over its pixels.
    """

    class_index: int
    n_pixels: int
    polygon: shapely.Polygon
    mean: float | None = None


def polygons_of(
    labels: np.ndarray,
    n_classes: int,
    min_pixels: float = 0,
    values: np.ndarray | None = None,
    keep_cut: bool = False,
) -> list[Group]:
    """Find the groups of at least `min_pixels` pixels.

    Parameters
    ----------
    labels : ndarray of uint8, (rows, cols)
        Class indices from 0; indices from `n_classes` on belong to no group.
    n_classes : int
    min_pixels : float
    values : ndarray of (rows, cols), optional
        Values to average over each group.
    keep_cut : bool, default False
        Whether to keep groups of any size that touch the edge of the label map, since they may continue beyond it.

    Returns
    -------
    list of Group
        By class, then from top to bottom.
    """
    areas = find_areas(np.where(labels < n_classes, labels, np.uint8(UNLABELLED)), UNLABELLED)
    groups = areas.number[1:-1, 1:-1]
    sizes = np.bincount(groups.ravel(), minlength=areas.count + 1)
    keep = sizes >= max(min_pixels, 1)
    if keep_cut:
        for edge in (groups[0], groups[-1], groups[:, 0], groups[:, -1]):
            keep[edge] = True
    keep[0] = False
    if not keep.any():
        return []
    means = None
    if values is not None:
        sums = np.bincount(groups.ravel(), weights=values.ravel(), minlength=areas.count + 1)
        means = sums / np.maximum(sizes, 1)
    found = []
    kept = Areas(areas.number * keep[areas.number], areas.count)
    for number, row, column, exterior, interiors in trace_outlines(kept):
        mean = None if means is None else float(means[number])
        polygon = shapely.Polygon(exterior, interiors)
        found.append(Group(int(labels[row, column]), int(sizes[number]), polygon, mean))
    return sorted(found, key=lambda group: group.class_index)
