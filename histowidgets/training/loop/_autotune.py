"""The compute format that trains fastest here, found by timing.

Which number format and which memory format is quickest depends on the network, the processor and torch's version, by
factors: channels last doubles the speed of one network and divides that of another by twelve.
"""

import copy
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch

from histowidgets.models import ComputeFormat, Network, quickest, seconds_of
from histowidgets.training.data import Batch
from histowidgets.training.loop._compute import ComputeContext
from histowidgets.training.loop._loss import Loss

#: Steps of a run from which its share is enough to time which format is quickest.
PROBE_FROM_STEPS = 300

#: Share of a run that timing may take.
PROBE_SHARE = 0.03

#: Longest time in seconds that timing may take.
PROBE_SECONDS = 5.0

_REPEATS = 3

#: A candidate whose first step takes this many times as long as the best is not timed again.
_HOPELESS = 2.5

#: The same for later steps, which are not slowed down by warming up.
_BEHIND = 1.25

#: Share of the best's time that a candidate has to stay below: noise must not choose, and fp32 is more exact.
_CLEARLY = {"fp32": 0.95, "bf16": 0.9, "fp16": 0.9}

_known: dict[Hashable, "Measured"] = {}


@dataclass(frozen=True)
class Measured:
    """What timing found.

    Attributes
    ----------
    compute_format : ComputeFormat
        The quickest.
    seconds : dict of ComputeFormat to float
        Of one step forward and backward, for each that was timed.
    """

    compute_format: ComputeFormat
    seconds: dict[ComputeFormat, float]

    def __str__(self) -> str:
        """Describe it in a sentence."""
        best = self.seconds[self.compute_format]
        slowest, most = max(self.seconds.items(), key=lambda item: item[1])
        return (
            f"Computes in {self.compute_format}, the quickest of {len(self.seconds)} formats that were timed: "
            f"{best * 1000:.0f} ms a step; {slowest} takes {most * 1000:.0f} ms."
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
    """Time the formats that are offered on copies of the network; nothing of the run changes.

    It takes `PROBE_SHARE` of the run, and `PROBE_SECONDS` at most. The answer is kept as long as the process lives.

    Parameters
    ----------
    network : Network
        Frozen as it will be trained; not changed.
    offered : sequence of ComputeFormat
        See `compute_formats`; the first is preferred.
    device : torch.device
        What computes.
    loss : Loss
        Of the run.
    draw : callable
        Returns a batch to time with; is called only if there is something to time.
    batch_shape : (int, int)
        Tiles of a batch and the side of a tile.
    steps : int
        Steps of the run; below `PROBE_FROM_STEPS` nothing is timed.
    max_seconds : float or None
        Time limit of the run.
    check : callable
        Is called before each step that is timed; may raise to end the timing.

    Returns
    -------
    Measured or None
        None where nothing was timed: there is no choice, or the run is too short.
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
    """Takes steps of a copy of a network, leaving torch's random numbers as they were."""

    def __init__(self, network: Network, device: torch.device, batch: Batch, loss: Loss) -> None:
        self._network, self._device, self._batch, self._loss = network, device, batch, loss
        self._copies: dict[str, Network] = {}

    def seconds(self, compute_format: ComputeFormat) -> float:
        """Time a step forward and backward."""
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
    """Time the candidates in turn, several times; the first time is for warming up."""
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
                # Out of memory, or an operation that this device lacks in this format: no candidate.
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
