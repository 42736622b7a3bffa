"""Diagnoses of the level of the curves: good, converged, underfitting. They depend on the other findings."""

from collections.abc import Collection

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import RunContext
from histowidgets.advice.diagnosis._rules_loss import starting_loss, training_swings
from histowidgets.advice.diagnosis._series import finite, noise, recent, running_median, trend_change, trend_score

#: The curves are flat if, over the last `FLAT_EPOCHS`, the loss moved by less than `FLAT_SHARE` of its level or, near
#: zero, where small steps are large shares, by less than `FLAT_OF_START` of its start ...
FLAT_SHARE = 0.03
FLAT_OF_START = 0.01
#: ... or, without a trend, by less than this share, or by less than this many standard deviations of its noise ...
FLAT_SHARE_NOISY = 0.10
FLAT_NOISE = 2.5
#: ... and the mIoU stayed within a band of this width.
FLAT_MIOU_BAND = 0.1
#: Without any mIoU, a loss that is flat above this share of its start counts as a low score.
FLAT_LOSS_IS_LOW = 0.7
#: The earliest epoch in which a run is called good, and the share by which the loss must have fallen.
GOOD_FIRST_EPOCH = 5
GOOD_FALL = 0.05
#: A run is not good if the validation loss rose in each of this many epochs, to this share of its start above its
#: lowest level.
CLIMB_EPOCHS = 3
CLIMB_OF_START = 0.05

# A run with one of these findings is not called good. Problems with the split are not among them.
_AGAINST_GOOD = {
    "loss-nan",
    "stop-rising",
    "stop-diverged",
    "lr-too-high",
    "lr-too-low",
    "one-class-predicted",
    "overfitting",
    "underfitting",
    "class-never-learned",
    "class-poor",
    "validation-below-training",
}
_AGAINST_CONVERGED = _AGAINST_GOOD - {"class-poor", "class-never-learned", "validation-below-training"}
# These explain a low score better than underfitting does.
_AGAINST_UNDERFITTING = {"loss-nan", "lr-too-high", "one-class-predicted", "overfitting"}


def underfitting(run: RunContext, found: Collection[str]) -> Advice | None:
    """Detect a low score with flat curves, or at the end of the run."""
    if _AGAINST_UNDERFITTING & set(found) or len(finite(run.curves.train_loss)) < GOOD_FIRST_EPOCH:
        return None
    ended = run.setting("epochs") is not None and int(run.curves.epoch[-1]) >= int(run.setting("epochs"))
    if not (_all_flat(run) or ended) or not _low(run):
        return None
    return Advice(
        id="underfitting",
        title="The network has not learned enough: it scores low even on its training strokes",
        detail="Train longer, or train more layers of the backbone. If that does not help, check that the classes can "
        "be distinguished at this magnification and that the labels are correct.",
        evidence={**_levels(run), "limit_miou": t.LOW_MIOU},
        severity="warning",
        **with_actions(
            [
                change.more_epochs(run),
                change.unfreeze(run),
                change.larger_backbone(run),
                change.less_overlap(run),
                change.work("Check the annotations"),
            ]
        ),
    )


def converged(run: RunContext, found: Collection[str]) -> Advice | None:
    """Detect that both curves are flat at a high score."""
    if _AGAINST_CONVERGED & set(found) or not _all_flat(run) or not _high(run) or _wavers(run.curves.val_miou):
        return None
    if training_swings(run):
        return None
    return Advice(
        id="converged",
        title="Training has converged: more epochs will change little",
        detail="Stop and look at the prediction. To improve it further, annotate where it is wrong.",
        evidence={**_levels(run), "limit_miou": t.HIGH_MIOU},
        severity="info",
        **with_actions([change.stop_and_keep(run.best_epoch), change.work("Annotate where it is wrong")]),
    )


def good(run: RunContext, found: Collection[str]) -> Advice | None:
    """Detect that both losses fall smoothly."""
    curves = run.curves
    train, validation = finite(curves.train_loss), finite(curves.val_loss)
    if _AGAINST_GOOD & set(found) or "converged" in found or len(train) < GOOD_FIRST_EPOCH:
        return None
    start, level = starting_loss(run), recent(train)
    falls = level < (1 - GOOD_FALL) * start and trend_score(train[-t.FLAT_EPOCHS :]) < -t.TREND_SCORE
    if len(validation) >= GOOD_FIRST_EPOCH:
        falls = falls and recent(validation) < validation[0] and trend_score(validation[-t.FLAT_EPOCHS :]) < 1
    if not falls or _climbs(validation, start) or training_swings(run):
        return None
    both = len(validation) >= GOOD_FIRST_EPOCH
    return Advice(
        id="good",
        title=f"Good: {'both losses fall' if both else 'the loss falls'} smoothly, continue",
        detail="Keep annotating meanwhile, or wait.",
        evidence={
            "train_loss_percent_an_epoch": _percent_an_epoch(train),
            **({"val_loss_percent_an_epoch": _percent_an_epoch(validation)} if both else {}),
            **_levels(run),
            "train_loss_share_of_start": level / start,
        },
        severity="good",
    )


def _climbs(losses: np.ndarray, start: float) -> bool:
    """Return whether the last losses rose one after another, to well above the lowest level of the run."""
    last = losses[-CLIMB_EPOCHS - 1 :]
    if len(last) <= CLIMB_EPOCHS or not (np.diff(last) > 0).all():
        return False
    return float(last[-1] - running_median(losses, 3).min()) > CLIMB_OF_START * start


def _percent_an_epoch(losses: np.ndarray) -> float:
    """Return the change of a loss per epoch over the last epochs, in percent of its level."""
    last = losses[-t.FLAT_EPOCHS :]
    return round(100 * trend_change(last) / max(len(last) - 1, 1) / max(abs(float(np.median(last))), 1e-12), 1)


def _all_flat(run: RunContext) -> bool:
    curves = run.curves
    begin = curves.warmup_end
    enough = FLAT_OF_START * starting_loss(run)
    for values in (curves.train_loss, curves.val_loss):
        if len(finite(values)) and not _flat(values[begin:], enough):
            return False
    return not any(_rising(values[begin:]) for values in (curves.train_miou, curves.val_miou))


def _flat(values: np.ndarray, enough: float) -> bool:
    """Return whether the last epochs, or twice as many if the curve is noisy, show no trend."""
    known = finite(values)
    return any(_flat_over(known, epochs, enough) for epochs in (t.FLAT_EPOCHS, 2 * t.FLAT_EPOCHS))


def _flat_over(known: np.ndarray, epochs: int, enough: float) -> bool:
    last = known[-epochs:]
    if len(last) < epochs:
        return False
    level = max(abs(float(np.median(last))), 1e-12)
    moved = abs(trend_change(last))
    # Noise alone moves the trend of ten values by about one standard deviation.
    unclear = max(FLAT_SHARE_NOISY * level, FLAT_NOISE * noise(known))
    return moved < max(FLAT_SHARE * level, enough) or (moved < unclear and abs(trend_score(last)) < t.TREND_SCORE)


def _rising(score: np.ndarray) -> bool:
    last = finite(score)[-t.FLAT_EPOCHS :]
    return trend_change(last) > t.FLAT_MIOU and trend_score(last) > t.TREND_SCORE


def _wavers(score: np.ndarray) -> bool:
    last = running_median(finite(score), 3)[-t.FLAT_EPOCHS :]
    return len(last) > 0 and float(np.ptp(last)) > FLAT_MIOU_BAND


def _low(run: RunContext) -> bool:
    known = _scores(run)
    if known:
        return all(value < t.LOW_MIOU for value in known.values())
    return recent(run.curves.train_loss) > FLAT_LOSS_IS_LOW * starting_loss(run)


def _high(run: RunContext) -> bool:
    known = _scores(run)
    if known:
        return known.get("val_miou", known.get("train_miou", 0.0)) >= t.HIGH_MIOU
    return recent(run.curves.train_loss) < (1 - FLAT_LOSS_IS_LOW) * starting_loss(run)


def _scores(run: RunContext) -> dict[str, float]:
    named = {"train_miou": run.curves.train_miou, "val_miou": run.curves.val_miou}
    return {name: recent(values, 5) for name, values in named.items() if len(finite(values))}


def _levels(run: RunContext) -> dict[str, float | int]:
    """Return the levels of the curves, as evidence."""
    curves = run.curves
    named = {"train_loss": curves.train_loss, "val_loss": curves.val_loss}
    losses = {name: recent(values) for name, values in named.items() if len(finite(values))}
    return {"epoch": int(curves.epoch[-1]), **losses, **_scores(run)}
