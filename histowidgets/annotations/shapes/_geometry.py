"""Convert shapes to shapely geometries: their areas and paths."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from histowidgets.annotations.shapes._shapes import Line, Polygon, Rectangle, Shape, Stroke
from histowidgets.annotations.shapes._valid import enclosed
from histowidgets.errors import ShapeError

#: Straight segments per quarter circle; with 8, the error is within half a percent of the radius.
_QUARTER_PIECES = 8


def painted_area(shape: Shape) -> BaseGeometry:
    """Return the area that a shape paints, as a valid polygon or multipolygon; empty if it has no area."""
    if isinstance(shape, Stroke) and isinstance(shape.width, np.ndarray) and len(shape.points) > 1:
        discs = shapely.buffer(shapely.points(shape.points), shape.radii, quad_segs=_QUARTER_PIECES)
        return shapely.union_all(shapely.convex_hull(shapely.union(discs[:-1], discs[1:])))
    if isinstance(shape, Stroke | Line):
        return path_of(shape).buffer(shape.mean_width / 2, quad_segs=_QUARTER_PIECES)
    if isinstance(shape, Rectangle):
        return shapely.box(*shape.bounds)
    if isinstance(shape, Polygon):
        return enclosed(shape.points, shape.holes)
    raise ShapeError(f"A {type(shape).__name__} has no known area.")


def path_of(shape: Stroke | Line) -> BaseGeometry:
    """Return the centre line of a stroke or line: a line string, or a point for a dot."""
    points = shape.points
    return shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])
