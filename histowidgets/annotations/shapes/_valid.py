"""Make polygons valid by the rules of the OGC, which QuPath, JTS and PostGIS check."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

#: Coordinates of simplified outlines are multiples of this many pixels.
GRID = 0.01
#: Largest share by which simplifying may change an area.
MOST_AREA_CHANGE = 0.01
#: How often the tolerance is halved before giving up on simplifying an outline.
_HALVINGS = 6


def enclosed(outline: np.ndarray, holes: Sequence[np.ndarray] = ()) -> BaseGeometry:
    """Return the area inside an outline and outside its holes, as a valid polygon or multipolygon.

    Where an outline crosses itself, the even-odd rule decides what is inside. Holes may extend outside the outline and
    overlap each other.

    Parameters
    ----------
    outline : ndarray of (N, 2)
    holes : sequence of ndarray of (M, 2)
    """
    area = shapely.Polygon(outline, holes)
    if area.is_valid:
        return area
    if not holes:
        return only(shapely.make_valid(area), "Polygon")
    without = shapely.union_all([enclosed(hole) for hole in holes])
    return only(enclosed(outline).difference(without), "Polygon")


def only(geometry: BaseGeometry, kind: str) -> BaseGeometry:
    """Return the parts of a kind ("Polygon" or "LineString"), as one geometry; empty if there are none."""
    parts = [part for part in parts_of(geometry) if part.geom_type == kind]
    if len(parts) == 1:
        return parts[0]
    return (shapely.MultiPolygon if kind == "Polygon" else shapely.MultiLineString)(parts)


def parts_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Return the simple geometries that a geometry consists of, at any depth, except empty ones."""
    if not hasattr(geometry, "geoms"):
        return [] if geometry.is_empty else [geometry]
    return [part for member in geometry.geoms for part in parts_of(member)]


def simplify(polygon: shapely.Polygon, tolerance: float) -> shapely.Polygon:
    """Return a valid polygon with fewer corners, as many parts, and the same area within 1 %.

    The outline moves by up to the tolerance (Douglas and Peucker). If that changes the area by more than 1 %, the
    outline is scaled back, provided that this moves it by no more than the tolerance again; otherwise a smaller
    tolerance is tried. A polygon that cannot be simplified in this way is returned unchanged.

    Parameters
    ----------
    polygon : shapely.Polygon
        A valid polygon.
    tolerance : float
        In the units of the polygon; at 0 or below, the polygon is returned unchanged.
    """
    area, step = polygon.area, float(tolerance)
    left, top, right, bottom = polygon.bounds
    reach = max(right - left, bottom - top) / 2
    for _ in range(_HALVINGS):
        if not 0 < step < np.inf:
            break
        found = polygon.simplify(step)
        if _is_polygon(found):
            scale = (area / found.area) ** 0.5
            if abs(found.area / area - 1) > MOST_AREA_CHANGE and abs(scale - 1) * reach <= step:
                found = affinity.scale(found, scale, scale, origin="centroid")
            if _is_polygon(found) and len(found.interiors) == len(polygon.interiors):
                found = shapely.set_precision(found, GRID)
                if _is_polygon(found) and abs(found.area / area - 1) <= MOST_AREA_CHANGE:
                    return found
        step = min(step, reach) / 2
    return polygon


def _is_polygon(geometry: BaseGeometry) -> bool:
    return geometry.geom_type == "Polygon" and geometry.is_valid and geometry.area > 0
