"""The shape that a tool makes of the points a hand gave it."""

import numpy as np

from histowidgets.annotations import Line, Polygon, Rectangle, Shape, Stroke
from histowidgets.errors import ShapeError


def drawn_shape(tool: str, points: np.ndarray, width: float | np.ndarray) -> Shape:
    """Return what was drawn.

    Parameters
    ----------
    tool
        "brush", "eraser", "line", "rectangle" or "polygon".
    points
        ``(n, 2)``, x then y, in image pixels: the path of the brush, the ends of a line, two opposite corners of a
        rectangle, or the outline of a polygon.
    width
        Of a stroke or a line, in image pixels; of a stroke also one for each point.

    Raises
    ------
    ShapeError
        If there are too few points, too many, or the shape has no extent.
    """
    if tool == "polygon":
        return Polygon(points)
    if tool not in ("line", "rectangle"):
        return Stroke(points, width=width)
    if len(points) != 2:
        raise ShapeError(f"A {tool} is drawn from one point to another; got {len(points)} points.")
    if tool == "line":
        return Line(points, width=float(width))
    left, top = points.min(axis=0)
    across, down = np.ptp(points, axis=0)
    return Rectangle(left, top, across, down)
