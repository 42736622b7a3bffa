"""Small pictures as data URLs."""

import base64
import io

import numpy as np
import PIL.Image


def picture_url(pixels: np.ndarray, quality: int | None = None) -> str:
    """Return pixels as the data URL of a JPEG, or without a quality of a PNG.

    Parameters
    ----------
    pixels
        uint8, ``(rows, cols, 3)``, or with an alpha channel as a PNG.
    quality
        Of the JPEG, 1 to 95.
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
