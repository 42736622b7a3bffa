"""Diagnoses about validation beside training: overfitting, when to stop, and validation that is too good."""

import math
from dataclasses import dataclass

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._confidence import likely_range, strokes_of_mean
from histowidgets.advice.diagnosis._curves import Situation
from histowidgets.advice.diagnosis._rules_loss import starting_loss
from histowidgets.advice.diagnosis._series import finite, noise, recent, running_median, trend_change, trend_score


@dataclass(frozen=True)
class Rise:
    """A rise of the validation loss since its lowest point: where that was (index), for how long, how far.

    `at_top` says that it has not come down again since.
    """

    lowest: int
    epochs: int
    share: float
    score: float
    at_top: bool = True


def overfitting(now: Situation) -> Advice | None:
    """R28, R37: training goes on getting better, validation worse; or their scores lie far apart."""
    rise = find_rise(now)
    if rise is not None and rise.epochs >= t.OVERFITTING_EPOCHS and _training_falls(now, rise):
        evidence: dict[str, float | int] = {
            "epochs_of_rise": rise.epochs,
            "rise_percent": round(100 * rise.share, 1),
            "lowest_at_epoch": int(now.curves.epoch[rise.lowest]),
        }
        title = f"The network learns your strokes by heart: validation has become worse for {rise.epochs} epochs"
    else:
        gap = _score_gap(now)
        if gap is None:
            return None
        evidence = {"train_miou": gap[0], "val_miou": gap[1], "gap_limit": t.GAP_MIOU}
        title = (
            f"The network learns your strokes by heart: mIoU {gap[0]:.2f} in training, {gap[1]:.2f} on held-out labels"
        )
    return Advice(
        id="overfitting",
        title=title,
        detail="Annotate more places that differ from those you have, or let the network learn less freely. The best "
        "epoch so far is kept.",
        evidence=evidence,
        rule="R28, R37",
        severity="warning",
        **with_actions(
            [
                change.freeze_more(now),
                change.color_jitter(now),
                change.elastic(now),
                change.somewhat_lower_rate(now),
                change.smaller_backbone(now),
                change.larger_validation(now),
                change.work("Annotate more places, on more images"),
            ]
        ),
    )


def stop_rising(now: Situation) -> Advice | None:
    """R42: validation has risen for 10 epochs."""
    rise = find_rise(now)
    if rise is None or rise.epochs < t.STOP_RISING_EPOCHS or not rise.at_top:
        return None
    return Advice(
        id="stop-rising",
        title=f"Stop? The validation loss has been rising for {rise.epochs} epochs",
        detail="More of the same will hardly help. Stopping keeps the best epoch.",
        evidence={
            "epochs_of_rise": rise.epochs,
            "rise_percent": round(100 * rise.share, 1),
            "lowest_at_epoch": int(now.curves.epoch[rise.lowest]),
            "limit_epochs": t.STOP_RISING_EPOCHS,
        },
        rule="R42",
        severity="stop",
        **with_actions([_stop(now), change.freeze_more(now), change.somewhat_lower_rate(now)]),
    )


def stop_diverged(now: Situation) -> Advice | None:
    """R43: validation over twice training for 10 epochs, and the distance grows."""
    pairs = _pairs(now, t.DIVERGED_EPOCHS)
    if len(pairs) < t.DIVERGED_EPOCHS:
        return None
    train, validation = pairs.T
    one_more = _pairs(now, t.DIVERGED_EPOCHS + 1)
    hits = int(np.sum(one_more[:, 1] > t.DIVERGED_RATIO * one_more[:, 0]))
    longer = _pairs(now, t.DIVERGED_GROWTH_EPOCHS)
    near = np.flatnonzero(longer[:, 1] <= t.DIVERGED_RATIO * longer[:, 0])
    begin = min(int(near[-1]) + 1 if len(near) else 0, len(longer) - t.DIVERGED_EPOCHS)
    # Seen in the row's own epochs, or in more of them where it is slow; one spike long ago hides it from the latter.
    growth = max(_growth(validation - train), _growth(longer[begin:, 1] - longer[begin:, 0]))
    # While validation itself falls, it only learns more slowly than training.
    still_learning = trend_score(validation) < -1 or trend_change(longer[begin:, 1]) < 0
    if hits < t.DIVERGED_EPOCHS or growth <= t.DIVERGED_GROWTH or still_learning:
        return None
    ratio = float(np.median(validation) / max(float(np.median(train)), 1e-12))
    return Advice(
        id="stop-diverged",
        title=f"Stop? The validation loss is {ratio:.1f} times the training loss, and moves away",
        detail="The network no longer learns what carries over to other places. Stopping keeps the best epoch; then "
        "annotate more varied places.",
        evidence={
            "ratio": ratio,
            "limit": t.DIVERGED_RATIO,
            "epochs": hits,
            "distance_growth_percent": round(100 * growth, 1),
        },
        rule="R43",
        severity="stop",
        **with_actions([_stop(now), change.freeze_more(now), change.somewhat_lower_rate(now)]),
    )


def _growth(distance: np.ndarray) -> float:
    """Return by which share of itself a distance grew; 0 where that may be chance."""
    if trend_score(distance) <= t.TREND_SCORE:
        return 0.0
    return trend_change(distance) / max(float(np.median(distance)), 1e-12)


def validation_below_training(now: Situation) -> Advice | None:
    """Find validation far below training: it is easy, or it has seen what it is measured on."""
    pairs = _pairs(now, t.EASY_EPOCHS)
    if len(pairs) < t.EASY_EPOCHS:
        return None
    train, validation = pairs.T
    hits = int(np.sum(validation < t.EASY_RATIO * train))
    far = float(np.median(train - validation)) > t.EASY_OF_START * starting_loss(now)
    scores = np.stack([now.curves.val_miou, now.curves.train_miou])[:, -t.EASY_EPOCHS :]
    scores = scores[:, np.isfinite(scores).all(axis=0)]
    lead = float(np.median(scores[0] - scores[1])) if scores.size else math.nan
    if hits < t.EASY_HITS or not far or lead < t.EASY_MIOU or (scores.size and _may_be_chance(now, scores)):
        return None
    return Advice(
        id="validation-below-training",
        title="Validation looks too good: its loss is less than half of the training loss",
        detail="The held-out labels are easier than the others, or the same places are in both. Trust the score less; "
        "hold out more labels, or annotate an image for validation alone.",
        evidence={
            "val_loss": float(np.median(validation)),
            "train_loss": float(np.median(train)),
            "ratio": float(np.median(validation / train)),
            "limit": t.EASY_RATIO,
            "epochs": hits,
            **({} if math.isnan(lead) else {"miou_above_training": lead}),
        },
        rule="B10, R64",
        severity="info",
        **with_actions([change.larger_validation(now), change.work("Give one image the role of validation")]),
    )


def _may_be_chance(now: Situation, scores: np.ndarray) -> bool:
    """Whether the held-out strokes are so few that the score on as many others could be that of training.

    The range that is shown beside the score says so already.
    """
    validation, train = np.median(scores, axis=1).tolist()
    counts = now.held_out_strokes or {}
    measured = [name for name, iou in now.curves.class_iou.items() if np.isfinite(iou).any()]
    likely = likely_range(min(max(validation, 0.0), 1.0), strokes_of_mean(counts.get(name, 0) for name in measured))
    return likely is not None and train >= likely[0]


def find_rise(now: Situation) -> Rise | None:
    """Find a rise of the validation loss, after the warm-up, that is more than noise."""
    begin = now.curves.warmup_end
    known = np.flatnonzero(np.isfinite(now.curves.val_loss))
    known = known[known >= begin]
    values = now.curves.val_loss[known]
    if len(values) < t.OVERFITTING_EPOCHS + 1:
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
    needed = t.RISE_SHARE_WHILE_LEARNING if _still_learning(now, rise.lowest) else t.RISE_SHARE
    wanted = t.RISE_SCORE_LONG if rise.epochs >= t.RISE_LONG else t.RISE_SCORE
    steady = rise.score >= wanted and amount > t.RISE_NOISE * noise(values[-4 * t.STOP_RISING_EPOCHS :])
    far = amount > t.RISE_OF_START * starting_loss(now)
    return rise if steady and far and rise.share >= needed else _stays_above(now)


def _stays_above(now: Situation) -> Rise | None:
    """Find a validation that left its lowest level for good, by its loss and its mIoU, be it while warming up."""
    known = np.flatnonzero(np.isfinite(now.curves.val_loss))
    smooth = running_median(now.curves.val_loss[known], 3)
    lowest = int(np.argmin(smooth))
    last = smooth[lowest + 1 :][-t.STAYS_EPOCHS :]
    if len(smooth) - 1 - lowest < t.STAYS_FROM or _rate_will_fall(now):
        return None
    low = float(smooth[lowest])
    if last.min() <= (1 + t.STAYS_SHARE) * low or last.min() - low <= t.STAYS_OF_START * starting_loss(now):
        return None
    scores = running_median(finite(now.curves.val_miou), 3)
    if len(scores) and float(scores.max()) - recent(scores, t.STAYS_EPOCHS) <= t.STAYS_MIOU:
        return None
    share = recent(smooth) / max(low, 1e-12) - 1
    at_top = recent(smooth) >= t.STAYS_AT_TOP * float(smooth[lowest:].max())
    return Rise(int(known[lowest]), len(smooth) - 1 - lowest, share, trend_score(smooth[lowest:]), at_top)


def _rate_will_fall(now: Situation) -> bool:
    """Whether the schedule has most of the fall of the learning rate still to come."""
    rate = finite(now.curves.learning_rate)
    planned = now.setting("scheduler") in ("one-cycle", "cosine")
    return planned and len(rate) > 0 and float(rate[-1]) > t.STAYS_BELOW_RATE * float(rate.max())


def _still_learning(now: Situation, begin: int) -> bool:
    score = now.curves.val_miou[begin:]
    return trend_score(score) > t.TREND_SCORE and trend_change(score) > t.FLAT_MIOU


def _training_falls(now: Situation, rise: Rise) -> bool:
    train = now.curves.train_loss[rise.lowest :]
    return trend_score(train) < -t.TREND_SCORE and trend_change(train) < 0


def _score_gap(now: Situation) -> tuple[float, float] | None:
    """Median mIoU in training and validation, where training is high, validation far below, and not catching up."""
    curves = now.curves
    after = slice(max(curves.warmup_end, 0), None)
    both = np.isfinite(curves.train_miou[after]) & np.isfinite(curves.val_miou[after])
    if len(curves) < t.GAP_FIRST_EPOCH or both.sum() < t.GAP_EPOCHS:
        return None
    train, validation = curves.train_miou[after][both], curves.val_miou[after][both]
    gaps = (train - validation)[-t.GAP_EPOCHS :]
    level = float(np.median(train[-t.GAP_EPOCHS :])), float(np.median(validation[-t.GAP_EPOCHS :]))
    last = validation[-t.FLAT_EPOCHS :]
    catching_up = trend_score(last) > 1 and trend_change(last) > t.FLAT_MIOU
    if catching_up or level[0] < t.HIGH_MIOU or gaps.min() < t.GAP_MIOU / 2 or level[0] - level[1] < t.GAP_MIOU:
        return None
    return level


def _pairs(now: Situation, epochs: int) -> np.ndarray:
    """(n, 2) training and validation loss of the last epochs that have both."""
    pairs = np.stack([now.curves.train_loss, now.curves.val_loss], axis=1)
    return pairs[np.isfinite(pairs).all(axis=1)][-epochs:]


def _stop(now: Situation) -> Action:
    return change.stop_and_keep(now.best_epoch if len(finite(now.curves.val_loss)) else None)
