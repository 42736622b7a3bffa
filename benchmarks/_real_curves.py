"""Curves of real small trainings, most with a fault put in on purpose.

Each scenario trains a small network for seconds with `hw.start_training` on made-up tissue (`_tissue.py`), on the
sample image, or on images of a folder. What a curve should be called is decided in `_labels.py`.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

import histowidgets as hw
from benchmarks._labels import reached
from benchmarks._protocol import load
from benchmarks._tissue import colon, painted, tissue
from histowidgets.advice import held_out_counts
from histowidgets.errors import TrainingError
from histowidgets.training import start_training

VERSION = 2
"""Of the scenarios; a cached curve of another version is made again."""

KEPT = ("epoch", "train_loss", "val_loss", "train_miou", "val_miou", "val_iou", "val_accuracy", "learning_rate")


class Job:
    """What one scenario decides for one seed: a project, settings, and what the history cannot tell."""

    def __init__(self, scenario, seed):
        self.scenario, self.seed = scenario, seed
        self.rng = np.random.default_rng([seed, 17])
        self.n_classes = int(self.rng.integers(2, 5))
        self.style = int(self.rng.integers(1000))
        self.two_images = bool(self.rng.random() < 0.5)
        self.class_tiles = None
        self.poison = None
        self.values = {
            "backbone": "efficientnet-lite0",
            "freeze": "encoder",
            "tile_size": 64,
            "downsample": 1,
            "batch_size": 4,
            "steps_per_epoch": int(self.rng.integers(3, 6)),
            "epochs": int(self.rng.integers(20, 31)),
            "max_seconds": None,
            "learning_rate": float(self.rng.choice([1e-3, 3e-3, 5e-3])),
            "scheduler": str(self.rng.choice(["one-cycle", "cosine", "none"])),
            "ema_decay": float(self.rng.choice([0.0, 0.8, 0.9])),
            "consistency": 0.0,
            "early_stopping_metric": "none",
            "precision": "fp32",
            "seed": int(seed),
        }

    def images(self, contrast=1.0, validation_contrast=None):
        """One image, or one to train and one to validate on, of the same look."""
        first = (*tissue(2 * self.seed, self.n_classes, contrast, style=self.style), "both")
        if not self.two_images and validation_contrast is None:
            return [first]
        other = contrast if validation_contrast is None else validation_contrast
        second = (*tissue(2 * self.seed + 1, self.n_classes, other, style=self.style), "validation")
        return [(first[0], first[1], "train"), second]

    def paint(self, parts, per_class=8, **how):
        self.parts = parts
        self.project = painted(parts, self.n_classes, per_class, self.seed, **how)


def good_long(job):
    """Nothing is wrong, and there is time to converge."""
    job.paint(job.images(contrast=float(job.rng.uniform(0.4, 1.0))))
    job.values |= {"epochs": int(job.rng.integers(28, 39)), "learning_rate": float(job.rng.choice([3e-3, 5e-3]))}


def good_short(job):
    """Nothing is wrong; it ends while it still learns."""
    job.paint(job.images(contrast=0.7))
    job.values |= {"epochs": int(job.rng.integers(8, 16)), "learning_rate": 1e-3, "scheduler": "none"}


def good_trained(job):
    """Nothing is wrong; the encoder is trained as well."""
    job.paint(job.images(contrast=0.8))
    job.values |= {"freeze": "none", "learning_rate": 1e-3, "backbone": "mobilenetv3-small", "pretrained": False}
    job.values |= {"steps_per_epoch": 6}


def good_colon(job):
    """Nothing is wrong; a first run on the sample image."""
    job.n_classes = 3
    job.paint([(*colon(), "both")], per_class=6)
    job.values |= {"tile_size": 96, "learning_rate": 5e-3}


def good_hard(job):
    """Nothing is wrong; classes are hard to tell apart, and steps may be as long as they like."""
    job.paint(job.images(contrast=0.3), per_class=12)
    job.values |= {"learning_rate": 1e-2, "gradient_clip": 0.0}


def lr_x100(job):
    """As `good_hard`, the learning rate a hundred times as high."""
    good_hard(job)
    job.values |= {"learning_rate": 100 * job.values["learning_rate"]}


def lr_x100_trained(job):
    """As `good_trained`, the learning rate three hundred times as high, and no limit to a step."""
    good_trained(job)
    job.values |= {"learning_rate": 300 * job.values["learning_rate"], "gradient_clip": 0.0}


def lr_by_1000(job):
    """As `good_long`, the learning rate a thousandth."""
    good_long(job)
    job.values |= {"learning_rate": job.values["learning_rate"] / 1000}


def shuffled(job):
    """Every stroke has a class by chance."""
    job.paint(job.images(), per_class=10, change=lambda rng, k: int(rng.integers(job.n_classes)))


def two_tiles(job):
    """A stroke of each of two classes to train on, of all of which a batch is made."""
    job.n_classes, job.two_images = 2, True
    job.paint(job.images(), per_class=1, length=12)
    job.values |= {"steps_per_epoch": None, "batch_size": 8, "epochs": 40}


def single_step(job):
    """One step an epoch."""
    job.paint(job.images())
    job.values |= {"steps_per_epoch": 1, "epochs": 40}


def leak(job):
    """Validation measures on the very places that were trained on, which are hard."""
    pixels, mask = tissue(2 * job.seed, job.n_classes, 0.12, style=job.style)
    job.paint([(pixels, mask, "train")], per_class=3)
    name = job.project.add_image(hw.open_image(pixels, name="the same"), role="validation")
    for annotation in job.project.annotations("image 1"):
        job.project.annotate(name, annotation.shape, annotation.class_name)
    job.values |= {"freeze": "none", "backbone": "mobilenetv3-small", "pretrained": False, "learning_rate": 3e-3}
    job.values |= {"epochs": 30, "steps_per_epoch": 6, "noise": 0.1, "blur": 1.5, "stain_jitter": 0.6}


def leak_honest(job):
    """As `leak`, validation on another image: its twin."""
    leak(job)
    pixels, mask = tissue(2 * job.seed + 1, job.n_classes, 0.12, style=job.style)
    job.paint(
        [(*tissue(2 * job.seed, job.n_classes, 0.12, style=job.style), "train"), (pixels, mask, "validation")],
        per_class=3,
    )


def easy_validation(job):
    """What is held out is far easier than what is trained on, where a third of the strokes are wrong."""
    how = {"change": lambda rng, k: int(rng.integers(job.n_classes)) if rng.random() < 0.35 else k}
    job.paint([job.images(0.5, 1.0)[0]], per_class=12, **how)
    pixels, mask, _ = job.images(0.5, 1.0)[1]
    other = painted([(pixels, mask, "validation")], job.n_classes, 6, job.seed + 1)
    name = job.project.add_image(hw.open_image(pixels, name="easy"), role="validation")
    for annotation in other.annotations("image 1"):
        job.project.annotate(name, annotation.shape, annotation.class_name)
    job.values |= {"learning_rate": 3e-3}


def easy_honest(job):
    """As `easy_validation`, validation as hard and as wrong as training: its twin."""
    how = {"change": lambda rng, k: int(rng.integers(job.n_classes)) if rng.random() < 0.35 else k}
    job.two_images = True
    job.paint(job.images(0.5), per_class=12, **how)
    job.values |= {"learning_rate": 3e-3}


def frozen_random(job):
    """The whole backbone is frozen and knows nothing; the task is hard."""
    job.n_classes = max(3, job.n_classes)
    job.paint(job.images(contrast=0.2))
    job.values |= {"pretrained": False, "freeze": "encoder", "adapt_norm": False}


def underfit(job):
    """A small decoder on classes that hardly differ."""
    job.n_classes = max(3, job.n_classes)
    job.paint(job.images(contrast=0.08), per_class=12)
    job.values |= {"learning_rate": 1e-3}


def overfit(job):
    """Few strokes on a hard task, a sixth of them wrong, and nothing varied."""
    job.two_images = True
    how = {"change": lambda rng, k: int(rng.integers(job.n_classes)) if rng.random() < 1 / 6 else k}
    job.paint(job.images(contrast=0.15), per_class=4, **how)
    job.values |= {"augmentation": False, "epochs": 36, "steps_per_epoch": 5, "ema_decay": 0.0, "scheduler": "none"}
    job.values |= {"learning_rate": 3e-3}


def overfit_scratch(job):
    """As `overfit`, the whole network trained from random weights."""
    overfit(job)
    job.values |= {"backbone": "mobilenetv3-small", "pretrained": False, "freeze": "none", "scheduler": "cosine"}


def unlearnable(job):
    """The strokes of the last class lie anywhere."""
    job.n_classes = max(3, job.n_classes)
    parts = job.images()
    last = job.n_classes - 1
    rng = np.random.default_rng([job.seed, 18])
    blurred = []
    for pixels, mask, role in parts:
        hidden = np.where(mask == last, rng.integers(0, last, mask.shape), mask).astype(np.uint8)
        anywhere = np.where(rng.random((8, 8)).repeat(32, 0).repeat(32, 1) < 0.2, last, hidden).astype(np.uint8)
        anywhere[mask == last] = 255
        blurred.append((pixels, anywhere, role))
    job.paint(blurred, per_class=8, length=20)


def absent_from_validation(job):
    """One class is painted on the training image alone."""
    job.n_classes, job.two_images = max(3, job.n_classes), True
    job.paint(job.images(), leave_out={"validation": (job.n_classes - 1,)})


def absent_from_training(job):
    """One class is painted on the validation image alone."""
    job.n_classes, job.two_images = max(3, job.n_classes), True
    job.paint(job.images(), leave_out={"train": (job.n_classes - 1,)})
    tiles = dict.fromkeys(job.project.classes, (8, 8))
    job.class_tiles = tiles | {job.project.classes[-1]: (0, 8)}


def loss_nan(job):
    """The weights overflow in some step, as in half precision."""
    good_long(job)
    job.values |= {"epochs": 20}
    job.poison = int(job.rng.integers(2, 60))


def one_class(job):
    """One class weighs a hundred times as much as the others, and the rate is high."""
    job.paint(job.images(contrast=0.08))
    names = list(job.project.classes)
    job.values |= {"class_weights": {name: 10.0 if i == 0 else 0.1 for i, name in enumerate(names)}, "loss": "ce"}
    job.values |= {"epochs": 20}


def glands(folder, job):
    """Nothing is wrong; a first run on H&E images of a folder."""
    job.n_classes = 2
    split = json.loads((Path(folder) / "split.json").read_text())
    names = [str(name) for name in job.rng.permutation(split["train"] + split["test"])[: 2 if job.two_images else 1]]
    roles = ["train", "validation"] if job.two_images else ["both"]
    parts = [(*load(folder, name), role) for name, role in zip(names, roles, strict=True)]
    job.paint(parts, per_class=6, width=8.0, length=80)
    job.values |= {"tile_size": 96, "downsample": 2, "learning_rate": 5e-3}


COUNTS = {
    good_long: (7, 9),
    good_short: (6, 8),
    good_trained: (4, 7),
    good_hard: (4, 8),
    good_colon: (3, 6),
    lr_x100: (4, 8),
    lr_x100_trained: (4, 7),
    lr_by_1000: (5, 9),
    shuffled: (4, 6),
    two_tiles: (3, 4),
    single_step: (3, 4),
    leak: (4, 5),
    leak_honest: (4, 5),
    easy_validation: (4, 5),
    easy_honest: (4, 5),
    frozen_random: (4, 5),
    underfit: (4, 6),
    overfit: (5, 9),
    overfit_scratch: (4, 10),
    unlearnable: (5, 7),
    absent_from_validation: (3, 4),
    absent_from_training: (3, 4),
    loss_nan: (4, 7),
    one_class: (5, 7),
}
"""How many seeds of each scenario to tune on, and how many of those after them are held out."""

MORE_TO_TUNE = {"overfit": 2, "overfit_scratch": 2, "good_hard": 2, "shuffled": 2, "good_long": 1, "leak_honest": 1}
MORE_TO_TUNE |= {"easy_validation": 1, "easy_honest": 1}
FIRST_MORE = 100
"""Further seeds to tune on, from this one, of what the first ones left unclear."""

GLANDS = (4, 6)
N_OF = {make.__name__: n for make, n in COUNTS.items()} | {"glands": GLANDS}

TWINS = {"lr_x100": "good_hard", "lr_x100_trained": "good_trained", "leak": "leak_honest"}
TWINS |= {"easy_validation": "easy_honest"}
"""The scenario without the fault, of the same seed, that says whether the fault took."""


def plan(folder=None):
    """List (scenario name, seed, maker) of every curve, some of each scenario and of both halves first."""
    makers = {make.__name__: make for make in COUNTS}
    if folder is not None:
        makers["glands"] = lambda job: glands(folder, job)
    wanted = [(name, seed, make) for name, make in makers.items() for seed in range(sum(N_OF[name]))]
    wanted += [(name, FIRST_MORE + i, makers[name]) for name, n in MORE_TO_TUNE.items() for i in range(n)]
    return sorted(wanted, key=lambda item: item[1] % N_OF[item[0]][0])


def run(scenario, seed, make):
    """Train one scenario; return a plain record of it.

    The trainer breaks off before it would record a loss that is no number; that epoch is put at the end.
    """
    torch.set_num_threads(1)
    job = Job(scenario, seed)
    make(job)
    settings = hw.TrainingSettings(**job.values)
    if job.poison is not None:
        with _poisoned(job.poison):
            run = start_training(job.project, settings)
            run.wait()
    else:
        run = start_training(job.project, settings)
        run.wait()
    history = [{key: record[key] for key in KEPT} for record in run.history]
    truth = None if job.poison is not None else reached(run.classifier, job.parts, seed)
    if run.error is not None:
        if not isinstance(run.error, TrainingError) or "The loss became" not in str(run.error):
            raise run.error
        history.append({"epoch": len(history) + 1, "train_loss": float("nan")})
    return {
        "version": VERSION,
        "scenario": scenario,
        "seed": seed,
        "history": [_rounded(record) for record in history],
        "settings": settings.model_dump(mode="json"),
        "steps_per_epoch": run.steps_per_epoch,
        "n_train_tiles": run.n_train_tiles,
        "class_tiles": job.class_tiles,
        "held_out_strokes": held_out_counts(job.project.snapshot(), run.split),
        "truth": truth,
    }


class _poisoned:
    """Put an infinite weight into the network after some optimizer steps."""

    def __init__(self, step):
        self.step, self.taken = step, 0

    def __enter__(self):
        self.handle = register_optimizer_step_post_hook(self._after)

    def __exit__(self, *error):
        self.handle.remove()

    def _after(self, optimizer, *_):
        self.taken += 1
        if self.taken == self.step:
            with torch.no_grad():
                optimizer.param_groups[0]["params"][0].fill_(float("inf"))


def _rounded(value):
    """Four significant digits are more than a chart shows, and keep the files small."""
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return value


def cached(folder, scenario, seed, make=None):
    """Return the curve of a scenario from a folder, made first where it is missing and can be made."""
    path = Path(folder) / f"{scenario}-{seed}.json"
    if path.exists():
        record = json.loads(path.read_text())
        if record["version"] == VERSION:
            return record
    if make is None:
        return None
    record = run(scenario, seed, make)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return record


def tuning_half(scenario, seed):
    """Whether thresholds may be chosen on a curve: those of the first seeds of each scenario, and of further ones."""
    return seed < N_OF[scenario][0] or seed >= FIRST_MORE
