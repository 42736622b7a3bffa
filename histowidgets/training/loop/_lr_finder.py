"""The learning rate range test (Smith 2017), which finds the highest rate that suits a network and its images."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from histowidgets.annotations import Project, ProjectSnapshot
from histowidgets.models import using_optimizers
from histowidgets.training.data import make_request
from histowidgets.training.loop._distributed import ProcessGroup
from histowidgets.training.loop._setup import fitted_normalization, make_optimizer, prepare
from histowidgets.training.loop._state import TrainerState
from histowidgets.training.settings import TrainingSettings

#: Lowest and highest rate that are tried.
LOWEST, HIGHEST = 1e-7, 1.0

#: Number of steps of the test, over seven powers of ten.
STEPS = 100

#: Lowest rate that can be suggested: below it, as measured with small batches, the loss only reflects the first
#: batches.
FLOOR = 1e-5

#: Fall of the loss, as a share of the loss at `FLOOR`, below which nothing is suggested.
FLAT = 0.05

#: Decay of the moving average of the losses.
_DECAY = 0.9

#: The test ends if the loss is this many times its minimum, but not before this many steps.
_DIVERGED, _LEAST_STEPS = 4.0, 5


@dataclass(frozen=True)
class LearningRateTest:
    """The result of a learning rate range test.

    Attributes
    ----------
    rates : tuple of float
        The decoder's learning rate of each step, rising exponentially.
    losses : tuple of float
        The smoothed loss of each step.
    suggested : float or None
        Suggested rate, in the middle of the power of ten over which the loss falls most; None if it does not fall
        clearly.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float | None


@using_optimizers()
def find_learning_rate(
    project: Project | ProjectSnapshot, settings: TrainingSettings | None = None
) -> LearningRateTest:
    """Try learning rates from 1e-7 to 1 on a project, and suggest one for ``TrainingSettings.learning_rate``.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        The images and annotations to train on.
    settings : TrainingSettings, optional
        By default, the default settings.

    Returns
    -------
    LearningRateTest

    Raises
    ------
    TrainingDataError
        There is too little to learn from.
    SettingsError, BackboneError
        A setting does not fit the project, or the backbone is unknown.
    """
    settings = settings if settings is not None else TrainingSettings()
    request = make_request(project, settings)
    group = ProcessGroup.current()
    state = prepare(request, fitted_normalization(request), lambda event: None, group)
    try:
        return try_rates(state, settings, group, lambda: None)
    finally:
        state.tiles.close()


def try_rates(
    state: TrainerState, settings: TrainingSettings, group: ProcessGroup, check: Callable[[], None]
) -> LearningRateTest:
    """Run the test with the parts of a trainer, and restore the network afterwards, even if `check` raises.

    Parameters
    ----------
    state : TrainerState
        Provides the tiles, the network and the loss; its optimizer is not used.
    settings : TrainingSettings
        Settings of the optimizer, and ``gradient_clip``.
    group : ProcessGroup
        The processes that train together.
    check : callable
        Called before each step; may raise to stop.
    """
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    try:
        return _sweep(state, settings, group, check)
    finally:
        state.network.load_state_dict(before)
        for parameter in state.network.parameters():
            parameter.grad = None


def _sweep(
    state: TrainerState, settings: TrainingSettings, group: ProcessGroup, check: Callable[[], None]
) -> LearningRateTest:
    optimizer, max_lrs = make_optimizer(state.network, settings)
    state.network.train()
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    for rate in np.geomspace(LOWEST, HIGHEST, STEPS).tolist():
        check()
        for parameters, max_lr in zip(optimizer.param_groups, max_lrs, strict=True):
            parameters["lr"] = rate * max_lr / max_lrs[0]
        loss = _step(state, optimizer, settings.gradient_clip, group)
        if not math.isfinite(loss):
            break
        average = _DECAY * average + (1 - _DECAY) * loss
        rates.append(rate)
        # Correct for the average starting at 0.
        losses.append(average / (1 - _DECAY ** (len(losses) + 1)))
        if len(losses) > _LEAST_STEPS and losses[-1] > _DIVERGED * min(losses):
            break
    return LearningRateTest(tuple(rates), tuple(losses), suggested_rate(rates, losses))


def suggested_rate(rates: list[float], losses: list[float]) -> float | None:
    """Return the middle of the power of ten over which the loss falls most, between `FLOOR` and its minimum.

    None if it does not fall by `FLAT` of its value at the floor.
    """
    first = int(np.searchsorted(rates, FLOOR))
    if len(losses) <= first:
        return None
    # Over a whole power of ten, since from step to step the loss mostly depends on the batch.
    half = max(1, round(0.5 / math.log10(rates[1] / rates[0])))
    least = first + int(np.argmin(losses[first:]))
    middles = range(max(half, first), least - half + 1)
    if not middles or losses[first] - losses[least] < FLAT * abs(losses[first]):
        return None
    return rates[max(middles, key=lambda i: losses[i - half] - losses[i + half])]


def _step(state: TrainerState, optimizer: torch.optim.Optimizer, max_norm: float, group: ProcessGroup) -> float:
    """Learn from the labels of one batch."""
    compute = state.compute
    batch = state.tiles.draw()
    pixels, labels = compute.move(batch.pixels, batch.labels)
    optimizer.zero_grad(set_to_none=True)
    with compute.own_random():
        loss = state.loss(compute.logits(state.ddp_model, pixels), labels)
        compute.backward(loss)
    compute.step(optimizer, max_norm)
    return group.sums(float(loss.detach()))[0] / group.size
