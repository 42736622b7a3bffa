"""One training by several processes, as torchrun starts them: each learns from its share of the same batches.

The gradients are averaged by torch's DistributedDataParallel; what the loop decides by the clock, or because somebody
stopped it, the first process decides for all. The others write nothing.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from histowidgets.errors import SettingsError, TrainingError
from histowidgets.models import Network
from histowidgets.training._events import KEEP_CHOICES, Keep
from histowidgets.training.data import Batch
from histowidgets.training.loop._control import RunControl
from histowidgets.training.settings import TrainingSettings

Answer = TypeVar("Answer")


def process_number() -> tuple[int, int]:
    """Return which of torchrun's processes this is, from 0, and how many there are; (0, 1) without torchrun."""
    if "RANK" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def joined() -> "Iterator[Together]":
    """Join the processes that torchrun started, if it did, and part from them in the end."""
    if process_number()[1] == 1:
        yield Together()
        return
    # Numbers of the loop go through the processor, gradients where the network is.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Together()
    finally:
        distributed.destroy_process_group()


class Together:
    """What the processes of one training do together; alone, all of it does nothing.

    Attributes
    ----------
    rank, size : int
        Which process this is, from 0, and of how many.
    """

    def __init__(self) -> None:
        self.rank, self.size = 0, 1
        if distributed.is_available() and distributed.is_initialized():
            self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def check(self, settings: TrainingSettings) -> None:
        """Raise `SettingsError` where the settings leave a process without work."""
        if settings.batch_size < self.size:
            raise SettingsError(
                f"batch_size is {settings.batch_size}, for {self.size} processes, which share each batch. "
                f"Use a batch_size of {self.size} or more, or fewer processes."
            )

    def wrapped(self, network: Network) -> nn.Module:
        """Return what to compute with in training, so that gradients come out averaged."""
        if self.size == 1:
            return network
        # The last layers of some encoders are there for classifying, and of no use here.
        idle = any(parameter.requires_grad for parameter in network.encoder.parameters())
        return DistributedDataParallel(network, find_unused_parameters=idle)

    def apart(self, learner: nn.Module, last: bool) -> AbstractContextManager[None]:
        """Return the context of one batch of a step: only after the last are gradients sent round."""
        if isinstance(learner, DistributedDataParallel) and not last:
            return learner.no_sync()
        return nullcontext()

    def sums(self, *values: float) -> list[float]:
        """Add up numbers over the processes."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total)
        return total.tolist()

    def add_up(self, counts: np.ndarray) -> None:
        """Add up counts over the processes, in place."""
        if self.size > 1:
            distributed.all_reduce(torch.from_numpy(counts))

    def agreed(self, *values: float) -> list[float]:
        """Return the first process's numbers."""
        if self.size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64)
        distributed.broadcast(told, 0)
        return told.tolist()

    def first_then_others(self, work: Callable[[], Answer]) -> Answer:
        """Do something in the first process, and, once it is done there, in the others.

        Raises
        ------
        TrainingError
            It failed in the first process, which raises what went wrong.
        """
        failure: Exception | None = None
        if self.rank == 0:
            try:
                done = work()
            except Exception as error:  # noqa: BLE001 - told to the other processes, and raised below
                failure = error
        (failed,) = self.agreed(failure is not None)
        if failure is not None:
            raise failure
        if failed:
            raise TrainingError("The first of the processes could not begin; its own message says why.")
        return done if self.rank == 0 else work()

    def mine(self, batches: Sequence[Batch]) -> list[Batch | None]:
        """Return this process's share; all have the same number, with None where there is nothing to do."""
        rounds = -(-len(batches) // self.size)
        share: list[Batch | None] = list(batches[self.rank :: self.size])
        return share + [None] * (rounds - len(share))


class SharedControl(RunControl):
    """Reins that are held by the first process: its clock, and its stop, count for all."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        self._together = together
        self._now = 0.0

    def stop(self, keep: Keep) -> None:
        """End the loop at its next check, if this is the first process."""
        if self._together.rank == 0:
            super().stop(keep)

    def start_clock(self, used: float = 0.0) -> None:
        """Count time from now."""
        super().start_clock(used)
        self._now = used

    def seconds(self) -> float:
        """Time since the start as the first process had it at the last check."""
        return self._now

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Ask the first process whether to stop, and what time it is; all processes call this at the same places."""
        if self._together.rank == 0:
            super().should_stop(tell)
        code = 0 if self._keep is None else 1 + KEEP_CHOICES.index(self._keep)
        self._now, decided = self._together.agreed(super().seconds(), code)
        self._keep = KEEP_CHOICES[int(decided) - 1] if decided else None
        return self._keep is not None


def make_control() -> RunControl:
    """Return the reins of a run: shared, where there are several processes."""
    together = Together()
    return RunControl() if together.size == 1 else SharedControl(together)
