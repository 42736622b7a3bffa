"""Hit tests: the distance of a point from the area that a shape covers."""

from collections.abc import Sequence

import numpy as np

from histowidgets.annotations.shapes._annotation import Annotation
from histowidgets.annotations.shapes._shapes import PathShape, Polygon, Rectangle, Shape
from histowidgets.errors import ShapeError


def is_near(shape: Shape, x: float, y: float, tolerance: float) -> bool:
    """Return whether a point lies in the area of a shape, or within `tolerance` pixels of it."""
    left, top, right, bottom = shape.bounds
    if not (left - tolerance <= x <= right + tolerance and top - tolerance <= y <= bottom + tolerance):
        return False
    return distance(shape, x, y) <= tolerance


def topmost_at(annotations: Sequence[Annotation], x: float, y: float, tolerance: float) -> str | None:
    """Return the id of the topmost annotation at a point, or within `tolerance` pixels of it; erasers are ignored."""
    for one in reversed(annotations):
        if one.class_name is not None and is_near(one.shape, x, y, tolerance):
            return one.id
    return None


def distance(shape: Shape, x: float, y: float) -> float:
    """Return the distance, in full-size pixels, of a point from the area that a shape covers; 0 inside it."""
    if isinstance(shape, Rectangle):
        left, top, right, bottom = shape.bounds
        return float(np.hypot(max(left - x, 0.0, x - right), max(top - y, 0.0, y - bottom)))
    point = np.array([x, y], float)
    if isinstance(shape, PathShape):
        pieces = max(1, len(shape.points) - 1)
        first, last = slice(None, pieces), slice(-pieces, None)
        away = _from_tapered(point, shape.points[first], shape.points[last], shape.radii[first], shape.radii[last])
        return max(0.0, float(away.min()))
    if isinstance(shape, Polygon):
        rings = shape.rings
        if not rings:  # its holes cover it entirely
            return float("inf")
        heads = np.concatenate(rings)
        tails = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
        return 0.0 if _is_inside(point, heads, tails) else float(_from_pieces(point, heads, tails).min())
    raise ShapeError(f"A {type(shape).__name__} has no known area.")


def _from_pieces(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distance, (N,), of a point from each straight piece from `a` to `b`."""
    way = b - a
    squared = (way**2).sum(axis=1)
    along = ((point - a) * way).sum(axis=1) / np.where(squared > 0, squared, 1)
    foot = a + np.clip(along, 0, 1)[:, None] * way
    return np.hypot(*(point - foot).T)


def _from_tapered(point: np.ndarray, a: np.ndarray, b: np.ndarray, ra: np.ndarray, rb: np.ndarray) -> np.ndarray:
    """Return the distance, (N,), negative inside, of a point from the convex hull of the discs at `a` and `b`.

    After Inigo Quilez, "uneven capsule" (https://iquilezles.org/articles/distfunctions2d/).
    """
    from_a, from_b = np.hypot(*(point - a).T), np.hypot(*(point - b).T)
    discs = np.minimum(from_a - ra, from_b - rb)
    length = np.hypot(*(b - a).T)
    hull = length > np.abs(ra - rb)  # otherwise one disc contains the other
    unit = (b - a) / np.where(hull, length, 1)[:, None]
    along = ((point - a) * unit).sum(axis=1)
    across = np.abs((point - a)[:, 0] * unit[:, 1] - (point - a)[:, 1] * unit[:, 0])
    lean = np.where(hull, (ra - rb) / np.where(hull, length, 1), 0)
    upright = np.sqrt(1 - lean**2)
    place = along * upright - across * lean
    side = hull & (place > 0) & (place < upright * length)
    return np.where(side, across * upright + along * lean - ra, discs)


def _is_inside(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether a point lies inside outlines with these pieces, by the even-odd rule."""
    crosses = (a[:, 1] > point[1]) != (b[:, 1] > point[1])
    a, b = a[crosses], b[crosses]
    at = a[:, 0] + (point[1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool((at > point[0]).sum() % 2)
