"""Find the compute format that trains fastest on this computer, by timing.

The fastest number format and memory format depend strongly on the network, the processor and the version of torch:
channels last makes one network twice as fast, and another twelve times slower.
"""

import copy
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch

from histowidgets.models import ComputeFormat, Network, quickest, seconds_of
from histowidgets.training.data import Batch
from histowidgets.training.loop._compute import ComputeContext
from histowidgets.training.loop._loss import Loss

#: Number of steps of a run from which formats are timed; the time allowed is too short for shorter runs.
PROBE_FROM_STEPS = 300

#: Largest share of the run's time for timing.
PROBE_SHARE = 0.03

#: Longest time for timing, in seconds.
PROBE_SECONDS = 5.0

_REPEATS = 3

#: A candidate whose first step takes this many times as long as the best one is not timed again.
_HOPELESS = 2.5

#: The same for later steps, which are not slowed by warming up.
_BEHIND = 1.25

#: Share of the best time that a candidate must stay below, so that noise does not decide, and because fp32 is more
#: exact.
_CLEARLY = {"fp32": 0.95, "bf16": 0.9, "fp16": 0.9}

_known: dict[Hashable, "Measured"] = {}


@dataclass(frozen=True)
class Measured:
    """The result of timing.

    Attributes
    ----------
    compute_format : ComputeFormat
        The fastest format.
    seconds : dict of ComputeFormat to float
        Time of one forward and backward step, for each format that was timed.
    """

    compute_format: ComputeFormat
    seconds: dict[ComputeFormat, float]

    def __str__(self) -> str:
        """Describe the result in a sentence."""
        best = self.seconds[self.compute_format]
        slowest, most = max(self.seconds.items(), key=lambda item: item[1])
        return (
            f"Computes in {self.compute_format}, the fastest of {len(self.seconds)} formats that were timed: "
            f"{best * 1000:.0f} ms per step; {slowest} takes {most * 1000:.0f} ms."
        )


def find_compute_format(
    network: Network,
    offered: Sequence[ComputeFormat],
    device: torch.device,
    loss: Loss,
    draw: Callable[[], Batch],
    *,
    batch_shape: tuple[int, int],
    steps: int,
    max_seconds: float | None,
    check: Callable[[], None] = lambda: None,
) -> Measured | None:
    """Time the offered formats on copies of the network; the run itself is not affected.

    It takes up to `PROBE_SHARE` of the run, and at most `PROBE_SECONDS`. The result is cached for the lifetime of the
    process.

    Parameters
    ----------
    network : Network
        Frozen as it will be trained; not changed.
    offered : sequence of ComputeFormat
        See `compute_formats`; the first is preferred.
    device : torch.device
        Device to compute on.
    loss : Loss
        Loss of the run.
    draw : callable
        Returns a batch for timing; called only if there is something to time.
    batch_shape : (int, int)
        Number of tiles in a batch, and the side of a tile.
    steps : int
        Number of steps of the run; below `PROBE_FROM_STEPS` nothing is timed.
    max_seconds : float or None
        Time limit of the run.
    check : callable
        Called before each timed step; may raise to stop.

    Returns
    -------
    Measured or None
        None if nothing was timed, because there is no choice or the run is too short.
    """
    if len(offered) < 2 or steps < PROBE_FROM_STEPS:
        return None
    trained = sum(p.requires_grad for p in network.parameters())
    about = (network.spec, trained, len(network.kept_still), batch_shape)
    key = (str(device), about, torch.get_num_threads(), tuple(offered))
    if key not in _known:
        probe = _Probe(network, device, draw(), loss)
        found = _measure(probe, offered, steps, max_seconds, check)
        if found is None:
            return None
        _known[key] = found
    return _known[key]


class _Probe:
    """Takes steps with a copy of a network, without changing torch's random state."""

    def __init__(self, network: Network, device: torch.device, batch: Batch, loss: Loss) -> None:
        self._network, self._device, self._batch, self._loss = network, device, batch, loss
        self._copies: dict[str, Network] = {}

    def seconds(self, compute_format: ComputeFormat) -> float:
        """Time a forward and backward step."""
        layout = compute_format.memory_format
        if layout not in self._copies:
            self._copies[layout] = copy.deepcopy(self._network)
        trial, context = self._copies[layout], ComputeContext(self._device, compute_format, seed=0)
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            context.place(trial)
            trial.train()
            pixels, labels = context.move(self._batch.pixels, self._batch.labels)

            def step() -> None:
                context.backward(self._loss(context.logits(trial, pixels), labels))

            took = seconds_of(step, self._device)
            trial.zero_grad(set_to_none=True)
        return took


def _measure(
    probe: _Probe,
    offered: Sequence[ComputeFormat],
    steps: int,
    max_seconds: float | None,
    check: Callable[[], None],
) -> Measured | None:
    """Time the candidates in turn, several times; the first round is for warming up."""
    times: dict[ComputeFormat, list[float]] = {}
    first: dict[ComputeFormat, float] = {}
    spent, allowed = 0.0, PROBE_SECONDS
    candidates = list(offered)
    for turn in range(1 + _REPEATS):
        if turn == 1:
            candidates = [one for one in first if first[one] < _HOPELESS * min(first.values())]
            times = {one: [took] for one, took in first.items() if one not in candidates}
        for candidate in candidates:
            if first and spent + min(first.values()) > allowed:
                return _chosen(times, offered)
            check()
            try:
                took = probe.seconds(candidate)
            except RuntimeError:
                # Out of memory, or an operation is missing on this device in this format: not a candidate.
                first.pop(candidate, None)
                times.pop(candidate, None)
                continue
            spent += took
            if turn == 0:
                first[candidate] = took
            else:
                times.setdefault(candidate, []).append(took)
            run = steps * min(times.get(candidate, [took]))
            allowed = min(allowed, PROBE_SHARE * min(run, max_seconds or run))
        if turn > 0:
            candidates = _not_far_behind([one for one in candidates if one in times], times)
            if len(candidates) < 2:
                break
    return _chosen(times, offered)


def _not_far_behind(candidates: list[ComputeFormat], times: dict[ComputeFormat, list[float]]) -> list[ComputeFormat]:
    least = min((min(times[one]) for one in candidates), default=0.0)
    return [one for one in candidates if min(times[one]) <= _BEHIND * least]


def _chosen(times: dict[ComputeFormat, list[float]], offered: Sequence[ComputeFormat]) -> Measured | None:
    least = {one: min(times[one]) for one in offered if one in times}
    if len(least) < 2:
        return None
    return Measured(quickest(least, lambda one, best: _CLEARLY[one.precision]), least)
