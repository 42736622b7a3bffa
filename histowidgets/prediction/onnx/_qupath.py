"""Export a classifier as a folder for the QuPath extension "DL pixel classifier": ONNX and metadata.json."""

import json
import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from histowidgets._io import atomic_write
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.images import ChannelStatistics, Normalization
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx._export import MAX_SECONDS, ExportProgress, ShouldStop, export_network, exportable
from histowidgets.prediction.onnx._graph import GraphOptions
from histowidgets.prediction.onnx._metadata import card_text

MODEL, METADATA = "model.onnx", "metadata.json"


def write_qupath_folder(
    spec: ClassifierSpec,
    folder: Path,
    progress: ExportProgress | None = None,
    should_stop: ShouldStop | None = None,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Write the folder; see `Classifier.export_qupath`."""
    spec = exportable(spec)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClassifierError(f"{folder} cannot be written: {error.strerror or error}.") from error
    if spec.normalization.stain is not None:
        message = (
            "This classifier matches the stain of each image, which the extension cannot do: on images with another "
            "stain, predictions in QuPath differ. For equal predictions, train with match_stain off."
        )
        warnings.warn(HistowidgetsWarning(message), stacklevel=3)
    # The extension applies the softmax itself.
    options = GraphOptions(names=("input", "output"), softmax=False, card=card_text(spec))
    export_network(spec, folder / MODEL, options, progress, should_stop, max_seconds)
    text = json.dumps(metadata_of(spec), indent=1, ensure_ascii=False)
    with atomic_write(folder / METADATA, ClassifierError) as part:
        part.write_text(text, encoding="utf-8")


def metadata_of(spec: ClassifierSpec) -> dict[str, Any]:
    """Return the content of metadata.json as plain values."""
    network = spec.model.spec()["network"]
    n_channels, size = len(spec.channel_names), spec.tile_size
    normalization = _normalization(spec.normalization, n_channels)
    pixel_size = spec.pixel_size_um
    name = spec.name or "histowidgets classifier"
    best = max((record.get("epoch", 0) for record in spec.history), default=0)
    statistics = spec.normalization.statistics
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {spec.scores} {spec.trained_on}")),
        "name": name,
        "version": "1.0",
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "architecture": {
            "type": network["architecture"],
            "backbone": network["backbone"],
            "input_width": size,
            "input_height": size,
            "input_channels": n_channels,
            "effective_input_channels": n_channels,
            "downsample": spec.downsample,
            "context_scale": 1,
            "use_batchrenorm": False,
        },
        "channel_config": {
            "expected_channels": list(spec.channel_names),
            "normalization_strategy": normalization["strategy"],
            "bit_depth_trained": 8 if statistics is None or statistics.dtype == "uint8" else 16,
        },
        "input_config": {
            "num_channels": n_channels,
            "selected_channels": list(range(n_channels)),
            "normalization": normalization,
        },
        "classes": [
            {"index": i, "name": name, "color": color.upper()} for i, (name, color) in enumerate(spec.colors.items())
        ],
        "training": {"image_name": ", ".join(map(str, spec.trained_on.get("images", []))), "epochs": best},
        "training_settings": spec.settings,
        "normalization_stats": normalization["channel_stats"],
        "training_pixel_size_um": None if pixel_size is None else pixel_size * spec.downsample,
        "training_tile_size_px": size,
    }


def _normalization(ours: Normalization, n_channels: int) -> dict[str, Any]:
    """Translate our normalization to the extension's format, so that it computes the same values.

    Joint statistics are repeated for each channel, so that the extension gets the same values whether it uses the first
    channel or pools them. Its min_max does not clip as ours does, so its fixed_range, which does, is used instead.
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
