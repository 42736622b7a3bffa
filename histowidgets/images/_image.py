"""The base class of images."""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import ImageError, ImageSizeError, ImageValueError, RegionError
from histowidgets.images._claims import require_possible_size
from histowidgets.images._limits import MAX_CHANNELS
from histowidgets.images._region import Region, level_downsample, scaled_shape
from histowidgets.images._resample import area_mean, area_mean_between

#: Narrowest side of an image, in pixels: a 1 x N "image" is a table or has a wrong axis.
MIN_SIDE = 2

#: The side of a pixel in um, or its (height, width).
PixelSize = float | Sequence[float]

#: Pixels of a stored level to read at once while downsampling; times channels and bytes, the memory needed.
BAND_PIXELS = 1 << 24


class Image(ABC):
    """An immutable image that several threads may read at once, made by `open_image`.

    A subclass passes the (width, height) of its stored levels, the full-size one first, as `level_sizes`, and reads a
    level in `_read_level`.

    Attributes
    ----------
    name : str
        Name of the image in lists and messages.
    width, height : int
        Full size in pixels.
    channel_names : tuple of str
        One per channel.
    channel_colors : tuple of str or None
        "#RRGGBB" of each channel as given by the file; None if it gives none.
    dtype : numpy.dtype
        uint8, uint16, float32 or float64.
    pixel_size_um : float or None
        Side of a full-size pixel in micrometres; None if unknown. For pixels that are not square, the side of a
        square of the same area, so that areas are correct.
    pixel_size_yx_um : (float, float) or None
        Height and width of a full-size pixel in micrometres, for lengths.
    downsamples : tuple of float
        Downsamples of the stored levels, starting with the full-size one (1.0).
    source : str or None
        Absolute path or address of the file; None for an array, which cannot be opened again.
    notes : tuple of str
        Sentences about how the file was read: what was chosen, converted, left out or rejected.
    opened_with : dict
        Which image and plane of the file this is, as arguments (`series`, `plane`, `bounds`) with which `open_image`
        opens it again; empty if the file has a single image.
    slide_origin : (int, int)
        Column and row of the whole slide at which this image begins, in full-size pixels: the offset from image
        coordinates to those of OpenSlide. (0, 0) unless the image is the scanned part of a slide.
    bounds_offset : (int, int)
        Column and row of this image at which the scanned part of the slide begins, in full-size pixels: the origin of
        QuPath's coordinates. (0, 0) unless the image is a whole slide of which a part was scanned.
    no_data : float or None
        The value that stands for missing data in the file, for which `read` returns NaN; None if there is none.
    """

    def __init__(
        self,
        *,
        name: str,
        width: int,
        height: int,
        dtype: np.dtype,
        channel_names: Sequence[str],
        pixel_size_um: "PixelSize | None" = None,
        level_sizes: Sequence[tuple[int, int]] = (),
        source: str | None = None,
        channel_colors: Sequence[str] | None = None,
        notes: Sequence[str] = (),
        opened_with: Mapping[str, Any] | None = None,
        slide_origin: tuple[int, int] = (0, 0),
        bounds_offset: tuple[int, int] = (0, 0),
        no_data: float | None = None,
    ) -> None:
        self._name = _checked_name(name)
        self._width, self._height = int(width), int(height)
        self._dtype = np.dtype(dtype)
        self._channel_names = _checked_channels(name, channel_names)
        self._pixel_size_yx_um = _checked_pixel_size(name, pixel_size_um)
        full = self._width, self._height
        self._level_sizes = tuple(level_sizes) or (full,)
        #: This image at other pixel sizes, by step, so that features computed from one are cached with it.
        self.resampled: dict[tuple[float, float], Image] = {}
        self._source = source
        self._channel_colors = None if channel_colors is None else tuple(channel_colors)
        self._notes = tuple(notes)
        self._opened_with = dict(opened_with or {})
        self._slide_origin = slide_origin
        self._bounds_offset = bounds_offset
        self._no_data = no_data
        if min(self._width, self._height) < MIN_SIDE:
            raise ImageSizeError(
                f"Image {name!r} is {self._width} x {self._height} pixels; each side must have at least "
                f"{MIN_SIDE}. Check that the axes are rows, columns, channels."
            )
        require_possible_size(name, self._width, self._height)
        self._downsamples = tuple(level_downsample(full, size) for size in self._level_sizes)

    #: The image that this one is under another name.
    _named_after: "Image | None" = None

    name = property(operator.attrgetter("_name"), doc="Name of the image.")
    width = property(operator.attrgetter("_width"), doc="Number of columns at full size.")
    height = property(operator.attrgetter("_height"), doc="Number of rows at full size.")
    dtype = property(operator.attrgetter("_dtype"), doc="Type of the pixels.")
    channel_names = property(operator.attrgetter("_channel_names"), doc="Name of each channel.")
    channel_colors = property(operator.attrgetter("_channel_colors"), doc="Colour of each channel, or None.")
    pixel_size_yx_um = property(operator.attrgetter("_pixel_size_yx_um"), doc="(height, width) of a pixel in um.")
    downsamples = property(operator.attrgetter("_downsamples"), doc="Downsamples of the stored levels.")
    source = property(operator.attrgetter("_source"), doc="Absolute path or address of the file, or None.")
    notes = property(operator.attrgetter("_notes"), doc="How the file was read, in sentences.")
    opened_with = property(operator.attrgetter("_opened_with"), doc="Which image and plane of the file this is.")
    slide_origin = property(operator.attrgetter("_slide_origin"), doc="Where the image begins on the slide, (x, y).")
    bounds_offset = property(
        operator.attrgetter("_bounds_offset"), doc="Where the scanned part of a slide begins in the image, (x, y)."
    )
    no_data = property(operator.attrgetter("_no_data"), doc="The value that stands for no data, or None.")

    @property
    def pixel_size_um(self) -> float | None:
        """Pixel side in um, or None; for pixels that are not square, the square root of their area."""
        size = self.pixel_size_yx_um
        if size is None:
            return None
        return float(size[0]) if size[0] == size[1] else math.sqrt(size[0] * size[1])

    @property
    def region(self) -> Region:
        """The whole image as a region."""
        return Region(0, 0, self.width, self.height)

    def named(self, name: str) -> "Image":
        """Return this image under another name; it shares the file and the caches of readers with this one."""
        if name == self.name:
            return self
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._name = _checked_name(name)
        other.resampled = {}  # those of this image carry its name
        other._named_after = self  # a reader may close its file once nothing refers to it
        return other

    def __repr__(self) -> str:
        size = "" if self.pixel_size_yx_um is None else f", {described_pixel_size(self.pixel_size_yx_um)}"
        return (
            f"<{type(self).__name__} {self.name!r}: {self.width} x {self.height}, "
            f"{len(self.channel_names)} x {self.dtype}{size}>"
        )

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1) -> np.ndarray:
        """Read a region.

        Parameters
        ----------
        x, y, width, height : int
            The region in full-size pixels, entirely inside the image.
        downsample : float, default 1
            At least 1. Each returned pixel is the mean of `downsample` x `downsample` pixels (fewer at the right and
            bottom edge), from the coarsest stored level that is fine enough.

        Returns
        -------
        ndarray of (ceil(height / downsample), ceil(width / downsample), channels)
            A copy in the image's dtype; NaN where a float image has no data.

        Raises
        ------
        RegionError
            If the region is empty or extends beyond the image, or the downsample is below 1.
        ImageValueError
            If a float image has infinite values there.
        ImageOpenError
            If the file is truncated.
        """
        region = self._checked_region(x, y, width, height)
        rows, cols = scaled_shape(region.width, region.height, downsample)
        level = self._level_for(downsample)
        if downsample == 1 and level == 0:
            return self._checked_level(0, region.x, region.y, region.width, region.height)
        out = np.empty((rows, cols, len(self.channel_names)), self.dtype)
        # In bands, so that an overview of a large image without stored levels does not need much memory.
        scale = downsample / self._downsamples[level]
        band = max(1, int(BAND_PIXELS / max(1.0, scale * scale * cols)))
        for top in range(0, rows, band):
            out[top : top + band] = self._read_band(region, downsample, level, top, min(rows, top + band), cols)
        return out

    def _read_band(self, region: Region, downsample: float, level: int, top: int, bottom: int, cols: int) -> np.ndarray:
        """Read the output rows `top` to `bottom` of a downsampled region."""
        level_scale = self._downsamples[level]
        y0, y1 = region.y + top * downsample, min(region.bottom, region.y + bottom * downsample)
        ratio = downsample / level_scale
        if all(float(edge).is_integer() for edge in (ratio, region.x / level_scale, y0 / level_scale)):
            return self._read_whole_blocks(region, level, int(ratio), y0, y1, (bottom - top, cols))
        level_width, level_height = self._level_sizes[level]
        ys = np.minimum(region.y + np.arange(top, bottom + 1) * downsample, region.bottom) / level_scale
        xs = np.minimum(region.x + np.arange(cols + 1) * downsample, region.right) / level_scale
        from_y, to_y = min(int(ys[0]), level_height - 1), min(math.ceil(ys[-1]), level_height)
        from_x, to_x = min(int(xs[0]), level_width - 1), min(math.ceil(xs[-1]), level_width)
        size = max(1, to_x - from_x), max(1, to_y - from_y)
        pixels = self._checked_level(level, from_x, from_y, *size)
        return area_mean_between(pixels, ys - from_y, xs - from_x, self.dtype)

    def _read_whole_blocks(
        self, region: Region, level: int, step: int, y0: float, y1: float, shape: tuple[int, int]
    ) -> np.ndarray:
        """Read a region whose output pixels are whole blocks of the level's pixels, which is exact and fast."""
        scale = self._downsamples[level]
        level_width, level_height = self._level_sizes[level]
        from_x, from_y = int(region.x / scale), int(y0 / scale)
        # A level may be a pixel short of the full-size image; its last pixel then stands in for the missing ones.
        from_x, from_y = min(from_x, level_width - 1), min(from_y, level_height - 1)
        to_x = min(max(from_x + 1, math.ceil(region.right / scale)), level_width)
        to_y = min(max(from_y + 1, math.ceil(y1 / scale)), level_height)
        pixels = area_mean(self._checked_level(level, from_x, from_y, to_x - from_x, to_y - from_y), step)
        below, right = shape[0] - pixels.shape[0], shape[1] - pixels.shape[1]
        return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else pixels

    def _level_for(self, downsample: float) -> int:
        """Return the coarsest stored level that is fine enough."""
        fine = [i for i, d in enumerate(self._downsamples) if d <= downsample * 1.01]
        return max(fine, key=lambda i: self._downsamples[i])

    def _checked_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        pixels = self._read_level(level, x, y, width, height)
        if np.issubdtype(self.dtype, np.floating):
            check_finite(pixels, self.name, x, y)
            return with_no_data(pixels, self.no_data)
        return pixels

    @abstractmethod
    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """Read pixels of a stored level, in the level's own coordinates, as a new (rows, cols, channels) array."""

    def _require_names_for(self, n_channels: int) -> None:
        """Raise ImageSizeError if the number of channel names differs from that of the channels."""
        if len(self.channel_names) != n_channels:
            raise ImageSizeError(
                f"Image {self.name!r} has {n_channels} channel(s), but {len(self.channel_names)} channel name(s) "
                "were given. Give one per channel."
            )

    def _checked_region(self, x: int, y: int, width: int, height: int) -> Region:
        try:
            region = Region(*(operator.index(v) for v in (x, y, width, height)))
        except TypeError:
            raise RegionError(
                f"The region ({x}, {y}, {width}, {height}) must be four whole numbers: x, y, width, height."
            ) from None
        if region.width < 1 or region.height < 1 or not self.region.contains(region):
            raise RegionError(
                f"The region x={x}, y={y}, width={width}, height={height} is not inside image {self.name!r} "
                f"of {self.width} x {self.height} pixels. It must have at least one pixel and lie inside the image."
            )
        return region


def check_finite(pixels: np.ndarray, name: str, x: int = 0, y: int = 0) -> None:
    """Raise an error for infinite values, with their number and first position; NaN stands for no data.

    Raises
    ------
    ImageValueError
        If a value of (rows, cols, channels) is infinite. `x` and `y` are the position of the first pixel.
    """
    infinite = np.isinf(pixels)
    if not infinite.any():
        return
    row, col, channel = np.argwhere(infinite)[0]
    raise ImageValueError(
        f"Image {name!r} has {int(infinite.sum())} infinite value(s), the first at x={x + col}, y={y + row}, channel "
        f"{channel + 1}. Replace them, e.g. with numpy.nan_to_num, or with NaN for missing data, and open it again."
    )


def is_no_data(pixels: np.ndarray, no_data: float) -> np.ndarray:
    """Return which pixels have the value that stands for no data, as far as their dtype can represent it."""
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.asarray(pixels == pixels.dtype.type(no_data))
    return np.asarray(pixels.astype(np.float64) == no_data)


def with_no_data(pixels: np.ndarray, no_data: float | None) -> np.ndarray:
    """Return float pixels with NaN in place of the value that stands for no data, if any."""
    if no_data is None:
        return pixels
    missing = is_no_data(pixels, no_data)
    return np.where(missing, pixels.dtype.type(np.nan), pixels) if missing.any() else pixels


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ImageError(f"The image name is {name!r}; it must be text that is not blank.")
    return name


def _checked_channels(name: str, channel_names: Sequence[str]) -> tuple[str, ...]:
    names = tuple(str(c) for c in channel_names)
    if not 1 <= len(names) <= MAX_CHANNELS:
        raise ImageSizeError(
            f"Image {name!r} has {len(names)} channels; 1 to {MAX_CHANNELS} are possible. Keep those you need."
        )
    return names


def _checked_pixel_size(name: str, pixel_size_um: "PixelSize | None") -> tuple[float, float] | None:
    if pixel_size_um is None:
        return None
    pair = tuple(pixel_size_um) if isinstance(pixel_size_um, Sequence) else (pixel_size_um, pixel_size_um)
    if len(pair) != 2 or not all(
        isinstance(one, Real) and not isinstance(one, bool) and math.isfinite(one) and one > 0 for one in pair
    ):
        raise ImageError(
            f"The pixel size of image {name!r} is {pixel_size_um!r}; it must be a number of um above 0, the height and "
            "the width of a pixel in um, or None."
        )
    return float(pair[0]), float(pair[1])


def described_pixel_size(yx_um: tuple[float, float]) -> str:
    """Describe a pixel size as "0.5 um/px", or "0.25 x 0.5 um/px" (width x height) if not square."""
    height, width = (f"{side:.4g}" for side in yx_um)
    return f"{width} um/px" if height == width else f"{width} x {height} um/px"


def default_channel_names(
    count: int, dtype: np.dtype | str | None = None, *, is_rgb: bool | None = None
) -> tuple[str, ...]:
    """Return default channel names: Gray; Red, Green, Blue for 8 bits; else Channel 1, Channel 2, ….

    `is_rgb` says whether three channels are colours, if known.
    """
    if count == 1:
        return ("Gray",)
    if count == 3 and dtype is not None and np.dtype(dtype) == np.uint8 and is_rgb is not False:
        return ("Red", "Green", "Blue")
    return tuple(f"Channel {i + 1}" for i in range(count))


def named_after(path: str | Path) -> str:
    """Return the name of an image from its file: "slide.ome.tif" becomes "slide"."""
    name = Path(path).name
    for ending in (".ome.tiff", ".ome.tif", ".ome.zarr"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return Path(path).stem
