"""Whole slides through OpenSlide, read in parts: .svs, .ndpi, .mrxs, .scn, .vms, .bif, .svslide and others."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openslide
import tifffile

from histowidgets.errors import ImageOpenError
from histowidgets.images._image import Image, named_after
from histowidgets.images._limits import CACHE_BYTES
from histowidgets.images.readers._layout import over_white
from histowidgets.images.readers._tiff_segments import DECODE_ERRORS

#: Endings of slides whose pixels are in other files beside them.
_WITH_COMPANIONS = (".mrxs", ".vms", ".vmu")
#: Any tiled TIFF. OpenSlide would turn 16 bits into 8, and five channels into RGB; tifffile keeps them.
_GENERIC = "generic-tiff"


class SlideImage(Image):
    """A slide of which only the tiles that are asked for are read; 8-bit RGB, white where nothing was scanned."""

    def __init__(self, path: Path, name: str, channel_names: Sequence[str] | None, pixel_size_um: float | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._slide = _opened(path)
        sizes = tuple(self._slide.level_dimensions)
        # OpenSlide's own downsamples, 4.0004 and the like, say where it looks for a pixel of a level.
        self._steps = tuple(self._slide.level_downsamples)
        super().__init__(
            name=name,
            width=sizes[0][0],
            height=sizes[0][1],
            dtype=np.dtype(np.uint8),
            channel_names=channel_names or ("Red", "Green", "Blue"),
            pixel_size_um=_pixel_size(self._slide) if pixel_size_um is None else pixel_size_um,
            level_sizes=sizes,
            source=str(path),
        )
        self._require_names_for(3)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        slide = self._slide
        place = round(x * self._steps[level]), round(y * self._steps[level])
        try:
            pixels = np.asarray(slide.read_region(place, level, (width, height)))
        except openslide.OpenSlideError as error:
            self._reopen(slide)
            raise ImageOpenError(
                f"A part of {self._path.name} cannot be read: {error}. It may be cut short or damaged; copy it again."
            ) from error
        if pixels[..., 3].min() == 255:
            return np.ascontiguousarray(pixels[..., :3])
        return over_white(pixels, multiplied=False)

    def _reopen(self, broken: openslide.OpenSlide) -> None:
        """Replace a slide that failed: after one damaged tile OpenSlide refuses all others too."""
        with self._lock:
            if self._slide is broken:
                self._slide = _opened(self._path)


def open_slide(
    path: Path,
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> Image | None:
    """Open a slide, or return None if OpenSlide cannot and another reader may.

    Generic tiled TIFFs, and slides whose pixels are not 8-bit RGB, are left to tifffile, which keeps their dtype
    and channels.

    Raises
    ------
    ImageOpenError
        If the slide is of several files, and those beside it are missing or damaged.
    """
    try:
        vendor = openslide.OpenSlide.detect_format(path)
        if vendor not in (None, _GENERIC) and _is_rgb(path):
            return SlideImage(path, name or named_after(path), channel_names, pixel_size_um)
        why = "OpenSlide does not know it"
    except openslide.OpenSlideError as error:
        why = str(error)
    if path.suffix.lower() in _WITH_COMPANIONS:
        raise ImageOpenError(
            f"{path} cannot be read: {why}. Its pixels lie in other files beside it (for .mrxs, in a folder of the "
            "same name): copy them too."
        )
    return None


def open_generic(
    path: Path,
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> Image | None:
    """Open a tiled 8-bit RGB TIFF that tifffile cannot read, or return None if OpenSlide cannot either."""
    try:
        if openslide.OpenSlide.detect_format(path) == _GENERIC and _is_rgb(path):
            return SlideImage(path, name or named_after(path), channel_names, pixel_size_um)
    except openslide.OpenSlideError:
        return None
    return None


def _opened(path: Path) -> openslide.OpenSlide:
    slide = openslide.OpenSlide(path)
    slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
    return slide


def _pixel_size(slide: openslide.OpenSlide) -> float | None:
    """Return the pixel size in um that the slide's maker gives, or None."""
    try:
        size = float(slide.properties[openslide.PROPERTY_NAME_MPP_X])
    except (KeyError, ValueError):
        return None
    return size if np.isfinite(size) and size > 0 else None


def _is_rgb(path: Path) -> bool:
    """Tell whether a TIFF has three samples of 8 bits; OpenSlide judges what is not a TIFF."""
    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            return page.samplesperpixel in (3, 4) and page.bitspersample == 8
    except DECODE_ERRORS:
        return True
