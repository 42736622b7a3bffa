"""Convert settings to text: labels, the text of fields and choices, and Python code."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from histowidgets.models import backbones
from histowidgets.training import TrainingSettings

# Only for fields whose name does not read well or is too long for the label column.
_LABELS = {
    "adapt_norm": "Adapt norms",
    "augmentation": "Augmentation",
    "best_tolerance": "Tolerance",
    "channel_jitter": "Channel jitter",
    "class_weights": "Class weights",
    "color_jitter": "Colour jitter",
    "early_stopping_metric": "Best epoch by",
    "early_stopping_patience": "Patience",
    "elastic": "Elastic",
    "ema_decay": "Weight average",
    "encoder_lr_ratio": "Encoder rate",
    "find_learning_rate": "Find the rate",
    "flip": "Mirror",
    "freeze": "Frozen",
    "max_seconds": "Time limit",
    "normalization": "Strategy",
    "normalization_high": "High value",
    "normalization_low": "Low value",
    "match_stain": "Match stains",
    "normalization_per_channel": "Per channel",
    "pretrained": "Pretrained",
    "progressive_resizing": "Grow the tiles",
    "rotate90": "Quarter turns",
    "scale": "Scaling",
    "steps_per_epoch": "Steps an epoch",
    "tile_overlap": "Tile overlap",
    "validation_fraction": "Held out",
    "validation_by": "Held out by",
}

_VALUES = {
    "ce": "cross-entropy",
    "ce_dice": "cross-entropy + Dice",
    "focal_dice": "focal + Dice",
    "lovasz": "Lovász",
    "miou": "mIoU",
    "val_loss": "validation loss",
    "percentile_99": "1st to 99th percentile",
    "min_max": "minimum to maximum",
    "z_score": "z-score",
    "fixed_range": "fixed range",
    "one-cycle": "One Cycle",
    "early": "first layers",
    "encoder": "whole encoder",
    "bf16": "bfloat16",
    "fp16": "float16",
    "fp32": "float32",
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "manet": "MA-Net",
    "linknet": "LinkNet",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3+",
    "upernet": "UPerNet",
    "segformer": "SegFormer",
    "fpn": "FPN",
    "pan": "PAN",
    "pspnet": "PSPNet",
    "dpt": "DPT",
    "cpu": "CPU",
}


def label(name: str) -> str:
    """Return the label of the field `name`."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def value_words(value: Any) -> str:
    """Return a choice of a field as text."""
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return _VALUES.get(value, str(value)) if isinstance(value, str) else str(value)


def kind_of(name: str) -> tuple[type, bool]:
    """Return the type of a field (for a Literal, that of its choices), and whether None is allowed."""
    annotation = TrainingSettings.model_fields[name].annotation
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    kinds = [part for part in parts if part is not type(None)]
    first = kinds[0]
    if get_origin(first) is Literal:
        first = type(get_args(first)[0])
    return get_origin(first) or first, len(kinds) < len(parts)


def choices_of(name: str) -> list[tuple[str, Any]] | None:
    """Return the choices of a field as pairs of text and value; None for numbers and free text."""
    annotation = TrainingSettings.model_fields[name].annotation
    if get_origin(annotation) is Literal:
        suffix = "x" if name == "downsample" else ""
        return [(value_words(value) + suffix, value) for value in get_args(annotation)]
    if name == "backbone":
        return [(one.name, one.name) for one in backbones()]
    if name == "freeze":
        return [("nothing", "none"), *((value_words(value), value) for value in ("early", "encoder"))]
    if kind_of(name) == (bool, True):
        return [(value_words(value), value) for value in (None, True, False)]
    return None


def text_of(value: Any) -> str:
    """Return a value as the text of its field, the inverse of `parse`."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(_quoted(name) for name in value)
    if isinstance(value, dict):
        return ", ".join(f"{_quoted(name)}={text_of(weight)}" for name, weight in value.items())
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def _quoted(name: str) -> str:
    plain = name == name.strip() and not set(name) & set(',="\\') and name != ""
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def differing(settings: TrainingSettings, base: TrainingSettings) -> dict[str, Any]:
    """Return the fields of `settings` that differ from `base`, with their values."""
    return {
        name: getattr(settings, name)
        for name in TrainingSettings.model_fields
        if getattr(settings, name) != getattr(base, name)
    }


def nearest_preset(settings: TrainingSettings, preferred: str = "") -> str:
    """Return the preset from which `settings` differs in the fewest fields; if tied, `preferred` or the first."""
    distance = {
        name: len(differing(settings, TrainingSettings.preset(name))) for name in TrainingSettings.preset_names()
    }
    least = min(distance.values())
    return preferred if distance.get(preferred) == least else min(distance, key=lambda name: distance[name])


def as_python(settings: TrainingSettings, preset: str) -> str:
    """Return Python code that makes `settings`, naming only the fields that differ from the preset."""
    changes = differing(settings, TrainingSettings.preset(preset))
    body = f"hw.TrainingSettings.preset({preset!r})"
    if changes:
        entries = [f"    {name!r}: {value!r}," for name, value in changes.items()]
        body += ".model_copy(update={\n" + "\n".join(entries) + "\n})"
    return f"import histowidgets as hw\n\nsettings = {body}\n"
