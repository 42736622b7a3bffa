"""Decide when to diagnose the curves of a run: after new epochs, but not so often that it costs much."""

import logging
import math
import time
from collections.abc import Mapping

from histowidgets.advice import Advice, diagnose
from histowidgets.errors import AdviceError
from histowidgets.training import RunState

log = logging.getLogger("histowidgets")

# Largest share of the time spent on diagnoses; a history of thousands of epochs takes a while to read.
SHARE = 0.1
# Longest wait for the diagnosis of a new epoch, in seconds, even on a busy machine.
LONGEST_PAUSE = 2.0


class Diagnoser:
    """Diagnoses a run whenever that is worthwhile."""

    def __init__(self) -> None:
        self._epochs = 0
        self._not_before = -math.inf

    def due_in(self, state: RunState) -> float | None:
        """Return the seconds until the next diagnosis; None if there is nothing new."""
        if len(state.history) == self._epochs or self._not_before == math.inf:
            return None
        return max(0.0, self._not_before - time.monotonic())

    def diagnose(self, state: RunState, held_out: Mapping[str, int] | None = None) -> list[Advice] | None:
        """Return the diagnoses of the curves; None if nothing has changed or it is too soon.

        Parameters
        ----------
        state
            The run, with its settings and confusion matrix if they are known.
        held_out
            Class name to number of held-out strokes, if known.
        """
        begin, count = time.monotonic(), len(state.history)
        ended = state.ended and self._not_before < math.inf
        if not ended and (count == self._epochs or begin < self._not_before):
            return None
        try:
            found = diagnose(
                state.history,
                state.settings,
                n_train_tiles=state.n_train_tiles or None,
                class_tiles=state.class_labels,
                confusion=_confusion(state),
                held_out_strokes=held_out or None,
            )
        except AdviceError:
            log.exception("The curves could not be diagnosed")
            found = []
        now = time.monotonic()
        self._epochs, self._not_before = count, math.inf if ended else now + min((now - begin) / SHARE, LONGEST_PAUSE)
        return found


def _confusion(state: RunState) -> dict[str, dict[str, float]] | None:
    """Return the confusion matrix of the best epoch (true class to predicted class to pixels); None if unknown."""
    scores = state.scores
    counts, names = scores.get("confusion"), scores.get("val_iou", ())
    if not counts:
        return None
    return {
        true: {predicted: float(count) for predicted, count in zip(names, row, strict=True)}
        for true, row in zip(names, counts, strict=True)
    }
