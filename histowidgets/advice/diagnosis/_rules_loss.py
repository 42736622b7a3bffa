"""Diagnoses about how the training loss moves: not a number, too high a learning rate, too low a one."""

import math

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import RunContext
from histowidgets.advice.diagnosis._series import finite, off_trend, recent, running_median, swing, trend_score

#: The loss swings when the coefficient of variation of its detrended last epochs is above this ...
SWING = 0.30
SWING_EPOCHS = 10
#: ... of which this many are enough in a run of at most `SHORT_RUN` epochs. The first ones fall too fast to be judged.
SWING_EPOCHS_AT_LEAST = 8
SHORT_RUN = 16
SWING_SKIPS = 2
#: One bad batch is no swing: this many epochs must lie off the trend by half of `SWING`.
SWING_DEVIATIONS = 4
#: A swing is one only if it is this share of the loss at the start: near zero, everything swings. In real healthy
#: runs of few tiles a step it is mostly below this, at a hundred times the learning rate mostly above.
SWING_OF_START = 0.12
#: Training may swing because its tiles are few and drawn by chance, validation because it is small. It is the weights
#: that jump where both do: the other one swings by this much, validation by this share of what is asked of training.
SWING_OF_OTHER = 0.2
SWING_FOLLOWS = 0.5
#: At a usual rate, up to this one, another reason is likelier, unless both losses swing by `SWING`: then the swings
#: have to be this many times as large.
ORDINARY_RATE = 1e-2
SWING_AT_ORDINARY_RATE = 2.0
#: Training loss this many times its lowest smoothed level, for this many epochs after the warm-up: it is thrown off.
THROWN_OFF = 1.5
THROWN_OFF_EPOCHS = 5
#: At a rate of `HIGH_RATE` or more, which makes it likely, fewer will do: runs of a minute have few epochs.
THROWN_OFF_EPOCHS_HIGH_RATE = 3
#: Where the loss does not move at all, a learning rate this high is a likelier reason than one that is too low.
#: At such a rate, a score below `LOW_MIOU` that does not grow has the same reason.
HIGH_RATE = 2e-2
#: Too low a rate: at this epoch the loss is still above this share of its start ...
SLOW_EPOCH = 10
SLOW_SHARE = 0.95
#: ... and was never below this share for five epochs: a loss that once was lower has been learned.
SLOW_EVER = 0.9


def loss_nan(run: RunContext) -> Advice | None:
    """Find a loss that is no longer a number."""
    if not run.curves.broken:
        return None
    epoch, which = run.curves.broken[0]
    return Advice(
        id="loss-nan",
        title=f"The {_words(which)} is no longer a number since epoch {epoch}",
        detail="Training failed numerically: start again with a lower learning rate. If it comes back, look for "
        "images with missing values.",
        evidence={"first_epoch": epoch, "epochs_without_number": len({e for e, _ in run.curves.broken})},
        severity="stop",
        **with_actions([change.lower_rate(run), change.stop_and_keep(run.best_epoch)]),
    )


def lr_too_high(run: RunContext) -> Advice | None:
    """Say so if the loss swings, is thrown off, or never moves at a very high rate."""
    evidence = _swings(run) or _thrown_off(run) or _stuck_at_a_high_rate(run)
    if evidence is None:
        return None
    if run.learning_rate is not None:
        evidence["learning_rate"] = run.learning_rate
    return Advice(
        id="lr-too-high",
        title="The loss jumps about: the learning rate is too high",
        detail="Start again with a lower learning rate. If it still swings at 1e-5, look for places that are "
        "labelled wrongly.",
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
    """Say so if at epoch 10 the loss is still above 95 % of its start."""
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
    cause = "the learning rate is too low" if higher else "too low a learning rate, or a problem with the labels"
    return Advice(
        id="lr-too-low",
        title=f"The loss has hardly fallen: {cause}",
        detail="Start again with a higher learning rate. If that does not help, check that the labels lie on the "
        "tissue that they name.",
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
    """Return the training loss at the start: that of epoch 1, or of the first three where they are higher."""
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
    """Whether the training loss swings, whatever the reason: such a run is neither good nor converged."""
    last = _settled(run, run.curves.train_loss)
    return len(last) >= SWING_EPOCHS and _is_swing(last, swing(last), SWING_OF_START * starting_loss(run))


def _settled(run: RunContext, values: np.ndarray) -> np.ndarray:
    """Return the last epochs, as far as they lie after the warm-up."""
    return finite(values[max(run.curves.warmup_end, SWING_SKIPS) :][-SWING_EPOCHS:])


def _is_swing(last: np.ndarray, share: float, least: float) -> bool:
    """Whether losses swing by more than `SWING`, more than once, and by more than `least`."""
    return bool(share > SWING and _often_off(last) and share * np.median(last) > least)


def _often_off(values: np.ndarray) -> bool:
    return int(np.sum(np.abs(off_trend(values)) > SWING / 2)) >= SWING_DEVIATIONS


def _thrown_off(run: RunContext) -> dict[str, float | int] | None:
    """Find a training loss that lies well above where it already was, and does not come back."""
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
    """Whether validation, if there is any, lies above where it was too: otherwise chance drew harder tiles."""
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
    """Return where the training loss is now; two spikes in a row do not lift it."""
    return min(recent(run.curves.train_loss, 3), recent(run.curves.train_loss, 5))


def _lowest(run: RunContext) -> float:
    """Return the lowest level of the training loss over five epochs so far."""
    known = finite(run.curves.train_loss)
    return float(running_median(known, 5)[2:-2].min()) if len(known) >= 5 else math.nan


def _has_learned(run: RunContext) -> bool:
    """Whether the scores say that there is no problem, whatever the loss says."""
    for values in (run.curves.train_miou, run.curves.val_miou):
        known = finite(values)
        if len(known) and (recent(known) >= t.HIGH_MIOU or recent(known) - known[0] > t.GAP_MIOU):
            return True
    return False


def _ramp_too_early(run: RunContext) -> bool:
    """Whether the learning rate still warms up, and is small on purpose."""
    still = run.curves.warmup_end == len(run.curves)
    return still and len(run.curves) < t.RAMP_BEFORE_JUDGING * run.scheduled_warmup


def _words(which: str) -> str:
    return {"train_loss": "training loss", "val_loss": "validation loss"}[which]
