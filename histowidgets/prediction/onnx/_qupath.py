"""A classifier as the folder that the QuPath extension "DL pixel classifier" reads: ONNX and metadata.json."""

import json
import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.images import ChannelStatistics, Normalization
from histowidgets.prediction.onnx._metadata import card_text
from histowidgets.prediction.onnx._model import export_network, exportable

if TYPE_CHECKING:
    from histowidgets.prediction._classifier import Classifier
    from histowidgets.prediction.pixel_models import NetworkModel

MODEL, METADATA = "model.onnx", "metadata.json"


def export_folder(classifier: "Classifier", folder: Path) -> None:
    """Write the folder; see `Classifier.export_qupath`."""
    classifier = exportable(classifier)
    model = cast("NetworkModel", classifier.model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClassifierError(f"{folder} cannot be written: {error.strerror or error}.") from error
    if classifier.normalization.stain is not None:
        told = (
            "This classifier matches the stain of each image, which the extension cannot: on images of another stain "
            "it answers differently there. For the same numbers, train with match_stain off."
        )
        warnings.warn(HistowidgetsWarning(told), stacklevel=3)
    # The extension makes probabilities of logits itself.
    export_network(
        model.network().eval(), folder / MODEL, names=("input", "output"), softmax=False, card=card_text(classifier)
    )
    text = json.dumps(metadata_of(classifier), indent=1, ensure_ascii=False)
    try:
        (folder / METADATA).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ClassifierError(f"{folder} cannot be written: {error.strerror or error}.") from error


def metadata_of(classifier: "Classifier") -> dict[str, Any]:
    """Return metadata.json as plain values."""
    spec = classifier.model.spec()["network"]
    n_channels, size = len(classifier.channel_names), classifier.tile_size
    normalization = _normalization(classifier.normalization, n_channels)
    pixel_size = classifier.pixel_size_um
    name = classifier.name or "histowidgets classifier"
    best = max((record.get("epoch", 0) for record in classifier.history), default=0)
    statistics = classifier.normalization.statistics
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {classifier.scores} {classifier.trained_on}")),
        "name": name,
        "version": "1.0",
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "architecture": {
            "type": spec["architecture"],
            "backbone": spec["backbone"],
            "input_width": size,
            "input_height": size,
            "input_channels": n_channels,
            "effective_input_channels": n_channels,
            "downsample": classifier.downsample,
            "context_scale": 1,
            "use_batchrenorm": False,
        },
        "channel_config": {
            "expected_channels": list(classifier.channel_names),
            "normalization_strategy": normalization["strategy"],
            "bit_depth_trained": 8 if statistics is None or statistics.dtype == "uint8" else 16,
        },
        "input_config": {
            "num_channels": n_channels,
            "selected_channels": list(range(n_channels)),
            "normalization": normalization,
        },
        "classes": [
            {"index": i, "name": name, "color": color.upper()}
            for i, (name, color) in enumerate(classifier.colors.items())
        ],
        "training": {"image_name": ", ".join(map(str, classifier.trained_on.get("images", []))), "epochs": best},
        "training_settings": classifier.settings,
        "normalization_stats": normalization["channel_stats"],
        "training_pixel_size_um": None if pixel_size is None else pixel_size * classifier.downsample,
        "training_tile_size_px": size,
    }


def _normalization(ours: Normalization, n_channels: int) -> dict[str, Any]:
    """Return our normalization in the extension's words, so that it computes the numbers that we do.

    Joint statistics are given for each channel alike: whether it then takes the first or pools them, it finds ours. Its
    min_max does not clip, as ours does; its fixed_range does, and so stands for it.
    """
    by_channel = ours.by_channel(n_channels)
    values: dict[str, Any] = {
        "strategy": "fixed_range" if ours.strategy == "min_max" else ours.strategy,
        "per_channel": by_channel,
        "clip_percentile": 99.0,
        "precomputed": True,
    }
    statistics = ours.statistics
    if ours.strategy == "fixed_range" or statistics is None:
        low, high = (0.0 if ours.low is None else ours.low), (255.0 if ours.high is None else ours.high)
        middle, spread = (low + high) / 2, (high - low) / 4
        numbers = {"p1": low, "p99": high, "min": low, "max": high, "mean": middle, "std": spread}
        return values | {"min": low, "max": high, "channel_stats": [dict(numbers) for _ in range(n_channels)]}
    channels = statistics.channels if by_channel else (statistics.joint,) * n_channels
    low, high = min(c.minimum for c in channels), max(c.maximum for c in channels)
    return values | {"min": low, "max": high, "channel_stats": [_numbers(c) for c in channels]}


def _numbers(channel: ChannelStatistics) -> dict[str, float]:
    return {
        "p1": channel.p1,
        "p99": channel.p99,
        "min": channel.minimum,
        "max": channel.maximum,
        "mean": channel.mean,
        "std": channel.std,
    }
