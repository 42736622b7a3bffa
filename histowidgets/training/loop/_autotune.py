"""Which arithmetic is quickest here: found by timing it, not assumed.

Which number format and which memory format is quickest depends on the network, the processor and torch's version, by
factors: channels last doubles the speed of one network and divides that of another by twelve.
"""

import copy
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch

from histowidgets.models import Network
from histowidgets.training._limits import PROBE_FROM_STEPS, PROBE_SECONDS, PROBE_SHARE
from histowidgets.training.data import Batch
from histowidgets.training.loop._compute import Arithmetic, Choice, choices
from histowidgets.training.loop._loss import Loss
from histowidgets.training.settings import TrainingSettings

_REPEATS = 3
_HOPELESS = 2.5
"""A candidate whose first step takes so many times as long as the best is not timed again."""

_BEHIND = 1.25
"""The same for later steps, which nothing has to be warmed up for."""

_CLEARLY = {"fp32": 0.95, "bf16": 0.9, "fp16": 0.9}
"""Share of the best's time that a candidate has to stay below: noise shall not choose, and fp32 is more exact."""

_known: dict[Hashable, "Measured"] = {}


@dataclass(frozen=True)
class Measured:
    """What timing found.

    Attributes
    ----------
    choice : Choice
        The quickest.
    seconds : dict of Choice to float
        Of one step forward and back, for what was timed.
    """

    choice: Choice
    seconds: dict[Choice, float]

    def __str__(self) -> str:
        """Say it in a sentence for people."""
        best = self.seconds[self.choice]
        slowest, most = max(self.seconds.items(), key=lambda item: item[1])
        return (
            f"Computes in {self.choice}, the quickest of {len(self.seconds)} ways that were timed: "
            f"{best * 1000:.0f} ms a step; {slowest} takes {most * 1000:.0f} ms."
        )


def find_arithmetic(
    settings: TrainingSettings,
    network: Network,
    draw: Callable[[], Batch],
    n_classes: int,
    steps: int,
    check: Callable[[], None] = lambda: None,
) -> Measured | None:
    """Time what the settings leave to choose, on copies of the network; nothing of the run changes.

    It takes `PROBE_SHARE` of the run, and `PROBE_SECONDS` at most. The answer is kept as long as the process lives.

    Parameters
    ----------
    settings : TrainingSettings
        Those of the run.
    network : Network
        Frozen as it will be trained; not changed.
    draw : callable
        Gives a batch to time with; is called where there is something to time.
    n_classes : int
        Classes of the loss.
    steps : int
        Steps of the run; below `PROBE_FROM_STEPS` nothing is timed.
    check : callable
        Is called before each step that is timed; may raise to end the timing.

    Returns
    -------
    Measured or None
        None where nothing was timed: there is no choice, or the run is too short.
    """
    device = Arithmetic(settings).device
    offered = choices(settings, device)
    if len(offered) < 2 or steps < PROBE_FROM_STEPS:
        return None
    trained = sum(p.requires_grad for p in network.parameters())
    about = (network.spec, trained, settings.adapt_norm, settings.tile_size, settings.batch_size)
    key = (str(device), about, torch.get_num_threads(), tuple(offered))
    if key not in _known:
        loss = Loss(settings, [str(index) for index in range(n_classes)], device)
        found = _measure(settings, network, draw(), loss, offered, steps, check)
        if found is None:
            return None
        _known[key] = found
    return _known[key]


def _measure(
    settings: TrainingSettings,
    network: Network,
    batch: Batch,
    loss: Loss,
    offered: list[Choice],
    steps: int,
    check: Callable[[], None],
) -> Measured | None:
    """Time the candidates in turn, several times; the first time is for warming up."""
    trials: dict[str, Network] = {}
    times: dict[Choice, list[float]] = {}
    first: dict[Choice, float] = {}
    spent, allowed = 0.0, PROBE_SECONDS
    candidates = offered
    for turn in range(1 + _REPEATS):
        if turn == 1:
            candidates = [choice for choice in first if first[choice] < _HOPELESS * min(first.values())]
            times = {choice: [took] for choice, took in first.items() if choice not in candidates}
        for choice in candidates:
            if first and spent + min(first.values()) > allowed:
                return _quickest(times, offered)
            check()
            arithmetic = Arithmetic(settings, choice)
            try:
                if choice.memory_format not in trials:
                    trials[choice.memory_format] = copy.deepcopy(network)
                took = _seconds_a_step(arithmetic, trials[choice.memory_format], batch, loss)
            except RuntimeError:
                # Out of memory, or an operation that this device lacks in this format: no candidate.
                first.pop(choice, None)
                times.pop(choice, None)
                continue
            spent += took
            if turn == 0:
                first[choice] = took
            else:
                times.setdefault(choice, []).append(took)
            run = steps * min(times.get(choice, [took]))
            allowed = min(allowed, PROBE_SHARE * min(run, settings.max_seconds or run))
        if turn > 0:
            candidates = _still_in_the_race([choice for choice in candidates if choice in times], times)
            if len(candidates) < 2:
                break
    return _quickest(times, offered)


def _still_in_the_race(candidates: list[Choice], times: dict[Choice, list[float]]) -> list[Choice]:
    least = min((min(times[choice]) for choice in candidates), default=0.0)
    return [choice for choice in candidates if min(times[choice]) <= _BEHIND * least]


def _quickest(times: dict[Choice, list[float]], offered: list[Choice]) -> Measured | None:
    """Compare the least time of each: what others do on the computer only ever adds to it."""
    least = {choice: min(some) for choice, some in times.items()}
    if len(least) < 2:
        return None
    best = next(choice for choice in offered if choice in least)
    for choice in offered:
        if choice in least and least[choice] < _CLEARLY[choice.precision] * least[best]:
            best = choice
    return Measured(best, least)


def _seconds_a_step(arithmetic: Arithmetic, trial: Network, batch: Batch, loss: Loss) -> float:
    """Time a network forward and back, leaving torch's random numbers as they were."""
    devices = [arithmetic.device] if arithmetic.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        arithmetic.place(trial)
        trial.train()
        pixels, labels = arithmetic.move(batch.pixels, batch.labels)
        began = time.perf_counter()
        with arithmetic.cast():
            logits = trial(pixels)
        arithmetic.backward(loss(logits.float(), labels))
        if devices:
            torch.cuda.synchronize(arithmetic.device)
        took = time.perf_counter() - began
        trial.zero_grad(set_to_none=True)
        return took
