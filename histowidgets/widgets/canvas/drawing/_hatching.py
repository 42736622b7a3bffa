"""Hatching of classes, in addition to their colour, for eyes and screens that hardly tell colours apart."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from histowidgets._colors import hex_to_rgb
from histowidgets.widgets.common import picture_url

#: Distance between lines, and width of a line, in CSS pixels.
PERIOD, LINE = 8, 1.5
#: Share of black or white in the colour of a line.
INK_SHARE = 0.4
#: Side of a swatch in pixels.
SWATCH = 14

# (x, y, period, line) -> whether there is a line. Later classes reuse these patterns with closer lines.
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
    """Return where the hatching of a class has lines.

    Parameters
    ----------
    index
        The index of the class.
    x, y
        Integer coordinates in drawn pixels, counted from the canvas' corner so that pieces fit together; their
        shapes must broadcast.
    scale
        Drawn pixels per CSS pixel.

    Returns
    -------
    numpy.ndarray
        bool.
    """
    number = index % len(_PATTERNS)
    return np.asarray(_PATTERNS[number](x, y, _period(index, scale), max(1, round(LINE * scale))), dtype=bool)


def _period(index: int, scale: float) -> int:
    """Return the distance between the lines of a class, in drawn pixels."""
    turn = index // len(_PATTERNS)
    return max(3, round((PERIOD - 2 * (turn % 3)) * scale))


@lru_cache(maxsize=1024)
def pattern_tile(index: int, scale: float) -> np.ndarray:
    """Return the square bool tile that makes the hatching of a class when repeated from the canvas' corner."""
    side = np.arange(2 * _period(index, scale))
    tile = pattern_mask(index, side[None, :], side[:, None], scale)
    tile.setflags(write=False)
    return tile


def ink_color(color: str) -> str:
    """Return the line colour for a class colour, both "#rrggbb": darker on light, lighter on dark colours."""
    rgb = np.array(hex_to_rgb(color))
    ink = 0.0 if rgb @ (0.299, 0.587, 0.114) > 110 else 255.0
    mixed = np.rint((1 - INK_SHARE) * rgb + INK_SHARE * ink).astype(int)
    return "#{:02x}{:02x}{:02x}".format(*mixed)


@lru_cache(maxsize=1024)
def hatch_of(index: int, color: str, scale: float) -> dict[str, str | int]:
    """Return the hatching for the page: the side of the tile, its pixels as 0 and 1, and the line colour."""
    tile = pattern_tile(index, scale)
    return {"side": len(tile), "bits": "".join(str(int(inked)) for inked in tile.ravel()), "ink": ink_color(color)}


def inked(index: int, shape: tuple[int, int], x: int, y: int, scale: float) -> np.ndarray:
    """Return where a class has lines, as bool, in a (rows, cols) piece of drawn pixels with its corner at (x, y)."""
    tile = pattern_tile(index, scale)
    side, (rows, cols) = len(tile), shape
    left, top = x % side, y % side
    wide = np.tile(tile, (-(-(top + rows) // side), -(-(left + cols) // side)))
    return wide[top : top + rows, left : left + cols]


@lru_cache(maxsize=256)
def swatch_url(index: int, color: str) -> str:
    """Return the URL of a small picture, for the legend, of the lines of a class on a transparent background."""
    side = np.arange(SWATCH)
    pixels = np.zeros((SWATCH, SWATCH, 4), np.uint8)
    pixels[pattern_mask(index, side[None, :], side[:, None], 1.0)] = [*hex_to_rgb(ink_color(color)), 255]
    return picture_url(pixels)
