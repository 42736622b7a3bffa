"""The learning rate, and the size of tiles, as functions of how far the run has come."""

import math
from typing import Any

from histowidgets.training.settings import TrainingSettings

WARM_UP = 0.3
"""Share of a one-cycle run in which the rate rises (Smith & Topin 2018; row R26)."""

SMALL_SHARE = 0.4
"""Share of a run with progressive resizing in which tiles have half their size (row N2)."""

SMALLEST_TILE, TILE_STEP = 64, 32
"""What a halved tile is not smaller than, and a multiple of: the range of ``tile_size``."""

START_DIVISOR, END_DIVISOR = 25.0, 1e4
PLATEAU_FACTOR, PLATEAU_EPOCHS = 0.5, 10
PLATEAU_LEAST = 1e-3
STEP_FACTOR, STEPS = 0.1, 3


class Schedule:
    """Gives the share of the highest learning rate to use; every group of the optimizer takes the same share.

    That keeps the encoder's rate in its ratio to the decoder's, whatever changes (row B13).

    Parameters
    ----------
    settings : TrainingSettings
        Its ``scheduler``.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self._kind = settings.scheduler
        self._best: float | None = None
        self._waited = 0
        self._plateau = 1.0

    def share(self, progress: float) -> float:
        """Share of the highest rate at `progress`, from 0 at the start of the run to 1 at its end."""
        progress = min(max(progress, 0.0), 1.0)
        if self._kind == "one-cycle":
            if progress < WARM_UP:
                return _cosine(1 / START_DIVISOR, 1.0, progress / WARM_UP)
            return _cosine(1.0, 1 / (START_DIVISOR * END_DIVISOR), (progress - WARM_UP) / (1 - WARM_UP))
        if self._kind == "cosine":
            return _cosine(1.0, 0.0, progress)
        if self._kind == "step":
            return STEP_FACTOR ** min(int(progress * STEPS), STEPS - 1)
        return self._plateau

    def state(self) -> dict[str, Any]:
        """Return what the epochs so far have left behind, as JSON holds it; `restore` takes it back."""
        return {"best": self._best, "waited": self._waited, "plateau": self._plateau}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._best, self._waited, self._plateau = state["best"], state["waited"], state["plateau"]

    def epoch_ended(self, score: float | None) -> None:
        """Tell the score of an epoch, larger for better; "plateau" halves the rate after ten without a better one."""
        if self._kind != "plateau" or score is None:
            return
        if self._best is None or score > self._best:
            self._best, self._waited = score, 0
            return
        self._waited += 1
        if self._waited >= PLATEAU_EPOCHS:
            self._plateau = max(self._plateau * PLATEAU_FACTOR, PLATEAU_LEAST)
            self._waited = 0


def tile_size_at(settings: TrainingSettings, progress: float) -> int:
    """Side of the training tiles at `progress`, 0 to 1: half at first where the settings ask for that."""
    if not settings.progressive_resizing or progress >= SMALL_SHARE:
        return settings.tile_size
    half = math.ceil(settings.tile_size / 2 / TILE_STEP) * TILE_STEP
    return max(SMALLEST_TILE, half)


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * progress))
