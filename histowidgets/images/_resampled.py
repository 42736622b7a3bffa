"""Images resampled to another pixel size."""

import math

import numpy as np

from histowidgets.errors import ImageSizeError
from histowidgets.images._image import BAND_PIXELS, MIN_SIDE, Image
from histowidgets.images._interpolation import taps_between
from histowidgets.images._region import Region, scaled_shape

#: Pixel sizes that differ by less than this factor count as equal.
SAME_PIXEL_SIZE = 1.1

#: Largest factor between two pixel sizes; beyond it, one of them is wrong or nothing can be recognized.
MOST_RESAMPLING = 16.0

#: Factors this close to a whole number are rounded to it, which makes resampling exact and fast.
_NEARLY_WHOLE = 0.01


class ResampledImage(Image):
    """An image resampled to another pixel size; pixels are computed when they are read.

    Parameters
    ----------
    image : Image
    step_yx : (float, float)
        Height and width of the new pixels, in pixels of `image`.
    pixel_size_um : float
        Side of the new pixels in um.

    Attributes
    ----------
    image : Image
    step_yx : (float, float)
    """

    def __init__(self, image: Image, step_yx: tuple[float, float], pixel_size_um: float) -> None:
        height, width = (
            max(MIN_SIDE, math.ceil(side / step - 1e-9))
            for side, step in zip((image.height, image.width), step_yx, strict=True)
        )
        super().__init__(
            name=image.name,
            width=width,
            height=height,
            dtype=np.dtype(np.uint8),  # a placeholder: `dtype` returns that of the image
            channel_names=image.channel_names,
            pixel_size_um=pixel_size_um,
            source=image.source,
        )
        self.image, self.step_yx = image, step_yx

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        return self.image.dtype

    @property
    def channel_colors(self) -> tuple[str, ...] | None:
        """Colour of each channel, or None."""
        return self.image.channel_colors

    def around(self, region: Region) -> Region:
        """Return the smallest region of this image that covers a region of the original."""
        (sy, sx), (x, y, right, bottom) = self.step_yx, (region.x, region.y, region.right, region.bottom)
        found = Region.from_edges(math.floor(x / sx), math.floor(y / sy), math.ceil(right / sx), math.ceil(bottom / sy))
        return found.intersect(self.region) or Region(0, 0, 1, 1)

    def inside(self, region: Region) -> Region | None:
        """Return the largest region of this image that only needs pixels in a region of the original, or None."""
        whole = self.image.region

        def along(start: int, stop: int, step: float, end: int, size: int) -> tuple[int, int]:
            # Smaller pixels are each interpolated between two.
            reach = 0.5 if step < 1 else 0.0
            first = 0 if start <= 0 else math.ceil((start + reach) / step)
            return first, size if stop >= end else math.floor((stop - reach) / step)

        left, right = along(region.x, region.right, self.step_yx[1], whole.right, self.width)
        top, bottom = along(region.y, region.bottom, self.step_yx[0], whole.bottom, self.height)
        return Region.from_edges(left, top, right, bottom) if right > left and bottom > top else None

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1) -> np.ndarray:
        """Read a region, in pixels of this size, as `Image.read` does."""
        region = self._checked_region(x, y, width, height)
        rows, columns = scaled_shape(region.width, region.height, downsample)
        step_y, step_x = self.step_yx
        if step_y == step_x and float(step_x).is_integer():
            n, whole = int(step_x), self.image.region
            wanted = Region(region.x * n, region.y * n, region.width * n, region.height * n).intersect(whole)
            if wanted is not None and scaled_shape(wanted.width, wanted.height, n * downsample) == (rows, columns):
                return self.image.read(*wanted, n * downsample)
        out = np.empty((rows, columns, len(self.channel_names)), self.dtype)
        row_edges = np.minimum(region.y + np.arange(rows + 1) * downsample, region.bottom) * step_y
        column_edges = np.minimum(region.x + np.arange(columns + 1) * downsample, region.right) * step_x
        steps = step_y * downsample, step_x * downsample
        band = max(1, int(BAND_PIXELS / max(1.0, steps[0] * steps[1] * columns)))
        for top in range(0, rows, band):
            bottom = min(rows, top + band)
            out[top:bottom] = self._between(row_edges[top : bottom + 1], column_edges, steps)
        return out

    def _between(self, row_edges: np.ndarray, column_edges: np.ndarray, steps: tuple[float, float]) -> np.ndarray:
        """Read the pixels between edges, given in pixels of `image`."""
        image = self.image
        # From a stored level or means of a few pixels; the remaining step is exact to a small share of a pixel.
        finest = max(1.0, min(steps))
        level = max(float(finest // 4), *(d for d in image.downsamples if d <= finest))
        level = max(1.0, level)
        grid = math.ceil(level)

        def span(edges: np.ndarray, step: float, end: int) -> tuple[int, int]:
            reach = 0 if step >= 1 else 1
            first = min(max(0, math.floor(edges[0]) - reach), end - 1) // grid * grid
            return first, min(end, max(first + 1, math.ceil(edges[-1]) + reach))

        top, bottom = span(row_edges, steps[0], image.height)
        left, right = span(column_edges, steps[1], image.width)
        pixels = image.read(left, top, right - left, bottom - top, level)
        rows, columns = pixels.shape[:2]
        values = pixels.astype(np.float64 if pixels.dtype == np.float64 else np.float32)
        taps = (
            taps_between((row_edges - top) / level, steps[0] / level, rows),
            taps_between((column_edges - left) / level, steps[1] / level, columns),
        )
        missing = np.isnan(values)
        if missing.any():  # ignore missing data
            share = taps[1].apply(taps[0].apply((~missing).astype(values.dtype), 0), 1)
            values = taps[1].apply(taps[0].apply(np.where(missing, 0, values), 0), 1)
            is_there = share > 1e-6
            values = np.where(is_there, values / np.where(is_there, share, 1), np.nan)
        else:
            values = taps[1].apply(taps[0].apply(values, 0), 1)
        if np.issubdtype(self.dtype, np.integer):
            return np.rint(values).astype(self.dtype)
        return values.astype(self.dtype)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self.read(x, y, width, height)


def is_same_pixel_size(image: Image, pixel_size_um: float) -> bool:
    """Return whether height and width of an image's pixels are within 10 % of a size; False if unknown."""
    own = image.pixel_size_yx_um
    return own is not None and all(1 / SAME_PIXEL_SIZE <= pixel_size_um / side <= SAME_PIXEL_SIZE for side in own)


def at_pixel_size(image: Image, pixel_size_um: float | None) -> Image:
    """Return an image resampled to a pixel size, or unchanged if it has that size or a size is unknown.

    Parameters
    ----------
    image : Image
    pixel_size_um : float or None

    Returns
    -------
    Image
        `image` if its pixel size is within 10 %, else a `ResampledImage`, the same object each time.

    Raises
    ------
    ImageSizeError
        If the sizes are more than 16 times apart.
    """
    own = image.pixel_size_yx_um
    if own is None or pixel_size_um is None or is_same_pixel_size(image, pixel_size_um):
        return image
    steps = [pixel_size_um / side for side in own]
    furthest = max(max(step, 1 / step) for step in steps)
    if furthest > MOST_RESAMPLING:
        raise ImageSizeError(
            f"Image {image.name!r} has {image.pixel_size_um:.4g} um per pixel, but {pixel_size_um:.4g} um are needed: "
            f"{furthest:.0f} times apart, more than {MOST_RESAMPLING:.0f}. One of them may be wrong. Give the correct "
            "one, as in open_image(…, pixel_size_um=0.5)."
        )
    whole = [round(step) if step > 1 and abs(step / round(step) - 1) < _NEARLY_WHOLE else step for step in steps]
    step_yx = float(whole[0]), float(whole[1])
    kept = image.resampled.get(step_yx)
    if kept is None:
        kept = image.resampled.setdefault(step_yx, ResampledImage(image, step_yx, pixel_size_um))
    return kept
