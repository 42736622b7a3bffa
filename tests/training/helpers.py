"""A small project that can be learned in a few steps, and quick settings."""

import numpy as np

from histowidgets.annotations import Project, Stroke
from histowidgets.images import open_image
from histowidgets.training import TrainingSettings
from histowidgets.training.data import Augmentation, TrainingTiles, cut_validation_tiles, make_request
from histowidgets.training.loop import ProcessGroup, RunControl, fitted_normalization, make_trainer, prepare

QUICK = {
    "tile_size": 64,
    "downsample": 2,
    "batch_size": 2,
    "epochs": 2,
    "steps_per_epoch": 2,
    "max_seconds": None,
    "scheduler": "one-cycle",
    "precision": "fp32",
    "memory_format": "contiguous",
    "device": "cpu",
}


def quick(**changes):
    return TrainingSettings(**{**QUICK, **changes})


def striped(side=256, channels=3, seed=0, dtype=np.uint8):
    """Bright and dark stripes, 32 pixels wide, with noise: class 0 is dark."""
    rng = np.random.default_rng(seed)
    stripes = (np.arange(side) // 32 % 2)[None, :, None] * 110 + 60
    pixels = stripes + rng.normal(0, 12, (side, side, channels))
    return np.clip(pixels, 0, 255).astype(dtype)


def painted(n_images=1, side=256, strokes=6, channels=3, folder=None, classes=("Dark", "Bright"), roles=None):
    """A project with `strokes` short upright strokes of each class in each image."""
    project = Project(list(classes), folder=folder)
    for number in range(n_images):
        image = open_image(striped(side, channels, seed=number), name=f"image {number}")
        role = "both" if roles is None else roles[number]
        name = project.add_image(image, role=role)
        stripes = side // 32
        for i in range(strokes):
            for index in range(2):
                x = 32 * ((2 * i + index) % stripes) + 16
                y = 20 + (side - 60) * i / max(1, strokes - 1)
                project.annotate(name, Stroke([(x, y), (x + 3, y + 20)], width=8), classes[index])
    return project


def tiles_from(plan, snapshot, normalization, settings, **share):
    """The training tiles that a run with these settings draws."""
    return TrainingTiles(
        plan,
        snapshot,
        normalization,
        tile_size=settings.tile_size,
        downsample=settings.downsample,
        batch_size=settings.batch_size,
        augmentation=Augmentation.of(settings),
        seed=settings.seed,
        **share,
    )


def training_tiles(settings, **share):
    """The same, of a painted project."""
    request = make_request(painted(), settings)
    return tiles_from(request.sampling, request.snapshot, fitted_normalization(request), settings, **share)


def validation_tiles(snapshot, split, normalization, settings):
    """The tiles that a run with these settings validates on."""
    sizes = {name: getattr(settings, name) for name in ("tile_size", "downsample", "batch_size")}
    return cut_validation_tiles(snapshot, split, normalization, **sizes)


def prepared(settings, project=None):
    """What a trainer works with, before its first step."""
    request = make_request(project or painted(), settings)
    return prepare(request, fitted_normalization(request), lambda event: None, ProcessGroup())


def trainer_of(settings, project=None):
    """A trainer before its first step."""
    request = make_request(project or painted(), settings)
    return make_trainer(request, fitted_normalization(request), lambda event: None, RunControl())
