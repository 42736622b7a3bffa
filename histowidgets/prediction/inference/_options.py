"""The options of predictions, with their checks; the command line is generated from them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypedDict

from histowidgets._checks import is_within
from histowidgets.errors import PredictionError
from histowidgets.prediction.tiling import BLENDS

Progress = Callable[[int, int, float], None]
"""Called as ``progress(done, total, seconds_left)`` after each tile, or each batch of tiles."""

ShouldStop = Callable[[], bool]
"""Called before each batch of tiles; if it returns True, the prediction is cancelled."""

#: Largest overlap of neighbouring tiles, as a share of the tile size.
MOST_OVERLAP = 0.5

#: Largest standard deviation of the blur, in pixels or um.
MOST_BLUR = 200.0


@dataclass(frozen=True)
class Option:
    """The accepted values of a field of `PredictOptions`, and its help text.

    Attributes
    ----------
    kind : {bool, int, float, str}
    help : str
        What it does, in a phrase.
    choices : tuple
        The accepted values; empty if there is a range, or no restriction.
    low, high : float
        The range of a number.
    unit : str
    """

    kind: type
    help: str
    choices: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""

    @property
    def wanted(self) -> str:
        """Description of the accepted values."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        number = "a whole number" if self.kind is int else "a number"
        return (
            f"{number} of at least {self.low:g}"
            if self.high == math.inf
            else f"{number} from {self.low:g} to {self.high:g}"
        )

    def check(self, name: str, value: object) -> None:
        """Raise PredictionError if a value is not accepted."""
        if self.choices:
            if value not in self.choices:
                raise PredictionError(f"{name} is {value!r}; use {self.wanted}.")
        elif self.kind is not bool and (
            not is_within(value, self.low, self.high) or (self.kind is int and not isinstance(value, int))
        ):
            raise PredictionError(f"{name} is {value!r}; expected {self.wanted}.")


def _option(default: Any, kind: type, help: str, **more: Any) -> Any:
    return field(default=default, metadata={"option": Option(kind, help, **more)})


class KeywordOptions(TypedDict, total=False):
    """The fields of `PredictOptions` that `Classifier.predict` takes by name only."""

    grids: int
    blur_px: float
    blur_um: float | None
    skip_blank: bool
    precision: str
    downsample: int | None
    ignore_pixel_size: bool


class AnyOptions(KeywordOptions, total=False):
    """All fields of `PredictOptions`."""

    overlap: float
    blend: str
    tta: bool


@dataclass(frozen=True)
class PredictOptions:
    """How to predict.

    Attributes
    ----------
    overlap : float, default 0.125
        Overlap of neighbouring tiles as a share of the tile size, 0 to 0.5; at least the model's context is used.
    blend : {"centre-crop", "gaussian", "linear"}
        How overlapping tiles are combined.
    tta : bool, default False
        Test-time augmentation: average over the eight symmetries of the square, which takes eight times as long.
    grids : {1, 2, 4}
        Number of grids of tiles to average over, each shifted by half a step: fewer visible tile borders, but
        proportionally more time.
    blur_px, blur_um : float
        Blur the probabilities with a Gaussian of this standard deviation, in full-size pixels or in um; give one.
    skip_blank : bool, default False
        Skip tiles without any contrast (empty glass): they get the prediction of the first such tile with their colour.
    precision : {"auto", "fp32"}
        With "auto", a network computes large regions in the number format that is measured to be fastest on this
        computer.
    downsample : int or None
        Image pixels along each side of a pixel that the model sees; None for the classifier's own. A larger one is
        faster and less accurate.
    ignore_pixel_size : bool, default False
        Do not resample. By default, an image whose pixel size differs by more than 10 % from the classifier's is
        resampled to it, and the result is mapped back to the image's own pixels.

    Raises
    ------
    PredictionError
        If a value is not accepted.
    """

    overlap: float = _option(
        0.125, float, "overlap of neighbouring tiles, as a share of the tile size", low=0, high=MOST_OVERLAP
    )
    blend: str = _option("centre-crop", str, "how overlapping tiles are combined", choices=tuple(BLENDS))
    tta: bool = _option(False, bool, "average 8 flipped and rotated views (takes 8 times as long)")
    grids: int = _option(1, int, "grids of tiles to average over", choices=(1, 2, 4))
    blur_px: float = _option(
        0.0, float, "blur the probabilities before choosing classes", low=0, high=MOST_BLUR, unit="px"
    )
    blur_um: float | None = _option(None, float, "the same blur, in um", low=0, high=MOST_BLUR, unit="um")
    skip_blank: bool = _option(False, bool, "skip tiles of empty glass")
    precision: str = _option("auto", str, "fp32 is exact everywhere", choices=("auto", "fp32"))
    downsample: int | None = _option(None, int, "resolution to predict at (default: the classifier's)", low=1)
    ignore_pixel_size: bool = _option(False, bool, "do not resample to the pixel size of the classifier")

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None or one.default is not None:  # None is accepted where it is the default
                one.metadata["option"].check(one.name, value)
        if self.blur_um is not None and self.blur_px:
            raise PredictionError("blur_px and blur_um were both given; give only one of them.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "PredictOptions":
        """Make options from the user's values.

        Raises
        ------
        PredictionError
            If a name is unknown, or a value is not accepted.
        """
        unknown = sorted(set(values) - set(OPTIONS))
        if unknown:
            raise PredictionError(f"There is no option {unknown[0]!r}; the options are {', '.join(OPTIONS)}.")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for JSON."""
        return asdict(self)

    def sigma_px(self, pixel_size_um: float | None) -> float:
        """Return the standard deviation of the blur in full-size pixels.

        Raises
        ------
        PredictionError
            If the blur is in um, but the image has no pixel size.
        """
        if self.blur_um is None:
            return float(self.blur_px)
        if pixel_size_um is None:
            raise PredictionError(
                "blur_um needs the pixel size of the image, which is unknown. Use blur_px, or give it: "
                "open_image(…, pixel_size_um=0.5)."
            )
        return self.blur_um / pixel_size_um


#: The fields of `PredictOptions` by name.
OPTIONS: dict[str, Option] = {one.name: one.metadata["option"] for one in fields(PredictOptions)}
