"""Pieces of an overlay as palette indices and a palette.

An overlay has few colours. One byte per pixel takes a quarter of the work of RGBA, and is encoded as a palette PNG.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from histowidgets._colors import hex_to_rgb
from histowidgets.annotations import UNLABELLED
from histowidgets.widgets.canvas.drawing._hatching import ink_color, inked

# The indices in a piece that shows classes; from CLASSES on the classes, then the lines of their hatching.
EMPTY, LIGHT, DARK, CLASSES = 0, 1, 2, 3

# An annotation is drawn in its class colour, almost opaque, inside a light and a dark rim of one CSS pixel each. This
# distinguishes it from a prediction in the same colour, and makes it visible on light and dark tissue. The ink that
# the browser draws looks the same, so that nothing jumps when the kernel's drawing replaces it.
FILL_ALPHA = 230
LIGHT_RIM = (255, 255, 255, 230)
DARK_RIM = (0, 0, 0, 140)


class Paint(NamedTuple):
    """Indices, uint8 or uint16 ``(rows, cols)``, and the RGBA palette, uint8 ``(n, 4)``."""

    numbers: np.ndarray
    colors: np.ndarray

    @property
    def rgba(self) -> np.ndarray:
        """The RGBA pixels, uint8 ``(rows, cols, 4)``."""
        pixels: np.ndarray = self.colors[self.numbers]
        return pixels

    def inside(self, margin: int) -> "Paint":
        """Return the piece without a margin of pixels on each side."""
        return Paint(self.numbers[margin:-margin, margin:-margin], self.colors)


def painted_classes(labels: np.ndarray, colors: Sequence[str], alpha: int = 255) -> Paint:
    """Return labels in the class colours; pixels without a class are transparent.

    Parameters
    ----------
    labels
        uint8 class indices, ``(rows, cols)``.
    colors
        ``"#rrggbb"`` for each class.
    alpha
        Opacity of the classes' colours, 0 to 255.
    """
    n = len(colors)
    table = np.zeros(256, np.uint8 if CLASSES + 2 * n <= 256 else np.uint16)
    table[:n] = np.arange(CLASSES, CLASSES + n)
    return Paint(table[labels], _palette(tuple(colors), alpha))


@lru_cache(maxsize=64)
def _palette(colors: tuple[str, ...], alpha: int) -> np.ndarray:
    """Return the palette; cached, as the overlays of a project share a few palettes."""
    n = len(colors)
    palette = np.zeros((CLASSES + 2 * n, 4), np.uint8)
    palette[LIGHT], palette[DARK] = LIGHT_RIM, DARK_RIM
    for index, color in enumerate(colors):
        for place, hue in ((CLASSES + index, color), (CLASSES + n + index, ink_color(color))):
            palette[place] = (*hex_to_rgb(hue), alpha)
    palette.setflags(write=False)
    return palette


def hatched(paint: Paint, labels: np.ndarray, x: int, y: int, scale: float) -> Paint:
    """Draw the hatching of each class over its pixels in place, and return the piece.

    Parameters
    ----------
    paint
        A piece that shows classes; changed in place.
    labels
        uint8 class indices that choose the patterns, ``(rows, cols)``; `UNLABELLED` is not hatched.
    x, y
        Position of the first pixel on the canvas, in drawn pixels.
    scale
        Drawn pixels per CSS pixel.
    """
    numbers = paint.numbers
    classes = (len(paint.colors) - CLASSES) // 2
    filled = (numbers >= CLASSES) & (numbers < CLASSES + classes)
    for index in np.flatnonzero(np.bincount(labels[filled], minlength=UNLABELLED)[:UNLABELLED]):
        lines = inked(int(index), labels.shape, x, y, scale) & filled & (labels == index)
        np.add(numbers, numbers.dtype.type(classes), out=numbers, where=lines)
    return paint


def painted_annotations(labels: np.ndarray, colors: Sequence[str], scale: float) -> Paint:
    """Return annotations filled in their class colour, inside a light and a dark rim.

    Parameters
    ----------
    labels
        uint8 class indices, ``(rows, cols)``; `UNLABELLED` where there is no annotation.
    colors
        ``"#rrggbb"`` for each class.
    scale
        Drawn pixels per CSS pixel.
    """
    paint = painted_classes(labels, colors, FILL_ALPHA)
    labelled = labels != UNLABELLED
    if not labelled.any():
        return paint
    rim = rim_width(scale)
    # Where two classes touch, only the upper or left one gets a rim, so that the colours stay readable.
    edge = np.zeros(labels.shape, bool)
    edge[:-1] |= (labels[:-1] != labels[1:]) & labelled[:-1] & labelled[1:]
    edge[:, :-1] |= (labels[:, :-1] != labels[:, 1:]) & labelled[:, :-1] & labelled[:, 1:]
    light = _grown(labelled, rim)
    dark = _grown(light, rim)
    np.copyto(paint.numbers, DARK, where=dark & ~light)
    np.copyto(paint.numbers, LIGHT, where=(light & ~labelled) | edge)
    return paint


def rim_width(scale: float) -> int:
    """Return the width of each of the two rims in drawn pixels."""
    return max(1, round(scale))


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Return the mask dilated by `pixels`, with a cross and a square in turn, which approximates a disc."""
    for turn in range(pixels):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        source = grown.copy() if turn % 2 else mask
        grown[:, 1:] |= source[:, :-1]
        grown[:, :-1] |= source[:, 1:]
        mask = grown
    return mask
