"""Annotation files: GeoJSON, formats of other programs, and label maps. Knows shapes and labels, but not projects."""

from histowidgets.annotations.io._content import FileContent
from histowidgets.annotations.io._fit import ImportOptions, file_offset, fit, plane_of, without
from histowidgets.annotations.io._geojson_write import write_geojson
from histowidgets.annotations.io._label_png import check_pixels, write_label_png
from histowidgets.annotations.io._label_read import ReadLabels, read_labels
from histowidgets.annotations.io._read import is_picture, read_annotations, require_readable

__all__ = [
    "FileContent",
    "ImportOptions",
    "ReadLabels",
    "check_pixels",
    "file_offset",
    "fit",
    "is_picture",
    "plane_of",
    "read_annotations",
    "read_labels",
    "require_readable",
    "without",
    "write_geojson",
    "write_label_png",
]
