"""Skip tiles of empty glass, which need not be computed."""

from collections.abc import Callable

import numpy as np

#: A tile is blank if no normalized channel (0 to 1) exceeds this standard deviation or this range.
BLANK_STD, BLANK_RANGE = 0.02, 0.2

#: Number of steps, from 0 to 1, to which the colours of blank tiles are rounded.
_COLOUR_STEPS = 16


class BlankTiles:
    """Cached outputs for tiles without contrast: the mean of the output for the first tile of the same colour.

    Parameters
    ----------
    stride : int
        Pixels of a tile along each side of an output value.

    Attributes
    ----------
    skipped : int
        Number of tiles that were not computed.
    """

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._known: dict[tuple[int, ...], np.ndarray] = {}
        self.skipped = 0

    def answer(self, tile: np.ndarray, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the probabilities (K, rows, cols) of a normalized tile (C, H, W).

        `compute` is called only if the tile has contrast, or its colour is new.
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
    """Return the colour of a tile without contrast, in coarse steps; None for other tiles."""
    if float(np.ptp(tile, axis=(1, 2)).max()) > BLANK_RANGE or float(tile.std((1, 2)).max()) > BLANK_STD:
        return None
    return tuple(int(value) for value in np.rint(tile.mean((1, 2)) * _COLOUR_STEPS))
