"""Distinguish H&E, other brightfield stains and fluorescence by their pixels, and detect varying stain."""

import math
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from histowidgets.annotations import Project, ProjectSnapshot, snapshot_of
from histowidgets.images import Image

#: Longer side of the overview that is analysed, in pixels.
OVERVIEW_SIDE = 512
#: An image is fluorescence if its median brightness is below this share of the range from dark to bright.
DARK_SHARE = 0.25
#: The same for images other than 8-bit colour scans: cells may fill a camera's view, but it is rarely bright all over.
DARK_SHARE_CAMERA = 0.6
#: A pixel is stained if the sum of its optical densities (log 10; red, green, blue) exceeds this.
STAINED_DENSITY = 0.30
#: Smallest share of stained pixels from which the stain can be judged.
STAINED_SHARE = 0.01
#: Eosin absorbs green, by this much more than red or blue; haematoxylin absorbs about as much red.
EOSIN_RATIO = 1.25
#: In H&E, at least this share of the stained pixels is eosin ...
EOSIN_SHARE = 0.25
#: ... and at most this share is brown, from DAB, which absorbs blue most, then green, then red.
DAB_RATIO = 1.1
DAB_SHARE = 0.10
#: The stain differs between two images if the logarithm of the ratio of their densities is at least this (a factor of
#: 1.4); densities below `LEAST_DENSITY` count as `LEAST_DENSITY`. At most `MOST_STAINS` images are compared.
STAIN_APART = 0.35
LEAST_DENSITY = 0.02
MOST_STAINS = 20

ImageType = Literal["he", "brightfield", "fluorescence"]
IMAGE_TYPES: tuple[ImageType, ...] = ("he", "brightfield", "fluorescence")


class ImageTypeGuess(NamedTuple):
    """The type of image that the pixels suggest. The user can override it.

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
    """Guess the type of an image from its pixels.

    An image with a dark background, or with two or more than three channels, is fluorescence. In bright images with
    three channels, the optical densities reveal the stain: eosin absorbs green, DAB blue (Ruifrok and Johnston 2001). A
    bright grey image is brightfield.

    Parameters
    ----------
    image : Image
        It is read with at most 512 pixels on each side.
    """
    pixels = overview(image)
    evidence = {"channels": float(pixels.shape[-1]), "median_brightness": _brightness(pixels)}
    channels = pixels.shape[-1]
    if channels not in (1, 3):
        reason = f"It has {channels} channels: neither grey nor the three colours of a brightfield scan."
        return ImageTypeGuess("fluorescence", reason, evidence)
    scan = pixels.dtype == np.uint8 and channels == 3
    if evidence["median_brightness"] < (DARK_SHARE if scan else DARK_SHARE_CAMERA):
        return ImageTypeGuess("fluorescence", "Most of the image is dark, as in fluorescence.", evidence)
    if channels != 3:
        return ImageTypeGuess("brightfield", "The background is bright, and there are no colours.", evidence)
    density = _densities(pixels)
    stained = density[density.sum(axis=1) > STAINED_DENSITY]
    evidence["stained_share"] = len(stained) / len(density)
    if evidence["stained_share"] < STAINED_SHARE:
        return ImageTypeGuess("brightfield", "The background is bright, and hardly anything is stained.", evidence)
    red, green, blue = stained.T
    evidence["eosin_share"] = float(np.mean((green > EOSIN_RATIO * red) & (green > EOSIN_RATIO * blue)))
    evidence["brown_share"] = float(np.mean((blue > DAB_RATIO * green) & (green > red)))
    if evidence["eosin_share"] >= EOSIN_SHARE and evidence["brown_share"] <= DAB_SHARE:
        reason = f"{evidence['eosin_share']:.0%} of the tissue is pink, as with eosin, and hardly any is brown."
        return ImageTypeGuess("he", reason, evidence)
    if evidence["brown_share"] > DAB_SHARE:
        reason = f"{evidence['brown_share']:.0%} of the tissue is brown, as with DAB."
    else:
        reason = (
            f"The background is bright, and only {evidence['eosin_share']:.0%} of the tissue is pink, as with eosin."
        )
    return ImageTypeGuess("brightfield", reason, evidence)


def stain_varies(project: Project | ProjectSnapshot) -> bool:
    """Return whether the stain differs between the images of a project.

    The 90th percentiles of the optical densities (red, green, blue) of the stained pixels are compared; unlike means,
    they depend little on which tissue an image shows. The distance of two images is the root mean square, over the
    colours, of the logarithm of the ratio: halves of one image are up to 0.3 apart, images of one stain mostly less.
    Images without three channels, or with hardly any stain, are left out.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Its first `MOST_STAINS` images are compared, read with at most 512 pixels on each side.
    """
    levels = []
    for image in list(snapshot_of(project).images.values())[:MOST_STAINS]:
        stained = _stained_densities(overview(image)) if len(image.channel_names) == 3 else np.empty((0, 3))
        if len(stained):
            levels.append(np.log(np.maximum(np.percentile(stained, 90, axis=0), LEAST_DENSITY)))
    return any(float(np.sqrt(np.mean((a - b) ** 2))) > STAIN_APART for a, b in combinations(levels, 2))


def _stained_densities(pixels: np.ndarray) -> np.ndarray:
    """Return the optical densities of the stained pixels of three channels, (n, 3); empty if there are too few."""
    density = _densities(pixels)
    stained = density[density.sum(axis=1) > STAINED_DENSITY]
    return stained if len(stained) >= STAINED_SHARE * len(density) else np.empty((0, 3))


def overview(image: Image) -> np.ndarray:
    """Read the whole image with at most 512 pixels on each side, as (rows, columns, channels)."""
    downsample = max(1, math.ceil(max(image.width, image.height) / OVERVIEW_SIDE))
    return image.read(0, 0, image.width, image.height, downsample)


def _brightness(pixels: np.ndarray) -> float:
    """Return the median brightness, from 0 (dark) to 1 (bright); a constant image is bright unless it is 0."""
    grey = pixels.astype(np.float64).mean(axis=-1)
    grey = grey[~np.isnan(grey)]  # NaN: no data
    if pixels.dtype == np.uint8 and pixels.shape[-1] == 3:
        return float(np.median(grey)) / 255
    low, high = np.percentile(grey, [1, 99])
    if high <= low:
        return float(high > 0)
    return float(np.median(grey) - low) / float(high - low)


def _densities(pixels: np.ndarray) -> np.ndarray:
    """Return the optical density (log 10) of each pixel, (n, 3)."""
    flat = pixels.reshape(-1, 3).astype(np.float64)
    flat = flat[~np.isnan(flat).any(axis=1)]  # NaN: no data
    white = 255.0 if pixels.dtype == np.uint8 else max(float(flat.max()), 1e-12)
    return -np.log10((np.clip(flat / white, 0, 1) + 1 / 256) / (1 + 1 / 256))
