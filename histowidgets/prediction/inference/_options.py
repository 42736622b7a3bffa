"""How to predict: what can be chosen beside the image, checked in one place."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypedDict

from histowidgets._checks import is_within
from histowidgets.errors import PredictionError
from histowidgets.prediction._limits import MOST_OVERLAP, MOST_SMOOTHING
from histowidgets.prediction.tiling import BLENDS

Progress = Callable[[int, int, float], None]
"""Called as ``progress(done, total, seconds_left)`` after each tile, or each batch of them."""

ShouldStop = Callable[[], bool]

GRIDS = (1, 2, 4)
PRECISIONS = ("auto", "fp32")


class MoreOptions(TypedDict, total=False):
    """The fields of `PredictOptions` that are given by name alone."""

    grids: int
    smooth_px: float
    smooth_um: float | None
    skip_blank: bool
    precision: str
    downsample: int | None


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
        Average over the eight symmetries of the square (row N5), which takes eight times as long.
    grids : {1, 2, 4}
        Lay the tiles so many times, each time shifted by half a step, and average: fewer traces of tile borders, for
        so many times the time.
    smooth_px, smooth_um : float
        Blur the probabilities with a Gaussian of this standard deviation, in full-size pixels or in um; give one.
    skip_blank : bool, default False
        Do not compute tiles without any contrast (empty glass): they get the answer that the first of their colour got.
    precision : {"auto", "fp32"}
        "auto" lets a network compute large regions in the number format that is measured to be fastest here.
    downsample : int or None
        Resolution at which the model sees the image; the classifier's own if None. A coarser one is faster and worse.
    """

    overlap: float = 0.125
    blend: str = "centre-crop"
    tta: bool = False
    grids: int = 1
    smooth_px: float = 0.0
    smooth_um: float | None = None
    skip_blank: bool = False
    precision: str = "auto"
    downsample: int | None = None

    def __post_init__(self) -> None:
        if self.blend not in BLENDS:
            raise PredictionError(f"blend is {self.blend!r}; use {', '.join(BLENDS)}.")
        if not is_within(self.overlap, 0, MOST_OVERLAP):
            raise PredictionError(f"overlap is {self.overlap!r}; a share from 0 to {MOST_OVERLAP} is wanted.")
        if self.grids not in GRIDS:
            raise PredictionError(f"grids is {self.grids!r}; use {', '.join(map(str, GRIDS))}.")
        if self.precision not in PRECISIONS:
            raise PredictionError(f"precision is {self.precision!r}; use {' or '.join(PRECISIONS)}.")
        for name, value in (("smooth_px", self.smooth_px), ("smooth_um", self.smooth_um)):
            given = name == "smooth_px" or value is not None  # smooth_um alone may be left open
            if given and not is_within(value, 0, MOST_SMOOTHING):
                raise PredictionError(f"{name} is {value!r}; a number from 0 to {MOST_SMOOTHING:g} is wanted.")
        if self.smooth_um is not None and self.smooth_px:
            raise PredictionError("smooth_px and smooth_um were both given; give one of them.")
        d = self.downsample
        if d is not None and (isinstance(d, bool) or not isinstance(d, int) or d < 1):
            raise PredictionError(f"downsample is {d!r}; a whole number of at least 1 is wanted.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "PredictOptions":
        """Make options of what somebody typed.

        Raises
        ------
        PredictionError
            If a name is unknown, or a value out of range.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise PredictionError(f"There is no option {unknown[0]!r}; the options are {', '.join(known)}.")
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
        if self.smooth_um is None:
            return float(self.smooth_px)
        if pixel_size_um is None:
            raise PredictionError(
                "smooth_um needs the pixel size of the image, which is unknown. Use smooth_px, or give it: "
                "open_image(…, pixel_size_um=0.5)."
            )
        return self.smooth_um / pixel_size_um
