"""A part of a prediction with the pixels that are measured on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from histowidgets.errors import PredictionError
from histowidgets.images import Image, Region, is_brightfield, measure_statistics

#: Names of the optical densities of stained tissue on glass, in the order of `_stain_densities`.
STAINS = ("OD hematoxylin", "OD DAB")

#: Optical densities are kept in steps of this, so that their sums are exact in any order.
DENSITY_STEP = 2.0**-20


@dataclass(frozen=True)
class Block:
    """Labels of a region, and what is averaged over objects.

    Attributes
    ----------
    region : Region
        In full-size pixels of the image.
    labels : ndarray of uint8, (height, width)
    confidence : ndarray of uint8, (height, width), or None
        Probability of the label in steps of 1/255, as on disk, so that memory and disk give the same objects.
    measured : tuple of ndarray of (height, width)
        Channels and optical densities.
    """

    region: Region
    labels: np.ndarray
    confidence: np.ndarray | None = None
    measured: tuple[np.ndarray, ...] = ()

    @property
    def values(self) -> list[np.ndarray]:
        """What is averaged: the confidence first, if there is one."""
        return [*(() if self.confidence is None else (self.confidence,)), *self.measured]

    def crop(self, region: Region) -> "Block":
        """Return a part."""
        y, x = region.y - self.region.y, region.x - self.region.x
        part = np.s_[y : y + region.height, x : x + region.width]
        confidence = None if self.confidence is None else self.confidence[part]
        return Block(region, self.labels[part], confidence, tuple(one[part] for one in self.measured))


#: Reads the block of a region.
ReadBlock = Callable[[Region], Block]


class MeasuredImage:
    """Channels, and for stained tissue on glass also the optical densities of hematoxylin and DAB.

    Parameters
    ----------
    image : Image
    region : Region
        The predicted region.

    Attributes
    ----------
    names : list of str
        What `read` returns, such as "DAPI" and "OD DAB".

    Raises
    ------
    PredictionError
        If the image does not contain the region.
    """

    def __init__(self, image: Image, region: Region) -> None:
        if not image.region.contains(region):
            raise PredictionError(
                f"The image {image.name!r} has {image.width} x {image.height} pixels, but the predicted region is "
                f"{region}. Pass the image that was predicted."
            )
        self._image = image
        self.has_stains = False
        if len(image.channel_names) == 3 and np.dtype(image.dtype) == np.uint8:
            self.has_stains = is_brightfield(3, measure_statistics([image]).joint.mean, 255.0)
        self.names = [*image.channel_names, *(STAINS if self.has_stains else ())]

    def read(self, region: Region) -> tuple[np.ndarray, ...]:
        """Return an array of (height, width) for each name."""
        pixels = self._image.read(*region)
        channels = tuple(pixels[..., c] for c in range(pixels.shape[-1]))
        return channels + (_stain_densities(pixels) if self.has_stains else ())


def _stain_densities(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the optical densities (base 10) of hematoxylin and DAB, by Ruifrok and Johnston (2001)."""
    from skimage.color import rgb2hed  # only here, as it takes a while to load

    found = rgb2hed(pixels)[..., [0, 2]] * 6  # scikit-image divides the densities by those of 1e-6
    steps = np.rint(found / DENSITY_STEP) * DENSITY_STEP
    return steps[..., 0], steps[..., 1]
