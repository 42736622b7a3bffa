"""Classes as colours."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import ImageColor

from histowidgets.errors import PredictionError


def rgb(color: str) -> tuple[int, int, int]:
    """Read a colour such as ``"#1f77b4"`` as red, green and blue from 0 to 255.

    Raises
    ------
    PredictionError
        If it is no colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(color)[:3]
    except (ValueError, AttributeError, TypeError):
        raise PredictionError(f"{color!r} is no colour; write it like '#1f77b4'.") from None
    return red, green, blue


def overlay_rgba(
    labels: np.ndarray, colors: Mapping[str, str] | Sequence[str], alpha: int | Sequence[int] = 255
) -> np.ndarray:
    """Colour a label map for drawing it over the image.

    Parameters
    ----------
    labels : ndarray of uint8
        Class indices, any shape; an index without a colour (255, unlabelled) becomes transparent.
    colors : mapping of class name to colour, or sequence of colours
        In the order of the classes; like ``"#1f77b4"``.
    alpha : int or sequence of int, default 255
        Opacity from 0 to 255, for all classes or for each.

    Returns
    -------
    ndarray of uint8, shape of `labels` + (4,)
        Red, green, blue, opacity.

    Raises
    ------
    PredictionError
        If a colour is none.
    """
    wanted = list(colors.values()) if isinstance(colors, Mapping) else list(colors)
    table = np.zeros((256, 4), np.uint8)
    for index, color in enumerate(wanted[:255]):
        table[index, :3] = rgb(color)
    table[: len(wanted), 3] = alpha
    # One 32-bit look-up a pixel instead of four of 8 bits.
    packed = table.view(np.uint32)[:, 0]
    return packed[labels].view(np.uint8).reshape(*labels.shape, 4)
