"""When to read the curves of a run: after new epochs, and not so often that it costs much."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from histowidgets.advice import Advice, diagnose
from histowidgets.errors import AdviceError
from histowidgets.training import TrainingSettings
from histowidgets.widgets.monitor._reading import Reading

log = logging.getLogger("histowidgets")

# Of the time; a history of thousands of epochs takes a while to read.
SHARE = 0.1
# Seconds; on a busy machine, too, a person waits no longer for words about a new epoch.
LONGEST_PAUSE = 2.0


class Judge:
    """Reads the curves of one run whenever that is worth it."""

    def __init__(self) -> None:
        self._epochs = 0
        self._not_before = -math.inf

    def due_in(self, reading: Reading) -> float | None:
        """Return the seconds until it is worth looking again; None where nothing has come since."""
        if len(reading.log) == self._epochs or self._not_before == math.inf:
            return None
        return max(0.0, self._not_before - time.monotonic())

    def judge(self, reading: Reading, run: Any, held_out: Mapping[str, int] | None = None) -> list[Advice] | None:
        """Return what the curves mean; None where nothing has changed, or it is too soon to look again.

        Parameters
        ----------
        reading
            What the run has said.
        run
            Its settings (anything but `TrainingSettings` counts as not known), and which classes its best epoch
            confuses, are looked at.
        held_out
            Class name to held-out strokes, where they are known.
        """
        begin, count = time.monotonic(), len(reading.log)
        ended = reading.over and self._not_before < math.inf
        if not ended and (count == self._epochs or begin < self._not_before):
            return None
        settings = getattr(run, "settings", None)
        try:
            found = diagnose(
                reading.log.records,
                settings if isinstance(settings, TrainingSettings) else None,
                steps_per_epoch=reading.steps_per_epoch,
                n_train_tiles=reading.n_train_tiles,
                class_tiles=reading.class_labels,
                confusion=_confusion(run),
                held_out_strokes=held_out or None,
            )
        except AdviceError:
            log.exception("The curves could not be read")
            found = []
        now = time.monotonic()
        self._epochs, self._not_before = count, math.inf if ended else now + min((now - begin) / SHARE, LONGEST_PAUSE)
        return found


def _confusion(run: Any) -> dict[str, dict[str, float]] | None:
    """Return what the best epoch took for what: true class to predicted class to pixels; None where not known."""
    scores = getattr(run, "scores", None) or {}
    counts, names = scores.get("confusion"), scores.get("val_iou", ())
    if not counts:
        return None
    return {
        true: {predicted: float(count) for predicted, count in zip(names, row, strict=True)}
        for true, row in zip(names, counts, strict=True)
    }
