"""Diagnoses of how the training loss moves: not a number, learning rate too high, learning rate too low."""

import math

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import RunContext
from histowidgets.advice.diagnosis._series import finite, off_trend, recent, running_median, swing, trend_score

#: The loss swings if the coefficient of variation of its detrended last epochs is above this ...
SWING = 0.30
SWING_EPOCHS = 10
#: ... where this many epochs are enough in a run of at most `SHORT_RUN`. In the first epochs the loss falls too fast to
#: judge.
SWING_EPOCHS_AT_LEAST = 8
SHORT_RUN = 16
SWING_SKIPS = 2
#: A single bad batch is not a swing: this many epochs must be off the trend by half of `SWING`.
SWING_DEVIATIONS = 4
#: A swing must be at least this share of the loss at the start: near zero, everything swings. Real, healthy runs with
#: few tiles in a step are mostly below this; with 100 times the learning rate they are mostly above.
SWING_OF_START = 0.12
#: The training loss may swing because few tiles are drawn at random, the validation loss because few labels are held
#: out. Only if both swing is it the weights that jump: the other loss must swing by this much, with validation required
#: to reach only this share of the training threshold.
SWING_OF_OTHER = 0.2
SWING_FOLLOWS = 0.5
#: Up to this usual learning rate, another cause is more likely unless both losses swing by `SWING`; the swings must
#: then be this many times as large.
ORDINARY_RATE = 1e-2
SWING_AT_ORDINARY_RATE = 2.0
#: The training loss is thrown off if it is this many times its lowest smoothed level for this many epochs after the
#: warm-up.
THROWN_OFF = 1.5
THROWN_OFF_EPOCHS = 5
#: At `HIGH_RATE` or more, where this is likely, fewer epochs suffice: runs of a minute have few epochs.
THROWN_OFF_EPOCHS_HIGH_RATE = 3
#: If the loss does not move at all, a learning rate this high is a more likely cause than one that is too low. At such
#: a rate, a score that stays below `LOW_MIOU` has the same cause.
HIGH_RATE = 2e-2
#: The learning rate is too low if, at this epoch, the loss is still above this share of its start ...
SLOW_EPOCH = 10
SLOW_SHARE = 0.95
#: ... and was never below this share for five epochs: a loss that was lower before shows that the network has learned.
SLOW_EVER = 0.9


def loss_nan(run: RunContext) -> Advice | None:
    """Detect a loss that is no longer a number."""
    if not run.curves.broken:
        return None
    epoch, which = run.curves.broken[0]
    return Advice(
        id="loss-nan",
        title=f"The {_words(which)} has not been a number since epoch {epoch}",
        detail="Training failed numerically: start again with a lower learning rate. If it happens again, look for "
        "images with missing values.",
        evidence={"first_epoch": epoch, "epochs_without_number": len({e for e, _ in run.curves.broken})},
        severity="stop",
        **with_actions([change.lower_rate(run), change.stop_and_keep(run.best_epoch)]),
    )


def lr_too_high(run: RunContext) -> Advice | None:
    """Detect a loss that swings, is thrown off, or never moves at a very high learning rate."""
    evidence = _swings(run) or _thrown_off(run) or _stuck_at_a_high_rate(run)
    if evidence is None:
        return None
    if run.learning_rate is not None:
        evidence["learning_rate"] = run.learning_rate
    return Advice(
        id="lr-too-high",
        title="The loss jumps about: the learning rate is too high",
        detail="Start again with a lower learning rate. If the loss still jumps at 1e-5, look for wrong labels.",
        evidence=evidence,
        severity="warning",
        **with_actions(
            [
                change.lower_rate(run),
                change.one_cycle(run),
                change.smaller_batch(run),
                change.work("Check for mislabelled regions"),
            ]
        ),
    )


def lr_too_low(run: RunContext) -> Advice | None:
    """Detect a loss that is still above 95 % of its start at epoch 10."""
    curves = run.curves
    rate = run.learning_rate
    if len(curves) < SLOW_EPOCH or _ramp_too_early(run) or _has_learned(run):
        return None
    start, level = starting_loss(run), _level(run)
    if not (start > 0 and level > SLOW_SHARE * start) or (rate is not None and rate >= HIGH_RATE):
        return None
    if _lowest(run) < SLOW_EVER * start:
        return None
    higher = change.higher_rate(run)
    cause = "the learning rate is too low" if higher else "the learning rate is too low, or the labels are wrong"
    return Advice(
        id="lr-too-low",
        title=f"The loss has hardly fallen: {cause}",
        detail="Start again with a higher learning rate. If that does not help, check that the labels are in the "
        "right places.",
        evidence={
            "epoch": int(curves.epoch[-1]),
            "loss_share_of_start": level / start,
            "limit": SLOW_SHARE,
            **({} if rate is None else {"learning_rate": rate}),
        },
        severity="warning",
        **with_actions([higher, change.work("Check the labels")]),
    )


def starting_loss(run: RunContext) -> float:
    """Return the training loss at the start: that of epoch 1, or the median of the first three if that is higher."""
    values = finite(run.curves.train_loss)
    return float(max(values[0], np.median(values[:3]))) if len(values) else math.nan


def _swings(run: RunContext) -> dict[str, float | int] | None:
    train, validation = _settled(run, run.curves.train_loss), _settled(run, run.curves.val_loss)
    ends = run.setting("epochs")
    short = ends is not None and int(ends) <= SHORT_RUN
    if len(train) < (SWING_EPOCHS_AT_LEAST if short else SWING_EPOCHS):
        return None
    shares = {"train": swing(train), "validation": swing(validation)}
    start = starting_loss(run)
    levels = {"train": train, "validation": validation}
    ordinary = len(validation) > 0 and run.learning_rate is not None and run.learning_rate <= ORDINARY_RATE
    ordinary = ordinary and min(shares.values()) <= SWING
    least = SWING_OF_START * start * (SWING_AT_ORDINARY_RATE if ordinary else 1)
    far = {name: _is_swing(last, shares[name], least) for name, last in levels.items()}
    follows = {
        name: shares[name] > SWING_OF_OTHER and shares[name] * np.median(last) > share * least
        for (name, last), share in zip(levels.items(), (1.0, SWING_FOLLOWS), strict=True)
    }
    if far["train"] and (follows["validation"] or len(validation) == 0):
        which = "train"
    elif far["validation"] and follows["train"]:
        which = "validation"
    else:
        return None
    of_each = {f"{name}_swing": share for name, share in shares.items() if math.isfinite(share)}
    return {"swing": shares[which], "limit": SWING, "epochs": len(train), **of_each}


def training_swings(run: RunContext) -> bool:
    """Return whether the training loss swings, whatever the cause: such a run is neither good nor converged."""
    last = _settled(run, run.curves.train_loss)
    return len(last) >= SWING_EPOCHS and _is_swing(last, swing(last), SWING_OF_START * starting_loss(run))


def _settled(run: RunContext, values: np.ndarray) -> np.ndarray:
    """Return the last epochs that are after the warm-up."""
    return finite(values[max(run.curves.warmup_end, SWING_SKIPS) :][-SWING_EPOCHS:])


def _is_swing(last: np.ndarray, share: float, least: float) -> bool:
    """Return whether losses swing by more than `SWING` and by more than `least`, and more than once."""
    return bool(share > SWING and _often_off(last) and share * np.median(last) > least)


def _often_off(values: np.ndarray) -> bool:
    return int(np.sum(np.abs(off_trend(values)) > SWING / 2)) >= SWING_DEVIATIONS


def _thrown_off(run: RunContext) -> dict[str, float | int] | None:
    """Find a training loss that rose well above its earlier level and has not come down again."""
    curves = run.curves
    after = finite(curves.train_loss[curves.warmup_end :])
    values = finite(curves.train_loss)
    high = (run.learning_rate or 0) >= HIGH_RATE
    needed = THROWN_OFF_EPOCHS_HIGH_RATE if high else THROWN_OFF_EPOCHS
    if len(after) < needed or len(values) < SWING_EPOCHS_AT_LEAST:
        return None
    low = float(np.nanmin(running_median(values, 3)))
    last = after[-needed:]
    level = float(np.median(last))
    far = level - low > SWING_OF_START * starting_loss(run) and last.min() > low + (level - low) / 3
    if not (low > 0 and level > THROWN_OFF * low and far) or trend_score(after[-SWING_EPOCHS:]) < -t.TREND_SCORE:
        return None
    if not _validation_follows(run):
        return None
    return {"loss": level, "lowest_loss": low, "times_lowest": level / low, "limit": THROWN_OFF}


def _validation_follows(run: RunContext) -> bool:
    """Return whether validation, if any, has risen too: otherwise harder tiles were drawn by chance."""
    values = finite(run.curves.val_loss)
    if len(values) == 0:
        return True
    rise = recent(values, THROWN_OFF_EPOCHS) - float(running_median(values, 3).min())
    return rise > SWING_FOLLOWS * SWING_OF_START * starting_loss(run)


def _stuck_at_a_high_rate(run: RunContext) -> dict[str, float | int] | None:
    rate, start, level = run.learning_rate, starting_loss(run), _level(run)
    if rate is None or rate < HIGH_RATE or len(run.curves) < SLOW_EPOCH or _has_learned(run):
        return None
    if _ramp_too_early(run):
        return None
    if start > 0 and level > SLOW_SHARE * start:
        return {"loss_share_of_start": level / start, "limit": SLOW_SHARE}
    scores = [finite(values)[-SWING_EPOCHS:] for values in (run.curves.train_miou, run.curves.val_miou)]
    known = [values for values in scores if len(values) == SWING_EPOCHS]
    if not known or any(recent(v, 5) >= t.LOW_MIOU or trend_score(v) > t.TREND_SCORE for v in known):
        return None
    return {"miou": max(recent(values, 5) for values in known), "limit_miou": t.LOW_MIOU}


def _level(run: RunContext) -> float:
    """Return the present level of the training loss, robust to two spikes in a row."""
    return min(recent(run.curves.train_loss, 3), recent(run.curves.train_loss, 5))


def _lowest(run: RunContext) -> float:
    """Return the lowest level of the training loss over any five epochs so far."""
    known = finite(run.curves.train_loss)
    return float(running_median(known, 5)[2:-2].min()) if len(known) >= 5 else math.nan


def _has_learned(run: RunContext) -> bool:
    """Return whether the scores show that the network has learned, whatever the loss."""
    for values in (run.curves.train_miou, run.curves.val_miou):
        known = finite(values)
        if len(known) and (recent(known) >= t.HIGH_MIOU or recent(known) - known[0] > t.GAP_MIOU):
            return True
    return False


def _ramp_too_early(run: RunContext) -> bool:
    """Return whether the learning rate is still warming up, and therefore low on purpose."""
    still = run.curves.warmup_end == len(run.curves)
    return still and len(run.curves) < t.RAMP_BEFORE_JUDGING * run.scheduled_warmup


def _words(which: str) -> str:
    return {"train_loss": "training loss", "val_loss": "validation loss"}[which]
