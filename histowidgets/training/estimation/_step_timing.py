"""Time real training steps."""

import time
from collections.abc import Callable
from dataclasses import replace

from histowidgets.models import using_optimizers
from histowidgets.training.data import TrainingRequest
from histowidgets.training.loop import (
    TEACH_FROM_STEP,
    Confusion,
    RunControl,
    fitted_normalization,
    make_trainer,
)


@using_optimizers()
def time_steps(request: TrainingRequest, steps: int) -> tuple[list[float], float]:
    """Take a few real steps, and validate once; return the seconds of each step, and of the validation.

    Nothing is written, and no pretrained weights are downloaded.
    """
    settings = request.settings.model_copy(update={"pretrained": False, "find_learning_rate": False})
    request = replace(request, settings=settings, folder=None)
    trainer = make_trainer(request, fitted_normalization(request), lambda event: None, RunControl())
    # Like most steps of a run, these learn from unlabelled pixels too.
    trainer.step = TEACH_FROM_STEP
    try:
        trainer.state.network.train()
        times = [_timed(lambda: trainer.take_step(Confusion(len(trainer.classes)))) for _ in range(steps)]
        return times, _timed(trainer.validate)
    finally:
        trainer.state.tiles.close()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
