"""Settings in combination: every loss, schedule and option trains together with others."""

import itertools
import math
from typing import get_args

import pytest

from histowidgets.training import TrainingSettings, train
from tests.training.helpers import painted, quick

LOSSES, SCHEDULES = (get_args(TrainingSettings.model_fields[name].annotation) for name in ("loss", "scheduler"))
OPTIONS = [
    {"accumulation": 3, "gradient_clip": 0.0, "freeze": "none", "pretrained": False},
    {"precision": "bf16", "memory_format": "channels_last", "adapt_norm": False, "freeze": ["stem", "block1"]},
    {"precision": "fp16", "ema_decay": 0.0, "freeze": "early", "weight_decay": 0.0},
    {"progressive_resizing": True, "tile_size": 128, "decoder": "full", "class_weights": {"Dark": 10.0}},
    {"elastic": 1.0, "blur": 3.0, "noise": 0.2, "early_stopping_metric": "val_loss", "focus_class": "Bright"},
    {
        "augmentation": False,
        "normalization": "z_score",
        "downsample": 4,
        "validation_by": "image",
        "hardest_share": 1.0,
    },
]


def rows():
    """Every loss, every schedule and every set of options, in as few runs as that takes."""
    yield from zip(itertools.cycle(LOSSES), itertools.cycle(reversed(SCHEDULES)), OPTIONS, strict=False)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "schedule", "options"), list(rows()))
def test_n2_n3_n4_settings_train_in_combination(loss, schedule, options):
    hardest = 1.0 if loss == "lovasz" else 0.3
    settings = quick(loss=loss, scheduler=schedule, **{"hardest_share": hardest, **options})
    project = painted(n_images=2)
    run = train(project, settings)
    assert run.state == "finished"
    assert len(run.history) == 2
    for record in run.history:
        assert math.isfinite(record["train_loss"])
        assert math.isfinite(record["val_loss"])
        assert 0 <= record["val_miou"] <= 1
    assert run.classifier.predict(project.image(project.image_names[0])).labels.shape == (256, 256)
