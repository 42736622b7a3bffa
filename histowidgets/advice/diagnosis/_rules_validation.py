"""Diagnoses that compare validation with training: overfitting, when to stop, and validation that is too good."""

import math
from dataclasses import dataclass

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._confidence import likely_range, strokes_of_mean
from histowidgets.advice.diagnosis._curves import RunContext
from histowidgets.advice.diagnosis._rules_loss import starting_loss
from histowidgets.advice.diagnosis._series import finite, noise, recent, running_median, trend_change, trend_score

#: Overfitting: number of epochs for which the validation loss must have risen.
OVERFITTING_EPOCHS = 5
#: Number of epochs of rising validation loss after which to ask whether to stop.
STOP_RISING_EPOCHS = 10
#: A rise of the validation loss counts if it is at least this share of its lowest level ...
RISE_SHARE = 0.04
#: ... and at least this many standard deviations of the noise in the curve ...
RISE_NOISE = 4.0
#: ... and at least this share of the loss at the start: near zero, small steps are large shares.
RISE_OF_START = 0.03
#: ... and if it is steady, by the Mann-Kendall z score. Six values that rise one after another have 2.63. In a long
#: curve some stretch looks like a rise by chance, so from `RISE_LONG` epochs on the threshold is higher.
RISE_SCORE = 2.5
RISE_SCORE_LONG = 3.6
RISE_LONG = 9
#: A validation loss that stays above its lowest level by this share, and by this share of its start, for `STAYS_EPOCHS`
#: in a row, has also risen, whatever its course ...
STAYS_SHARE = 0.25
STAYS_OF_START = 0.08
STAYS_EPOCHS = 5
#: ... at the earliest this many epochs after the lowest one, and if the mIoU fell by this much. To ask whether to stop,
#: the loss must still be near its highest level since then.
STAYS_FROM = 8
STAYS_MIOU = 0.03
STAYS_AT_TOP = 0.9
#: While the learning rate of One Cycle or cosine is above this share of its peak, its decay may still reverse the rise.
STAYS_BELOW_RATE = 0.3
#: The loss may rise while the mIoU still improves (the network only becomes more certain): then it must rise by this
#: share.
RISE_SHARE_WHILE_LEARNING = 0.3
#: Validation has diverged if its loss is more than this many times the training loss ...
DIVERGED_RATIO = 2.0
#: ... for this many epochs, with one more allowed as an exception ...
DIVERGED_EPOCHS = 10
#: ... while the gap grew by this share of itself, over up to this many epochs.
DIVERGED_GROWTH = 0.1
DIVERGED_GROWTH_EPOCHS = 20
#: The training mIoU must be far above the validation mIoU (by `GAP_MIOU`) for this many epochs, at the earliest at this
#: epoch.
GAP_EPOCHS = 5
GAP_FIRST_EPOCH = 10
#: If the validation loss is below half of the training loss in 8 of the last 10 epochs, labels leaked or are too easy.
EASY_RATIO = 0.5
EASY_HITS = 8
EASY_EPOCHS = 10
#: The training loss is measured on augmented tiles, with dropout and with batch statistics, so that the validation loss
#: is below it in healthy runs too. The gap counts if it is this share of the loss at the start ...
EASY_OF_START = 0.15
#: ... and if the validation mIoU, if known, is higher than the training mIoU by this much, which is rare in real,
#: healthy runs.
EASY_MIOU = 0.28


@dataclass(frozen=True)
class Rise:
    """A rise of the validation loss since its lowest point: the index of that point, and its length and size.

    `at_top` tells whether the loss is still near its highest level since then.
    """

    lowest: int
    epochs: int
    share: float
    score: float
    at_top: bool = True


def overfitting(run: RunContext) -> Advice | None:
    """Detect that training improves while validation gets worse, or that their scores are far apart."""
    rise = find_rise(run)
    if rise is not None and rise.epochs >= OVERFITTING_EPOCHS and _training_falls(run, rise):
        evidence: dict[str, float | int] = {
            "epochs_of_rise": rise.epochs,
            "rise_percent": round(100 * rise.share, 1),
            "lowest_at_epoch": int(run.curves.epoch[rise.lowest]),
        }
        title = f"Overfitting (strokes learned by heart): validation has been getting worse for {rise.epochs} epochs"
    else:
        gap = _score_gap(run)
        if gap is None:
            return None
        evidence = {"train_miou": gap[0], "val_miou": gap[1], "gap_limit": t.GAP_MIOU}
        title = f"Overfitting (learned by heart): mIoU {gap[0]:.2f} in training, {gap[1]:.2f} on held-out labels"
    return Advice(
        id="overfitting",
        title=title,
        detail="Annotate more places that differ from those you have, or limit what the network can learn. The best "
        "epoch so far is kept.",
        evidence=evidence,
        severity="warning",
        **with_actions(
            [
                change.freeze_more(run),
                change.color_jitter(run),
                change.elastic(run),
                change.somewhat_lower_rate(run),
                change.smaller_backbone(run),
                change.larger_validation(run),
                change.work("Annotate more places, on more images"),
            ]
        ),
    )


def stop_rising(run: RunContext) -> Advice | None:
    """Ask whether to stop when the validation loss has risen for 10 epochs."""
    rise = find_rise(run)
    if rise is None or rise.epochs < STOP_RISING_EPOCHS or not rise.at_top:
        return None
    return Advice(
        id="stop-rising",
        title=f"Stop? The validation loss has been rising for {rise.epochs} epochs",
        detail="More epochs will hardly help. Stopping keeps the best epoch.",
        evidence={
            "epochs_of_rise": rise.epochs,
            "rise_percent": round(100 * rise.share, 1),
            "lowest_at_epoch": int(run.curves.epoch[rise.lowest]),
            "limit_epochs": STOP_RISING_EPOCHS,
        },
        severity="stop",
        **with_actions([_stop(run), change.freeze_more(run), change.somewhat_lower_rate(run)]),
    )


def stop_diverged(run: RunContext) -> Advice | None:
    """Ask whether to stop when the validation loss was over twice the training loss for 10 epochs and the gap grows."""
    pairs = _pairs(run, DIVERGED_EPOCHS)
    if len(pairs) < DIVERGED_EPOCHS:
        return None
    train, validation = pairs.T
    one_more = _pairs(run, DIVERGED_EPOCHS + 1)
    hits = int(np.sum(one_more[:, 1] > DIVERGED_RATIO * one_more[:, 0]))
    longer = _pairs(run, DIVERGED_GROWTH_EPOCHS)
    near = np.flatnonzero(longer[:, 1] <= DIVERGED_RATIO * longer[:, 0])
    begin = min(int(near[-1]) + 1 if len(near) else 0, len(longer) - DIVERGED_EPOCHS)
    # Slow growth shows only over more of the last epochs, but there an old spike can hide it: look over both.
    growth = max(_growth(validation - train), _growth(longer[begin:, 1] - longer[begin:, 0]))
    # If the validation loss still falls, it only improves more slowly than training.
    still_learning = trend_score(validation) < -1 or trend_change(longer[begin:, 1]) < 0
    if hits < DIVERGED_EPOCHS or growth <= DIVERGED_GROWTH or still_learning:
        return None
    ratio = float(np.median(validation) / max(float(np.median(train)), 1e-12))
    return Advice(
        id="stop-diverged",
        title=f"Stop? The validation loss is {ratio:.1f} times the training loss, and the gap is growing",
        detail="What the network learns no longer carries over to other places. Stopping keeps the best epoch. Then "
        "annotate more varied places.",
        evidence={
            "ratio": ratio,
            "limit": DIVERGED_RATIO,
            "epochs": hits,
            "distance_growth_percent": round(100 * growth, 1),
        },
        severity="stop",
        **with_actions([_stop(run), change.freeze_more(run), change.somewhat_lower_rate(run)]),
    )


def _growth(distance: np.ndarray) -> float:
    """Return the relative growth of the gap; 0 if it may be chance."""
    if trend_score(distance) <= t.TREND_SCORE:
        return 0.0
    return trend_change(distance) / max(float(np.median(distance)), 1e-12)


def validation_below_training(run: RunContext) -> Advice | None:
    """Detect a validation loss far below the training loss: the held-out labels are easy, or leaked into training."""
    pairs = _pairs(run, EASY_EPOCHS)
    if len(pairs) < EASY_EPOCHS:
        return None
    train, validation = pairs.T
    hits = int(np.sum(validation < EASY_RATIO * train))
    far = float(np.median(train - validation)) > EASY_OF_START * starting_loss(run)
    scores = np.stack([run.curves.val_miou, run.curves.train_miou])[:, -EASY_EPOCHS:]
    scores = scores[:, np.isfinite(scores).all(axis=0)]
    lead = float(np.median(scores[0] - scores[1])) if scores.size else math.nan
    if hits < EASY_HITS or not far or lead < EASY_MIOU or (scores.size and _may_be_chance(run, scores)):
        return None
    return Advice(
        id="validation-below-training",
        title="Validation looks too good: its loss is less than half of the training loss",
        detail="The held-out labels are easier than the others, or the same places occur in both. Trust the score "
        "less: hold out more labels, or annotate an image for validation only.",
        evidence={
            "val_loss": float(np.median(validation)),
            "train_loss": float(np.median(train)),
            "ratio": float(np.median(validation / train)),
            "limit": EASY_RATIO,
            "epochs": hits,
            **({} if math.isnan(lead) else {"miou_above_training": lead}),
        },
        severity="info",
        **with_actions([change.larger_validation(run), change.work("Set the role of one image to validation")]),
    )


def _may_be_chance(run: RunContext, scores: np.ndarray) -> bool:
    """Return whether so few strokes are held out that the higher validation score may be chance.

    The range shown next to the score already says so.
    """
    validation, train = np.median(scores, axis=1).tolist()
    counts = run.held_out_strokes or {}
    measured = [name for name, iou in run.curves.class_iou.items() if np.isfinite(iou).any()]
    likely = likely_range(min(max(validation, 0.0), 1.0), strokes_of_mean(counts.get(name, 0) for name in measured))
    return likely is not None and train >= likely[0]


def find_rise(run: RunContext) -> Rise | None:
    """Find a rise of the validation loss after the warm-up that is more than noise."""
    begin = run.curves.warmup_end
    known = np.flatnonzero(np.isfinite(run.curves.val_loss))
    known = known[known >= begin]
    values = run.curves.val_loss[known]
    if len(values) < OVERFITTING_EPOCHS + 1:
        return None
    smooth = running_median(values, 3)
    around = int(np.argmin(smooth))
    near = range(max(0, around - 1), min(len(values), around + 2))
    lowest = min(near, key=lambda i: values[i])
    amount = recent(values) - float(smooth[around])
    rise = Rise(
        lowest=int(known[lowest]),
        epochs=len(values) - 1 - lowest,
        share=amount / max(float(smooth[around]), 1e-12),
        score=trend_score(values[lowest:]),
    )
    needed = RISE_SHARE_WHILE_LEARNING if _still_learning(run, rise.lowest) else RISE_SHARE
    wanted = RISE_SCORE_LONG if rise.epochs >= RISE_LONG else RISE_SCORE
    steady = rise.score >= wanted and amount > RISE_NOISE * noise(values[-4 * STOP_RISING_EPOCHS :])
    far = amount > RISE_OF_START * starting_loss(run)
    return rise if steady and far and rise.share >= needed else _stays_above(run)


def _stays_above(run: RunContext) -> Rise | None:
    """Find a validation loss that left its lowest level for good, confirmed by the mIoU, even during warm-up."""
    known = np.flatnonzero(np.isfinite(run.curves.val_loss))
    smooth = running_median(run.curves.val_loss[known], 3)
    lowest = int(np.argmin(smooth))
    last = smooth[lowest + 1 :][-STAYS_EPOCHS:]
    if len(smooth) - 1 - lowest < STAYS_FROM or _rate_will_fall(run):
        return None
    low = float(smooth[lowest])
    if last.min() <= (1 + STAYS_SHARE) * low or last.min() - low <= STAYS_OF_START * starting_loss(run):
        return None
    scores = running_median(finite(run.curves.val_miou), 3)
    if len(scores) and float(scores.max()) - recent(scores, STAYS_EPOCHS) <= STAYS_MIOU:
        return None
    share = recent(smooth) / max(low, 1e-12) - 1
    at_top = recent(smooth) >= STAYS_AT_TOP * float(smooth[lowest:].max())
    return Rise(int(known[lowest]), len(smooth) - 1 - lowest, share, trend_score(smooth[lowest:]), at_top)


def _rate_will_fall(run: RunContext) -> bool:
    """Return whether most of the decay of the learning rate is still to come."""
    rate = finite(run.curves.learning_rate)
    planned = run.setting("scheduler") in ("one-cycle", "cosine")
    return planned and len(rate) > 0 and float(rate[-1]) > STAYS_BELOW_RATE * float(rate.max())


def _still_learning(run: RunContext, begin: int) -> bool:
    score = run.curves.val_miou[begin:]
    return trend_score(score) > t.TREND_SCORE and trend_change(score) > t.FLAT_MIOU


def _training_falls(run: RunContext, rise: Rise) -> bool:
    train = run.curves.train_loss[rise.lowest :]
    return trend_score(train) < -t.TREND_SCORE and trend_change(train) < 0


def _score_gap(run: RunContext) -> tuple[float, float] | None:
    """Return the median training and validation mIoU if validation is far below training and not catching up."""
    curves = run.curves
    after = slice(max(curves.warmup_end, 0), None)
    both = np.isfinite(curves.train_miou[after]) & np.isfinite(curves.val_miou[after])
    if len(curves) < GAP_FIRST_EPOCH or both.sum() < GAP_EPOCHS:
        return None
    train, validation = curves.train_miou[after][both], curves.val_miou[after][both]
    gaps = (train - validation)[-GAP_EPOCHS:]
    level = float(np.median(train[-GAP_EPOCHS:])), float(np.median(validation[-GAP_EPOCHS:]))
    last = validation[-t.FLAT_EPOCHS :]
    catching_up = trend_score(last) > 1 and trend_change(last) > t.FLAT_MIOU
    if catching_up or level[0] < t.HIGH_MIOU or gaps.min() < t.GAP_MIOU / 2 or level[0] - level[1] < t.GAP_MIOU:
        return None
    return level


def _pairs(run: RunContext, epochs: int) -> np.ndarray:
    """Return the training and validation loss, (n, 2), of the last epochs that have both."""
    pairs = np.stack([run.curves.train_loss, run.curves.val_loss], axis=1)
    return pairs[np.isfinite(pairs).all(axis=1)][-epochs:]


def _stop(run: RunContext) -> Action:
    return change.stop_and_keep(run.best_epoch if len(finite(run.curves.val_loss)) else None)
