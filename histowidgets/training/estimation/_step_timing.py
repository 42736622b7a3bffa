"""How long a step takes, from steps that are really taken."""

import time
from collections.abc import Callable
from dataclasses import replace

from histowidgets.training._limits import TEACH_FROM_STEP
from histowidgets.training.data import TrainingRequest
from histowidgets.training.loop import Confusion, Loop, RunControl, fitted_normalization


def time_steps(request: TrainingRequest, steps: int) -> tuple[list[float], float]:
    """Take a few real steps, and measure once; return the seconds of each, and those of measuring.

    Nothing is written, and no weights are fetched to be thrown away.
    """
    settings = request.settings.model_copy(update={"pretrained": False, "find_learning_rate": False})
    request = replace(request, settings=settings, folder=None)
    loop = Loop(request, fitted_normalization(request), lambda event: None, RunControl())
    # As most steps of a run: those that learn from unlabelled pixels too.
    loop.step = TEACH_FROM_STEP
    try:
        loop.parts.network.train()
        times = [_timed(lambda: loop.take_step(Confusion(len(loop.classes)))) for _ in range(steps)]
        return times, _timed(loop.validate)
    finally:
        loop.parts.tiles.close()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
