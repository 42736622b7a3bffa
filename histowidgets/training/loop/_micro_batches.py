"""Computing a batch in pieces, where the memory does not suffice for all of it at once."""

from collections.abc import Callable
from typing import TypeVar

import torch

from histowidgets.errors import SettingsError, TrainingError
from histowidgets.training._events import Event, Message
from histowidgets.training.data import Batch
from histowidgets.training.settings import TrainingSettings

Answer = TypeVar("Answer")

_SAYINGS = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")
"""How torch says it: on CUDA and MPS, in its allocator for processors, and from the system."""


class Pieces:
    """Cuts batches into pieces, ever smaller ones when memory runs out. What is learned stays about the same.

    Parameters
    ----------
    settings : TrainingSettings
        Of the run.
    emit : callable
        Is told when pieces get smaller.

    Attributes
    ----------
    count : int
        Pieces of a batch.
    """

    def __init__(self, settings: TrainingSettings, emit: Callable[[Event], None]) -> None:
        self.count = 1
        self._settings, self._emit = settings, emit

    def of(self, batch: Batch) -> list[Batch]:
        """Cut a batch into pieces about equally large; into fewer than `count` where it has fewer tiles."""
        n = min(self.count, len(batch.pixels))
        if n <= 1:
            return [batch]
        parts = (torch.tensor_split(tensor, n) for tensor in (batch.pixels, batch.labels, batch.plain))
        return [Batch(*three) for three in zip(*parts, strict=True)]

    def until_it_fits(self, work: Callable[[], Answer]) -> Answer:
        """Do what computes in pieces; where memory runs out, do it again in twice as many.

        Raises
        ------
        TrainingError
            Memory ran out with pieces as small as can be.
        """
        while True:
            try:
                return work()
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                why = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Here, and not above: while the error is handled, it holds on to what did not fit.
            self._halve(why)

    def _halve(self, why: str) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        settings = self._settings
        before, after = settings.batch_size // self.count, settings.batch_size // (2 * self.count)
        if not _can_learn_from(settings, after):
            raise TrainingError(
                f"Memory ran out with {_tiles(before)} of {settings.tile_size} pixels at once, and fewer cannot be "
                f"({why}). Choose a smaller tile_size or a smaller backbone, or close what else uses the memory."
            )
        self.count *= 2
        text = (
            f"Memory ran out with {_tiles(before)} at once. From now on it is {after}: a step takes "
            f"{self.count * settings.accumulation} batches, and learns from as many tiles as before."
        )
        self._emit(Message("warning", text))


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out, of the computer or of a GPU."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(saying in str(error).lower() for saying in _SAYINGS)


def _can_learn_from(settings: TrainingSettings, tiles: int) -> bool:
    """Say whether the architecture can learn from so few tiles at once."""
    try:
        settings.model_copy(update={"batch_size": tiles})
    except SettingsError:
        return False
    return True


def _tiles(n: int) -> str:
    return "1 tile" if n == 1 else f"{n} tiles"
