"""The learning rate and the tile size over the progress of a run."""

import math
from typing import Any

#: Share of a one-cycle run during which the rate rises (Smith & Topin 2018).
WARM_UP = 0.3
#: The rates at the start and end of a one-cycle run are the highest rate divided by these (as in torch's OneCycleLR).
START_DIVISOR, END_DIVISOR = 25.0, 1e4

#: "plateau" multiplies the rate by this factor after this number of epochs without a better score, down to a minimum
#: share.
PLATEAU_FACTOR, PLATEAU_EPOCHS, PLATEAU_LEAST = 0.5, 10, 1e-3

#: "step" has this number of stages, and multiplies the rate by this factor at each.
STEPS, STEP_FACTOR = 3, 0.1

#: Share of a run with progressive resizing during which tiles have half their size.
SMALL_SHARE = 0.4

#: Smallest side of a halved tile, and the number that it is a multiple of, from the range of ``tile_size``.
SMALLEST_TILE, TILE_STEP = 64, 32


class Scheduler:
    """Determines the learning rate as a share of the highest; all groups of the optimizer use the same share.

    The ratio of the encoder's rate to the decoder's is thus constant.

    Parameters
    ----------
    kind : {"one-cycle", "cosine", "plateau", "step", "none"}
        Schedule of the rate.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._best: float | None = None
        self._waited = 0
        self._plateau = 1.0

    def share(self, progress: float) -> float:
        """Return the share of the highest rate at `progress`, from 0 at the start of the run to 1 at its end."""
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

    def state_dict(self) -> dict[str, Any]:
        """Return the state that the next rates depend on, for JSON."""
        return {"best": self._best, "waited": self._waited, "plateau": self._plateau}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._best, self._waited, self._plateau = state["best"], state["waited"], state["plateau"]

    def epoch_ended(self, score: float | None) -> None:
        """Report an epoch's score, where larger is better; "plateau" halves the rate after ten without improvement."""
        if self._kind != "plateau" or score is None:
            return
        if self._best is None or score > self._best:
            self._best, self._waited = score, 0
            return
        self._waited += 1
        if self._waited >= PLATEAU_EPOCHS:
            self._plateau = max(self._plateau * PLATEAU_FACTOR, PLATEAU_LEAST)
            self._waited = 0


def progressive_tile_size(tile_size: int, progress: float) -> int:
    """Return the side of training tiles at `progress`, 0 to 1, with progressive resizing: at first half the size."""
    if progress >= SMALL_SHARE:
        return tile_size
    half = math.ceil(tile_size / 2 / TILE_STEP) * TILE_STEP
    return max(SMALLEST_TILE, half)


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * progress))
