"""Read ImageJ's regions of interest: .roi files, and the RoiSet.zip of its ROI Manager."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import roifile

from histowidgets.annotations.io._content import FileContent, FileShape, ellipse, open_ring, polygons_of_rings
from histowidgets.annotations.shapes import Line, Polygon, Shape

_LINES = (roifile.ROI_TYPE.LINE, roifile.ROI_TYPE.FREELINE, roifile.ROI_TYPE.POLYLINE, roifile.ROI_TYPE.ANGLE)
_NO_AREA = (roifile.ROI_TYPE.POINT, roifile.ROI_TYPE.NOROI)
_NO_AREA_SUBTYPES = (roifile.ROI_SUBTYPE.TEXT, roifile.ROI_SUBTYPE.ARROW, roifile.ROI_SUBTYPE.IMAGE)


def read_rois(rois: Mapping[str, bytes]) -> FileContent:
    """Read regions of interest from file contents by file name; a region's own name takes precedence."""
    content = FileContent("ImageJ (ROI)")
    for number, (file, data) in enumerate(rois.items(), start=1):
        with content.reading(number):
            try:
                roi = roifile.ImagejRoi.frombytes(data)
                shapes = _shapes(roi, content)
            except Exception as error:  # the reader asserts, and unpacks missing bytes
                raise ValueError(f"it is damaged ({type(error).__name__}: {error}).") from error
            name = roi.name or file.rpartition("/")[2].removesuffix(".roi")
            plane = _plane(roi)
            content.shapes += [FileShape(shape, _group(roi), name, plane=plane) for shape in shapes]
    return content


def _shapes(roi: Any, content: FileContent) -> list[Shape]:
    if roi.roitype in _NO_AREA or roi.subtype in _NO_AREA_SUBTYPES:
        content.skip("point(s), text(s) or arrow(s), which have no area")
        return []
    if roi.composite:
        return list(polygons_of_rings([open_ring(ring) for ring in roi.coordinates(multi=True)]))
    if roi.roitype in _LINES:
        return [Line(np.asarray(roi.coordinates(), float), max(1.0, float(roi.stroke_width)))]
    if roi.roitype in (roifile.ROI_TYPE.RECT, roifile.ROI_TYPE.OVAL):
        left, top, right, bottom = (float(edge) for edge in (roi.left, roi.top, roi.right, roi.bottom))
        if roi.subpixelrect:
            left, top, right, bottom = roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
        if roi.roitype == roifile.ROI_TYPE.OVAL:
            return [ellipse(left, top, right, bottom)]
        return [Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])]
    return [Polygon(open_ring(roi.coordinates()))]


def _group(roi: Any) -> str | None:
    """Return the group, ImageJ's kind of region, as a class name; None for group 0."""
    number = int(roi.group)
    return f"Group {number}" if number > 0 else None


def _plane(roi: Any) -> tuple[int, int] | None:
    """Return the slice and the frame, counted from 0; None if the region lies on all of them."""
    slice_, frame = int(roi.z_position), int(roi.t_position)
    if slice_ <= 0 and frame <= 0:
        slice_ = int(roi.position)  # a stack that is not a hyperstack
    return None if slice_ <= 0 and frame <= 0 else (max(slice_, 1) - 1, max(frame, 1) - 1)
