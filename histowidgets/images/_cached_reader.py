"""Read views of an image that overlap each other, as during panning."""

import numpy as np

from histowidgets._byte_cache import ByteCache
from histowidgets.errors import RegionError
from histowidgets.images._image import Image
from histowidgets.images._region import Region, scaled_shape

#: Side of the cached tiles, in pixels of the result: small, so that a view reads little beyond its edges.
TILE = 128

#: Most bytes to cache: about forty views of 8-bit RGB on a small screen.
MOST_BYTES = 48_000_000


class CachedReader:
    """Reads regions of an image, and caches pixels for the next ones.

    A slide often stores no level between full size and a quarter. Most of the time for a view is then spent on
    downsampling, of the same pixels after each step of a pan.

    Parameters
    ----------
    image : Image
    most_bytes : int
        Cache size, beyond which the least recently used pixels are dropped.
    """

    def __init__(self, image: Image, most_bytes: int = MOST_BYTES) -> None:
        self.image = image
        self._cache: ByteCache[tuple[int, ...], np.ndarray] = ByteCache(most_bytes, keep_largest=True)

    def read(self, region: Region, downsample: int = 1) -> np.ndarray:
        """Read a region, as `Image.read` does; the last column and row are means over their whole blocks.

        Parameters
        ----------
        region : Region
            A region inside the image, with `x` and `y` multiples of `downsample`.
        downsample : int, default 1

        Returns
        -------
        ndarray of (ceil(height / downsample), ceil(width / downsample), channels)
            In the image's dtype; a copy.

        Raises
        ------
        RegionError
            If the region does not begin on the grid of downsampled pixels, or extends beyond the image.
        """
        if region.x % downsample or region.y % downsample:
            raise RegionError(f"{region} does not begin at a multiple of the downsample {downsample}.")
        if not self.image.region.contains(region):
            raise RegionError(f"{region} is not inside the image of {self.image.width} x {self.image.height} pixels.")
        rows, cols = scaled_shape(region.width, region.height, downsample)
        left, top = region.x // downsample, region.y // downsample
        out = np.empty((rows, cols, len(self.image.channel_names)), self.image.dtype)
        for row in range(top // TILE, (top + rows - 1) // TILE + 1):
            for column in range(left // TILE, (left + cols - 1) // TILE + 1):
                pixels = self._tile(row, column, downsample)
                y, x = row * TILE - top, column * TILE - left
                inside = pixels[max(0, -y) : rows - y, max(0, -x) : cols - x]
                at_y, at_x = max(0, y), max(0, x)
                out[at_y : at_y + inside.shape[0], at_x : at_x + inside.shape[1]] = inside
        return out

    def _tile(self, row: int, column: int, downsample: int) -> np.ndarray:
        key = (downsample, row, column)
        kept = self._cache.get(key)
        if kept is None:
            side = TILE * downsample
            x, y = column * side, row * side
            kept = self.image.read(
                x, y, min(side, self.image.width - x), min(side, self.image.height - y), downsample=downsample
            )
            self._cache.put(key, kept)
        return kept
