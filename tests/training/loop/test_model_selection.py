"""Row R41, B4 and N16: which epoch is the best one."""

import pytest

from histowidgets.training import TrainingSettings
from histowidgets.training.loop._model_selection import ModelSelection


def is_better(new, best, settings, earlier=()):
    return ModelSelection.of(settings).is_better(new, best, earlier)


def should_stop_early(history, settings):
    return ModelSelection.of(settings).should_stop(history)


def record(epoch=1, miou=0.5, loss=1.0, **iou):
    return {"epoch": epoch, "val_miou": miou, "val_loss": loss, "val_iou": iou}


@pytest.mark.parametrize(
    ("new", "best", "wanted"),
    [
        (record(miou=0.6, loss=2.0), record(miou=0.5, loss=1.0), True),
        (record(miou=0.4, loss=0.1), record(miou=0.5, loss=1.0), False),
        (record(miou=1.0, loss=0.1), record(miou=1.0, loss=0.2), True),
        (record(miou=1.0, loss=0.3), record(miou=1.0, loss=0.2), False),
        (record(miou=1.0, loss=0.2), record(miou=1.0, loss=0.2), False),
        (record(miou=None, loss=None), record(miou=None, loss=None), True),
    ],
)
def test_r41_the_best_epoch_has_the_highest_miou_and_of_equals_the_lowest_loss(new, best, wanted):
    assert is_better(new, best, TrainingSettings(best_tolerance=0)) is wanted


def test_r41_of_epochs_that_chance_tells_apart_the_latest_is_kept():
    settings = TrainingSettings(best_tolerance=0.05)
    scores = [0.70, 0.90, 0.87, 0.84, 0.86, 0.95, 0.91, 0.89]
    history = [record(epoch, miou=miou, loss=epoch) for epoch, miou in enumerate(scores, 1)]
    kept, best = [], None
    for number, one in enumerate(history):
        if is_better(one, best, settings, history[:number]):
            best = one
            kept.append(one["epoch"])
    # It never drifts away: what counts is the highest score there was, 0.90 and then 0.95.
    assert kept == [1, 2, 3, 5, 6, 7]
    by_loss = settings.model_copy(update={"early_stopping_metric": "val_loss"})
    assert not is_better(record(loss=1.01), record(loss=1.0), by_loss)


def test_n16_the_focus_class_tells_the_best_epoch():
    settings = TrainingSettings(focus_class="Gland", best_tolerance=0)
    assert is_better(record(miou=0.4, Gland=0.9), record(miou=0.5, Gland=0.8), settings)
    assert is_better(record(miou=0.6, Gland=None), record(miou=0.5, Gland=0.8), settings) is False


def test_r41_early_stopping_waits_for_its_patience():
    settings = TrainingSettings(early_stopping_patience=3)
    history = [record(epoch) for epoch in range(1, 5)]
    assert not should_stop_early(history[:3], settings)
    assert should_stop_early(history, settings)
    assert not should_stop_early([*history[:3], record(4, miou=0.6)], settings)
    assert not should_stop_early(history, settings.model_copy(update={"early_stopping_metric": "none"}))
    falling = [record(epoch, loss=1 / epoch) for epoch in range(1, 5)]
    assert should_stop_early(falling, settings), "a lower loss at the same score is no reason to go on"
