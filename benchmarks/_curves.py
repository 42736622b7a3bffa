"""Labelled learning curves, made up: each kind in several shapes, with noise, spikes and schedules.

`make(kind, seed)` gives a history, the settings it was made with, the diagnoses that must be found, and those
that may be found besides (where the limits of two meet, either answer is right).
"""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np


@dataclass
class Labelled:
    """A curve and what it should be called; `allowed` may be said besides."""

    kind: str
    history: list[dict]
    settings: SimpleNamespace
    expected: set[str]
    allowed: set[str] = field(default_factory=set)


def settings(**changes):
    """Return what stands for `TrainingSettings`."""
    values = {
        "backbone": "resnet34",
        "freeze": "early",
        "pretrained": True,
        "epochs": 100,
        "max_seconds": None,
        "learning_rate": 1e-3,
        "scheduler": "one-cycle",
        "batch_size": 8,
        "tile_overlap": 0.25,
        "augmentation": True,
        "color_jitter": 0.1,
        "elastic": 0.0,
        "flip": True,
        "rotate90": True,
        "validation_fraction": 0.2,
        "class_weights": {},
        "steps_per_epoch": None,
    }
    return SimpleNamespace(**{**values, **changes})


class Maker:
    """Random choices shared by the curves of one seed."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.train_noise = self.rng.uniform(0.005, 0.05)
        self.val_noise = self.rng.uniform(0.01, 0.10)
        self.n_classes = int(self.rng.integers(2, 6))
        self.start = math.log(self.n_classes) * self.rng.uniform(0.8, 1.6)

    def epochs(self, low, high):
        """Draw a number of epochs, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def schedule(self, n, total, rate):
        """Learning rate of each of `n` epochs, and the scheduler's name."""
        name = self.rng.choice(["one-cycle", "cosine", "none", "step"])
        at = np.arange(n) / max(total - 1, 1)
        if name == "one-cycle":
            up = at < 0.3
            ramp = rate / 25 + (rate - rate / 25) * (1 - np.cos(np.pi * at / 0.3)) / 2
            return np.where(up, ramp, rate * (1 + np.cos(np.pi * (at - 0.3) / 0.7)) / 2), str(name)
        if name == "cosine":
            return rate * (1 + np.cos(np.pi * at)) / 2 + 1e-7, str(name)
        if name == "step":
            return rate * 0.1 ** np.floor(3 * at), str(name)
        return np.full(n, rate), str(name)

    def fall(self, n, floor, tau):
        """A loss from the start to a share `floor` of it, exponential, by a power, or in two phases."""
        x = np.arange(n)
        shape = self.rng.integers(3)
        if shape == 0:
            y = np.exp(-x / tau)
        elif shape == 1:
            y = (1 + x / tau) ** -1.5
        else:
            y = 0.6 * np.exp(-x / (tau / 3)) + 0.4 * np.exp(-x / tau)
        return self.start * (floor + (1 - floor) * y)

    def noisy(self, values, sd, spikes=0.015):
        """Multiply with noise that remembers a little, and a rare spike."""
        e = self.rng.normal(0, sd, len(values))
        e[1:] = 0.95 * e[1:] + 0.3 * e[:-1]
        out = values * np.exp(e)
        hit = self.rng.random(len(values)) < spikes
        hit[:1] = False
        return out * np.where(hit, self.rng.uniform(1.3, 2.0, len(values)), 1)

    def score(self, loss, low=0.3, high=0.95):
        """An mIoU that mirrors a loss (share of the start)."""
        share = np.clip(loss / self.start, 0, 1.2)
        return np.clip(high - (high - low) * share**0.8, 0.02, 0.99)


def history_of(m, train, val, train_miou, val_miou, rate, class_iou=None, accuracy=None):
    n = len(train)
    names = [f"Class {k + 1}" for k in range(m.n_classes)]
    if class_iou is None and val_miou is not None:
        offsets = m.rng.uniform(-0.05, 0.05, m.n_classes)
        offsets -= offsets.mean()
        class_iou = {
            name: np.clip(val_miou + o + m.rng.normal(0, 0.01, n), 0, 1) for name, o in zip(names, offsets, strict=True)
        }
    columns = {"train_loss": train, "val_loss": val, "train_miou": train_miou, "val_miou": val_miou}
    columns |= {"val_accuracy": accuracy, "learning_rate": rate}
    records = []
    for i in range(n):
        record = {key: None if values is None else float(values[i]) for key, values in columns.items()}
        scores = {k: None if v is None else float(v[i]) for k, v in (class_iou or {}).items()}
        records.append({"epoch": i + 1, **record, "val_iou": scores, "seconds": 2.0 * (i + 1)})
    return records


def _standard(m, n, floor, tau, lag=1.15, total=None):
    """Train and validation that fall together, with their scores."""
    train = m.fall(n, floor, tau)
    val = m.start * (floor * m.rng.uniform(1.0, 1.5) + (1 - floor) * (train / m.start - floor) / (1 - floor) * lag)
    val = np.minimum(val, m.start * 1.1)
    return train, val


def _finish(m, kind, train, val, total, expected, allowed=(), rate=1e-3, high=0.95, scores=None, **changes):
    lr, scheduler = m.schedule(len(train), total, rate)
    tm, vm = scores or (m.score(train, high=high), m.score(val, high=high - 0.03))
    score_noise = m.val_noise * 0.15
    tm = np.clip(tm + m.rng.normal(0, 0.01, len(train)), 0, 1)
    vm = np.clip(vm + m.rng.normal(0, score_noise, len(train)), 0, 1)
    train, val = m.noisy(train, m.train_noise), m.noisy(val, m.val_noise)
    records = history_of(m, train, val, tm, vm, lr)
    chosen = settings(epochs=total, learning_rate=rate, scheduler=scheduler, **changes)
    return Labelled(kind, records, chosen, set(expected), set(allowed))


def good(m):
    n = m.epochs(8, 60)
    train, val = _standard(m, n, m.rng.uniform(0.02, 0.1), n * m.rng.uniform(0.5, 1.5))
    return _finish(m, "good", train, val, int(n * m.rng.uniform(1.2, 3)), {"good"}, {"converged"})


def converged(m):
    n = m.epochs(30, 120)
    train, val = _standard(m, n, m.rng.uniform(0.05, 0.2), n * m.rng.uniform(0.04, 0.08))
    return _finish(m, "converged", train, val, n, {"converged"}, {"good"})


def overfitting(m):
    n_fall, n_rise = m.epochs(10, 40), m.epochs(7, 40)
    n = n_fall + n_rise
    train, val = _standard(m, n, m.rng.uniform(0.02, 0.1), n * m.rng.uniform(0.25, 0.4))
    low = val[n_fall]
    share = m.rng.uniform(0.3, 1.5) * min(1, n_rise / 15) + 4 * m.val_noise * m.rng.uniform(0.5, 1)
    val[n_fall:] = low * (1 + share * np.linspace(0, 1, n_rise) ** m.rng.uniform(0.8, 1.4))
    vm = m.score(np.minimum(val, m.start))
    expected = {"overfitting"} | ({"stop-rising"} if n_rise >= 14 else set())
    total = int(n * m.rng.uniform(1.0, 1.3))
    # A warm-up that reaches into the rise would hide it on purpose.
    total = max(min(total, int(n_fall / 0.3)), n)
    if 0.3 * total > n_fall:
        total = n
    allowed = {"stop-rising", "stop-diverged"}
    return _finish(m, "overfitting", train, val, total, expected, allowed, scores=(m.score(train), vm))


def overfitting_gap(m):
    n = m.epochs(20, 60)
    train = m.fall(n, m.rng.uniform(0.01, 0.05), n * 0.15)
    val = np.maximum(m.fall(n, 0.05, n * 0.1), m.start * m.rng.uniform(0.45, 0.6))
    level = m.rng.uniform(0.4, 0.62)
    tm = np.clip(m.score(train), 0, 0.95)
    vm = np.minimum(tm, level)
    return _finish(
        m, "overfitting_gap", train, val, n, {"overfitting"}, {"stop-diverged", "stop-rising"}, scores=(tm, vm)
    )


def stop_diverged(m):
    n_fall, n_apart = m.epochs(8, 20), m.epochs(14, 30)
    n = n_fall + n_apart
    train = m.fall(n, 0.02, n_fall * 0.8)
    val = train * 1.2
    val[n_fall:] = np.maximum(val[n_fall], 2.4 * train[n_fall] * 1.0) * (
        1 + m.rng.uniform(0.8, 2.5) * np.linspace(0.0, 1, n_apart)
    )
    vm = m.score(np.minimum(val, m.start))
    total = max(n, min(int(n * 1.2), int(n_fall / 0.3)))
    if 0.3 * total > n_fall:
        total = n
    expected = {"stop-diverged", "overfitting", "stop-rising"}
    return _finish(m, "stop_diverged", train, val, total, expected, scores=(m.score(train), vm))


def underfitting(m):
    n = m.epochs(25, 80)
    floor = m.rng.uniform(0.6, 0.85)
    train, val = _standard(m, n, floor, n * 0.05, lag=1.0)
    val = train * m.rng.uniform(1.0, 1.1)
    level = m.rng.uniform(0.25, 0.5)
    tm = level * (1 - 0.5 * np.exp(-np.arange(n) / (0.08 * n)))
    return _finish(m, "underfitting", train, val, n, {"underfitting"}, scores=(tm, tm * 0.95))


def lr_too_low(m):
    n = m.epochs(12, 40)
    fall = m.rng.uniform(0.0, 0.025) * n / 20
    train = m.start * (1 - min(fall, 0.035) * np.linspace(0, 1, n))
    m.train_noise *= 0.4
    val = train * m.rng.uniform(0.98, 1.05)
    level = m.rng.uniform(0.15, 0.4)
    tm = np.full(n, level)
    total = n if m.rng.random() < 0.5 else int(n * 1.5)
    return _finish(
        m,
        "lr_too_low",
        train,
        val,
        total,
        {"lr-too-low"},
        {"underfitting"},
        rate=10 ** m.rng.uniform(-7, -5),
        scores=(tm, tm),
    )


def lr_too_high(m):
    n = m.epochs(18, 60)
    total = n
    level, sd = m.fall(n, m.rng.uniform(0.4, 0.8), n * 0.3), m.rng.uniform(0.42, 0.8)
    train = level * np.exp(m.rng.normal(0, sd, n))
    val = level * np.exp(m.rng.normal(0, sd * 1.2, n)) * 1.2
    tm = np.clip(m.score(train, high=0.8) * 0.8, 0, 1)
    allowed = {"underfitting", "overfitting", "stop-rising", "validation-below-training"}
    return _finish(m, "lr_too_high", train, val, total, {"lr-too-high"}, allowed, rate=3e-2, scores=(tm, tm * 0.9))


def lr_thrown_off(m):
    """Falls, and is then thrown to a high level where it stays."""
    n_fall, n_after = m.epochs(8, 25), m.epochs(8, 20)
    n = n_fall + n_after
    train = m.fall(n, 0.05, n_fall * 0.4)
    train[n_fall:] = np.maximum(2.5 * train[n_fall - 1], m.start * m.rng.uniform(0.6, 1.1))
    val = train * m.rng.uniform(1.0, 1.3)
    tm = m.score(train)
    allowed = {"underfitting", "stop-rising", "overfitting", "one-class-predicted"}
    total = max(n, int(n_fall / 0.31)) if n_fall > 0.3 * n else n
    if 0.3 * total > n_fall:
        total = n
    return _finish(m, "lr_thrown_off", train, val, total, {"lr-too-high"}, allowed, rate=3e-2, scores=(tm, tm))


def loss_nan(m):
    labelled = good(m)
    at = int(m.rng.integers(1, len(labelled.history)))
    for record in labelled.history[at:]:
        record["train_loss"] = record["val_loss"] = float("nan")
    return Labelled("loss_nan", labelled.history, labelled.settings, {"loss-nan"})


def _with_classes(m, kind, own, n, expected, allowed=()):
    """A run whose classes are as given, the losses falling or flat along."""
    train, val = _standard(m, n, 0.15, n * 0.08)
    labelled = _finish(m, kind, train, val, n, expected, allowed)
    for i, record in enumerate(labelled.history):
        record["val_iou"] = {name: None if v is None else float(v[i]) for name, v in own.items()}
        known = [v for v in record["val_iou"].values() if v is not None]
        record["val_miou"] = float(np.mean(known))
    return labelled


def _learned(m, n, level, sd=0.02):
    tau = n * m.rng.uniform(0.05, 0.12)
    return np.clip(level * (1 - np.exp(-(np.arange(n) + 1) / tau)) + m.rng.normal(0, sd, n), 0, 1)


def class_poor(m):
    m.n_classes = max(m.n_classes, 2)
    n = m.epochs(20, 60)
    own = {f"Class {k}": _learned(m, n, m.rng.uniform(0.75, 0.95)) for k in range(m.n_classes - 1)}
    own["Rare"] = _learned(m, n, m.rng.uniform(0.18, 0.42), sd=m.rng.uniform(0.01, 0.06))
    return _with_classes(m, "class_poor", own, n, {"class-poor"}, {"converged", "overfitting"})


def class_never_learned(m):
    m.n_classes = max(m.n_classes, 3)
    n = m.epochs(24, 60)
    own = {f"Class {k}": _learned(m, n, m.rng.uniform(0.7, 0.95)) for k in range(m.n_classes - 1)}
    # Before it can be called never learned, it is a poor one.
    allowed = {"converged", "overfitting", "class-poor"}
    own["Lost"] = np.clip(m.rng.normal(0.01, 0.02, n), 0, 1)
    return _with_classes(m, "class_never_learned", own, n, {"class-never-learned"}, allowed)


def one_class_predicted(m):
    n = m.epochs(14, 40)
    share = m.rng.uniform(1 / m.n_classes, 0.9)
    names = [f"Class {k}" for k in range(m.n_classes)]
    learned_first = m.rng.random() < 0.4
    begin = m.epochs(3, n - 8) if learned_first else 0
    own = {}
    for k, name in enumerate(names):
        values = np.clip(m.rng.normal(share if k == 0 else 0.0, 0.004, n), 0, 1)
        values[:begin] = m.rng.uniform(0.3, 0.6)
        own[name] = values
    level = m.start * m.rng.uniform(0.7, 0.9)
    train = np.full(n, level)
    train[: max(begin, 2)] = np.linspace(m.start, level, max(begin, 2))
    (lr, scheduler), tm = m.schedule(n, n, 1e-3), np.full(n, share / m.n_classes)
    train, val = m.noisy(train, m.train_noise), m.noisy(train * 1.02, m.val_noise)
    records = history_of(m, train, val, tm, tm, lr, own, own["Class 0"])
    # Two classes: the other one was also never learned.
    allowed = {"class-never-learned", "lr-too-low"}
    return Labelled(
        "one_class_predicted", records, settings(epochs=n, scheduler=scheduler), {"one-class-predicted"}, allowed
    )


def class_in_one_split(m):
    m.n_classes = max(m.n_classes, 3)
    n = m.epochs(5, 60)
    own = {f"Class {k}": _learned(m, n, m.rng.uniform(0.7, 0.95)) for k in range(m.n_classes - 1)}
    own["Only training"] = None
    return _with_classes(m, "class_in_one_split", own, n, {"class-in-one-split"}, {"good", "converged"})


def single_step_epoch(m):
    labelled = good(m)
    for record in labelled.history:
        record["steps"] = 1
    allowed = {"good", "converged"}
    return Labelled("single_step_epoch", labelled.history, labelled.settings, {"single-step-epoch"}, allowed)


def validation_below_training(m):
    n = m.epochs(14, 60)
    train = m.fall(n, m.rng.uniform(0.2, 0.4), n * 0.3)
    val = train * m.rng.uniform(0.2, 0.38)
    allowed = {"underfitting", "converged"}
    tm = m.score(train, high=m.rng.uniform(0.65, 0.8))
    # As in real runs of this kind: validation makes a tenth to four tenths of the errors that training makes.
    scores = (tm, 1 - (1 - tm) * m.rng.uniform(0.1, 0.4))
    return _finish(m, "validation_below_training", train, val, n, {"validation-below-training"}, allowed, scores=scores)


def healthy_below(m):
    """Nothing is wrong: validation is far below training, which sees varied tiles; their scores are close."""
    n = m.epochs(14, 60)
    train = m.fall(n, m.rng.uniform(0.15, 0.3), n * 0.4)
    val = train * m.rng.uniform(0.3, 0.48)
    tm = m.score(train)
    scores = (tm, np.minimum(tm + m.rng.uniform(0.0, 0.06), 0.99))
    total = int(n * m.rng.uniform(1.2, 2))
    return _finish(m, "healthy_below", train, val, total, {"good"}, {"converged"}, scores=scores)


def healthy_wandering(m):
    """Nothing is wrong: few held-out strokes, whose loss wanders, and few tiles, whose loss jumps near its floor."""
    n = m.epochs(16, 50)
    m.train_noise = m.rng.uniform(0.1, 0.3)
    train, val = _standard(m, n, m.rng.uniform(0.03, 0.1), n * m.rng.uniform(0.2, 0.4))
    walk = np.cumsum(m.rng.normal(0, 0.12, n)) * np.linspace(0, 1, n)
    val = val * np.exp(np.clip(walk - np.linspace(0, walk[-1], n), -0.6, 0.6))
    return _finish(m, "healthy_wandering", train, val, int(n * m.rng.uniform(1.0, 1.5)), {"good"}, {"converged"})


KINDS = {
    maker.__name__: maker
    for maker in (
        good,
        converged,
        overfitting,
        overfitting_gap,
        stop_diverged,
        underfitting,
        lr_too_low,
        lr_too_high,
        lr_thrown_off,
        loss_nan,
        class_poor,
        class_never_learned,
        one_class_predicted,
        class_in_one_split,
        single_step_epoch,
        validation_below_training,
        healthy_below,
        healthy_wandering,
    )
}


def make(kind, seed):
    """Make one labelled curve; the same arguments always give the same one."""
    return KINDS[kind](Maker([seed, list(KINDS).index(kind)]))
