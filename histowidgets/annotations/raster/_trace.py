"""Trace the areas of a label map as outlines along pixel edges, and as polygons."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from histowidgets.annotations.shapes import Polygon

#: Directions of an edge: along the top of its pixel to the right, its right side down, its bottom to the left, its
#: left side up. The pixel is on the right of each edge. (row, column) of the pixel ahead on the right:
_AHEAD_RIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
#: ... ahead on the left:
_AHEAD_LEFT = ((-1, 1), (1, 1), (1, -1), (-1, -1))
#: ... and on the left, across the edge:
_LEFT = ((-1, 0), (0, 1), (1, 0), (0, -1))
#: Start of an edge, as (row, column) from the corner of its pixel.
_BEGIN = ((0, 0), (0, 1), (1, 1), (1, 0))


class _Runs(NamedTuple):
    """Straight pieces of outlines, as arrays of (n,)."""

    key: np.ndarray  # key of its first edge: pixel * 4 + direction
    next_key: np.ndarray  # key of the edge that follows its last one
    x: np.ndarray  # start of the piece
    y: np.ndarray
    area: np.ndarray  # number of the area that it surrounds


class Outline(NamedTuple):
    """The outline of an area: rings along pixel edges, with corners (n, 2) as x and y.

    Attributes
    ----------
    number : int
        Number of the area.
    row, column : int
        Row and column of a pixel in the area.
    exterior : ndarray of float64, (n, 2)
    interiors : list of ndarray of float64, (n, 2)
        Outlines of the holes.
    """

    number: int
    row: int
    column: int
    exterior: np.ndarray
    interiors: list[np.ndarray]


@dataclass(frozen=True)
class Areas:
    """The areas of a label map: pixels of one label that touch along an edge.

    Attributes
    ----------
    number : ndarray of (rows + 2, columns + 2), int
        The area number of each pixel, from 1; 0 where unlabelled, and in a rim of one pixel.
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
    """Trace the outlines of areas as shapes.

    Parameters
    ----------
    areas : Areas
    scale : float, default 1
        Side of a pixel, in the pixels of the polygons.

    Yields
    ------
    row, column : int
        Row and column of a pixel in the area.
    Polygon
        Its outline, with holes.
    """
    for outline in trace_outlines(areas, scale):
        yield outline.row, outline.column, Polygon(outline.exterior, outline.interiors)


def trace_outlines(areas: Areas, scale: float = 1) -> Iterator[Outline]:
    """Trace the outlines of areas.

    Parameters
    ----------
    areas : Areas
        Areas whose pixels are set to 0 are left out.
    scale : float, default 1
        Side of a pixel, in the pixels of the outlines.

    Yields
    ------
    Outline
        In the order of their numbers. Rings never touch themselves, and each other at most in single corners, so that
        other programs accept the polygon as valid.
    """
    number = areas.number
    flat = number.reshape(-1)
    width = number.shape[1]
    parts = [_runs(flat, width, direction) for direction in range(4)]
    runs = _Runs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    order = np.argsort(runs.key)
    follows = order[np.searchsorted(runs.key, runs.next_key, sorter=order)]
    if not len(follows):
        return
    rings, starts = _cycles(follows.tolist())
    points = np.column_stack([runs.x[rings], runs.y[rings]])
    # Twice the area within each ring: positive if it surrounds its area, which is on the right, and negative if it
    # surrounds a hole.
    after = follows[rings]
    doubled = np.add.reduceat(points[:, 0] * runs.y[after] - runs.x[after] * points[:, 1], starts)
    points = (points - 1) * float(scale)  # without the rim
    begins = rings[starts]
    area_of, pixel_of = runs.area[begins].tolist(), (runs.key[begins] // 4).tolist()
    ends = [*starts[1:].tolist(), len(rings)]
    exteriors: dict[int, int] = {}
    holes: dict[int, list[np.ndarray]] = {}
    for i, surrounds in enumerate((doubled > 0).tolist()):
        if surrounds:
            exteriors[area_of[i]] = i
        else:
            holes.setdefault(area_of[i], []).append(points[starts[i] : ends[i]].copy())
    for area, i in sorted(exteriors.items()):
        row, column = divmod(pixel_of[i], width)
        yield Outline(area, row - 1, column - 1, points[starts[i] : ends[i]].copy(), holes.get(area, []))


def _runs(number: np.ndarray, width: int, direction: int) -> _Runs:
    """Return the straight pieces, in one direction, of the outlines of all areas; `number` is flattened."""
    right, left_ahead, left = (
        rows * width + columns for rows, columns in (_AHEAD_RIGHT[direction], _AHEAD_LEFT[direction], _LEFT[direction])
    )
    inner = np.flatnonzero(number)
    pixel = inner[number[inner] != number[inner + left]]
    if direction % 2:  # the edges of a run follow each other in a column
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


def _cycles(follows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Split a permutation into cycles; return these one after the other, and where each starts."""
    seen = bytearray(len(follows))
    rings: list[int] = []
    starts: list[int] = []
    for start in range(len(follows)):
        if seen[start]:
            continue
        starts.append(len(rings))
        at = start
        while not seen[at]:
            seen[at] = 1
            rings.append(at)
            at = follows[at]
    return np.array(rings), np.array(starts)
