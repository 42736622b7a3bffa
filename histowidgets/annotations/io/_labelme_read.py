"""Read the JSON files of labelme."""

import base64
import binascii
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import PIL.Image

from histowidgets.annotations.io._content import FileContent, FileShape, ellipse, open_ring
from histowidgets.annotations.raster import find_areas, trace
from histowidgets.annotations.shapes import Line, Polygon, Shape

#: Most pixels of a mask.
_MOST_PIXELS = 1 << 26


def is_labelme(values: Any) -> bool:
    """Return whether a JSON file is from labelme."""
    return isinstance(values, Mapping) and isinstance(values.get("shapes"), list)


def read_labelme(values: Mapping[str, Any]) -> FileContent:
    """Read the shapes of a file; see https://github.com/wkentaro/labelme."""
    width, height = values.get("imageWidth"), values.get("imageHeight")
    content = FileContent("labelme (JSON)")
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        content.size = (width, height)
    for number, entry in enumerate(values["shapes"], start=1):
        with content.reading(number):
            label = entry["label"]
            name = label.strip() or None if isinstance(label, str) else str(label)
            content.shapes += [FileShape(shape, name) for shape in _shapes(entry, content)]
    return content


def _shapes(entry: Mapping[str, Any], content: FileContent) -> list[Shape]:
    kind = entry.get("shape_type") or "polygon"
    points = np.asarray(entry["points"], float).reshape(-1, 2)
    if kind in ("point", "points"):
        content.skip("point(s), which have no area")
        return []
    if kind in ("line", "linestrip"):
        return [Line(points)]
    if kind == "polygon":
        return [Polygon(open_ring(points))]
    if len(points) < 2:
        raise ValueError(f"a {kind} has {len(points)} point(s) instead of two.")
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    if kind == "rectangle":
        return [Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])]
    if kind == "circle":  # its centre, and a point on it
        (x, y), radius = points[0], float(np.hypot(*(points[1] - points[0])))
        return [ellipse(x - radius, y - radius, x + radius, y + radius)]
    if kind == "mask":
        return _mask(entry["mask"], left, top)
    raise ValueError(f"its shape_type is {kind!r}.")


def _mask(text: str, left: float, top: float) -> list[Shape]:
    """Return the areas of a mask, given as a base64 PNG and its position."""
    try:
        with PIL.Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError(f"its mask has {picture.width} x {picture.height} pixels.")
            mask = np.asarray(picture.convert("L")) > 0
    except (OSError, binascii.Error, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise ValueError(f"its mask is damaged: {error}") from error
    # Rounded, since labelme cuts masks along whole pixels.
    return [polygon.moved(round(left), round(top)) for _, _, polygon in trace(find_areas(mask.astype(np.uint8), 0))]
