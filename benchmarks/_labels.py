"""What a curve of a real training should be called, decided from how it was made and from how it ended.

The rules here were written before `diagnose` had seen any of the curves. They use what a diagnosis cannot know while
a run goes on: which fault was put in, how the same run went without it (its twin), the complete truth of its images,
and the epochs to come. Between what must be said (`expected`) and what must not lies a margin in which either is right
(`allowed`).

Eight were changed after looking at the tuning half, never at the other: a class that is never found may be called poor
before; five epochs of one class may be called so whatever comes later; overfitting is expected only from a rise of 6 %
of the loss at the start (the higher one, of training or validation), and where the level of training, over five
epochs, falls meanwhile; "good" only where a third of the fall comes after epoch 6; "good" at the top of the score is
no mistake where nothing is lost later; what falls in the first three epochs counts against too low a learning rate;
and a score that the complete truth does not bear out may be called too good, whatever the reason.
"""

import math

import numpy as np

COLUMNS = ("train_loss", "val_loss", "train_miou", "val_miou", "val_accuracy", "learning_rate")

HEALTHY = ("good_long", "good_short", "good_trained", "good_hard", "good_colon", "glands")
"""Scenarios without a fault; the hindsight below may still find one, such as too few strokes for what they teach."""

MANY_STROKES = 40
"""Of each class, to measure what a network really reaches."""


class Hindsight:
    """The columns of a finished run, smoothed over three epochs."""

    def __init__(self, history):
        self.n = len(history)
        self.first_loss = _number(history[0].get("train_loss"))
        for name in COLUMNS:
            setattr(self, name, smooth([_number(record.get(name)) for record in history]))
        names = list(history[0].get("val_iou") or {})
        self.classes = {
            name: smooth([_number((r.get("val_iou") or {}).get(name)) for r in history])
            for name in names
            if any((r.get("val_iou") or {}).get(name) is not None for r in history)
        }

    def end(self, name, count=5):
        """Return the median of the last values."""
        values = getattr(self, name)
        values = values[np.isfinite(values)][-count:]
        return float(np.median(values)) if len(values) else math.nan


def smooth(values):
    """Running median of three; NaN stays where all are NaN."""
    values = np.asarray(values, float)
    padded = np.pad(values, 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3)
    known = np.isfinite(windows).any(1)
    out = np.full(len(values), np.nan)
    out[known] = np.nanmedian(windows[known], axis=1)
    return out


def reached(classifier, parts, seed):
    """Measure the mIoU of the last epoch on the images that were trained on, and on the one held out, if there is one.

    On their complete truth; and on many more strokes of the same hand, which is the score that no lack of strokes
    makes higher or lower than it is.
    """
    from benchmarks._protocol import mean_iou
    from benchmarks._tissue import painted
    from histowidgets.annotations import rasterize
    from histowidgets.images import Region

    names, found = classifier.classes, {}
    for pixels, mask, role in parts:
        part = "validation" if role == "validation" else "training"
        predicted = classifier.predict(pixels).labels
        project = painted([(pixels, mask, "both")], len(names), MANY_STROKES, seed + 1000, names=names)
        whole = Region(0, 0, mask.shape[1], mask.shape[0])
        strokes = rasterize(project.annotations("image 1"), {name: k for k, name in enumerate(names)}, whole)
        found[part] = {
            "complete": round(mean_iou(predicted, mask, len(names)), 4),
            "strokes": round(mean_iou(predicted, strokes, len(names)), 4),
        }
    return found


def label(record, twin=None):
    """Return (expected, allowed) ids of a real curve; see the module's text."""
    seen = Hindsight(record["history"])
    expected, allowed = _outcome(seen)
    own, margin = _fault(record, seen, None if twin is None else Hindsight(twin["history"]))
    expected, allowed = expected | own, allowed | margin | _flattered(record, seen)
    if expected & {"loss-nan", "lr-too-high", "one-class-predicted"}:
        # They explain everything else; what else is said besides is neither wanted nor wrong.
        allowed |= (expected - own) | {"underfitting", "overfitting", "stop-rising", "stop-diverged", "class-poor"}
        allowed |= {"class-never-learned"} | ({"one-class-predicted"} if "lr-too-high" in expected else set())
        expected = own
    if "overfitting" in expected and "underfitting" in expected:
        expected, allowed = expected - {"underfitting"}, allowed | {"underfitting"}
    if record["scenario"] in HEALTHY and not expected - {"converged"} and _falls(seen):
        expected = expected | {"good"}
    return expected, allowed - expected


def _fault(record, seen, twin):
    """What the fault that was put in calls for, where it took: (expected, allowed)."""
    scenario = record["scenario"]
    if scenario == "loss_nan":
        return {"loss-nan"}, set()
    if record["steps_per_epoch"] == 1:
        return {"single-step-epoch"}, {
            "overfitting",
            "stop-rising",
            "stop-diverged",
        } if scenario == "two_tiles" else set()
    if scenario == "absent_from_validation":
        return {"class-in-one-split"}, set()
    if scenario == "absent_from_training":
        # Validation asks for what training never saw: all of these are true of it.
        others = {"class-never-learned", "class-poor", "overfitting", "stop-rising", "stop-diverged"}
        return {"class-in-one-split"}, others
    if scenario.startswith("lr_x100"):
        took = _thrown(seen, twin) or _shaky(seen)
        return ({"lr-too-high"}, set()) if took else (set(), {"lr-too-high"})
    if scenario in ("leak", "easy_validation"):
        below = seen.end("val_loss", 10) < 0.5 * seen.end("train_loss", 10)
        flatters = seen.end("val_loss", 10) < 0.6 * twin.end("val_loss", 10)
        return ({"validation-below-training"}, set()) if below and flatters else (set(), {"validation-below-training"})
    if scenario == "one_class":
        others = sorted(float(np.nanmax(values[-7:])) for values in seen.classes.values())[:-1]
        return ({"one-class-predicted"}, set()) if others[-1] < 0.02 else (set(), {"one-class-predicted"})
    return set(), set()


def _flattered(record, seen):
    """R64: validation is far below training, and the score is not reached on more strokes: it is rightly doubted.

    Only allowed: by how much a handful of strokes flatters cannot be seen in the curves.
    """
    if record["truth"] is None or not _far_below(seen):
        return set()
    told = float(seen.val_miou[-1])
    return {"validation-below-training"} if told - record["truth"]["training"]["strokes"] > 0.1 else set()


def _far_below(seen):
    """For some ten epochs validation is under half of training."""
    ratio = seen.val_loss / np.maximum(seen.train_loss, 1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(ratio, min(10, seen.n))
    return bool((np.median(windows, axis=1) < 0.5).any())


def _thrown(seen, twin):
    """Training ends well above where it ends at the usual rate."""
    start = float(seen.train_loss[0])
    return seen.end("train_loss") > 1.5 * twin.end("train_loss") and seen.end("train_loss") > 0.15 * min(
        start, float(twin.train_loss[0])
    )


def _shaky(seen):
    """The second half of the unsmoothed course strays from its own median by 30 % or more."""
    raw = seen.train_loss[seen.n // 2 :]
    off = np.log(np.maximum(raw, 1e-9)) - np.log(np.maximum(smooth(smooth(raw)), 1e-9))
    return float(np.std(off)) > 0.3 and float(np.median(raw)) > 0.05 * float(seen.train_loss[0])


def _outcome(seen):
    """What holds of any run that went like this, whatever was done to it: (expected, allowed)."""
    expected, allowed = set(), set()
    for part in (_slow, _low, _by_heart, _single_classes, _flat_and_high):
        must, may = part(seen)
        expected |= must
        allowed |= may
    return expected, allowed


def _slow(seen):
    """R40: around epoch 10 the loss is above 95 % of its start."""
    if seen.n < 12:
        return set(), set()
    # What fell within the first three epochs has fallen.
    start = max(seen.first_loss, float(np.median(seen.train_loss[:3])))
    share = float(np.median(seen.train_loss[9:12])) / start
    expected = {"lr-too-low"} if share > 0.96 else set()
    return expected, {"lr-too-low"} if share > 0.88 else set()


def _low(seen):
    """R27: the run ends low on both sides."""
    highest = max(seen.end("train_miou"), seen.end("val_miou"))
    if not math.isfinite(highest) or highest >= 0.68:
        return set(), set()
    return ({"underfitting"}, set()) if highest < 0.55 else (set(), {"underfitting"})


def _by_heart(seen):
    """R28, R37, R42, R43: validation ends above its lowest point, or far from training."""
    expected, allowed = set(), set()
    val, train = seen.val_loss, seen.train_loss
    if not np.isfinite(val).any() or seen.n < 10:
        return expected, allowed
    low = int(np.nanargmin(val))
    since, last = seen.n - 1 - low, seen.end("val_loss", 3)
    rise = last / max(float(val[low]), 1e-9) - 1
    # Five epochs of a few tiles each say where training is; and near zero, small steps are large shares.
    falls = seen.end("train_loss") < 0.9 * float(np.nanmedian(train[max(0, low - 2) : low + 3]))
    start = max(float(val[0]), seen.first_loss)
    scored = seen.end("val_miou", 3) - float(seen.val_miou[low])
    worse = since >= 5 and last - float(val[low]) > 0.03 * start
    if worse and rise > 0.05:
        allowed |= {"overfitting"}
        if since >= 8:
            allowed |= {"stop-rising"}
        if rise > 0.25 and falls and scored < 0.02 and last - float(val[low]) > 0.06 * start:
            expected |= {"overfitting"}
        steady = _rank_correlation(val[low:]) > 0.7
        if since >= 14 and rise > 0.4 and steady and scored < 0.02:
            expected |= {"stop-rising"}
    gap = seen.end("train_miou") - seen.end("val_miou")
    if gap > 0.12:
        allowed |= {"overfitting"}
    if gap > 0.25 and seen.end("train_miou") > 0.75 and seen.n >= 15:
        expected |= {"overfitting"}
    ratio = val[-10:] / np.maximum(train[-10:], 1e-9)
    if float(np.median(ratio)) > 1.8 and "overfitting" in allowed:
        allowed |= {"stop-diverged"}
        apart = val - train
        grew = float(np.median(apart[-4:])) > 1.3 * float(np.median(apart[-14:-10])) if seen.n >= 16 else False
        if ratio.min() > 2.2 and grew and _rank_correlation(apart[-14:]) > 0.7 and worse and rise > 0.25:
            expected |= {"stop-diverged"}
    return expected, allowed


def _single_classes(seen):
    """R30: a class ends far behind the others, or was never found."""
    expected, allowed = set(), set()
    if len(seen.classes) < 2:
        return expected, allowed
    levels = {name: float(np.nanmedian(values[-8:])) for name, values in seen.classes.items()}
    for name, level in levels.items():
        others = [v for k, v in levels.items() if k != name]
        highest = float(np.nanmax(seen.classes[name]))
        if level < 0.55 and float(np.median(others)) - level > 0.2:
            allowed |= {"class-poor"}
        if highest < 0.15 and max(others) > 0.25:
            allowed |= {"class-never-learned"}
        if highest < 0.08 and max(others) > 0.4 and seen.n >= 20:
            # A class that is never found is, before that can be said, a poor one.
            expected |= {"class-never-learned"}
            allowed |= {"class-poor"}
        elif 0.1 < level < 0.45 and float(np.median(others)) > 0.68 and seen.n >= 12:
            expected |= {"class-poor"}
    # What is said of five epochs is true of them, whatever comes later.
    others = np.sort(np.stack(list(seen.classes.values())), axis=0)[:-1].max(axis=0) < 0.03
    if any(others[i : i + 5].all() for i in range(seen.n - 4)):
        allowed |= {"one-class-predicted"}
    return expected, allowed


def _flat_and_high(seen):
    """R38: over the last twelve epochs neither side moved, at a high score."""
    if seen.n < 20 or not seen.end("val_miou") >= 0.75:
        return set(), set()
    for values, start in ((seen.train_loss, seen.train_loss[0]), (seen.val_loss, seen.val_loss[0])):
        early, late = float(np.median(values[-14:-7])), float(np.median(values[-7:]))
        if abs(late - early) > max(0.1 * early, 0.015 * float(start)):
            return set(), set()
    moved = abs(float(np.median(seen.val_miou[-7:])) - float(np.median(seen.val_miou[-14:-7])))
    return ({"converged"}, set()) if moved < 0.02 else (set(), set())


def _falls(seen):
    """Both losses come down to at most 70 % of where they began, and still have a third to go after epoch 6."""
    if seen.n < 8:
        return False
    lowest = [(float(np.nanmin(values)), values) for values in (seen.train_loss, seen.val_loss)]
    return all(low < 0.7 * float(values[0]) and values[5] > 1.5 * low for low, values in lowest)


def good_was_right(history, epochs):
    """Whether "good, continue" said after so many epochs was right: going on did help, or the run was at its end."""
    seen = Hindsight(history)
    ahead = slice(epochs, None)
    if seen.n - epochs < 3:
        return True
    now, later = seen.val_loss[epochs - 1], seen.val_loss[ahead]
    if np.isfinite(now) and np.isfinite(later).any() and float(np.nanmin(later)) < 0.97 * now:
        return True
    score, coming = seen.val_miou[epochs - 1], seen.val_miou[ahead]
    if np.isfinite(score) and np.isfinite(coming).any() and float(np.nanmax(coming)) > score + 0.01:
        return True
    if score >= 0.9 and float(np.nanmin(coming)) > score - 0.02:
        return True  # at the top there is little to gain, and nothing was lost
    # Without a better validation, a training loss that goes on falling while validation stays is no harm.
    stays = not np.isfinite(now) or float(np.nanmedian(later)) < 1.05 * now
    return bool(stays and float(np.nanmin(seen.train_loss[ahead])) < 0.95 * seen.train_loss[epochs - 1])


def converged_was_right(history, epochs):
    """Whether "converged" was right: no later epoch was clearly better, and the score was high."""
    seen = Hindsight(history)
    score = seen.val_miou[:epochs]
    score = float(np.nanmedian(score[-5:])) if np.isfinite(score[-5:]).any() else math.nan
    if not math.isfinite(score):
        return True
    coming = seen.val_miou[epochs:]
    better = float(np.nanmax(coming)) - score if np.isfinite(coming).any() else 0.0
    return score >= 0.65 and better <= 0.04


def _rank_correlation(values):
    order = np.argsort(np.argsort(values))
    return float(np.corrcoef(order, np.arange(len(values)))[0, 1]) if len(values) > 2 else 0.0


def _number(value):
    return math.nan if value is None else float(value)
