"""Label maps: draw shapes into them, and trace their areas as polygons."""

from histowidgets.annotations.raster._labels import UNLABELLED, draw, rasterize, reach_of, touches
from histowidgets.annotations.raster._spans import flat_pixels, paint, spans_of
from histowidgets.annotations.raster._trace import Areas, Outline, find_areas, trace, trace_outlines

__all__ = [
    "UNLABELLED",
    "Areas",
    "Outline",
    "draw",
    "find_areas",
    "flat_pixels",
    "paint",
    "rasterize",
    "reach_of",
    "spans_of",
    "touches",
    "trace",
    "trace_outlines",
]
