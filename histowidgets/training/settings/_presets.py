"""Presets; each lists only what differs from the defaults, which are nearly "cpu"."""

from typing import Any

_GUIDE: dict[str, Any] = {
    # Shared by the presets of the guide, which were written for a GPU and for runs without a time limit.
    "decoder": "full",
    "adapt_norm": False,
    "downsample": 1,
    "steps_per_epoch": None,
    "max_seconds": None,
    "scheduler": "one-cycle",
    "ema_decay": 0.0,
    "consistency": 0.0,
    "early_stopping_patience": 15,
    "rotation": 0.0,
    "scale": 1.0,
    "stain_jitter": 0.0,
}

# The nine values of the guide, exactly.
_FIRST_RUN: dict[str, Any] = {
    **_GUIDE,
    "architecture": "unet",
    "backbone": "resnet34",
    "epochs": 50,
    "early_stopping_metric": "miou",
    "batch_size": 8,
    "learning_rate": 0.001,
    "tile_size": 512,
    "pretrained": True,
    "scheduler": "one-cycle",
    "loss": "ce_dice",
    "freeze": "early",
}

# The score on few held-out strokes soon reaches its maximum, while the averaged weights still improve.
_CPU: dict[str, Any] = {"best_tolerance": 0.03}

PRESETS: dict[str, dict[str, Any]] = {
    "cpu": _CPU,
    # Two cores and 2 GB of memory (Binder): a smaller tile and batch keep the peak low.
    "workshop": {**_CPU, "tile_size": 160, "batch_size": 2, "learning_rate": 3e-3, "consistency": 0.0},
    "first-run": _FIRST_RUN,
    # The later variant of the guide: a low rate, and the range test to find a better one.
    "first-run-2026": {**_FIRST_RUN, "learning_rate": 1e-4, "find_learning_rate": True},
    # For fewer than 200 tiles.
    "very-small": {
        **_GUIDE,
        "backbone": "efficientnet-b0",
        "freeze": "encoder",
        "augmentation": True,
        "epochs": 200,
        "batch_size": 4,
        "learning_rate": 0.001,
        "tile_size": 256,
    },
    # For more than 10000 tiles.
    "large": {
        **_GUIDE,
        "backbone": "resnet50",
        "freeze": "none",
        "epochs": 50,
        "batch_size": 16,
        "learning_rate": 5e-4,
        "tile_size": 512,
    },
    # For fewer than 500 tiles, up to 5000, and more; each freezes less than the one before it.
    "transfer-small": {**_FIRST_RUN, "freeze": ("stem", "block1", "block2", "block3")},
    "transfer-medium": {**_FIRST_RUN, "freeze": ("stem", "block1", "block2")},
    "transfer-large": {**_FIRST_RUN, "freeze": ("stem", "block1")},
}
