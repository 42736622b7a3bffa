"""A piece of an overlay: a number for each pixel, and a colour for each number.

An overlay has few colours. Numbers of a byte are a quarter of the work of RGBA, and travel as they are (`_png.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from histowidgets._colors import hex_to_rgb
from histowidgets.annotations import UNLABELLED
from histowidgets.widgets.canvas.drawing._hatching import ink_color, inked

# What the numbers of a piece that shows classes mean; then come the classes, and then the lines of their hatching.
EMPTY, LIGHT, DARK, CLASSES = 0, 1, 2, 3

# An annotation is its class colour, not quite opaque, inside a light and a dark rim of one CSS pixel each: told
# apart from a prediction in the same colour, and seen on light and on dark tissue. The browser's ink
# (static/canvas/ink.js) looks the same, so that nothing jumps when the kernel's drawing takes over.
FILL_ALPHA = 230
LIGHT_RIM = (255, 255, 255, 230)
DARK_RIM = (0, 0, 0, 140)


class Paint(NamedTuple):
    """Numbers, uint8 or uint16 ``(rows, cols)``, and the RGBA of each, uint8 ``(n, 4)``."""

    numbers: np.ndarray
    colors: np.ndarray

    @property
    def rgba(self) -> np.ndarray:
        """The pixels, uint8 ``(rows, cols, 4)``."""
        pixels: np.ndarray = self.colors[self.numbers]
        return pixels

    def inside(self, margin: int) -> "Paint":
        """Return the piece without so many pixels on each side."""
        return Paint(self.numbers[margin:-margin, margin:-margin], self.colors)


def painted_classes(labels: np.ndarray, colors: Sequence[str], alpha: int = 255) -> Paint:
    """Return each class in its colour, and nothing where there is none.

    Parameters
    ----------
    labels
        uint8 class indices, ``(rows, cols)``.
    colors
        ``"#rrggbb"`` for each class.
    alpha
        Of the classes' colours.
    """
    n = len(colors)
    table = np.zeros(256, np.uint8 if CLASSES + 2 * n <= 256 else np.uint16)
    table[:n] = np.arange(CLASSES, CLASSES + n)
    return Paint(table[labels], _palette(tuple(colors), alpha))


@lru_cache(maxsize=64)
def _palette(colors: tuple[str, ...], alpha: int) -> np.ndarray:
    """Return the colour of each number; overlays of one project are drawn with the same few again and again."""
    n = len(colors)
    palette = np.zeros((CLASSES + 2 * n, 4), np.uint8)
    palette[LIGHT], palette[DARK] = LIGHT_RIM, DARK_RIM
    for index, color in enumerate(colors):
        for place, hue in ((CLASSES + index, color), (CLASSES + n + index, ink_color(color))):
            palette[place] = (*hex_to_rgb(hue), alpha)
    palette.setflags(write=False)
    return palette


def hatched(paint: Paint, labels: np.ndarray, x: int, y: int, scale: float) -> Paint:
    """Draw the hatching of each class over its pixels, and return the piece.

    Parameters
    ----------
    paint
        Of classes; changed.
    labels
        uint8 class indices by which patterns are chosen, ``(rows, cols)``; `UNLABELLED` is left alone.
    x, y
        Of the first pixel, in drawn pixels on the canvas.
    scale
        Drawn pixels a CSS pixel.
    """
    numbers = paint.numbers
    classes = (len(paint.colors) - CLASSES) // 2
    filled = (numbers >= CLASSES) & (numbers < CLASSES + classes)
    for index in np.flatnonzero(np.bincount(labels[filled], minlength=UNLABELLED)[:UNLABELLED]):
        lines = inked(int(index), labels.shape, x, y, scale) & filled & (labels == index)
        np.add(numbers, numbers.dtype.type(classes), out=numbers, where=lines)
    return paint


def painted_annotations(labels: np.ndarray, colors: Sequence[str], scale: float) -> Paint:
    """Return annotations as they are shown: filled in the class colour, with a light rim and a dark one around it.

    Parameters
    ----------
    labels
        uint8 class indices, ``(rows, cols)``, `UNLABELLED` where nothing is drawn.
    colors
        ``"#rrggbb"`` for each class.
    scale
        Drawn pixels a CSS pixel.
    """
    paint = painted_classes(labels, colors, FILL_ALPHA)
    labelled = labels != UNLABELLED
    if not labelled.any():
        return paint
    rim = rim_width(scale)
    # Between two classes that touch, the upper and left one ends in half a rim: the colours stay readable.
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
    """Return the mask grown by `pixels`, alternately over edges and over corners, which is nearly a disc."""
    for turn in range(pixels):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        source = grown.copy() if turn % 2 else mask
        grown[:, 1:] |= source[:, :-1]
        grown[:, :-1] |= source[:, 1:]
        mask = grown
    return mask
