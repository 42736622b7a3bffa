"""Tiles of empty glass, which need not be computed."""

from collections.abc import Callable

import numpy as np

#: A tile is blank if no normalized channel (0 to 1) has a larger standard deviation, or a larger range.
BLANK_STD, BLANK_RANGE = 0.02, 0.2

#: Steps in which the colours of blank tiles are told apart, from 0 to 1.
_COLOUR_STEPS = 16


class BlankTiles:
    """Answers for tiles without contrast: the mean of the answer for the first tile of that colour.

    Parameters
    ----------
    stride : int
        Pixels of a tile per value of an answer, along each side.

    Attributes
    ----------
    skipped : int
        Tiles that were not computed.
    """

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._known: dict[tuple[int, ...], np.ndarray] = {}
        self.skipped = 0

    def answer(self, tile: np.ndarray, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return probabilities (K, rows, cols) of a normalized tile (C, H, W).

        `compute` is called if the tile has contrast, or its colour is new.
        """
        colour = _blank_colour(tile)
        if colour is None:
            return compute()
        known = self._known.get(colour)
        if known is None:
            answer = compute()
            self._known[colour] = answer.mean((1, 2), keepdims=True)
            return answer
        self.skipped += 1
        rows, cols = (side // self._stride for side in tile.shape[1:])
        return np.broadcast_to(known, (len(known), rows, cols))


def _blank_colour(tile: np.ndarray) -> tuple[int, ...] | None:
    """Return the colour of a tile without contrast, in coarse steps; None for any other."""
    if float(np.ptp(tile, axis=(1, 2)).max()) > BLANK_RANGE or float(tile.std((1, 2)).max()) > BLANK_STD:
        return None
    return tuple(int(value) for value in np.rint(tile.mean((1, 2)) * _COLOUR_STEPS))
