"""Small pictures as data URLs."""

import base64
import io

import numpy as np
import PIL.Image


def picture_url(pixels: np.ndarray, quality: int | None = None) -> str:
    """Return pixels as the data URL of a JPEG, or of a PNG if no quality is given.

    Parameters
    ----------
    pixels
        uint8, ``(rows, cols, 3)``; for a PNG also with an alpha channel.
    quality
        Quality of the JPEG, 1 to 95.
    """
    picture, buffer = PIL.Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    if quality is None:
        picture.save(buffer, "PNG")
        return data_url(buffer.getvalue(), "png")
    picture.save(buffer, "JPEG", quality=quality)
    return data_url(buffer.getvalue(), "jpeg")


def data_url(data: bytes, kind: str) -> str:
    """Return the bytes of a picture file, a "jpeg" or "png", as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
