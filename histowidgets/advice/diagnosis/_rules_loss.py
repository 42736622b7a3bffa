"""Diagnoses about how the training loss moves: not a number, too high a learning rate, too low a one."""

import math

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import Situation
from histowidgets.advice.diagnosis._series import finite, off_trend, recent, running_median, swing, trend_score


def loss_nan(now: Situation) -> Advice | None:
    """Find a loss that is no number any more."""
    if not now.curves.broken:
        return None
    epoch, which = now.curves.broken[0]
    return Advice(
        id="loss-nan",
        title=f"The {_words(which)} is no longer a number since epoch {epoch}",
        detail="Training broke off numerically: start again with a lower learning rate. If it comes back, look for "
        "images with missing values.",
        evidence={"first_epoch": epoch, "epochs_without_number": len({e for e, _ in now.curves.broken})},
        rule="R29",
        severity="stop",
        **with_actions([change.lower_rate(now), change.stop_and_keep(now.best_epoch)]),
    )


def lr_too_high(now: Situation) -> Advice | None:
    """R29, R39: the loss swings, is thrown off, or never moves at a very high rate."""
    evidence = _swings(now) or _thrown_off(now) or _stuck_at_a_high_rate(now)
    if evidence is None:
        return None
    if now.learning_rate is not None:
        evidence["learning_rate"] = now.learning_rate
    return Advice(
        id="lr-too-high",
        title="The loss jumps about: the learning rate is too high",
        detail="Start again with a lower learning rate. If it still swings at 1e-5, look for places that are "
        "labelled wrongly.",
        evidence=evidence,
        rule="R29, R39",
        severity="warning",
        **with_actions(
            [
                change.lower_rate(now),
                change.one_cycle(now),
                change.smaller_batch(now),
                change.work("Check for mislabelled regions"),
            ]
        ),
    )


def lr_too_low(now: Situation) -> Advice | None:
    """R40: at epoch 10 the loss is still above 95 % of its start."""
    curves = now.curves
    rate = now.learning_rate
    if len(curves) < t.SLOW_EPOCH or _ramp_too_early(now) or _has_learned(now):
        return None
    start, level = starting_loss(now), _level(now)
    if not (start > 0 and level > t.SLOW_SHARE * start) or (rate is not None and rate >= t.HIGH_RATE):
        return None
    if _lowest(now) < t.SLOW_EVER * start:
        return None
    higher = change.higher_rate(now)
    cause = "the learning rate is too low" if higher else "too low a learning rate, or a problem with the labels"
    return Advice(
        id="lr-too-low",
        title=f"The loss has hardly fallen: {cause}",
        detail="Start again with a higher learning rate. If that does not help, check that the labels lie on the "
        "tissue that they name.",
        evidence={
            "epoch": int(curves.epoch[-1]),
            "loss_share_of_start": level / start,
            "limit": t.SLOW_SHARE,
            **({} if rate is None else {"learning_rate": rate}),
        },
        rule="R40",
        severity="warning",
        **with_actions([higher, change.work("Check the labels")]),
    )


def starting_loss(now: Situation) -> float:
    """Return the training loss at the start: that of epoch 1, or of the first three where they are higher."""
    values = finite(now.curves.train_loss)
    return float(max(values[0], np.median(values[:3]))) if len(values) else math.nan


def _swings(now: Situation) -> dict[str, float | int] | None:
    train, validation = _settled(now, now.curves.train_loss), _settled(now, now.curves.val_loss)
    ends = now.setting("epochs")
    short = ends is not None and int(ends) <= t.SHORT_RUN
    if len(train) < (t.SWING_EPOCHS_AT_LEAST if short else t.SWING_EPOCHS):
        return None
    shares = {"train": swing(train), "validation": swing(validation)}
    start = starting_loss(now)
    levels = {"train": train, "validation": validation}
    ordinary = len(validation) > 0 and now.learning_rate is not None and now.learning_rate <= t.ORDINARY_RATE
    ordinary = ordinary and min(shares.values()) <= t.SWING
    least = t.SWING_OF_START * start * (t.SWING_AT_ORDINARY_RATE if ordinary else 1)
    far = {name: _is_swing(last, shares[name], least) for name, last in levels.items()}
    follows = {
        name: shares[name] > t.SWING_OF_OTHER and shares[name] * np.median(last) > share * least
        for (name, last), share in zip(levels.items(), (1.0, t.SWING_FOLLOWS), strict=True)
    }
    if far["train"] and (follows["validation"] or len(validation) == 0):
        which = "train"
    elif far["validation"] and follows["train"]:
        which = "validation"
    else:
        return None
    of_each = {f"{name}_swing": share for name, share in shares.items() if math.isfinite(share)}
    return {"swing": shares[which], "limit": t.SWING, "epochs": len(train), **of_each}


def training_swings(now: Situation) -> bool:
    """Whether the training loss swings as R39 says, whatever the reason: such a run is neither good nor converged."""
    last = _settled(now, now.curves.train_loss)
    return len(last) >= t.SWING_EPOCHS and _is_swing(last, swing(last), t.SWING_OF_START * starting_loss(now))


def _settled(now: Situation, values: np.ndarray) -> np.ndarray:
    """Return the last epochs, as far as they lie after the warm-up."""
    return finite(values[max(now.curves.warmup_end, t.SWING_SKIPS) :][-t.SWING_EPOCHS :])


def _is_swing(last: np.ndarray, share: float, least: float) -> bool:
    """Whether losses swing by more than the row allows, more than once, and by more than `least`."""
    return bool(share > t.SWING and _often_off(last) and share * np.median(last) > least)


def _often_off(values: np.ndarray) -> bool:
    return int(np.sum(np.abs(off_trend(values)) > t.SWING / 2)) >= t.SWING_DEVIATIONS


def _thrown_off(now: Situation) -> dict[str, float | int] | None:
    """Find a training loss that lies well above where it already was, and does not come back."""
    curves = now.curves
    after = finite(curves.train_loss[curves.warmup_end :])
    values = finite(curves.train_loss)
    high = (now.learning_rate or 0) >= t.HIGH_RATE
    needed = t.THROWN_OFF_EPOCHS_HIGH_RATE if high else t.THROWN_OFF_EPOCHS
    if len(after) < needed or len(values) < t.SWING_EPOCHS_AT_LEAST:
        return None
    low = float(np.nanmin(running_median(values, 3)))
    last = after[-needed:]
    level = float(np.median(last))
    far = level - low > t.SWING_OF_START * starting_loss(now) and last.min() > low + (level - low) / 3
    if not (low > 0 and level > t.THROWN_OFF * low and far) or trend_score(after[-t.SWING_EPOCHS :]) < -t.TREND_SCORE:
        return None
    if not _validation_follows(now):
        return None
    return {"loss": level, "lowest_loss": low, "times_lowest": level / low, "limit": t.THROWN_OFF}


def _validation_follows(now: Situation) -> bool:
    """Whether validation, if there is any, lies above where it was too: otherwise chance drew harder tiles."""
    values = finite(now.curves.val_loss)
    if len(values) == 0:
        return True
    rise = recent(values, t.THROWN_OFF_EPOCHS) - float(running_median(values, 3).min())
    return rise > t.SWING_FOLLOWS * t.SWING_OF_START * starting_loss(now)


def _stuck_at_a_high_rate(now: Situation) -> dict[str, float | int] | None:
    rate, start, level = now.learning_rate, starting_loss(now), _level(now)
    if rate is None or rate < t.HIGH_RATE or len(now.curves) < t.SLOW_EPOCH or _has_learned(now):
        return None
    if _ramp_too_early(now):
        return None
    if start > 0 and level > t.SLOW_SHARE * start:
        return {"loss_share_of_start": level / start, "limit": t.SLOW_SHARE}
    scores = [finite(values)[-t.SWING_EPOCHS :] for values in (now.curves.train_miou, now.curves.val_miou)]
    known = [values for values in scores if len(values) == t.SWING_EPOCHS]
    if not known or any(recent(v, 5) >= t.LOW_MIOU or trend_score(v) > t.TREND_SCORE for v in known):
        return None
    return {"miou": max(recent(values, 5) for values in known), "limit_miou": t.LOW_MIOU}


def _level(now: Situation) -> float:
    """Return where the training loss is now; two spikes in a row do not lift it."""
    return min(recent(now.curves.train_loss, 3), recent(now.curves.train_loss, 5))


def _lowest(now: Situation) -> float:
    """Return the lowest level of the training loss over five epochs so far."""
    known = finite(now.curves.train_loss)
    return float(running_median(known, 5)[2:-2].min()) if len(known) >= 5 else math.nan


def _has_learned(now: Situation) -> bool:
    """Whether the scores say that there is no problem, whatever the loss says."""
    for values in (now.curves.train_miou, now.curves.val_miou):
        known = finite(values)
        if len(known) and (recent(known) >= t.HIGH_MIOU or recent(known) - known[0] > t.GAP_MIOU):
            return True
    return False


def _ramp_too_early(now: Situation) -> bool:
    """Whether the learning rate still warms up, and is small on purpose."""
    still = now.curves.warmup_end == len(now.curves)
    return still and len(now.curves) < t.RAMP_BEFORE_JUDGING * now.scheduled_warmup


def _words(which: str) -> str:
    return {"train_loss": "training loss", "val_loss": "validation loss"}[which]
