"""Tiles drawn ahead: the next batches are cut on a thread while a step computes."""

import copy
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from histowidgets.training.data._tiles import Batch, TrainingTiles


class TilesAhead:
    """Gives the batches of `TrainingTiles`, in their order, and cuts the next ones before they are asked for.

    What is drawn does not depend on the thread: one after the other, from the same random numbers.

    Parameters
    ----------
    tiles : TrainingTiles
        Is used by the thread alone from the first draw until `close`.
    depth : int
        Batches to have ready.

    Attributes
    ----------
    waited, worked : float
        Seconds that `draw` took, and that cutting took, in all.
    """

    def __init__(self, tiles: TrainingTiles, depth: int = 1) -> None:
        self._tiles = tiles
        self._depth = depth
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[int | None, Future[tuple[dict[str, Any], Batch]]]] = deque()
        self.waited = self.worked = 0.0

    def draw(self, size: int | None = None) -> Batch:
        """Return the next batch, with tiles of side `size`; errors of reading come up here."""
        began = time.perf_counter()
        if self._waiting and self._waiting[0][0] != size:
            # Tiles grow once in a run, where that is set: those ahead are cut again in the new size.
            self.restore(self.state())
        self._order(size)
        _, future = self._waiting.popleft()
        _, batch = future.result()
        self._order(size)
        self.waited += time.perf_counter() - began
        return batch

    def sample(self) -> Batch:
        """Cut the next batch, which `draw` will give all the same; only before the first `draw`."""
        return self._tiles.sample()

    def state(self) -> dict[str, Any]:
        """Return what the next `draw` depends on, as JSON holds it; `restore` takes it back."""
        if not self._waiting:
            return copy.deepcopy(self._tiles.state())
        return copy.deepcopy(self._waiting[0][1].result()[0])

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        while self._waiting:
            self._waiting.popleft()[1].exception()
        self._tiles.restore(copy.deepcopy(state))

    def close(self) -> None:
        """End the thread; `draw` starts another."""
        if self._waiting:
            self.restore(self.state() if self._waiting[0][1].exception() is None else self._tiles.state())
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _order(self, size: int | None) -> None:
        """Have as many batches on their way as there should be."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="histowidgets-tiles")
        while len(self._waiting) < self._depth:
            self._waiting.append((size, self._thread.submit(self._cut, size)))

    def _cut(self, size: int | None) -> tuple[dict[str, Any], Batch]:
        began = time.perf_counter()
        before = copy.deepcopy(self._tiles.state())
        batch = self._tiles.draw(size)
        self.worked += time.perf_counter() - began
        return before, batch
