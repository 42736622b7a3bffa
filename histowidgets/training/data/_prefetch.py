"""Prefetch batches: the next ones are cut on a thread while a step is computed."""

import copy
import time
from collections import deque
from concurrent.futures import Future
from typing import Any

from histowidgets._threads import SerialExecutor
from histowidgets.training.data._tiles import Batch, TrainingTiles


class TilePrefetcher:
    """Returns the batches of `TrainingTiles` in order, and cuts the next ones in advance.

    The thread does not affect the results: batches are cut one after another, from the same random numbers.

    Parameters
    ----------
    tiles : TrainingTiles
        Used only by the thread, from the first draw until `close`.
    depth : int
        Number of batches to prefetch.

    Attributes
    ----------
    waited, worked : float
        Total seconds spent in `draw`, and in cutting.
    """

    def __init__(self, tiles: TrainingTiles, depth: int = 1) -> None:
        self._tiles = tiles
        self._depth = depth
        self._thread: SerialExecutor | None = None
        self._waiting: deque[tuple[int | None, Future[tuple[dict[str, Any], Batch]]]] = deque()
        self.waited = self.worked = 0.0

    def draw(self, size: int | None = None) -> Batch:
        """Return the next batch, with tiles of side `size`; errors while reading are raised here."""
        began = time.perf_counter()
        if self._waiting and self._waiting[0][0] != size:
            # With progressive resizing, the tile size changes once in a run: prefetched batches are cut again.
            self.load_state_dict(self.state_dict())
        self._fill(size)
        _, future = self._waiting.popleft()
        _, batch = future.result()
        self._fill(size)
        self.waited += time.perf_counter() - began
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the state that the next `draw` depends on, for JSON."""
        if not self._waiting:
            return copy.deepcopy(self._tiles.state_dict())
        return copy.deepcopy(self._waiting[0][1].result()[0])

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        while self._waiting:
            self._waiting.popleft()[1].exception()
        self._tiles.load_state_dict(copy.deepcopy(state))

    def close(self) -> None:
        """End the thread; the next `draw` starts a new one."""
        if self._waiting:
            self.load_state_dict(
                self.state_dict() if self._waiting[0][1].exception() is None else self._tiles.state_dict()
            )
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    def _fill(self, size: int | None) -> None:
        """Submit batches until `depth` of them are pending."""
        if self._thread is None:
            self._thread = SerialExecutor("tiles")
        while len(self._waiting) < self._depth:
            self._waiting.append((size, self._thread.submit(self._cut, size)))

    def _cut(self, size: int | None) -> tuple[dict[str, Any], Batch]:
        began = time.perf_counter()
        before = copy.deepcopy(self._tiles.state_dict())
        batch = self._tiles.draw(size)
        self.worked += time.perf_counter() - began
        return before, batch
