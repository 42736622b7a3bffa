"""Read beyond the edges of an image, with reflection."""

import math

import numpy as np

from histowidgets.errors import RegionError
from histowidgets.images._image import Image
from histowidgets.images._region import Region, scaled_shape


def read_padded(image: Image, region: Region, downsample: float = 1, within: Region | None = None) -> np.ndarray:
    """Read a region that may extend beyond the image, or beyond a part of it.

    Parameters
    ----------
    image : Image
    region : Region
        In full-size pixels; `x` and `y` may be negative.
    downsample : float, default 1
        At least 1.
    within : Region, optional
        The only pixels to read; by default the whole image. The area outside is filled by reflection, so that a
        training tile never sees a pixel of the validation area.

    Returns
    -------
    ndarray of (ceil(height / downsample), ceil(width / downsample), channels)
        In the image's dtype. Blocks are counted from the region's corner; blocks that begin outside `within` are filled
        by reflection.

    Raises
    ------
    RegionError
        If the region and `within` share no pixel, or no whole block.
    """
    rows, cols = scaled_shape(region.width, region.height, downsample)
    allowed = image.region if within is None else within.intersect(image.region)
    inside = None if allowed is None else region.intersect(allowed)
    if inside is None:
        raise RegionError(f"{region} shares no pixel with {within or image.region} of image {image.name!r}.")
    left, x = _first_inside(region.x, inside.x, downsample)
    top, y = _first_inside(region.y, inside.y, downsample)
    if x >= inside.right or y >= inside.bottom:
        # Less than one block is inside: fill everything with its average.
        (left, x), (top, y) = (min(left, cols - 1), inside.x), (min(top, rows - 1), inside.y)
    pixels = image.read(x, y, inside.right - x, inside.bottom - y, downsample)
    if pixels.shape[:2] == (rows, cols):
        return pixels
    pixels = pixels[: rows - top, : cols - left]
    below, right = rows - top - pixels.shape[0], cols - left - pixels.shape[1]
    return np.pad(pixels, ((top, below), (left, right), (0, 0)), mode="reflect")


def _first_inside(start: int, inside: int, downsample: float) -> tuple[int, int]:
    """Return the number of blocks that begin before `inside`, and the pixel at which the next one begins."""
    skipped = math.ceil((inside - start) / downsample)
    return skipped, start + math.ceil(skipped * downsample)
