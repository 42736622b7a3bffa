"""Overlays encoded for the page: few colours, and mostly empty."""

import io
from typing import NamedTuple

import numpy as np
import PIL.Image

from histowidgets.widgets.canvas.drawing._paint import Paint


class Png(NamedTuple):
    """An encoded piece of an overlay, and the place of its top left corner."""

    data: bytes
    x: int
    y: int


def overlay_png(paint: Paint, x: int, y: int) -> Png | None:
    """Encode the part of an overlay that is not empty, with a palette: a third of the bytes of full colour, and fast.

    Parameters
    ----------
    paint
        The overlay.
    x, y
        Position of its top left corner.

    Returns
    -------
    Png or None
        None if the overlay is transparent everywhere.
    """
    opaque = (paint.colors[:, 3] > 0)[paint.numbers]
    rows, columns = np.flatnonzero(opaque.any(1)), np.flatnonzero(opaque.any(0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    piece = Paint(paint.numbers[top : rows[-1] + 1, left : columns[-1] + 1], paint.colors)
    buffer = io.BytesIO()
    _picture(piece).save(buffer, "PNG", compress_level=1)
    return Png(buffer.getvalue(), x + left, y + top)


def _picture(paint: Paint) -> PIL.Image.Image:
    """Return the pixels as a picture with a palette, or in full colour if they have more colours than a palette."""
    if paint.numbers.dtype != np.uint8:
        return PIL.Image.fromarray(paint.rgba)
    picture = PIL.Image.fromarray(np.ascontiguousarray(paint.numbers))
    picture.putpalette(paint.colors.tobytes(), "RGBA")  # turns a grey picture into one with a palette
    return picture
