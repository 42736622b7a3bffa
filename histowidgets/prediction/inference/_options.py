"""How to predict: what can be chosen, checked in one place; the command line is generated from it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypedDict

from histowidgets._checks import is_within
from histowidgets.errors import PredictionError
from histowidgets.prediction.tiling import BLENDS

Progress = Callable[[int, int, float], None]
"""Called as ``progress(done, total, seconds_left)`` after each tile, or each batch of them."""

ShouldStop = Callable[[], bool]
"""Asked before each batch of tiles; True stops."""

#: Largest share that neighbouring tiles have in common.
MOST_OVERLAP = 0.5

#: Largest standard deviation of the blur, in pixels or um.
MOST_BLUR = 200.0


@dataclass(frozen=True)
class Option:
    """What may be given for a field of `PredictOptions`, and what it does.

    Attributes
    ----------
    kind : {bool, int, float, str}
    help : str
        What it does, in a phrase.
    choices : tuple
        The values that are possible; empty where there is a range, or none.
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
        """The values that are possible, in words."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        number = "a whole number" if self.kind is int else "a number"
        return (
            f"{number} of at least {self.low:g}"
            if self.high == math.inf
            else f"{number} from {self.low:g} to {self.high:g}"
        )

    def check(self, name: str, value: object) -> None:
        """Raise a PredictionError where a value is not possible."""
        if self.choices:
            if value not in self.choices:
                raise PredictionError(f"{name} is {value!r}; use {self.wanted}.")
        elif self.kind is not bool and (
            not is_within(value, self.low, self.high) or (self.kind is int and not isinstance(value, int))
        ):
            raise PredictionError(f"{name} is {value!r}; {self.wanted} is wanted.")


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
        Share of the tile size that neighbouring tiles have in common, 0 to 0.5; at least the model's context.
    blend : {"centre-crop", "gaussian", "linear"}
        How tiles are put together.
    tta : bool, default False
        Test-time augmentation: average over the eight symmetries of the square, which takes eight times as long.
    grids : {1, 2, 4}
        Number of grids of tiles, each shifted by half a step, to average over: fewer traces of tile borders, for a
        multiple of the time.
    blur_px, blur_um : float
        Blur the probabilities with a Gaussian of this standard deviation, in full-size pixels or in um; give one.
    skip_blank : bool, default False
        Do not compute tiles without any contrast (empty glass): they get the answer that the first of their colour got.
    precision : {"auto", "fp32"}
        "auto" lets a network compute large regions in the number format that is measured to be fastest here.
    downsample : int or None
        Resolution at which the model sees the image; the classifier's own if None. A coarser one is faster and worse.
    ignore_pixel_size : bool, default False
        Take pixels as they are. By default an image whose pixel size differs by more than 10 % from that of the
        classifier's training images is resampled to it, and the result brought back to the image's own pixels.

    Raises
    ------
    PredictionError
        If a value is not possible.
    """

    overlap: float = _option(0.125, float, "share that neighbouring tiles have in common", low=0, high=MOST_OVERLAP)
    blend: str = _option("centre-crop", str, "how tiles are put together", choices=tuple(BLENDS))
    tta: bool = _option(False, bool, "average 8 mirrored and turned views (8 times as long)")
    grids: int = _option(1, int, "grids of tiles to average over", choices=(1, 2, 4))
    blur_px: float = _option(
        0.0, float, "blur probabilities before classes are decided", low=0, high=MOST_BLUR, unit="px"
    )
    blur_um: float | None = _option(None, float, "the same in um", low=0, high=MOST_BLUR, unit="um")
    skip_blank: bool = _option(False, bool, "do not compute tiles of empty glass")
    precision: str = _option("auto", str, "fp32 is exact everywhere", choices=("auto", "fp32"))
    downsample: int | None = _option(None, int, "resolution to predict at (default: the classifier's)", low=1)
    ignore_pixel_size: bool = _option(False, bool, "do not resample to the pixel size of the classifier")

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None or one.default is not None:  # what is None by default may be left open
                one.metadata["option"].check(one.name, value)
        if self.blur_um is not None and self.blur_px:
            raise PredictionError("blur_px and blur_um were both given; give one of them.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "PredictOptions":
        """Make options of what a person typed.

        Raises
        ------
        PredictionError
            If a name is unknown, or a value is not possible.
        """
        unknown = sorted(set(values) - set(OPTIONS))
        if unknown:
            raise PredictionError(f"There is no option {unknown[0]!r}; the options are {', '.join(OPTIONS)}.")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    def sigma_px(self, pixel_size_um: float | None) -> float:
        """Return the standard deviation of the blur in full-size pixels.

        Raises
        ------
        PredictionError
            If it is given in um, and the image has no pixel size.
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
