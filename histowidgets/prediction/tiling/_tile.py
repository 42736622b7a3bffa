"""Read a tile as the input tensor of a model."""

from dataclasses import dataclass

import numpy as np

from histowidgets.images import Image, Normalization, Region, read_padded


@dataclass(frozen=True)
class Tile:
    """A region of an image, and how its pixels become the input of a model.

    Attributes
    ----------
    image : Image
    region : Region
        In full-size pixels; parts outside the image are filled by reflection.
    normalization : Normalization
        With the statistics of the training images.
    downsample : int, default 1
    channels : tuple of int or None
        The channels to use, in order; None for all.
    within : Region or None
        The only pixels that may be read; None for the whole image.
    keep : bool, default False
        Whether a model should cache what it computes for this tile.
    """

    image: Image
    region: Region
    normalization: Normalization
    downsample: int = 1
    channels: tuple[int, ...] | None = None
    within: Region | None = None
    keep: bool = False

    def read(self) -> np.ndarray:
        """Read the input tensor of the model.

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
        """Key that distinguishes this tile from others of its image."""
        return (self.region, self.normalization, self.downsample, self.channels, self.within)
