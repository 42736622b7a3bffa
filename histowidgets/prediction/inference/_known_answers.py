"""A cache of model outputs for tiles that several parts of an image share."""

from typing import Protocol

import numpy as np

from histowidgets._byte_cache import ByteCache
from histowidgets.images import Region

#: Bytes of tile borders that are kept while an image is predicted block by block.
BORDER_BYTES = 64 << 20

Part = tuple[slice, slice]
"""Rows and columns of a model's output."""


class KnownAnswers(Protocol):
    """A cache of outputs, by the region of their tile, which does not depend on the part of the image."""

    def get(self, tile: Region, part: Part) -> np.ndarray | None:
        """Return an output (K, rows, cols) that is valid in `part`, or None if it is not known."""
        ...

    def put(self, tile: Region, answer: np.ndarray) -> None:
        """Store an output, or a part of it."""
        ...


class BorderAnswers:
    """A cache of the last rows and columns of outputs, which the blocks to the right and below share.

    Parameters
    ----------
    rows, cols : int
        Number of rows and columns that are kept.
    max_bytes : int
        The least recently used are dropped first, and are computed again if needed.
    """

    def __init__(self, rows: int, cols: int, max_bytes: int = BORDER_BYTES) -> None:
        self._rows, self._cols = rows, cols
        self._kept: ByteCache[tuple[Region, str], np.ndarray] = ByteCache(max_bytes)
        self._shapes: dict[Region, tuple[int, ...]] = {}

    def get(self, tile: Region, part: Part) -> np.ndarray | None:
        """Return an output that is valid in `part`; see `KnownAnswers`."""
        shape = self._shapes.get(tile)
        if shape is None:
            return None
        rows, cols = part
        for side, inside in (
            ("bottom", np.s_[:, max(0, shape[1] - self._rows) :, :]),
            ("right", np.s_[:, :, max(0, shape[2] - self._cols) :]),
        ):
            first_row, first_col = (s.start or 0 for s in inside[1:])
            strip = self._kept.get((tile, side)) if rows.start >= first_row and cols.start >= first_col else None
            if strip is not None:
                answer = np.empty(shape, np.float32)
                answer[inside] = strip
                return answer
        return None

    def put(self, tile: Region, answer: np.ndarray) -> None:
        """Store the last rows and columns of an output."""
        self._shapes[tile] = answer.shape
        self._kept.put((tile, "bottom"), answer[:, max(0, answer.shape[1] - self._rows) :].copy())
        self._kept.put((tile, "right"), answer[:, :, max(0, answer.shape[2] - self._cols) :].copy())
