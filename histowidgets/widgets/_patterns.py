"""A second mark of each class beside its colour: hatching, for eyes and screens that tell colours apart badly."""

import base64
import io
from collections.abc import Callable, Sequence

import numpy as np
import PIL.Image

from histowidgets.annotations import UNLABELLED

# CSS pixels from one line to the next, and the width of a line.
PERIOD, LINE = 8, 1.5
INK_SHARE = 0.6  # how much of black or white is in a line
SWATCH = 14

# (x, y, period, line) -> whether ink is there. A class beyond the last begins again, with closer lines.
_PATTERNS: tuple[Callable[[np.ndarray, np.ndarray, int, int], np.ndarray], ...] = (
    lambda x, y, p, w: (x + y) % p < w,
    lambda x, y, p, w: (x - y) % p < w,
    lambda x, y, p, w: (y % p < w) & (x >= 0),
    lambda x, y, p, w: (x % p < w) & (y >= 0),
    lambda x, y, p, w: (x % p < 2 * w) & (y % p < 2 * w),
    lambda x, y, p, w: ((x + y) % p < w) | ((x - y) % p < w),
    lambda x, y, p, w: (x % p < w) | (y % p < w),
    lambda x, y, p, w: (y % p < w) & (x // p % 2 == 0),
)


def pattern_mask(index: int, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Return where the hatching of a class has its ink.

    Parameters
    ----------
    index
        Of the class.
    x, y
        Whole drawn pixels, of shapes that broadcast. They count from the canvas' corner, so that pieces fit.
    scale
        Drawn pixels a CSS pixel.

    Returns
    -------
    numpy.ndarray
        bool.
    """
    turn, number = divmod(index, len(_PATTERNS))
    period = max(3, round((PERIOD - 2 * (turn % 3)) * scale))
    return np.asarray(_PATTERNS[number](x, y, period, max(1, round(LINE * scale))), dtype=bool)


def hatched(rgba: np.ndarray, labels: np.ndarray, colors: Sequence[str], x: int, y: int, scale: float) -> np.ndarray:
    """Draw the hatching of each class over its pixels, and return them.

    Parameters
    ----------
    rgba
        uint8 ``(rows, cols, 4)``; changed.
    labels
        uint8 class indices, ``(rows, cols)``; `UNLABELLED` is left alone.
    colors
        ``"#rrggbb"`` of each class; the ink is black on a light one, and white on a dark one.
    x, y
        Of the first pixel, in drawn pixels on the canvas.
    scale
        Drawn pixels a CSS pixel.
    """
    rows, cols = labels.shape
    down, across = np.arange(y, y + rows)[:, None], np.arange(x, x + cols)[None, :]
    for index in np.unique(labels):
        if index == UNLABELLED or index >= len(colors):
            continue
        inked = (labels == index) & pattern_mask(int(index), across, down, scale)
        color = np.array([int(colors[index][i : i + 2], 16) for i in (1, 3, 5)])
        ink = 0.0 if color @ (0.299, 0.587, 0.114) > 110 else 255.0
        rgba[inked, :3] = np.rint((1 - INK_SHARE) * color + INK_SHARE * ink)
    return rgba


def swatch_url(index: int) -> str:
    """Return the hatching of a class as the address of a small picture, for the legend; black ink on nothing."""
    side = np.arange(SWATCH)
    ink = pattern_mask(index, side[None, :], side[:, None], 1.0)
    pixels = np.zeros((SWATCH, SWATCH, 4), np.uint8)
    pixels[..., 3] = ink * 190
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
