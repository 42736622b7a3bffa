"""Which epoch is the best one. No torch."""

from collections.abc import Sequence

from histowidgets.training._events import EpochRecord
from histowidgets.training.settings import TrainingSettings


def score(record: EpochRecord, settings: TrainingSettings) -> float | None:
    """Say how good an epoch is; larger is better, None where it cannot be told.

    The score is the validation mIoU, the IoU of the focus class (row N16), or the validation loss with its sign
    turned, as the settings say. A focus class that the validation labels lack leaves the mIoU.
    """
    if settings.early_stopping_metric == "none":
        return None
    if settings.early_stopping_metric == "val_loss":
        return None if record["val_loss"] is None else -record["val_loss"]
    if settings.focus_class is not None:
        focused = record["val_iou"].get(settings.focus_class)
        if focused is not None:
            return focused
    return record["val_miou"]


def is_better(
    record: EpochRecord,
    best: EpochRecord | None,
    settings: TrainingSettings,
    earlier: Sequence[EpochRecord] = (),
) -> bool:
    """Say whether an epoch beats the best so far; where none can be scored, the later one does.

    With ``best_tolerance`` an epoch that comes so near to the highest score of all is as good, and the latest of those
    is the best: what few held-out strokes tell apart is chance, while the averaged weights go on learning. Without it,
    of two that score the same, the one of lower validation loss is better: on few pixels the mIoU is soon as high as
    it can be.

    Parameters
    ----------
    record, best : EpochRecord
    settings : TrainingSettings
    earlier : sequence of EpochRecord
        All epochs before; the highest score is looked for among them and `best`.
    """
    if best is None:
        return True
    new, old = score(record, settings), score(best, settings)
    if new is None or old is None:
        return True
    if settings.best_tolerance > 0 and settings.early_stopping_metric == "miou":
        reached = max([old, *(value for one in earlier if (value := score(one, settings)) is not None)])
        return new >= reached - settings.best_tolerance
    if new != old:
        return new > old
    new_loss, old_loss = record["val_loss"], best["val_loss"]
    return new_loss is not None and old_loss is not None and new_loss < old_loss


def should_stop_early(history: Sequence[EpochRecord], settings: TrainingSettings) -> bool:
    """Say whether the score has not risen for `early_stopping_patience` epochs (row R41).

    A lower loss at the same score makes an epoch the better one, but is no reason to go on.
    """
    if not history or score(history[-1], settings) is None:
        return False
    scored = [(value, -record["epoch"]) for record in history if (value := score(record, settings)) is not None]
    reached = -max(scored)[1]
    return history[-1]["epoch"] - reached >= settings.early_stopping_patience
