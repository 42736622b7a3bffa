"""Shapes in full-size pixels, their classes, their geometry, and hit tests."""

from histowidgets.annotations.shapes._annotation import Annotation, drawn_by
from histowidgets.annotations.shapes._classes import (
    MAX_CLASSES,
    PALETTE,
    checked_color,
    checked_name,
    checked_names,
    colors_for,
    free_color,
    is_ignored_class,
    match_class,
    require_different,
)
from histowidgets.annotations.shapes._geometry import painted_area, path_of
from histowidgets.annotations.shapes._hit_test import is_near, topmost_at
from histowidgets.annotations.shapes._shapes import (
    FARTHEST,
    SHAPES,
    Line,
    PathShape,
    Polygon,
    Rectangle,
    Shape,
    Stroke,
    checked_number,
    shape_from_dict,
)
from histowidgets.annotations.shapes._valid import enclosed, only, parts_of, simplify

__all__ = [
    "FARTHEST",
    "MAX_CLASSES",
    "PALETTE",
    "SHAPES",
    "Annotation",
    "Line",
    "PathShape",
    "Polygon",
    "Rectangle",
    "Shape",
    "Stroke",
    "checked_color",
    "checked_name",
    "checked_names",
    "checked_number",
    "colors_for",
    "drawn_by",
    "enclosed",
    "free_color",
    "is_ignored_class",
    "is_near",
    "match_class",
    "only",
    "painted_area",
    "parts_of",
    "path_of",
    "require_different",
    "shape_from_dict",
    "simplify",
    "topmost_at",
]
