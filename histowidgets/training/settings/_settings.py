"""All training settings in one place: defaults, ranges, units and help texts.

The form, the command line and the documentation are generated from them. No torch.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from histowidgets.errors import SettingsError
from histowidgets.models import DEFAULT_BACKBONE, FREEZE_CHOICES, Architecture
from histowidgets.training.settings._error_messages import WEIGHT_RANGE, accepts_bool, explain, range_in_words
from histowidgets.training.settings._presets import PRESETS

#: Architectures that pool a tile to a single pixel, so that their batch norm needs at least two tiles in training.
_POOLING = ("deeplabv3", "deeplabv3plus", "pan", "pspnet", "upernet")
_PIXELS = "pixels at the downsample"


def _setting(default: Any, section: str, help: str, unit: str = "", basic: bool = False, **bounds: Any) -> Any:
    """Declare a field, with everything that the form needs to show it."""
    extra: dict[str, Any] = {"unit": unit, "section": section, "basic": basic}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class TrainingSettings(BaseModel):
    """The settings of one training; immutable, and validated whenever they are made or changed.

    ``TrainingSettings()`` is suited to a minute of training on a computer without a GPU. It equals the preset "cpu",
    except for ``best_tolerance``, which affects the kept weights and should be a deliberate choice.
    ``model_copy(update={...})`` validates the changes, like the constructor.

    Raises
    ------
    SettingsError
        A field is unknown, or its value is invalid; the message names the field and its range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    architecture: Architecture = _setting("unet", "Network", "Architecture of the network.", basic=True)
    backbone: str = _setting(
        DEFAULT_BACKBONE,
        "Network",
        "The encoder: a name from hw.backbones(), or any encoder of smp or timm.",
        basic=True,
        min_length=1,
        max_length=100,
    )
    decoder: Literal["light", "full"] = _setting(
        "light",
        "Network",
        "Light is fast without a GPU: it is narrow, and for a U-Net it ends at half the tile's size. "
        "Architectures other than U-Net, U-Net++ and MA-Net always use their own decoder.",
    )
    pretrained: bool = _setting(True, "Network", "Start the encoder from its pretrained weights.", basic=True)
    freeze: str | tuple[str, ...] = _setting(
        "encoder",
        "Network",
        "Frozen parts of the encoder: none, early (stem and two blocks), encoder (all), or a list of groups.",
        basic=True,
    )
    adapt_norm: bool = _setting(
        True,
        "Network",
        "Let the batch norm of frozen groups adapt to the statistics of your images; their weights do not change.",
    )

    tile_size: int = _setting(192, "Tiles", "Side of a tile.", _PIXELS, basic=True, ge=64, le=1024, multiple_of=32)
    downsample: Literal[1, 2, 4, 8] = _setting(
        2, "Tiles", "Image pixels along one side of each pixel that the network sees.", "x", basic=True
    )
    pixel_size_um: float | None = _setting(
        None,
        "Tiles",
        "Pixel size to which images that differ by more than 10 % are resampled; empty: the median of the annotated "
        "images.",
        "um",
        gt=0,
        le=1000,
    )
    progressive_resizing: bool = _setting(
        False, "Tiles", "Train on tiles of half the size for the first 40 % of the run: faster, and often as good."
    )
    tile_overlap: float = _setting(
        0.25, "Tiles", "Overlap of neighbouring tiles; more overlap gives more tiles per epoch.", "", ge=0, le=0.75
    )
    batch_size: int = _setting(4, "Tiles", "Tiles per batch.", "tiles", basic=True, ge=1, le=64)
    accumulation: int = _setting(
        1,
        "Tiles",
        "Batches per step: like one batch that is this many times larger, in the memory of one.",
        "batches",
        ge=1,
        le=8,
    )
    steps_per_epoch: int | None = _setting(
        20, "Tiles", "Steps per epoch; empty: as many as there are tiles for.", "steps", ge=1, le=10_000
    )

    channels: tuple[str, ...] = _setting(
        (),
        "Normalization",
        "Channels to train on, in this order; empty: all. Prediction finds them by name.",
        max_length=64,
    )
    normalization: Literal["percentile_99", "min_max", "z_score", "fixed_range"] = _setting(
        "percentile_99",
        "Normalization",
        "How pixel values are scaled to 0 to 1; the statistics are those of whole images.",
    )
    normalization_per_channel: bool | None = _setting(
        None, "Normalization", "Separate statistics for each channel; empty: only with more than three channels."
    )
    normalization_low: float | None = _setting(
        None, "Normalization", "Value that becomes 0; for fixed_range.", "image values"
    )
    normalization_high: float | None = _setting(
        None, "Normalization", "Value that becomes 1; for fixed_range.", "image values"
    )

    match_stain: bool = _setting(
        False,
        "Normalization",
        "First match each brightfield image to the stain of the training images; fluorescence is left unchanged.",
    )

    augmentation: bool = _setting(True, "Augmentation", "Vary the tiles during training.", basic=True)
    flip: bool = _setting(True, "Augmentation", "Flip tiles horizontally and vertically.")
    rotate90: bool = _setting(True, "Augmentation", "Rotate tiles by multiples of 90 degrees.")
    rotation: float = _setting(180.0, "Augmentation", "Rotate tiles by up to this angle.", "degrees", ge=0, le=180)
    scale: float = _setting(1.5, "Augmentation", "Enlarge or shrink tiles by up to this factor.", "x", ge=1, le=2)
    brightness: float = _setting(0.15, "Augmentation", "Vary brightness by up to this fraction.", ge=0, le=0.5)
    contrast: float = _setting(0.15, "Augmentation", "Vary contrast by up to this fraction.", ge=0, le=0.5)
    color_jitter: float = _setting(
        0.15,
        "Augmentation",
        "Vary saturation, and hue by a fifth of that; only for brightfield images in colour.",
        ge=0,
        le=0.5,
    )
    stain_jitter: float = _setting(
        0.6,
        "Augmentation",
        "Vary haematoxylin, eosin and DAB separately; only for brightfield images in colour.",
        ge=0,
        le=1,
    )
    channel_jitter: float = _setting(
        0.2,
        "Augmentation",
        "Vary each channel separately; for fluorescence, and unless there are three channels.",
        ge=0,
        le=0.5,
    )
    elastic: float = _setting(
        0.0,
        "Augmentation",
        "Deform tiles elastically, for distorted tissue; 1 moves pixels by up to about ten.",
        ge=0,
        le=1,
    )
    blur: float = _setting(
        0.0, "Augmentation", "Blur tiles by up to this standard deviation, for scans out of focus.", _PIXELS, ge=0, le=3
    )
    noise: float = _setting(
        0.0,
        "Augmentation",
        "Add noise of up to this standard deviation to tiles, whose values range from 0 to 1.",
        ge=0,
        le=0.2,
    )

    epochs: int = _setting(60, "Training", "Maximum number of epochs.", "epochs", basic=True, ge=1, le=5000)
    max_seconds: float | None = _setting(
        60.0,
        "Training",
        "Maximum training time; the learning rate schedule is fitted to it. Empty: no limit.",
        "s",
        basic=True,
        ge=1,
        le=604_800,
    )
    learning_rate: float = _setting(
        5e-3, "Training", "Highest learning rate of the decoder.", "", basic=True, ge=1e-7, le=1
    )
    find_learning_rate: bool = _setting(
        False,
        "Training",
        "First try rates from 1e-7 to 1 on up to 100 batches, then train with the one at which the loss falls fastest.",
    )
    encoder_lr_ratio: float = _setting(
        0.1, "Training", "Learning rate of a pretrained encoder, as a fraction of the decoder's.", ge=0.001, le=1
    )
    scheduler: Literal["one-cycle", "cosine", "plateau", "step", "none"] = _setting(
        "none", "Training", "How the learning rate changes during training."
    )
    weight_decay: float = _setting(0.01, "Training", "Weight decay (AdamW).", ge=0, le=0.5)
    gradient_clip: float = _setting(1.0, "Training", "Maximum norm of the gradient; 0 for no limit.", ge=0, le=100)
    ema_decay: float = _setting(
        0.98,
        "Training",
        "Decay of the averaged weights (EMA) that are validated and kept; 0 for no averaging.",
        ge=0,
        le=0.9999,
    )
    loss: Literal["ce_dice", "ce", "focal", "focal_dice", "lovasz"] = _setting(
        "ce_dice",
        "Training",
        "What training minimizes: cross-entropy or focal, with or without Dice, or Lovasz, which follows the IoU.",
        basic=True,
    )
    focal_gamma: float = _setting(2.0, "Training", "How strongly focal loss ignores easy pixels.", ge=0.5, le=5)
    hardest_share: float = _setting(
        1.0,
        "Training",
        "Fraction of the labelled pixels, the hardest ones, that cross-entropy and focal loss use; 1 for all. "
        "Dice uses all pixels; with Lovasz only 1 is possible.",
        ge=0.05,
        le=1,
    )
    consistency: float = _setting(
        1.0,
        "Training",
        "Weight of learning from confident predictions of the averaged weights on unlabelled pixels; 0 for none.",
        ge=0,
        le=4,
    )
    class_weights: dict[str, float] = _setting(
        {}, "Training", "Weight of each class in the loss, 0.1 to 10; classes left out have 1."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _setting(
        "auto", "Training", "Number format of the computation; auto measures those that this computer supports."
    )
    memory_format: Literal["auto", "contiguous", "channels_last"] = _setting(
        "auto", "Training", "Order of pixels in memory; auto uses the fastest. Set both for repeatable runs."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = _setting("auto", "Training", "Where the network computes.")
    seed: int = _setting(0, "Training", "Seed of all random numbers.", ge=0, le=999_999)

    validation_fraction: float = _setting(
        0.2, "Validation", "Fraction of the labels that are held out for validation.", "", basic=True, ge=0.05, le=0.5
    )
    validation_by: Literal["part", "image"] = _setting(
        "part", "Validation", "Hold out a part of each image, or whole images, which says more about new images."
    )
    early_stopping_metric: Literal["miou", "val_loss", "none"] = _setting(
        "miou", "Validation", "Metric that decides which epoch is best, and when to stop early; none runs to the end."
    )
    early_stopping_patience: int = _setting(
        20, "Validation", "Epochs without improvement before training stops.", "epochs", ge=1, le=1000
    )
    best_tolerance: float = _setting(
        0.0,
        "Validation",
        "How far below the highest mIoU an epoch may be and still count as equally good; the latest of these is kept. "
        "A few held-out strokes cannot distinguish them; 0 keeps the highest.",
        ge=0,
        le=0.2,
    )
    focus_class: str | None = _setting(
        None, "Validation", "A class whose IoU alone decides which epoch is best.", min_length=1
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(explain(type(self), error)) from error

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # pydantic accepts True as 1, but a value meant for a switch must not set a number.
        if isinstance(value, bool) and not accepts_bool(cls, str(info.field_name)):
            raise ValueError(f"it takes {setting_range(str(info.field_name))}")
        return value

    @field_validator("backbone")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if name != name.strip() or not name.isprintable():
            raise ValueError("use a name without leading or trailing spaces")
        return name

    @field_validator("normalization", mode="before")
    @classmethod
    def _any_case(cls, strategy: Any) -> Any:
        """Accept the guide's spelling, PERCENTILE_99, too."""
        return strategy.lower() if isinstance(strategy, str) else strategy

    @field_validator("freeze", mode="before")
    @classmethod
    def _known_freeze(cls, freeze: Any) -> Any:
        if isinstance(freeze, str):
            if freeze not in FREEZE_CHOICES:
                raise ValueError(f"use {', '.join(FREEZE_CHOICES)}, or a list such as ['stem', 'block1']")
            return freeze
        if not isinstance(freeze, (list, tuple)) or not all(isinstance(name, str) for name in freeze):
            raise ValueError(f"use {', '.join(FREEZE_CHOICES)}, or a list such as ['stem', 'block1']")
        for name in freeze:
            if name != "stem" and not (name.startswith("block") and name[5:].isdecimal()):
                raise ValueError(f"{name!r} is not a group; the groups are stem, block1, block2, …")
        return tuple(dict.fromkeys(freeze))

    @field_validator("channels", mode="before")
    @classmethod
    def _distinct(cls, channels: Any) -> Any:
        names = list(channels) if isinstance(channels, list | tuple) else [None]
        if not all(isinstance(name, str) and name.strip() for name in names) or len(set(names)) < len(names):
            raise ValueError("use a list of channel names, each once, such as ['DAPI', 'CD3']")
        return tuple(names)

    @field_validator("class_weights")
    @classmethod
    def _bounded(cls, weights: dict[str, float]) -> dict[str, float]:
        low, high = WEIGHT_RANGE
        for name, weight in weights.items():
            if not low <= weight <= high:
                raise ValueError(f"{name!r} has {weight:g}; weights range from {low:g} to {high:g}")
        return weights

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.normalization_low, self.normalization_high
        if self.normalization == "fixed_range" and (low is None or high is None or low >= high):
            raise ValueError(
                "normalization 'fixed_range' needs normalization_low below normalization_high, "
                f"such as 0 and 4095; they are {low} and {high}"
            )
        if self.batch_size < self.min_batch_size:
            raise ValueError(f"batch_size is 1; {self.architecture} needs 2 or more to learn")
        if self.loss == "lovasz" and self.hardest_share < 1:
            raise ValueError(
                f"hardest_share is {self.hardest_share:g} and loss is 'lovasz', which ranks the pixels itself; "
                "use hardest_share 1, or another loss"
            )
        return self

    @property
    def min_batch_size(self) -> int:
        """Smallest batch size that the architecture can train with."""
        return 2 if self.architecture in _POOLING else 1

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; the changes are checked."""
        if not isinstance(update, Mapping | None):
            raise SettingsError(f"update is a {type(update).__name__}; expected a mapping of fields to values.")
        return type(self)(**{**self.model_dump(), **(update or {})})

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return settings from a mapping of fields, or from settings, like the constructor."""
        if isinstance(obj, cls):
            return obj
        if not isinstance(obj, Mapping):
            raise SettingsError(f"The settings are a {type(obj).__name__}; expected a mapping of fields.")
        return cls(**obj)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return settings from JSON, like `from_json`."""
        return cls(**_object_of(json_data))

    @classmethod
    def preset(cls, name: str) -> "TrainingSettings":
        """Return a preset by name, such as ``"first-run"`` or ``"First run"``; see `preset_names`.

        Raises
        ------
        SettingsError
            There is no such preset.
        """
        wanted = "-".join(name.lower().replace("_", " ").split()) if isinstance(name, str) else None
        if wanted not in PRESETS:
            raise SettingsError(f"There is no preset {name!r}; the presets are {', '.join(PRESETS)}.")
        return cls(**PRESETS[wanted])

    @classmethod
    def preset_names(cls) -> list[str]:
        """List the presets, the default first."""
        return list(PRESETS)

    def probe(self, epochs: int = 5) -> Self:
        """Return the same settings for a short trial run, to see whether the network learns at all.

        It has 5 to 10 epochs, without early stopping; `compare_runs` and `diagnose` then show what to change.
        """
        if not 5 <= epochs <= 10:
            raise SettingsError(f"epochs is {epochs}; a probe run has 5 to 10.")
        patience = max(epochs, self.early_stopping_patience)
        return self.model_copy(update={"epochs": epochs, "early_stopping_patience": patience})

    def to_json(self) -> str:
        """Return all settings as JSON for `from_json`."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str) -> "TrainingSettings":
        """Read settings from the JSON of `to_json`; missing fields get their defaults.

        Raises
        ------
        SettingsError
            The text is not a JSON object, or a field is unknown or invalid.
        """
        return cls(**_object_of(text))


def _object_of(text: str | bytes | bytearray) -> dict[str, Any]:
    """Read the fields from JSON."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise SettingsError(f"The settings are not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise SettingsError(f"The settings are a JSON {type(values).__name__}; expected an object of fields.")
    return values


def setting_range(name: str) -> str:
    """Describe the values that a field of `TrainingSettings` accepts, such as ``"1 to 64"``."""
    return range_in_words(TrainingSettings, name)
