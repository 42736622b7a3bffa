"""Outlines of annotations for the page, as rings of image coordinates."""

from collections.abc import Iterable, Mapping
from typing import Any

import shapely

from histowidgets.annotations import Annotation, painted_area

# Beyond these limits, rectangles are shown instead, since the page redraws the outlines in each frame of a drag.
MAX_OUTLINES = 300
MAX_POINTS = 20_000
TOLERANCE = 0.25  # largest error of an outline, in image pixels
ERASER_COLOR = "#e1e4e8"


def rings_of(area: shapely.Geometry) -> list[list[float]]:
    """Return the rings of a polygon or multipolygon, including holes, each as alternating x and y.

    They enclose the area by the even-odd rule.
    """
    parts = [part for part in getattr(area, "geoms", [area]) if isinstance(part, shapely.Polygon)]
    rings = [ring for part in parts if not part.is_empty for ring in (part.exterior, *part.interiors)]
    return [shapely.get_coordinates(ring)[:-1].round(2).ravel().tolist() for ring in rings]


def selection_outlines(annotations: Iterable[Annotation], colors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a dict for each annotation: its ``rings``, and the ``color`` of its class."""
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
