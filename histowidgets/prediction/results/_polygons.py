"""Polygons that follow pixel boundaries exactly.

Each polygon is a group of pixels of one class that touch along a side. Its rings run along pixel edges, so its
area is the number of its pixels, holes left out (row B8). Where a group touches itself at a corner only, the ring
is split there, so that every polygon is valid.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from skimage.measure import label


@dataclass(frozen=True)
class Group:
    """Pixels of one class that touch along their sides.

    Attributes
    ----------
    class_index : int
    n_pixels : int
    polygon : shapely.Polygon
        With holes; in pixels of the label map, (0, 0) is the outer corner of the first pixel.
    mean : float or None
        Of the values that were given, over its pixels.
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
        Class indices, the first class being 0; indices from `n_classes` on belong to no group.
    n_classes : int
    min_pixels : float
    values : ndarray of (rows, cols), optional
        Whose mean is wanted for each group.
    keep_cut : bool, default False
        Keep groups of any size that reach the edge of the label map: they may go on beyond it.

    Returns
    -------
    list of Group
        By class, then from top to bottom.
    """
    # Shifted by one, as `label` takes 0 for background: the first class makes groups as the others do (B15).
    shifted = np.where(labels < n_classes, labels, -1).astype(np.int16) + 1
    groups, n_groups = label(shifted, background=0, connectivity=1, return_num=True)
    sizes = np.bincount(groups.ravel(), minlength=n_groups + 1)
    keep = sizes >= max(min_pixels, 1)
    if keep_cut:
        for edge in (groups[0], groups[-1], groups[:, 0], groups[:, -1]):
            keep[edge] = True
    keep[0] = False
    if not keep.any():
        return []
    number = np.cumsum(keep) * keep
    traced = np.pad(number[groups], 1)
    class_of = np.zeros(n_groups + 1, np.int64)
    class_of[groups.ravel()] = labels.ravel()
    rings = _rings_by_group(traced, int(number.max()))
    means = None
    if values is not None:
        means = np.bincount(groups.ravel(), weights=values.ravel(), minlength=n_groups + 1) / np.maximum(sizes, 1)
    found = []
    for group in np.flatnonzero(keep):
        shell, holes = rings[number[group] - 1]
        mean = None if means is None else float(means[group])
        found.append(Group(int(class_of[group]), int(sizes[group]), shapely.Polygon(shell, holes), mean))
    return sorted(found, key=lambda g: g.class_index)


def _rings_by_group(groups: np.ndarray, n_groups: int) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Trace each group of a label map that is padded by one pixel of 0.

    Returns
    -------
    list of (shell, holes)
        Corner points (n, 2), x then y, in pixels of the unpadded map.
    """
    rows, starts, stops, owners = _horizontal_edges(groups)
    after = _successors(groups, rows, starts, stops, owners)
    # Signed area of a ring: a sum over its horizontal edges; the group lies to the right of each edge.
    area_shares = (rows * (starts - stops)).tolist()
    after, row_of = after.tolist(), rows.tolist()
    start_of, stop_of, owner_of = starts.tolist(), stops.tolist(), owners.tolist()
    shells: list[np.ndarray | None] = [None] * n_groups
    holes: list[list[np.ndarray]] = [[] for _ in range(n_groups)]
    seen = bytearray(len(after))
    for begin in range(len(after)):
        if seen[begin]:
            continue
        points, area, edge = [], 0, begin
        while not seen[edge]:
            seen[edge] = 1
            area += area_shares[edge]
            points += [(start_of[edge] - 1, row_of[edge] - 1), (stop_of[edge] - 1, row_of[edge] - 1)]
            edge = after[edge]
        ring, owner = np.array(points, float), owner_of[begin] - 1
        if area > 0:
            shells[owner] = ring
        else:
            holes[owner].append(ring)
    return [(shell, inner) for shell, inner in zip(shells, holes, strict=True) if shell is not None]


def _horizontal_edges(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the straight horizontal boundaries of each group, with the group at their right hand.

    Returns
    -------
    rows, starts, stops, owners : ndarrays of int64
        Edge i runs along the top of row `rows[i]` from column corner `starts[i]` to `stops[i]`.
    """
    above, below = groups[:-1], groups[1:]
    parts = []
    for owner, other, rightwards in ((below, above, True), (above, below, False)):
        mine = np.where(owner != other, owner, 0)
        changes = np.diff(mine, axis=1, prepend=0, append=0) != 0
        # Runs of one group: each change ends a run, begins one, or does both.
        row, col = np.nonzero(changes)
        value = np.append(mine, np.zeros((len(mine), 1), mine.dtype), axis=1)[row, col]
        begins = np.flatnonzero(value > 0)
        left, right = col[begins], col[begins + 1]
        start, stop = (left, right) if rightwards else (right, left)
        parts.append((row[begins] + 1, start, stop, value[begins]))
    return tuple(np.concatenate(p).astype(np.int64) for p in zip(*parts, strict=True))  # type: ignore[return-value]


def _vertical_edges(groups: np.ndarray) -> tuple[np.ndarray, ...]:
    """Do the same for vertical boundaries: columns, starts (row corners), stops, owners."""
    cols, starts, stops, owners = _horizontal_edges(groups.T)
    # Transposing mirrors: what was at the right hand is at the left, so edges run the other way.
    return cols, stops, starts, owners


def _successors(
    groups: np.ndarray, rows: np.ndarray, starts: np.ndarray, stops: np.ndarray, owners: np.ndarray
) -> np.ndarray:
    """Return, for each horizontal edge, the next one along its ring."""
    cols, v_starts, v_stops, v_owners = _vertical_edges(groups)
    width, n = groups.shape[1] + 1, int(groups.max()) + 1

    def keys(row: np.ndarray, col: np.ndarray, owner: np.ndarray, forward: np.ndarray) -> np.ndarray:
        return ((row * width + col) * n + owner) * 2 + forward

    def choose(row: np.ndarray, col: np.ndarray, owner: np.ndarray, wish: np.ndarray, begun: np.ndarray) -> np.ndarray:
        order = np.argsort(begun)
        ordered = begun[order]
        wanted = keys(row, col, owner, wish)
        place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        missing = ordered[place] != wanted
        other = np.searchsorted(ordered, keys(row, col, owner, ~wish))
        return order[np.where(missing, np.minimum(other, len(ordered) - 1), place)]

    # Two edges of a group begin at a corner only where two of its pixels touch diagonally: there the ring goes
    # round the foreign pixel, so that it does not pass the corner twice.
    rightwards, down = stops > starts, v_stops > v_starts
    to_vertical = choose(rows, stops, owners, ~rightwards, keys(v_starts, cols, v_owners, down))
    to_horizontal = choose(v_stops, cols, v_owners, down, keys(rows, starts, owners, rightwards))
    return to_horizontal[to_vertical]
