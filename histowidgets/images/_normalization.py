"""Normalization, identical in training, preview and prediction."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np

from histowidgets.errors import ImageError
from histowidgets.images._image import Image
from histowidgets.images._open import open_images
from histowidgets.images._stain import Stain, is_brightfield, measure_stain, stain_of, white_of
from histowidgets.images._statistics import ChannelStatistics, ImageStatistics, measure_statistics

STRATEGIES = ("percentile_99", "min_max", "z_score", "fixed_range")

#: Z scores beyond this many standard deviations are clipped (as in the reference extension).
Z_LIMIT = 5.0


@dataclass(frozen=True)
class Normalization:
    """A mapping of pixel values to numbers from 0 to 1.

    Attributes
    ----------
    strategy : {"percentile_99", "min_max", "z_score", "fixed_range"}
        "percentile_99": the 1st percentile becomes 0 and the 99th 1; values beyond are clipped.
        "min_max": the minimum becomes 0 and the maximum 1. "z_score": mean -5 sd becomes 0 and mean +5 sd 1.
        "fixed_range": `low` becomes 0 and `high` 1. Upper and lower case are accepted.
    per_channel : bool or None
        Whether each channel uses its own statistics, instead of joint ones. None means True for more than 3 channels.
    low, high : float or None
        Only for "fixed_range"; 0 and 255 by default.
    statistics : ImageStatistics or None
        Statistics of the training images, measured by `fitted`; "fixed_range" needs none.
    match_stain : bool, default False
        Whether to match the stain of each brightfield image to the training images first (Reinhard et al. 2001); see
        `of_image`. If the training images are not brightfield, nothing is matched.
    stain : Stain or None
        Stain of the training images, measured by `fitted` if `match_stain` is True.
    own : Stain or None
        Stain of the image that this normalization is for, measured by `of_image`.

    Notes
    -----
    If the statistics have no range (a constant image), values up to the constant become 0 and larger ones 1; a z score
    becomes 0.5. Results are always from 0 to 1. Where there is no data (NaN), a z score becomes 0.5, and others 0.
    """

    strategy: str = "percentile_99"
    per_channel: bool | None = None
    low: float | None = None
    high: float | None = None
    statistics: ImageStatistics | None = None
    match_stain: bool = False
    stain: Stain | None = None
    own: Stain | None = None

    def __post_init__(self) -> None:
        strategy = str(self.strategy).lower()
        if strategy not in STRATEGIES:
            raise ImageError(f"The normalization {self.strategy!r} is unknown; choose one of {', '.join(STRATEGIES)}.")
        object.__setattr__(self, "strategy", strategy)
        if strategy != "fixed_range":
            if self.low is not None or self.high is not None:
                raise ImageError(f"low and high belong to fixed_range; {strategy} takes none. Leave them out.")
            return
        low = 0.0 if self.low is None else _as_number(self.low, "low")
        high = 255.0 if self.high is None else _as_number(self.high, "high")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ImageError(f"fixed_range got low {low:g} and high {high:g}; low must be below high.")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    def fitted(
        self,
        images: Image | np.ndarray | str | PathLike[str] | Iterable[Image | np.ndarray | str | PathLike[str]],
        seed: int = 0,
    ) -> "Normalization":
        """Return the same normalization with the statistics of these images.

        Parameters
        ----------
        images : Image, array or path, or a list of them
        seed : int, default 0
            Determines which pixels of large images are measured.

        Raises
        ------
        ImageError
            If there is no image, one cannot be opened, or their channels differ.
        """
        opened = open_images(images)
        statistics = measure_statistics(opened, seed)
        fitted = replace(self, statistics=statistics, stain=None, own=None)
        if self.match_stain and fitted.is_brightfield(len(statistics.channels)):
            return replace(fitted, stain=measure_stain(opened, fitted.white))
        return fitted

    @property
    def white(self) -> float:
        """Value of glass without tissue, if there are statistics."""
        if self.statistics is None:
            return 255.0
        return white_of(self.statistics.dtype, self.statistics.joint.p99)

    def is_brightfield(self, n_channels: int) -> bool:
        """Return whether images show stained tissue on glass: three channels, and not mostly dark if that is known."""
        if self.statistics is None:
            return n_channels == 3
        return is_brightfield(n_channels, self.statistics.joint.mean, self.white)

    def of_image(self, image: Image, channels: Sequence[int] | None = None) -> "Normalization":
        """Return this normalization for an image: itself or, if stains are matched, with the stain of the image.

        The stain is that of the whole image, measured once, so that it is the same for every tile.

        Parameters
        ----------
        image : Image
        channels : sequence of int, optional
            Channels of the image that are passed to `apply`, in order; by default all.
        """
        if self.stain is None or len(image.channel_names) != 3:
            return self
        own = stain_of(image, self.white)
        if own is not None and channels is not None:
            own = Stain(tuple(own.means[c] for c in channels), tuple(own.stds[c] for c in channels))
        return replace(self, own=own)

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Normalize pixels.

        Parameters
        ----------
        pixels : ndarray of (..., channels)
            In the image's own units.

        Returns
        -------
        ndarray of float32, same shape
            Numbers from 0 to 1. The same value always gives the same number, bit for bit, in any tile.

        Raises
        ------
        ImageError
            If needed statistics are missing or have another number of channels, or the pixels are not numbers.
        """
        pixels = _as_pixels(pixels)
        n_channels = pixels.shape[-1]
        ranges = self.ranges(n_channels)
        # Channels first in memory, as networks take it.
        out = np.empty((n_channels, *pixels.shape[:-1]), np.float32)
        if pixels.dtype == np.uint8:  # look up the 256 values; "clip" avoids a copy, as all indices are valid
            values = self.matched(np.repeat(np.arange(256, dtype=np.float64)[:, None], n_channels, axis=1))
            for c, (low, high) in enumerate(ranges):
                np.take(self._scale(values[:, c], low, high), pixels[..., c], out=out[c], mode="clip")
        else:
            values = self.matched(pixels)
            for c, (low, high) in enumerate(ranges):
                out[c] = self._scale(values[..., c].astype(np.float64), low, high)
        return np.moveaxis(out, 0, -1)

    def tensor_of(self, image: Image, pixels: np.ndarray, channels: Sequence[int] | None = None) -> np.ndarray:
        """Normalize pixels of an image and arrange them as a network's input, in training and prediction alike.

        Parameters
        ----------
        image : Image
            The image that the pixels are from, whose stain is matched.
        pixels : ndarray, (rows, cols, C)
            In the image's own units.
        channels : sequence of int, optional
            Channels of the image that these are, in order; by default all.

        Returns
        -------
        ndarray of float32, (C, rows, cols)
            From 0 to 1, C-contiguous.

        Raises
        ------
        ImageError
            As for `apply`.
        """
        return np.ascontiguousarray(np.moveaxis(self.of_image(image, channels).apply(pixels), -1, 0))

    def matched(self, values: np.ndarray) -> np.ndarray:
        """Return (..., channels) with the stain matched, if enabled and known, for comparison with the ranges."""
        if self.stain is None or self.own is None:
            return values
        return self.stain.matched(values, self.own, self.white)

    def _scale(self, values: np.ndarray, low: float, high: float) -> np.ndarray:
        """Map `low`..`high` to 0..1 in float64, then round once to float32."""
        if high > low:
            scaled = (np.clip(values, low, high) - low) / (high - low)
        elif self.strategy == "z_score":
            scaled = np.full(values.shape, 0.5)
        else:
            scaled = (values > high).astype(np.float64)
        missing = np.isnan(values)
        if missing.any():
            scaled = np.where(missing, 0.5 if self.strategy == "z_score" else 0.0, scaled)
        return scaled.astype(np.float32)

    def ranges(self, n_channels: int) -> list[tuple[float, float]]:
        """Return the values that become 0 and 1, for each of `n_channels` channels.

        Raises
        ------
        ImageError
            If needed statistics are missing, or have another number of channels.
        """
        if self.strategy == "fixed_range":
            return [(float(self.low or 0.0), float(self.high or 0.0))] * n_channels
        if self.statistics is None:
            raise ImageError(f"The {self.strategy} normalization has no statistics yet. Call .fitted(images) first.")
        if len(self.statistics.channels) != n_channels:
            raise ImageError(
                f"The statistics are for {len(self.statistics.channels)} channel(s), but the pixels have {n_channels}. "
                "Use an image with the channels of the training images."
            )
        if self.by_channel(n_channels):
            return [self._range(c) for c in self.statistics.channels]
        return [self._range(self.statistics.joint)] * n_channels

    def by_channel(self, n_channels: int) -> bool:
        """Return whether each of `n_channels` channels is normalized by its own statistics."""
        return n_channels > 3 if self.per_channel is None else self.per_channel

    def _range(self, s: ChannelStatistics) -> tuple[float, float]:
        if self.strategy == "percentile_99":
            return s.p1, s.p99
        if self.strategy == "min_max":
            return s.minimum, s.maximum
        return s.mean - Z_LIMIT * s.std, s.mean + Z_LIMIT * s.std

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = asdict(replace(self, statistics=None, stain=None))
        del values["own"]  # belongs to one image, and is measured again
        values["statistics"] = None if self.statistics is None else self.statistics.to_dict()
        values["stain"] = None if self.stain is None else self.stain.to_dict()
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Normalization":
        """Make a normalization from the result of `to_dict`.

        Raises
        ------
        ImageError
            If a value is unknown, missing or out of range.
        """
        known = {"strategy", "per_channel", "low", "high", "statistics", "match_stain", "stain"}
        if not isinstance(values, Mapping) or not set(values) <= known:
            raise ImageError(f"A normalization has the fields {', '.join(sorted(known))}; got {values!r:.200}.")
        fields = dict(values)
        if fields.get("statistics") is not None:
            fields["statistics"] = ImageStatistics.from_dict(fields["statistics"])
        if fields.get("stain") is not None:
            fields["stain"] = Stain.from_dict(fields["stain"])
        return cls(**fields)


def _as_number(value: object, name: str) -> float:
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    raise ImageError(f"fixed_range got {name}={value!r}; it must be a number.")


def _as_pixels(given: Any) -> np.ndarray:
    """Return an array of numbers; an array is returned unchanged."""
    try:
        pixels = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise ImageError(f"The pixels are not an array: {error}. Pass an array of (…, channels).") from error
    if pixels.ndim < 1 or pixels.dtype.kind not in "buif":
        raise ImageError(
            f"The pixels have shape {pixels.shape} and type {pixels.dtype}; they must be numbers of (…, channels)."
        )
    return pixels
