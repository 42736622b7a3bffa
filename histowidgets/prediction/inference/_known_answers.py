"""Answers for tiles that are kept, because other parts of the same image need them, too."""

from typing import Protocol

import numpy as np

from histowidgets._byte_cache import ByteCache
from histowidgets.images import Region

#: Bytes of the borders of tiles that are kept while an image is predicted block by block.
BORDER_BYTES = 64 << 20

Part = tuple[slice, slice]
"""Rows and columns of an answer."""


class KnownAnswers(Protocol):
    """Where answers are kept; by the place of their tile, which is the same for every part of an image."""

    def get(self, tile: Region, part: Part) -> np.ndarray | None:
        """Return an answer (K, rows, cols) that is valid in a part of it, or None if that is not known."""
        ...

    def put(self, tile: Region, answer: np.ndarray) -> None:
        """Keep an answer, or some of it."""
        ...


class BorderAnswers:
    """The last rows and columns of answers: what the blocks to the right and below need of tiles that they share.

    Parameters
    ----------
    rows, cols : int
        How many of them are kept.
    max_bytes : int
        The least recently used are dropped first, and are computed again where they are needed.
    """

    def __init__(self, rows: int, cols: int, max_bytes: int = BORDER_BYTES) -> None:
        self._rows, self._cols = rows, cols
        self._kept: ByteCache[tuple[Region, str], np.ndarray] = ByteCache(max_bytes)
        self._shapes: dict[Region, tuple[int, ...]] = {}

    def get(self, tile: Region, part: Part) -> np.ndarray | None:
        """Return an answer that is valid in a part of it; see `KnownAnswers`."""
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
        """Keep the last rows and columns of an answer."""
        self._shapes[tile] = answer.shape
        self._kept.put((tile, "bottom"), answer[:, max(0, answer.shape[1] - self._rows) :].copy())
        self._kept.put((tile, "right"), answer[:, :, max(0, answer.shape[2] - self._cols) :].copy())
