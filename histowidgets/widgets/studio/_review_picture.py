"""A small picture of a tile, with badly predicted labels in red."""

import numpy as np

from histowidgets.advice import ReviewTile
from histowidgets.images import Image, display_rgb
from histowidgets.widgets.common import picture_url

SIDE = 96
_RED = np.array([230.0, 0.0, 38.0])
_STRONGEST = 0.75


def tile_picture(image: Image, tile: ReviewTile) -> str:
    """Return a tile as the URL of a JPEG of `SIDE` pixels; the redder a pixel, the less likely its label."""
    region = tile.region
    downsample = max(1.0, max(region.width, region.height) / SIDE)
    pixels = display_rgb(image.read(region.x, region.y, region.width, region.height, downsample=downsample))
    rows, columns = pixels.shape[:2]
    heat = tile.heat[np.ix_(*(np.arange(n) * m // n for n, m in zip((rows, columns), tile.heat.shape, strict=True)))]
    alpha = _STRONGEST * np.nan_to_num(heat)[..., None]
    mixed = pixels.astype(np.float64) * (1 - alpha) + _RED * alpha
    return picture_url(mixed.round().astype(np.uint8), quality=80)
