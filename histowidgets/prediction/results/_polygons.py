"""Polygons that follow pixel boundaries exactly, and the sums over their pixels.

Each polygon is a group of pixels of one class that touch along a side. Its rings run along pixel edges, so that its
area is the number of its pixels, without holes. Where a group touches itself only at a corner, the ring is split, so
that every polygon is valid.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.affinity import translate

from histowidgets.annotations.raster import UNLABELLED, Areas, find_areas, trace_outlines


@dataclass(frozen=True)
class Sums:
    """Sums over the pixels of a group, of which those of its parts can be added.

    Attributes
    ----------
    n, x, y, xx, xy, yy : int
        Number of pixels; sums of their columns and rows, and of the products of these. Exact.
    values : tuple of float
        Sums of the measured values.
    """

    n: int
    x: int
    y: int
    xx: int
    xy: int
    yy: int
    values: tuple[float, ...] = ()

    def moved(self, dx: int, dy: int) -> "Sums":
        """Return the sums after moving the pixels."""
        n, x, y = self.n, self.x, self.y
        xx, yy = self.xx + 2 * dx * x + dx * dx * n, self.yy + 2 * dy * y + dy * dy * n
        return Sums(n, x + dx * n, y + dy * n, xx, self.xy + dx * y + dy * x + dx * dy * n, yy, self.values)

    def __add__(self, other: "Sums") -> "Sums":
        mine = (self.n + other.n, self.x + other.x, self.y + other.y)
        values = tuple(a + b for a, b in zip(self.values, other.values, strict=True))
        return Sums(*mine, self.xx + other.xx, self.xy + other.xy, self.yy + other.yy, values)

    @property
    def means(self) -> tuple[float, ...]:
        """Means of the measured values."""
        return tuple(value / self.n if self.n else math.nan for value in self.values)

    def eccentricity(self, sides: tuple[float, float]) -> float:
        """Return the eccentricity of the ellipse with the same second moments: 0 for a disc, near 1 for a line.

        Parameters
        ----------
        sides : (float, float)
            Height and width of a pixel.
        """
        # Exact integers up to here: n**2 times the variances.
        high, wide = sides
        a = (self.n * self.xx - self.x**2) * wide**2
        b = (self.n * self.xy - self.x * self.y) * wide * high
        c = (self.n * self.yy - self.y**2) * high**2
        middle, half = (a + c) / 2, math.hypot((a - c) / 2, b)
        return 0.0 if middle + half <= 0 else math.sqrt(min(1.0, 2 * half / (middle + half)))


@dataclass(frozen=True)
class Group:
    """Pixels of one class that touch along their sides.

    Attributes
    ----------
    class_index : int
    n_pixels : int
        Including filled holes.
    polygon : shapely.Polygon
        With holes, in pixels of the label map; (0, 0) is the outer corner of the first pixel.
    sums : Sums
        Over its pixels, without filled holes.
    """

    class_index: int
    n_pixels: int
    polygon: shapely.Polygon
    sums: Sums

    def moved(self, dx: int, dy: int) -> "Group":
        """Return the group at another place."""
        return replace(self, polygon=translate(self.polygon, dx, dy), sums=self.sums.moved(dx, dy))


def polygons_of(
    labels: np.ndarray,
    n_classes: int,
    min_pixels: float = 0,
    values: Sequence[np.ndarray] = (),
    keep_cut: bool = False,
) -> list[Group]:
    """Find the groups of at least `min_pixels` pixels.

    Parameters
    ----------
    labels : ndarray of uint8, (rows, cols)
        Class indices from 0; indices from `n_classes` on belong to no group.
    n_classes : int
    min_pixels : float
    values : sequence of ndarray of (rows, cols)
        Values to add up over each group.
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
    kept = Areas(areas.number * keep[areas.number], areas.count)
    found = groups_of(kept, lambda row, column: int(labels[row, column]), values)
    return sorted(found, key=lambda group: group.class_index)


def groups_of(
    areas: Areas,
    class_at: Callable[[int, int], int],
    values: Sequence[np.ndarray],
    counted: np.ndarray | None = None,
) -> list[Group]:
    """Trace numbered areas, and add up what is measured over their pixels.

    Parameters
    ----------
    areas : Areas
        Each must be connected along sides; those with number 0 are left out.
    class_at : callable
        Maps the row and the column of a pixel to its class.
    values : sequence of ndarray of (rows, cols)
    counted : ndarray of bool, (rows, cols), optional
        Pixels over which sums are formed; by default all.
    """
    number = areas.number[1:-1, 1:-1]
    sizes = np.bincount(number.ravel(), minlength=areas.count + 1)
    summed = number if counted is None else np.where(counted, number, 0)
    rows, columns = np.nonzero(summed)
    which = summed[rows, columns]
    plain = [columns, rows, columns * columns, columns * rows, rows * rows]
    weights = [*plain, *(one[rows, columns] for one in values)]
    sums = [np.bincount(which, minlength=areas.count + 1)]
    sums += [np.bincount(which, weight, minlength=areas.count + 1) for weight in weights]
    n_exact = 1 + len(plain)
    found = []
    for i, row, column, exterior, interiors in trace_outlines(areas):
        exact = [int(one[i]) for one in sums[:n_exact]]
        n, x, y, xx, xy, yy = exact
        total = Sums(n, x, y, xx, xy, yy, tuple(float(one[i]) for one in sums[n_exact:]))
        found.append(Group(class_at(row, column), int(sizes[i]), shapely.Polygon(exterior, interiors), total))
    return found


def joined(groups: Sequence[Group], keys: Sequence[Hashable]) -> list[Group]:
    """Join groups of the same key that touch along a side."""
    if not groups:
        return []
    polygons = [group.polygon for group in groups]
    parent = list(range(len(groups)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first, second = shapely.STRtree(polygons).query(polygons, predicate="touches")
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        alike = i < j and keys[i] == keys[j]
        if alike and root(i) != root(j) and polygons[i].intersection(polygons[j]).length > 0:
            parent[root(i)] = root(j)
    families: dict[int, list[Group]] = {}
    for i, group in enumerate(groups):
        families.setdefault(root(i), []).append(group)
    return [_union(family) for family in families.values()]


def _union(family: Sequence[Group]) -> Group:
    if len(family) == 1:
        return family[0]
    # Where two pieces were joined, corners remain in the middle of straight edges.
    union = shapely.union_all([group.polygon for group in family])
    straight = union.simplify(0)
    polygon = straight if straight.is_valid else union
    sums = family[0].sums
    for other in family[1:]:
        sums = sums + other.sums
    return Group(family[0].class_index, sum(group.n_pixels for group in family), polygon, sums)
