"""Rectangles in full-size pixels, and their size at a downsample."""

import math
from numbers import Real
from typing import NamedTuple

from histowidgets.errors import RegionError


class Region(NamedTuple):
    """A rectangle of whole pixels at full size.

    Attributes
    ----------
    x, y : int
        The left column and the top row, in pixels.
    width, height : int
        The size in pixels. `right` and `bottom` are the first column and row after it.
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of the region."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the region."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """Number of pixels; 0 for an empty region."""
        return max(self.width, 0) * max(self.height, 0)

    @classmethod
    def from_edges(cls, left: int, top: int, right: int, bottom: int) -> "Region":
        """Make the region from its left, top, right and bottom edges."""
        return cls(left, top, right - left, bottom - top)

    def intersect(self, other: "Region") -> "Region | None":
        """Return the intersection with another region, or None if it is empty."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        if right <= left or bottom <= top:
            return None
        return Region(left, top, right - left, bottom - top)

    def contains(self, other: "Region") -> bool:
        """Return whether every pixel of `other` is a pixel of this region."""
        return self.x <= other.x and self.y <= other.y and self.right >= other.right and self.bottom >= other.bottom

    def union(self, other: "Region") -> "Region":
        """Return the smallest region that contains both."""
        return Region.from_edges(
            min(self.x, other.x),
            min(self.y, other.y),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def blocks(self, side: int) -> "list[Region]":
        """Cut the region into squares of `side` pixels, row by row; those at the right and the bottom are smaller."""
        return [
            Region.from_edges(x, y, min(x + side, self.right), min(y + side, self.bottom))
            for y in range(self.y, self.bottom, side)
            for x in range(self.x, self.right, side)
        ]

    def expanded(self, pixels: int) -> "Region":
        """Return the region grown by `pixels` on each side."""
        return Region(self.x - pixels, self.y - pixels, self.width + 2 * pixels, self.height + 2 * pixels)


def scaled_shape(width: int, height: int, downsample: float) -> tuple[int, int]:
    """Return (rows, columns) of a region at a downsample, rounded up so that no pixel is lost.

    Parameters
    ----------
    width, height : int
        Size of the region in full-size pixels.
    downsample : float
        At least 1.

    Raises
    ------
    RegionError
        If the downsample is not a finite number of at least 1.
    """
    if not (isinstance(downsample, Real) and math.isfinite(downsample) and downsample >= 1):
        raise RegionError(f"The downsample is {downsample!r}; it must be a number of at least 1.")
    return math.ceil(height / downsample), math.ceil(width / downsample)


def level_downsample(full: tuple[int, int], level: tuple[int, int]) -> float:
    """Return the downsample of a stored level; a whole number if the level's size is a rounded whole fraction.

    Parameters
    ----------
    full, level : (int, int)
        (width, height) of the full-size image and of the level.
    """
    ratio = (full[0] / level[0] + full[1] / level[1]) / 2
    whole = max(1, round(ratio))
    if all(small in (big // whole, math.ceil(big / whole)) for big, small in zip(full, level, strict=True)):
        return float(whole)
    return ratio
