"""Cutting an image into parts that are held out in turn."""

import numpy as np

from histowidgets.images import Region

FEWEST_FOLDS, MOST_FOLDS = 2, 20


def cut_evenly(points: np.ndarray, region: Region, pieces: int) -> list[Region]:
    """Cut a region into rectangles with about equally many points in each, across its longer side.

    Parameters
    ----------
    points : ndarray of (N, 2)
        x and y, in pixels.
    region : Region
    pieces : int
        At least 1.

    Returns
    -------
    list of Region
        They cover the region, and do not overlap.
    """
    if pieces == 1:
        return [region]
    axis = 0 if region.width >= region.height else 1
    start, length = (region.x, region.width) if axis == 0 else (region.y, region.height)
    first = pieces // 2
    places = np.sort(points[:, axis])
    # Between two points, so that what lies around one of them is seldom cut in two.
    below = min(max(round(len(places) * first / pieces), 1), len(places) - 1)
    place = float(places[below - 1 : below + 1].mean()) if len(places) > 1 else start + length * first / pieces
    edge = int(min(max(round(place), start + 1), start + max(1, length - 1)))
    if axis == 0:
        one = Region(region.x, region.y, edge - region.x, region.height)
        other = Region(edge, region.y, region.right - edge, region.height)
    else:
        one = Region(region.x, region.y, region.width, edge - region.y)
        other = Region(region.x, edge, region.width, region.bottom - edge)
    is_first = points[:, axis] < edge
    return cut_evenly(points[is_first], one, first) + cut_evenly(points[~is_first], other, pieces - first)
