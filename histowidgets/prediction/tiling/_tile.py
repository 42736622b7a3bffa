"""Reading a tile as the tensor that a model sees: the one way of training, preview and prediction (row R50)."""

from dataclasses import dataclass

import numpy as np

from histowidgets.images import Image, Normalization, Region, read_padded


@dataclass(frozen=True)
class Tile:
    """A place in an image, and how its pixels become a tensor.

    Attributes
    ----------
    image : Image
    region : Region
        Full-size pixels; may stick out of the image, which is then filled by reflection.
    normalization : Normalization
        With the statistics of the training images.
    downsample : int, default 1
    channels : tuple of int or None
        Which channels, in which order; None for all.
    within : Region or None
        The only pixels that are read; None for the whole image.
    keep : bool, default False
        Whether what a model computes for this tile is likely to be wanted again.
    """

    image: Image
    region: Region
    normalization: Normalization
    downsample: int = 1
    channels: tuple[int, ...] | None = None
    within: Region | None = None
    keep: bool = False

    def read(self) -> np.ndarray:
        """Read the tensor: float32 (C, rows, cols) in [0, 1]."""
        return read_tile(self.image, self.region, self.normalization, self.downsample, self.channels, self.within)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this tile from the others of its image."""
        return (self.region, self.normalization, self.downsample, self.channels, self.within)


def read_tile(
    image: Image,
    region: Region,
    normalization: Normalization,
    downsample: int = 1,
    channels: tuple[int, ...] | None = None,
    within: Region | None = None,
) -> np.ndarray:
    """Read a region as the tensor that a model sees.

    Parameters
    ----------
    image : Image
    region : Region
        Full-size pixels; may stick out of the image, which is then filled by reflection.
    normalization : Normalization
        With the statistics of the training images.
    downsample : int, default 1
    channels : tuple of int, optional
        Which channels, in which order; all if not given.
    within : Region, optional
        The only pixels that are read; the whole image if not given.

    Returns
    -------
    ndarray of float32, (C, ceil(height / downsample), ceil(width / downsample))
        In [0, 1].

    Raises
    ------
    RegionError
        If the region shares no pixel with the image or with `within`.
    ImageError
        If the normalization has no statistics, or those of another number of channels.
    """
    pixels = read_padded(image, region, downsample, within)
    if channels is not None and channels != tuple(range(pixels.shape[-1])):
        pixels = pixels[..., list(channels)]
    return normalization.tensor_of(image, pixels, channels)
