"""Annotations in files: GeoJSON, and label maps as PNG. Knows shapes and label maps, not projects."""

from histowidgets.annotations.io._geojson_read import read_geojson
from histowidgets.annotations.io._geojson_write import write_geojson
from histowidgets.annotations.io._label_png import check_pixels, read_label_png, write_label_png

__all__ = [
    "check_pixels",
    "read_geojson",
    "read_label_png",
    "write_geojson",
    "write_label_png",
]
