"""Compute a batch in micro-batches if memory is too small for the whole batch."""

from collections.abc import Callable
from typing import TypeVar

import torch

from histowidgets.errors import TrainingError
from histowidgets.training._events import Event, Message
from histowidgets.training.data import Batch

Answer = TypeVar("Answer")

#: How torch reports a lack of memory: on CUDA and MPS, in its CPU allocator, and from the system.
_PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


class MicroBatches:
    """Splits batches into micro-batches, and into smaller ones if memory runs out. The result is the same.

    Parameters
    ----------
    batch_size : int
        Number of tiles in a batch.
    tile_size : int
        Side of a tile, for the message.
    accumulation : int
        Number of batches in a step, for the message.
    min_tiles : int
        Smallest number of tiles that the architecture can learn from.
    emit : callable
        Called with an event when micro-batches become smaller.

    Attributes
    ----------
    count : int
        Number of micro-batches in a batch.
    """

    def __init__(
        self,
        batch_size: int,
        *,
        tile_size: int,
        accumulation: int,
        min_tiles: int,
        emit: Callable[[Event], None],
    ) -> None:
        self.count = 1
        self._batch_size, self._tile_size, self._accumulation = batch_size, tile_size, accumulation
        self._min_tiles, self._emit = min_tiles, emit

    def split(self, batch: Batch) -> list[Batch]:
        """Split a batch into micro-batches of about equal size; fewer than `count` if it has fewer tiles."""
        n = min(self.count, len(batch.pixels))
        if n <= 1:
            return [batch]
        parts = (torch.tensor_split(tensor, n) for tensor in (batch.pixels, batch.labels, batch.plain))
        return [Batch(*three) for three in zip(*parts, strict=True)]

    def until_it_fits(self, work: Callable[[], Answer]) -> Answer:
        """Call a function that computes in micro-batches; if memory runs out, call it again with twice as many.

        Raises
        ------
        TrainingError
            Memory ran out with the smallest micro-batches.
        """
        while True:
            try:
                return work()
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                why = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Outside the handler, since the error being handled keeps the tensors that did not fit alive.
            self._halve(why)

    def _halve(self, why: str) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        before, after = self._batch_size // self.count, self._batch_size // (2 * self.count)
        if after < self._min_tiles:
            raise TrainingError(
                f"Memory ran out with {_tiles(before)} of {self._tile_size} pixels at once, and fewer are not possible "
                f"({why}). Choose a smaller tile_size or backbone, or close other programs that use the memory."
            )
        self.count *= 2
        text = (
            f"Memory ran out with {_tiles(before)} at once. Continuing with {after} at a time: a step takes "
            f"{self.count * self._accumulation} batches, and learns from as many tiles as before."
        )
        self._emit(Message("warning", text))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that the computer or a GPU ran out of memory."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error).lower() for phrase in _PHRASES)


def _tiles(n: int) -> str:
    return "1 tile" if n == 1 else f"{n} tiles"
