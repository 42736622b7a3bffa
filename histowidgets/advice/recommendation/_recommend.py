"""Recommend settings by image type, number of tiles and memory, and resolve conflicts between these."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Advice
from histowidgets.advice.recommendation._image_type import IMAGE_TYPES
from histowidgets.advice.recommendation._settings_review import review_settings
from histowidgets.errors import AdviceError
from histowidgets.models import DEFAULT_BACKBONE, Backbone, backbones

if TYPE_CHECKING:
    from histowidgets.training import TrainingSettings

#: Numbers of tiles from which more of the network is trained. `MANY_TILES` itself still counts as fewer.
FEW_TILES = 200
MEDIUM_TILES = 1000
MANY_TILES = 5000
#: With more tiles than this, fewer epochs and a lower learning rate are enough.
VERY_MANY_TILES = 10_000
#: A GPU with less memory than this, in GB, is treated like a CPU.
SMALLEST_GPU_GB = 4.0
#: Range that counts as about 20x, in µm per pixel.
TWENTY_X_UM = (0.4, 0.65)

_WORDS = {"he": "H&E", "brightfield": "a brightfield stain other than H&E", "fluorescence": "fluorescence"}
#: Backbones, from small to large.
_SIZES = ("efficientnet-b0", "resnet34", "resnet50")


@dataclass(frozen=True)
class Recommendation:
    """Settings with a reason for each choice.

    Attributes
    ----------
    settings : TrainingSettings
    reasons : list of str
        One line for each choice; the first is a summary. For conflicts, the line says how they were resolved.
    advice : list of Advice
        Advice on what settings cannot change, such as a missing GPU.
    """

    settings: "TrainingSettings"
    reasons: list[str]
    advice: list[Advice]


@dataclass(frozen=True)
class _Memory:
    """Limits for a GPU with at least this much memory; `size` is an index into `_SIZES`."""

    at_least_gb: float
    size: int
    tile: int
    batch: int


_MEMORY = (
    _Memory(24, 2, 1024, 8),
    _Memory(12, 2, 512, 8),
    _Memory(8, 1, 512, 8),
    _Memory(4, 0, 256, 8),
    _Memory(0, 0, 256, 4),
)


def recommend(
    n_tiles: int,
    image_type: str = "brightfield",
    n_channels: int = 3,
    vram_gb: float | None = None,
    pixel_size_um: float | None = None,
) -> Recommendation:
    """Recommend training settings.

    Memory is a hard limit, the number of tiles limits how much of the network is trained, and the type of image
    determines the pretrained weights.

    Parameters
    ----------
    n_tiles : int
        Number of annotated tiles, 0 or more.
    image_type : {"brightfield", "he", "fluorescence"}, default "brightfield"
        See `guess_image_type`.
    n_channels : int, default 3
    vram_gb : float, optional
        Memory of the GPU in GB; None or 0 without a GPU.
    pixel_size_um : float, optional
        Side of a pixel in um at full size.

    Raises
    ------
    AdviceError
        An argument is out of range.
    """
    _check(n_tiles, image_type, n_channels, vram_gb, pixel_size_um)
    gigabytes = float(vram_gb or 0)
    memory = next(row for row in _MEMORY if gigabytes >= row.at_least_gb)
    size, size_reasons = _size(n_tiles, image_type, memory)
    card, weight_reasons = _backbone(size, image_type, n_channels, gigabytes, pixel_size_um)
    freeze, freeze_reason = _freeze(n_tiles, gigabytes)
    values: dict[str, Any] = {
        **_course(n_tiles, gigabytes),
        "backbone": card.name,
        "freeze": freeze,
        "pretrained": True,
    }
    if gigabytes >= SMALLEST_GPU_GB:
        # Only the largest backbone gets the largest tile; for smaller ones 512 pixels are enough.
        values |= {"tile_size": min(memory.tile, 512 if size < 2 else memory.tile), "batch_size": memory.batch}
    values |= _downsample(pixel_size_um, gigabytes) | _image_fields(image_type, n_channels)
    values["batch_size"] = _fitting_batch(n_tiles, int(values["batch_size"]))
    settings = _settings(values)
    where = "without a GPU" if gigabytes == 0 else f"with {gigabytes:g} GB of GPU memory"
    summary = (
        f"{n_tiles} tiles of {_WORDS[image_type]} {where}: {card.name}, {freeze_reason[0]}, tiles of "
        f"{settings.tile_size} pixels, batches of {settings.batch_size}."
    )
    reasons = [summary, *size_reasons, *weight_reasons, freeze_reason[1], *_channel_reasons(n_channels)]
    advice = [*_memory_advice(gigabytes), *review_settings(settings, n_tiles=n_tiles)]
    return Recommendation(settings, reasons, advice)


def _check(n_tiles: Any, image_type: Any, n_channels: Any, vram_gb: Any, pixel_size_um: Any) -> None:
    if not _is_number(n_tiles) or n_tiles < 0:
        raise AdviceError(f"n_tiles is {n_tiles!r}; expected a number of tiles, 0 or more.")
    if image_type not in IMAGE_TYPES:
        raise AdviceError(f"image_type is {image_type!r}; use {', '.join(map(repr, IMAGE_TYPES))}.")
    if not _is_number(n_channels) or n_channels < 1:
        raise AdviceError(f"n_channels is {n_channels!r}; expected a number of channels, 1 or more.")
    if vram_gb is not None and (not _is_number(vram_gb) or vram_gb < 0):
        raise AdviceError(f"vram_gb is {vram_gb!r}; expected a number of GB, or None without a GPU.")
    if pixel_size_um is not None and (not _is_number(pixel_size_um) or pixel_size_um <= 0):
        raise AdviceError(f"pixel_size_um is {pixel_size_um!r}; expected a number of um above 0, or None.")


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool | str) and math.isfinite(value)
    except TypeError:
        return False


def _size(n_tiles: int, image_type: str, memory: _Memory) -> tuple[int, list[str]]:
    """Return an index into `_SIZES`: the largest size that memory, tiles and image type allow, with the reasons."""
    by_tiles = 2 if n_tiles >= MEDIUM_TILES else 1
    by_type = 1 if image_type == "fluorescence" else 2
    size = min(memory.size, by_tiles, by_type)
    reasons = []
    if by_tiles == 1:
        reasons.append(f"Fewer than {MEDIUM_TILES} tiles are too few to train a large backbone: at most resnet34.")
    elif by_type == 1:
        reasons.append("For fluorescence resnet34 is enough, even with tiles for a larger backbone.")
    wished = min(by_tiles, by_type)
    if memory.size < wished:
        carried = _SIZES[size] if size else "the smallest size"  # the reason for the backbone names it
        reasons.append(f"{_SIZES[wished]} would suit the number of tiles, but memory allows only {carried}.")
    elif memory.size > wished:
        reasons.append(f"Memory allows {_SIZES[memory.size]}, but {_SIZES[size]} is enough for the data.")
    return size, reasons


def _backbone(
    size: int, image_type: str, n_channels: int, gigabytes: float, pixel_size_um: float | None
) -> tuple[Backbone, list[str]]:
    cards = {card.name: card for card in backbones()}
    low, high = TWENTY_X_UM
    at_20x = pixel_size_um is not None and low <= pixel_size_um <= high
    reasons = []
    if image_type == "fluorescence":
        reasons.append("ImageNet weights: those trained on stained tissue do not suit fluorescence.")
    elif image_type == "he" and n_channels == 3 and at_20x:
        histology = [card for card in cards.values() if "histology" in card.note.lower() and card.weights != "none"]
        if histology and size == 2:
            chosen = histology[0]
            terms = "" if chosen.commercial_use else " Their licence does not allow commercial use."
            return chosen, [f"H&E at about 20x: weights trained on histology.{terms}"]
        why = "they exist only for resnet50, which is too large here" if histology else "none are available"
        reasons.append(
            f"ImageNet weights: for H&E at about 20x, weights trained on histology would be better, but {why}."
        )
    elif image_type == "he":
        why = "the pixel size is unknown" if pixel_size_um is None else f"a pixel is {pixel_size_um:g} um"
        if n_channels != 3:
            why = f"the images have {n_channels} channels"
        reasons.append(f"ImageNet weights: histology weights are for three colours at about 20x, but {why}.")
    else:
        reasons.append("ImageNet weights, which suit any stain.")
    if gigabytes < SMALLEST_GPU_GB:
        reasons.append(f"{DEFAULT_BACKBONE}: small, fast without a GPU, and needs no download.")
        return cards[DEFAULT_BACKBONE], reasons
    reasons.append(f"If the weights of {_SIZES[size]} cannot be downloaded, {DEFAULT_BACKBONE} is used instead.")
    return cards[_SIZES[size]], reasons


def _freeze(n_tiles: int, gigabytes: float) -> tuple[str | tuple[str, ...], tuple[str, str]]:
    """Return what to freeze, a short description, and the reason."""
    if gigabytes < SMALLEST_GPU_GB:
        why = "The whole backbone stays frozen: without a GPU, training it would make each step three times as long."
        return "encoder", ("all of it frozen", why)
    if n_tiles < FEW_TILES:
        why = f"With fewer than {FEW_TILES} tiles the whole backbone stays frozen, including its norm layers."
        return "encoder", ("all of it frozen", why)
    if n_tiles < MEDIUM_TILES:
        return "early", ("early layers frozen", f"With fewer than {MEDIUM_TILES} tiles the early layers stay frozen.")
    if n_tiles <= MANY_TILES:
        why = f"With up to {MANY_TILES} tiles the stem and the first block stay frozen."
        return ("stem", "block1"), ("first block frozen", why)
    return "none", ("all of it trained", f"More than {MANY_TILES} tiles are enough to train every layer.")


def _course(n_tiles: int, gigabytes: float) -> dict[str, Any]:
    """Start from a preset, and adapt it to the number of tiles."""
    if gigabytes < SMALLEST_GPU_GB:
        return _preset("cpu")
    values = _preset("first-run") | {"adapt_norm": False, "decoder": "full", "augmentation": True}
    if n_tiles < FEW_TILES:
        return values | {"epochs": 200}
    if n_tiles > VERY_MANY_TILES:
        return values | {"epochs": 50, "learning_rate": 5e-4}
    return values


def _downsample(pixel_size_um: float | None, gigabytes: float) -> dict[str, Any]:
    """Halve the resolution of scans finer than 20x: fewer pixels for the same tissue."""
    if pixel_size_um is None:
        return {}
    wanted = 1.0 if gigabytes < SMALLEST_GPU_GB else 0.5
    step = max(1.0, wanted / pixel_size_um)
    return {"downsample": min((1, 2, 4, 8), key=lambda d: abs(math.log(d / step)))}


def _image_fields(image_type: str, n_channels: int) -> dict[str, Any]:
    values: dict[str, Any] = {"normalization": "percentile_99", "normalization_per_channel": n_channels > 3}
    if image_type == "fluorescence":
        return values | {"stain_jitter": 0.0, "channel_jitter": 0.2}
    return values


def _fitting_batch(n_tiles: int, batch: int) -> int:
    """Limit the batch so that an epoch has several steps."""
    return min(batch, max(2, n_tiles // t.STEPS_WANTED))


def _channel_reasons(n_channels: int) -> list[str]:
    if n_channels == 3:
        return []
    return [f"The first convolution is adapted to {n_channels} channel(s), and is always trained."]


def _memory_advice(gigabytes: float) -> list[Advice]:
    if gigabytes >= SMALLEST_GPU_GB:
        return []
    title = "No GPU: training is slow" if gigabytes == 0 else f"{gigabytes:g} GB of GPU memory is little"
    return [
        Advice(
            id="little-memory",
            title=title,
            detail="The settings are the smallest that work well, and are fast on a CPU. For larger ones use a GPU "
            f"with {SMALLEST_GPU_GB:g} GB or more.",
            evidence={"vram_gb": gigabytes, "wanted_gb": SMALLEST_GPU_GB},
            severity="warning",
        )
    ]


def _preset(name: str) -> dict[str, Any]:
    from histowidgets.training import TrainingSettings

    return dict(TrainingSettings.preset(name).model_dump())


def _settings(values: Mapping[str, Any]) -> "TrainingSettings":
    from histowidgets.training import TrainingSettings

    return TrainingSettings(**values)
