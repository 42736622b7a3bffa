"""From a label map to polygons along the edges of its pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from histowidgets.annotations.shapes import Polygon

#: Directions of an edge: along the top of its pixel to the right, its right side down, its bottom to the left, its
#: left side up. The pixel lies on the right hand of each. (row, column) of the pixel ahead on the right hand:
_AHEAD_RIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
#: ... ahead on the left hand:
_AHEAD_LEFT = ((-1, 1), (1, 1), (1, -1), (-1, -1))
#: ... and on the left hand, across the edge:
_LEFT = ((-1, 0), (0, 1), (1, 0), (0, -1))
#: Where an edge begins, as (row, column) from the corner of its pixel.
_BEGIN = ((0, 0), (0, 1), (1, 1), (1, 0))


class _Runs(NamedTuple):
    """Straight pieces of outlines, each array of (n,)."""

    key: np.ndarray  # of its first edge: pixel * 4 + direction
    next_key: np.ndarray  # of the edge that follows its last one
    x: np.ndarray  # where it begins
    y: np.ndarray
    area: np.ndarray  # number of the area that it surrounds


@dataclass(frozen=True)
class Areas:
    """The areas of a label map: pixels of one label that touch along an edge.

    Attributes
    ----------
    number : ndarray of (rows + 2, columns + 2), int
        The number of each pixel's area, from 1; 0 where unlabelled, and in a rim of one pixel.
    count : int
    """

    number: np.ndarray
    count: int


def find_areas(labels: np.ndarray, unlabelled: int) -> Areas:
    """Give each area of (rows, columns) labels a number."""
    from skimage import measure  # only here, as it takes a while to load

    padded = np.pad(labels, 1, constant_values=unlabelled)
    number, count = measure.label(padded, background=unlabelled, connectivity=1, return_num=True)
    return Areas(number, int(count))


def trace(areas: Areas, scale: float = 1) -> Iterator[tuple[int, int, Polygon]]:
    """Trace the outlines of areas.

    Parameters
    ----------
    areas : Areas
    scale : float, default 1
        Side of a pixel, in the pixels of the polygons.

    Yields
    ------
    row, column : int
        Of a pixel in the area.
    Polygon
        Its outline, with holes. Rings touch themselves nowhere, and each other in single corners at most, so that
        other programs take the polygon as valid.
    """
    number = areas.number
    flat = number.reshape(-1)
    width = number.shape[1]
    parts = [_runs(flat, width, direction) for direction in range(4)]
    runs = _Runs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    order = np.argsort(runs.key)
    follows = order[np.searchsorted(runs.key, runs.next_key, sorter=order)].tolist()
    x, y = ((column - 1) * float(scale) for column in (runs.x, runs.y))  # less the rim
    outlines: dict[int, np.ndarray] = {}
    holes: dict[int, list[np.ndarray]] = {}
    pixel_of: dict[int, int] = {}
    for ring in _cycles(follows):
        points = np.column_stack([x[ring], y[ring]])
        area = int(runs.area[ring[0]])
        if _turns_right(points):
            outlines[area] = points
            pixel_of[area] = int(runs.key[ring[0]]) // 4
        else:
            holes.setdefault(area, []).append(points)
    for area in sorted(outlines):
        row, column = divmod(pixel_of[area], width)
        yield row - 1, column - 1, Polygon(outlines[area], holes.get(area, ()))


def _runs(number: np.ndarray, width: int, direction: int) -> _Runs:
    """Return the straight pieces in a direction of the outlines of all areas; `number` is flattened."""
    right, left_ahead, left = (
        rows * width + columns for rows, columns in (_AHEAD_RIGHT[direction], _AHEAD_LEFT[direction], _LEFT[direction])
    )
    inner = np.flatnonzero(number)
    pixel = inner[number[inner] != number[inner + left]]
    if direction % 2:  # edges of one run follow each other in a column
        pixel = pixel[np.argsort(pixel % width, kind="stable")]
    if right < 0:
        pixel = pixel[::-1]
    area = number[pixel]
    turns_left = number[pixel + left_ahead] == area
    straight = ~turns_left & (number[pixel + right] == area)
    first = np.flatnonzero(np.append(True, ~straight[:-1])) if len(pixel) else np.zeros(0, np.int64)
    last = np.append(first[1:], len(pixel))[: len(first)] - 1
    ahead = np.where(
        turns_left[last],
        (pixel[last] + left_ahead) * 4 + (direction - 1) % 4,
        pixel[last] * 4 + (direction + 1) % 4,
    )
    row, column = np.divmod(pixel[first], width)
    begin_row, begin_column = _BEGIN[direction]
    return _Runs(pixel[first] * 4 + direction, ahead, column + begin_column, row + begin_row, area[first])


def _cycles(follows: list[int]) -> Iterator[list[int]]:
    """Cut a permutation into its cycles."""
    seen = bytearray(len(follows))
    for start in range(len(follows)):
        if seen[start]:
            continue
        ring = []
        at = start
        while not seen[at]:
            seen[at] = 1
            ring.append(at)
            at = follows[at]
        yield ring


def _turns_right(points: np.ndarray) -> bool:
    """Tell whether a ring surrounds its area, which lies on the right hand, and is not one of its holes."""
    x, y = points.T
    return bool((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0)
