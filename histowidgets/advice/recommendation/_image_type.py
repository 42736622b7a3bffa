"""Telling H&E, other brightfield stains and fluorescence apart, from the pixels."""

import math
from typing import Literal, NamedTuple

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.images import Image

ImageType = Literal["he", "brightfield", "fluorescence"]
IMAGE_TYPES: tuple[ImageType, ...] = ("he", "brightfield", "fluorescence")


class ImageTypeGuess(NamedTuple):
    """What kind of image it seems to be. The person can overrule it.

    Attributes
    ----------
    type : {"he", "brightfield", "fluorescence"}
    reason : str
        One sentence.
    evidence : dict of str to float
    """

    type: ImageType
    reason: str
    evidence: dict[str, float]


def guess_image_type(image: Image) -> ImageTypeGuess:
    """Tell the type of an image from its pixels.

    A dark background, or two or more than three channels, is fluorescence. Of bright images with three channels,
    the optical densities tell the stain: eosin takes away green, DAB blue (Ruifrok and Johnston 2001). A bright grey
    image is brightfield.

    Parameters
    ----------
    image : Image
        Looked at with at most 512 pixels a side.
    """
    pixels = overview(image)
    evidence = {"channels": float(pixels.shape[-1]), "median_brightness": _brightness(pixels)}
    channels = pixels.shape[-1]
    if channels not in (1, 3):
        reason = f"It has {channels} channels: neither grey nor the three colours of a brightfield scan."
        return ImageTypeGuess("fluorescence", reason, evidence)
    scan = pixels.dtype == np.uint8 and channels == 3
    if evidence["median_brightness"] < (t.DARK_SHARE if scan else t.DARK_SHARE_CAMERA):
        return ImageTypeGuess("fluorescence", "Most of the image is dark, as in fluorescence.", evidence)
    if channels != 3:
        return ImageTypeGuess("brightfield", "The background is bright, and there are no colours.", evidence)
    density = _densities(pixels)
    stained = density[density.sum(axis=1) > t.STAINED_DENSITY]
    evidence["stained_share"] = len(stained) / len(density)
    if evidence["stained_share"] < t.STAINED_SHARE:
        return ImageTypeGuess("brightfield", "The background is bright, and hardly anything is stained.", evidence)
    red, green, blue = stained.T
    evidence["eosin_share"] = float(np.mean((green > t.EOSIN_RATIO * red) & (green > t.EOSIN_RATIO * blue)))
    evidence["brown_share"] = float(np.mean((blue > t.DAB_RATIO * green) & (green > red)))
    if evidence["eosin_share"] >= t.EOSIN_SHARE and evidence["brown_share"] <= t.DAB_SHARE:
        reason = f"{evidence['eosin_share']:.0%} of the tissue is pink as with eosin, and hardly any of it brown."
        return ImageTypeGuess("he", reason, evidence)
    if evidence["brown_share"] > t.DAB_SHARE:
        reason = f"{evidence['brown_share']:.0%} of the tissue is brown, as with DAB."
    else:
        reason = (
            f"The background is bright, and only {evidence['eosin_share']:.0%} of the tissue is pink as with eosin."
        )
    return ImageTypeGuess("brightfield", reason, evidence)


def stained_densities(pixels: np.ndarray) -> np.ndarray:
    """Return the optical densities of the stained pixels of three channels, (n, 3); none where hardly any is."""
    density = _densities(pixels)
    stained = density[density.sum(axis=1) > t.STAINED_DENSITY]
    return stained if len(stained) >= t.STAINED_SHARE * len(density) else np.empty((0, 3))


def overview(image: Image) -> np.ndarray:
    """Read the whole image with at most 512 pixels a side, as (rows, columns, channels)."""
    downsample = max(1, math.ceil(max(image.width, image.height) / t.OVERVIEW_SIDE))
    return image.read(0, 0, image.width, image.height, downsample)


def _brightness(pixels: np.ndarray) -> float:
    """Where the median lies between dark and bright, 0 to 1; a constant image is bright unless it is 0."""
    grey = pixels.astype(np.float64).mean(axis=-1)
    if pixels.dtype == np.uint8 and pixels.shape[-1] == 3:
        return float(np.median(grey)) / 255
    low, high = np.percentile(grey, [1, 99])
    if high <= low:
        return float(high > 0)
    return float(np.median(grey) - low) / float(high - low)


def _densities(pixels: np.ndarray) -> np.ndarray:
    """Optical density (log 10) of each pixel, (n, 3)."""
    flat = pixels.reshape(-1, 3).astype(np.float64)
    white = 255.0 if pixels.dtype == np.uint8 else max(float(flat.max()), 1e-12)
    return -np.log10((np.clip(flat / white, 0, 1) + 1 / 256) / (1 + 1 / 256))
