"""Reading a tile as the tensor that a model sees."""

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
        Full-size pixels; what lies outside the image is filled by reflection.
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
        """Read the tensor that a model sees.

        Returns
        -------
        ndarray of float32, (C, ceil(height / downsample), ceil(width / downsample))
            In [0, 1].

        Raises
        ------
        RegionError
            If the region shares no pixel with the image or with `within`.
        ImageError
            If the normalization has no statistics, or was fitted to another number of channels.
        """
        pixels = read_padded(self.image, self.region, self.downsample, self.within)
        if self.channels is not None and self.channels != tuple(range(pixels.shape[-1])):
            pixels = pixels[..., list(self.channels)]
        return self.normalization.tensor_of(self.image, pixels, self.channels)

    @property
    def key(self) -> tuple[object, ...]:
        """What distinguishes this tile from the others of its image."""
        return (self.region, self.normalization, self.downsample, self.channels, self.within)
