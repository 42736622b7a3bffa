"""Outlines of annotations, as the page shows them: rings of image coordinates."""

from collections.abc import Iterable, Mapping
from typing import Any

import shapely

from histowidgets.annotations import Annotation, painted_area

# More than this is shown as rectangles: the page draws the outlines anew at each frame of a drag.
MAX_OUTLINES = 300
MAX_POINTS = 20_000
TOLERANCE = 0.25  # image pixels that an outline may be off
ERASER_COLOR = "#e1e4e8"


def rings_of(area: shapely.Geometry) -> list[list[float]]:
    """Return the rings of a polygon or multipolygon, holes among them, each as x and y in turn.

    By the even-odd rule they enclose the area.
    """
    parts = [part for part in getattr(area, "geoms", [area]) if isinstance(part, shapely.Polygon)]
    rings = [ring for part in parts if not part.is_empty for ring in (part.exterior, *part.interiors)]
    return [shapely.get_coordinates(ring)[:-1].round(2).ravel().tolist() for ring in rings]


def selection_outlines(annotations: Iterable[Annotation], colors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return for each annotation a dict of its ``rings`` and its class' ``color``."""
    left = MAX_POINTS
    outlines = []
    for number, annotation in enumerate(annotations):
        rings = []
        if number < MAX_OUTLINES and left > 0:
            rings = rings_of(painted_area(annotation.shape).simplify(TOLERANCE))
            left -= sum(map(len, rings)) // 2
        if not rings:
            rings = rings_of(shapely.box(*annotation.shape.bounds))
        outlines.append({"rings": rings, "color": colors.get(annotation.class_name or "", ERASER_COLOR)})
    return outlines
