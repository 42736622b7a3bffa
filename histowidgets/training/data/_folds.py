"""Cut an image into parts that are held out in turn."""

import numpy as np

from histowidgets.images import Region

#: Smallest and largest number of folds of a cross-validation.
FEWEST_FOLDS, MOST_FOLDS = 2, 20


def cut_evenly(points: np.ndarray, region: Region, pieces: int, kinds: np.ndarray | None = None) -> list[Region]:
    """Cut a region into rectangles with about the same number of points.

    Each cut divides the longer side, or the other one if more kinds then occur in both parts.

    Parameters
    ----------
    points : ndarray of (N, 2)
        x and y, in pixels.
    region : Region
    pieces : int
        At least 1.
    kinds : ndarray of (N,), optional
        The kind of each point, such as its class.

    Returns
    -------
    list of Region
        They cover the region without overlapping.
    """
    if pieces == 1:
        return [region]
    kinds = np.zeros(len(points), int) if kinds is None else kinds
    first = pieces // 2
    axes = (0, 1) if region.width >= region.height else (1, 0)
    edges = {axis: _edge(points, region, axis, first / pieces) for axis in axes}

    def on_both_sides(axis: int) -> int:
        below = points[:, axis] < edges[axis]
        return len(np.intersect1d(kinds[below], kinds[~below]))

    axis = max(axes, key=on_both_sides)  # the first one on ties
    edge = edges[axis]
    if axis == 0:
        one = Region(region.x, region.y, edge - region.x, region.height)
        other = Region(edge, region.y, region.right - edge, region.height)
    else:
        one = Region(region.x, region.y, region.width, edge - region.y)
        other = Region(region.x, edge, region.width, region.bottom - edge)
    below = points[:, axis] < edge
    rest = pieces - first
    return cut_evenly(points[below], one, first, kinds[below]) + cut_evenly(points[~below], other, rest, kinds[~below])


def _edge(points: np.ndarray, region: Region, axis: int, share: float) -> int:
    """Return the position below which this share of the points lies."""
    start, length = (region.x, region.width) if axis == 0 else (region.y, region.height)
    places = np.sort(points[:, axis])
    # Halfway between two points, so that the surroundings of a point are rarely cut in two.
    below = min(max(round(len(places) * share), 1), len(places) - 1)
    place = float(places[below - 1 : below + 1].mean()) if len(places) > 1 else start + length * share
    return int(min(max(round(place), start + 1), start + max(1, length - 1)))
