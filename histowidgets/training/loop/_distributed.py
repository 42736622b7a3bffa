"""Train in several processes started by torchrun: each learns from its share of the same batches.

Gradients are averaged by torch's DistributedDataParallel. Decisions by the clock or by the user are made by the first
process for all. Only the first process writes files.
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
from histowidgets.training.loop._control import RunControl

Answer = TypeVar("Answer")
Item = TypeVar("Item")


def process_number() -> tuple[int, int]:
    """Return the index of this process, from 0, and the number of processes; (0, 1) without torchrun."""
    if "RANK" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def joined() -> "Iterator[ProcessGroup]":
    """Join the process group of torchrun, if any, and leave it at the end of the block."""
    if process_number()[1] == 1:
        yield ProcessGroup()
        return
    # Numbers of the loop are exchanged on the CPU, gradients on the network's device.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield ProcessGroup.current()
    finally:
        distributed.destroy_process_group()


class ProcessGroup:
    """Communication between the processes of one training; with a single process nothing is exchanged.

    Parameters
    ----------
    rank, size : int
        Index of this process, from 0, and number of processes.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @classmethod
    def current(cls) -> "ProcessGroup":
        """Return the group that this process has joined, or a group of this process only."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    def check_batch_size(self, batch_size: int) -> None:
        """Raise `SettingsError` if a batch has fewer tiles than there are processes."""
        if batch_size < self.size:
            raise SettingsError(
                f"batch_size is {batch_size}, but each batch is shared by {self.size} processes. "
                f"Use a batch_size of {self.size} or more, or fewer processes."
            )

    def wrap(self, network: Network) -> nn.Module:
        """Wrap the network so that gradients are averaged over the processes."""
        if self.size == 1:
            return network
        # The last layers of some encoders are for classification and unused here.
        unused = any(parameter.requires_grad for parameter in network.encoder.parameters())
        return DistributedDataParallel(network, find_unused_parameters=unused)

    def no_sync(self, ddp_model: nn.Module, last: bool) -> AbstractContextManager[None]:
        """Return the context for one batch of a step; gradients are exchanged only after the last batch."""
        if isinstance(ddp_model, DistributedDataParallel) and not last:
            return ddp_model.no_sync()
        return nullcontext()

    def sums(self, *values: float) -> list[float]:
        """Return the sums of numbers over the processes."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total)
        return total.tolist()

    def sum_in_place(self, counts: np.ndarray) -> None:
        """Sum counts over the processes, in place."""
        if self.size > 1:
            distributed.all_reduce(torch.from_numpy(counts))

    def broadcast(self, *values: float) -> list[float]:
        """Return the first process's numbers."""
        if self.size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return shared.tolist()

    def first_then_others(self, work: Callable[[], Answer]) -> Answer:
        """Call a function in the first process and, after it has returned, in the others.

        Raises
        ------
        TrainingError
            It failed in the first process, which raises the original error.
        """
        failure: Exception | None = None
        if self.rank == 0:
            try:
                done = work()
            except Exception as error:  # noqa: BLE001 - reported to the other processes, and raised below
                failure = error
        (failed,) = self.broadcast(failure is not None)
        if failure is not None:
            raise failure
        if failed:
            raise TrainingError("The first process could not start. See its own message for the reason.")
        return done if self.rank == 0 else work()

    def share_of(self, items: Sequence[Item]) -> list[Item | None]:
        """Return this process's share; all shares have the same length, padded with None."""
        rounds = -(-len(items) // self.size)
        share: list[Item | None] = list(items[self.rank :: self.size])
        return share + [None] * (rounds - len(share))


class DistributedControl(RunControl):
    """Controls held by the first process, whose clock and stop apply to all."""

    def __init__(self, group: ProcessGroup) -> None:
        super().__init__()
        self._group = group
        self._now = 0.0

    def stop(self, keep: Keep) -> None:
        """Stop the training at its next check, if this is the first process."""
        if self._group.rank == 0:
            super().stop(keep)

    def start_clock(self, used: float = 0.0) -> None:
        """Start counting time, from the seconds that were used before."""
        super().start_clock(used)
        self._now = used

    def seconds(self) -> float:
        """Return the time of the first process at the last check."""
        return self._now

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        """Get the stop decision and the time from the first process; all processes call this at the same points."""
        if self._group.rank == 0:
            super().should_stop(tell)
        code = 0 if self._keep is None else 1 + KEEP_CHOICES.index(self._keep)
        self._now, decided = self._group.broadcast(super().seconds(), code)
        self._keep = KEEP_CHOICES[int(decided) - 1] if decided else None
        return self._keep is not None


def make_control() -> RunControl:
    """Return the controls of a run, held by the first process if there are several."""
    group = ProcessGroup.current()
    return RunControl() if group.size == 1 else DistributedControl(group)
