"""Stain normalization: match the optical densities of an image's tissue to those of the training images.

Source: Reinhard et al., "Color transfer between images", IEEE CG&A 2001: mean and standard deviation of each channel
are matched; here those of the optical densities of red, green and blue, over tissue only.
"""

import math
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from histowidgets.errors import ImageError
from histowidgets.images._image import Image
from histowidgets.images._statistics import sample_pixels

#: Number of pixels on which the stain of an image is measured.
STAIN_PIXELS = 1 << 16

#: An image shows tissue if this share of it has at least this optical density (natural logarithm, mean of three
#: channels; Macenko et al. 2009 also use 0.15).
LEAST_TISSUE, TISSUE_DENSITY = 0.01, 0.15

#: Largest factor by which densities are stretched or compressed to match those of the training images.
MOST_STAIN_STRETCH = 2.0

#: Mean of all channels, as a share of white, below which images are not brightfield.
DARK_MEAN = 0.25

_EIGHT_BITS = 255.0
_LEAST_STD = 1e-3


@dataclass(frozen=True)
class Stain:
    """Optical density of the tissue in brightfield images, in natural logarithms.

    Attributes
    ----------
    means, stds : tuple of float
        Means and standard deviations of the optical densities of red, green and blue.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Stain":
        """Make a stain from the result of `to_dict`.

        Raises
        ------
        ImageError
            If a value is missing or is not a number.
        """
        try:
            means, stds = (tuple(float(v) for v in values[name]) for name in ("means", "stds"))
        except (KeyError, TypeError, ValueError) as error:
            raise ImageError(f"The stain of a normalization is damaged: {error!r}. Train again.") from error
        if len(means) != 3 or len(stds) != 3 or not all(map(math.isfinite, (*means, *stds))):
            raise ImageError(f"The stain of a normalization is damaged: {values!r:.100}. Train again.")
        return cls(means, stds)

    def matched(self, pixels: np.ndarray, own: "Stain", white: float) -> np.ndarray:
        """Match pixels of an image with the stain `own` to this stain.

        Parameters
        ----------
        pixels : ndarray of (..., 3)
            In the image's units.
        own : Stain
        white : float
            Value of glass without tissue.

        Returns
        -------
        ndarray of float64, same shape
            0 to `white`.
        """
        out = np.empty(pixels.shape, np.float64)
        for c in range(3):
            stretch = self.stds[c] / max(own.stds[c], _LEAST_STD)
            stretch = min(max(stretch, 1 / MOST_STAIN_STRETCH), MOST_STAIN_STRETCH)
            density = _density(pixels[..., c], white)
            out[..., c] = white * np.exp(-np.maximum(self.means[c] + stretch * (density - own.means[c]), 0.0))
        return out


def white_of(dtype: np.dtype | str, brightest: float) -> float:
    """Return the value of glass without tissue: 255 in 8 bits, else `brightest` (the 99th percentile)."""
    return _EIGHT_BITS if np.dtype(dtype) == np.uint8 else max(brightest, 1e-12)


def is_brightfield(n_channels: int, mean: float, white: float) -> bool:
    """Return whether an image shows stained tissue on glass: three channels, and not mostly dark."""
    return n_channels == 3 and mean >= DARK_MEAN * white


def measure_stain(images: Sequence[Image], white: float) -> Stain | None:
    """Measure the stain of images, as the mean over those with tissue; None if there is no tissue."""
    found = [own for image in images if (own := stain_of(image, white)) is not None]
    if not found:
        return None
    means, stds = (np.mean([getattr(own, name) for own in found], axis=0) for name in ("means", "stds"))
    return Stain(tuple(means.tolist()), tuple(stds.tolist()))


_known: "weakref.WeakKeyDictionary[Image, dict[float, Stain | None]]" = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def stain_of(image: Image, white: float) -> Stain | None:
    """Measure the stain of an image once; None if it shows hardly any tissue."""
    with _lock:
        known = _known.setdefault(image, {})
        if white in known:
            return known[white]
    own = _measure(sample_pixels(image, STAIN_PIXELS, np.random.default_rng(0)), white)
    with _lock:
        known[white] = own
    return own


def _measure(pixels: np.ndarray, white: float) -> Stain | None:
    """Measure (n, 3) pixels."""
    if pixels.dtype.kind == "f":
        pixels = pixels[~np.isnan(pixels).any(axis=1)]
    if not len(pixels):
        return None
    density = _density(pixels, white)
    mean = density.mean(1)
    dense = float(np.percentile(mean, 100 * (1 - LEAST_TISSUE)))
    if dense < TISSUE_DENSITY:
        return None
    # Weighted by density, so that glass does not count and no threshold has to separate pale from dense stains.
    means = np.average(density, axis=0, weights=mean)
    stds = np.sqrt(np.average((density - means) ** 2, axis=0, weights=mean))
    return Stain(tuple(means.tolist()), tuple(stds.tolist()))


def _density(values: np.ndarray, white: float) -> np.ndarray:
    return -np.log(np.clip(values.astype(np.float64), white / _EIGHT_BITS, white) / white)
