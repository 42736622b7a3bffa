"""Resample the pixels and labels of an image to a view. Pure NumPy and Pillow."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL.Image

from histowidgets.images import CachedReader, Region
from histowidgets.widgets.canvas.state import View

#: Crops of up to this many pixels are encoded losslessly as PNG, larger ones as JPEG.
PNG_PIXELS = 128 * 128
JPEG_QUALITY = 90

#: Reads the labels of a region: (region, downsample) -> uint8 (rows, cols).
ReadLabels = Callable[[Region, int], np.ndarray]


@dataclass(frozen=True)
class Picture:
    """An encoded image, and the rectangle of the canvas, in drawn pixels, that it fills."""

    data: bytes
    format: str
    x: float
    y: float
    width: float
    height: float


def power_of_two_downsample(zoom: float) -> int:
    """Return the largest power-of-two downsample at which a read pixel is no larger than a drawn one."""
    return 2 ** max(0, math.floor(math.log2(1 / zoom) + 1e-9))


def image_in_view(
    reader: CachedReader, view: View, scale: float, to_rgb: Callable[[np.ndarray], np.ndarray]
) -> Picture:
    """Return the image in view, with at most as many pixels as the canvas or the image has.

    Parameters
    ----------
    reader
        Reads the image.
    view, scale
        The view to show, and the drawn pixels per CSS pixel.
    to_rgb
        Turns pixels as read into uint8 RGB.
    """
    region, zoom = view.region, view.zoom * scale
    left, top = view.to_stage(region.x, region.y)
    if zoom >= 1:
        rgb = to_rgb(reader.read(region))
        place = (left * scale, top * scale, region.width * zoom, region.height * zoom)
    else:
        rgb, place = _shrunk(reader, view, scale, to_rgb)
    data, format = encode_rgb(rgb)
    return Picture(data, format, *place)


def _shrunk(
    reader: CachedReader, view: View, scale: float, to_rgb: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return exactly the drawn pixels that the image covers, so that the browser does not resample them."""
    zoom = view.zoom * scale
    drawn = view.drawn_region(reader.image.region, scale) or Region(0, 0, 1, 1)
    downsample = power_of_two_downsample(zoom)
    seen = view.region
    # On the same grid for all views, so that earlier reads can be reused.
    x, y = seen.x // downsample * downsample, seen.y // downsample * downsample
    region = Region.from_edges(x, y, seen.right, seen.bottom)
    pixels = to_rgb(reader.read(region, downsample))
    x0, y0 = view.to_image(drawn.x / scale, drawn.y / scale)
    x1, y1 = view.to_image(drawn.right / scale, drawn.bottom / scale)
    rows, cols = pixels.shape[:2]
    box = (
        min(max((x0 - region.x) / downsample, 0), cols - 1),
        min(max((y0 - region.y) / downsample, 0), rows - 1),
        min(max((x1 - region.x) / downsample, 1), cols),
        min(max((y1 - region.y) / downsample, 1), rows),
    )
    picture = PIL.Image.fromarray(pixels).resize((drawn.width, drawn.height), PIL.Image.Resampling.BILINEAR, box=box)
    return np.asarray(picture), (drawn.x, drawn.y, drawn.width, drawn.height)


def encode_rgb(rgb: np.ndarray) -> tuple[bytes, str]:
    """Return uint8 RGB as (bytes, format): PNG when small, JPEG otherwise."""
    format, options = ("png", {}) if rgb.shape[0] * rgb.shape[1] <= PNG_PIXELS else ("jpeg", {"quality": JPEG_QUALITY})
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format.upper(), **options)
    return buffer.getvalue(), format


def labels_in_view(read: ReadLabels, view: View, scale: float, drawn: Region) -> np.ndarray:
    """Return the class index under each of the `drawn` pixels.

    Returns
    -------
    numpy.ndarray
        uint8, ``(drawn.height, drawn.width)``.
    """
    columns, rows = view.pixel_indices(drawn, scale)
    step = power_of_two_downsample(view.zoom * scale)
    # On a grid that starts at the image's corner, so that pieces fit together.
    x, y = int(columns[0]) // step * step, int(rows[0]) // step * step
    region = Region(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)
    labels = read(region, step)
    return labels[np.ix_((rows - y) // step, (columns - x) // step)]
