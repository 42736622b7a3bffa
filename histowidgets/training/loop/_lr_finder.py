"""The learning rate range test (Smith 2017; row N1): which highest rate suits a network and its images."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from histowidgets.annotations import Project, ProjectSnapshot
from histowidgets.training._limits import RATE_TEST_FLAT, RATE_TEST_FLOOR, RATE_TEST_STEPS
from histowidgets.training.data import make_request
from histowidgets.training.loop._distributed import Together
from histowidgets.training.loop._setup import Parts, fitted_normalization, make_optimizer, prepare
from histowidgets.training.settings import TrainingSettings

LOWEST, HIGHEST = 1e-7, 1.0
_MEMORY = 0.9
_DIVERGED = 4.0
_LEAST_STEPS = 5


@dataclass(frozen=True)
class LearningRateTest:
    """What a range test found.

    Attributes
    ----------
    rates : tuple of float
        The decoder's learning rate of each step, rising exponentially.
    losses : tuple of float
        The smoothed loss of each step.
    suggested : float or None
        In the middle of the power of ten over which the loss falls most; None where it does not fall clearly.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float | None


def find_learning_rate(
    project: Project | ProjectSnapshot, settings: TrainingSettings | None = None
) -> LearningRateTest:
    """Try learning rates from 1e-7 to 1 on a project, and suggest one for ``TrainingSettings.learning_rate``.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        What would be trained on.
    settings : TrainingSettings, optional
        How; the defaults if left out.

    Returns
    -------
    LearningRateTest

    Raises
    ------
    TrainingDataError
        There is too little to learn from.
    SettingsError, BackboneError
        A setting does not fit the project, or nobody knows the backbone.
    """
    settings = settings if settings is not None else TrainingSettings()
    request = make_request(project, settings)
    parts = prepare(request, fitted_normalization(request), lambda event: None)
    try:
        return try_rates(parts, settings, lambda: None)
    finally:
        parts.tiles.close()


def try_rates(parts: Parts, settings: TrainingSettings, check: Callable[[], None]) -> LearningRateTest:
    """Run the test with the parts of a run, and leave their network as it was, also when `check` raises.

    Parameters
    ----------
    parts : Parts
        The tiles, the network and the loss; the optimizer is not used.
    settings : TrainingSettings
        Those of the run.
    check : callable
        Is called before each step; may raise to end the test.
    """
    before = {name: value.clone() for name, value in parts.network.state_dict().items()}
    try:
        return _sweep(parts, settings, check)
    finally:
        parts.network.load_state_dict(before)
        for parameter in parts.network.parameters():
            parameter.grad = None


def _sweep(parts: Parts, settings: TrainingSettings, check: Callable[[], None]) -> LearningRateTest:
    optimizer, peaks = make_optimizer(parts.network, settings)
    parts.network.train()
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    for rate in np.geomspace(LOWEST, HIGHEST, RATE_TEST_STEPS).tolist():
        check()
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = rate * peak / peaks[0]
        loss = _step(parts, settings, optimizer)
        if not math.isfinite(loss):
            break
        average = _MEMORY * average + (1 - _MEMORY) * loss
        rates.append(rate)
        # The average starts at 0; dividing takes that out again.
        losses.append(average / (1 - _MEMORY ** (len(losses) + 1)))
        if len(losses) > _LEAST_STEPS and losses[-1] > _DIVERGED * min(losses):
            break
    return LearningRateTest(tuple(rates), tuple(losses), suggested_rate(rates, losses))


def suggested_rate(rates: list[float], losses: list[float]) -> float | None:
    """Return the middle of the power of ten over which the loss falls most, between `RATE_TEST_FLOOR` and its least.

    None if it does not fall by `RATE_TEST_FLAT` of what it was at the floor.
    """
    first = int(np.searchsorted(rates, RATE_TEST_FLOOR))
    if len(losses) <= first:
        return None
    # Over a whole power of ten: from one step to the next the loss falls by the luck of the batch.
    half = max(1, round(0.5 / math.log10(rates[1] / rates[0])))
    least = first + int(np.argmin(losses[first:]))
    middles = range(max(half, first), least - half + 1)
    if not middles or losses[first] - losses[least] < RATE_TEST_FLAT * abs(losses[first]):
        return None
    return rates[max(middles, key=lambda i: losses[i - half] - losses[i + half])]


def _step(parts: Parts, settings: TrainingSettings, optimizer: torch.optim.Optimizer) -> float:
    """Learn from the labels of one batch."""
    arithmetic = parts.arithmetic
    batch = parts.tiles.draw()
    pixels, labels = arithmetic.move(batch.pixels, batch.labels)
    optimizer.zero_grad(set_to_none=True)
    with arithmetic.own_random():
        with arithmetic.cast():
            logits = parts.learner(pixels)
        loss = parts.loss(logits.float(), labels)
        arithmetic.backward(loss)
    arithmetic.step(optimizer, settings.gradient_clip)
    together = Together()
    return together.sums(float(loss.detach()))[0] / together.size
