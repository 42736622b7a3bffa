"""Select the best epoch, and decide when to stop early. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from histowidgets.training._events import EpochRecord
from histowidgets.training.settings import TrainingSettings


@dataclass(frozen=True)
class ModelSelection:
    """Decides which epoch's weights are kept, and when more epochs are useless.

    Parameters
    ----------
    metric : {"miou", "val_loss", "none"}
        Criterion for the best epoch: the validation mIoU, the validation loss, or none, so that the last epoch is the
        best.
    focus_class : str or None
        With "miou", the only class whose IoU counts; if the validation labels lack it, the mIoU counts.
    tolerance : float
        How far below the highest mIoU an epoch may be and still count as equally good; the latest of these is the best.
    patience : int
        Number of epochs without a higher score after which training stops.
    """

    metric: str = "miou"
    focus_class: str | None = None
    tolerance: float = 0.0
    patience: int = 20

    @classmethod
    def of(cls, settings: TrainingSettings) -> "ModelSelection":
        """Return the model selection of settings."""
        return cls(
            settings.early_stopping_metric,
            settings.focus_class,
            settings.best_tolerance,
            settings.early_stopping_patience,
        )

    def score(self, record: EpochRecord) -> float | None:
        """Return the score of an epoch, where larger is better; None if unknown."""
        if self.metric == "none":
            return None
        if self.metric == "val_loss":
            return None if record["val_loss"] is None else -record["val_loss"]
        if self.focus_class is not None:
            focused = record["val_iou"].get(self.focus_class)
            if focused is not None:
                return focused
        return record["val_miou"]

    def is_better(self, record: EpochRecord, best: EpochRecord | None, earlier: Sequence[EpochRecord] = ()) -> bool:
        """Return whether an epoch is better than the best so far; without scores, the later one is.

        Of two epochs with the same score, the one with the lower validation loss is better, since on few labelled
        pixels the mIoU soon reaches its maximum. With a tolerance the later one is better, since differences on few
        held-out strokes are chance, while the averaged weights still improve.

        Parameters
        ----------
        record, best : EpochRecord
        earlier : sequence of EpochRecord
            All earlier epochs; with a tolerance, the highest score is taken over all of them.
        """
        if best is None:
            return True
        new, old = self.score(record), self.score(best)
        if new is None or old is None:
            return True
        if self.tolerance > 0 and self.metric == "miou":
            reached = max([old, *(value for one in earlier if (value := self.score(one)) is not None)])
            return new >= reached - self.tolerance
        if new != old:
            return new > old
        new_loss, old_loss = record["val_loss"], best["val_loss"]
        return new_loss is not None and old_loss is not None and new_loss < old_loss

    def should_stop(self, history: Sequence[EpochRecord]) -> bool:
        """Return whether the score has not risen for `patience` epochs.

        A lower loss at the same score makes an epoch better, but is no reason to continue.
        """
        if not history or self.score(history[-1]) is None:
            return False
        scored = [(value, -record["epoch"]) for record in history if (value := self.score(record)) is not None]
        reached = -max(scored)[1]
        return history[-1]["epoch"] - reached >= self.patience
