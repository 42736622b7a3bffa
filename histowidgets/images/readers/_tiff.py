"""TIFF, OME-TIFF, ImageJ's TIFF and Aperio's .svs through tifffile, read in parts."""

import math
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from histowidgets.errors import ImageOpenError, ImageSizeError
from histowidgets.images._claims import require_possible_part
from histowidgets.images._image import Image, default_channel_names, named_after
from histowidgets.images._limits import MAX_CHANNELS
from histowidgets.images.readers._array import ArrayImage
from histowidgets.images.readers._layout import as_kept, channels_last, kept_dtype, over_white
from histowidgets.images.readers._tiff_metadata import channel_names_of, pixel_size_of, require_possible_planes
from histowidgets.images.readers._tiff_segments import DECODE_ERRORS, SegmentReader, require_possible_page

#: Decoded bytes below which a TIFF is read whole when it is opened.
EAGER_BYTES = 32 << 20

_PHOTOMETRIC = tifffile.PHOTOMETRIC
#: Axes that mean a stack or a movie: one plane of it has to be chosen first.
_STACKED = {"Z": "planes", "T": "time points", "R": "tiles of a mosaic", "M": "tiles of a mosaic"}


class TiffImage(Image):
    """A TIFF of which only the tiles or strips that are asked for are read."""

    def __init__(
        self,
        path: Path,
        tiff: tifffile.TiffFile,
        series: Any,
        name: str,
        channel_names: Sequence[str] | None,
        pixel_size_um: float | None,
    ) -> None:
        self._levels = [_Level(level) for level in series.levels]
        full = self._levels[0]
        self._finish = _Finish(tiff, series)
        n_channels = self._finish.channels_of(full.n_channels)
        names = channel_names or channel_names_of(tiff, series, n_channels)
        dtype = self._finish.dtype_of(kept_dtype(series.dtype, name))
        super().__init__(
            name=name,
            width=full.width,
            height=full.height,
            dtype=dtype,
            channel_names=names or default_channel_names(n_channels, dtype),
            pixel_size_um=pixel_size_of(tiff, series) if pixel_size_um is None else pixel_size_um,
            level_sizes=[level.size for level in self._levels],
            source=str(path),
        )
        self._require_names_for(n_channels)
        self._reader = SegmentReader(path.open("rb"), path.name)
        weakref.finalize(self, self._reader.close)
        for level in self._levels:
            for page in level.pages:
                self._reader.require_whole(page)
                require_possible_page(page)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        parts = [self._reader.read(page, x, y, width, height) for page in self._levels[level].pages]
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        return as_kept(self._finish(pixels), self.name)


class _Level:
    """The pages of one stored level."""

    def __init__(self, series: Any) -> None:
        keyframe = series.keyframe
        self.width, self.height = self.size = int(keyframe.imagewidth), int(keyframe.imagelength)
        _ = keyframe.decode  # made on first use, from the file, which will be closed by then
        self.pages = list(series.pages)
        if any(page is None for page in self.pages):
            raise ImageOpenError("a page of the series is missing")
        if any((page.keyframe.imagewidth, page.keyframe.imagelength) != self.size for page in self.pages):
            raise ImageOpenError("the pages of the series are of different sizes")
        for page in self.pages:
            _ = page.is_memmappable  # kept by the page, which would say no once the file is closed
        self.n_channels = len(self.pages) * int(keyframe.samplesperpixel)


class _Finish:
    """Turns stored samples into the pixels of the image: palettes, inversion, transparency."""

    def __init__(self, tiff: tifffile.TiffFile, series: Any) -> None:
        key = series.keyframe
        self._inverted = key.photometric == _PHOTOMETRIC.MINISWHITE and key.dtype in (np.uint8, np.uint16)
        # ImageJ's palettes are only for display: its pixels are what was measured.
        palette = key.photometric == _PHOTOMETRIC.PALETTE and not tiff.is_imagej and key.colormap is not None
        self._colormap = (key.colormap >> 8).astype(np.uint8).T if palette else None
        alpha = [int(sample) for sample in key.extrasamples or ()]
        colours = 3 if key.photometric in (_PHOTOMETRIC.RGB, _PHOTOMETRIC.YCBCR) else 1
        # 1 and 2 say that the sample is transparency; 1, that the colours have been multiplied by it.
        self._alpha = bool(alpha) and alpha[0] in (1, 2) and key.samplesperpixel == colours + 1
        self._multiplied = self._alpha and alpha[0] == 1

    def channels_of(self, stored: int) -> int:
        """Return the number of channels of the image."""
        if self._colormap is not None:
            return 3
        return stored - 1 if self._alpha else stored

    def dtype_of(self, stored: np.dtype) -> np.dtype:
        """Return the dtype of the image."""
        return np.dtype(np.uint8) if self._colormap is not None else stored

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        if self._colormap is not None:
            return self._colormap[pixels[..., 0]]
        if self._inverted:
            return np.iinfo(pixels.dtype).max - pixels
        return over_white(pixels, self._multiplied) if self._alpha else pixels


def open_tiff(
    path: Path,
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> Image:
    """Open a TIFF; a small one without stored levels is read at once.

    Raises
    ------
    ImageOpenError
        If it is damaged, cut short, or of a colour space or compression that cannot be read.
    ImageSizeError
        If it is a stack, or has too many channels.
    """
    name = name or named_after(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            series = _main_series(path, tiff)
            unlabelled = _unlabelled_array(path, tiff, series, name, channel_names, pixel_size_um)
            if unlabelled is not None:
                return unlabelled
            _require_readable(path, series)
            image = TiffImage(path, tiff, series, name, channel_names, pixel_size_um)
    except DECODE_ERRORS as error:
        if isinstance(error, ImageOpenError | ImageSizeError) or type(error).__module__ == "histowidgets.errors":
            raise
        raise ImageOpenError(
            f"{path} cannot be read: {error}. It may be cut short or damaged; copy it again."
        ) from error
    n_bytes = image.width * image.height * len(image.channel_names) * image.dtype.itemsize
    if len(image.downsamples) > 1 or n_bytes > EAGER_BYTES:
        return image
    pixels = image.read(0, 0, image.width, image.height)
    return ArrayImage(pixels, name, image.channel_names, image.pixel_size_um, image.source)


def _main_series(path: Path, tiff: tifffile.TiffFile) -> Any:
    """Return the largest image in the file; labels and overviews of slides are smaller."""
    require_possible_planes(tiff)
    len(tiff.pages)  # finds pages that name each other in a circle, which going through them would follow for ever
    if not tiff.pages or not tiff.series:
        raise ImageOpenError(f"{path} holds no image. It may be cut short; copy it again.")
    return max(tiff.series, key=lambda s: int(s.keyframe.imagewidth) * int(s.keyframe.imagelength))


def _require_readable(path: Path, series: Any) -> None:
    key = series.keyframe
    for axis, size in zip(series.axes, series.shape, strict=True):
        if axis in _STACKED and size > 1:
            raise ImageSizeError(
                f"{path.name} is a stack of {size} {_STACKED[axis]} (axes {series.axes}, shape {series.shape}). Save "
                "the one that you want as a separate image, or project the stack first."
            )
    if key.imagedepth > 1:
        raise ImageSizeError(f"{path.name} is a volume of {key.imagedepth} planes. Save one of them first.")
    if key.photometric in (_PHOTOMETRIC.SEPARATED, _PHOTOMETRIC.CIELAB, _PHOTOMETRIC.ICCLAB, _PHOTOMETRIC.CFA):
        raise ImageOpenError(f"{path.name} has {key.photometric.name} colours, not RGB. Convert it to RGB first.")


def _unlabelled_array(
    path: Path,
    tiff: tifffile.TiffFile,
    series: Any,
    name: str,
    channel_names: Sequence[str] | None,
    pixel_size_um: float | None,
) -> ArrayImage | None:
    """Open an array that tifffile saved with channels last, a row a page, without naming the axes."""
    shape = [size for size in series.shape if size > 1]
    no_name = len(shape) == 3 and not set(series.axes) & {"C", "S", *_STACKED}
    if not (no_name and shape[0] > MAX_CHANNELS >= shape[-1]):
        return None
    size = series.dtype.itemsize * math.prod(shape)
    if path.stat().st_size < size and series.keyframe.compression == 1:
        raise ImageOpenError(f"{path.name} is cut short: {size:,} bytes of pixels were wanted. Copy it again.")
    require_possible_part(name, shape[1], shape[0], size)
    pixels = channels_last(np.asarray(series.asarray()).reshape(shape), name)
    scale = pixel_size_of(tiff, series) if pixel_size_um is None else pixel_size_um
    return ArrayImage(pixels, name, channel_names, scale, str(path))
