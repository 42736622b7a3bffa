"""Sample images from scikit-image, which need no network."""

from histowidgets.images._image import Image
from histowidgets.images.readers import ArrayImage

__all__ = ["cell", "colon_ihc", "retina"]


def colon_ihc() -> Image:
    """Return colon tissue, H-DAB, 512 x 512 RGB; brown: FHL2. No known copyright restrictions."""
    from skimage import data  # only here, as it takes a while to load

    return ArrayImage(data.immunohistochemistry(), "colon_ihc")


def retina() -> Image:
    """Return a fundus photograph of a retina, 1411 x 1411 RGB. CC0."""
    from skimage import data  # only here, as it takes a while to load

    return ArrayImage(data.retina(), "retina")


def cell() -> Image:
    """Return a cell floating in saline, quantitative phase image, 550 x 660, one channel. CC0."""
    from skimage import data  # only here, as it takes a while to load

    return ArrayImage(data.cell(), "cell")
