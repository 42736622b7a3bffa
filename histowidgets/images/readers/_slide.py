"""Read whole slides in parts with OpenSlide: .svs, .ndpi, .mrxs, .scn, .vms, .bif, .svslide and others."""

import math
import threading
from pathlib import Path

import numpy as np
import openslide
import tifffile

from histowidgets.errors import ImageOpenError
from histowidgets.images._image import Image, named_after
from histowidgets.images._limits import CACHE_BYTES
from histowidgets.images._region import Region
from histowidgets.images.readers._choice import choose_planes
from histowidgets.images.readers._foreign import describe_foreign
from histowidgets.images.readers._layout import over_white
from histowidgets.images.readers._options import DEFAULT_OPTIONS, OpenOptions
from histowidgets.images.readers._pixel_size import CheckedSize, checked_pixel_size
from histowidgets.images.readers._tiff_segments import DECODE_ERRORS

#: Endings of slides whose pixels are in other files beside them.
_WITH_COMPANIONS = (".mrxs", ".vms", ".vmu")
#: Generic tiled TIFFs, of which OpenSlide would reduce 16 bits to 8 and five channels to RGB; tifffile keeps them.
_GENERIC = "generic-tiff"
_DICOM = "dicom"


class SlideImage(Image):
    """A slide of which only the requested tiles are read; 8-bit RGB, white where nothing was scanned.

    Parameters
    ----------
    path : Path
    options : OpenOptions
    is_generic : bool
        Whether its pixel size is from a resolution tag.
    """

    def __init__(self, path: Path, options: OpenOptions, *, is_generic: bool = False) -> None:
        choose_planes(path.name, {}, options.plane)
        self._path = path
        self._lock = threading.Lock()
        self._slide = _opened(path)
        # OpenSlide's own downsamples, such as 4.0004, determine where it reads a pixel of a level.
        self._steps = tuple(self._slide.level_downsamples)
        scanned, notes = _scanned(self._slide)
        whole = Region(0, 0, *self._slide.dimensions)
        part = scanned if options.bounds else whole
        size = _pixel_size(self._slide, is_resolution=is_generic)
        super().__init__(
            name=options.name or named_after(path),
            width=part.width,
            height=part.height,
            dtype=np.dtype(np.uint8),
            channel_names=options.channel_names or ("Red", "Green", "Blue"),
            pixel_size_um=options.pixel_size_or(size.yx_um),
            level_sizes=self._level_sizes_of(part) if part != whole else tuple(self._slide.level_dimensions),
            source=str(path),
            notes=(*(notes if part != whole else ()), *size.notes),
            opened_with={} if scanned == part else {"bounds": False},
            slide_origin=(part.x, part.y),
            bounds_offset=(scanned.x - part.x, scanned.y - part.y),
        )
        self._require_names_for(3)

    def _level_sizes_of(self, part: Region) -> list[tuple[int, int]]:
        return [(math.ceil(part.width / step), math.ceil(part.height / step)) for step in self._steps]

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        slide, step = self._slide, self._steps[level]
        place = self.slide_origin[0] + round(x * step), self.slide_origin[1] + round(y * step)
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
        """Replace a slide that failed, since after one damaged tile OpenSlide refuses all others."""
        with self._lock:
            if self._slide is broken:
                self._slide = _opened(self._path)


def open_slide(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> Image | None:
    """Open a slide; return None if OpenSlide cannot but another reader may.

    Generic tiled TIFFs, and slides whose pixels are not 8-bit RGB, are left to tifffile, which keeps their dtype and
    channels.

    Raises
    ------
    ImageOpenError
        If the slide consists of several files, and those beside it are missing or damaged.
    """
    vendor = None
    try:
        vendor = openslide.OpenSlide.detect_format(path)
        if vendor not in (None, _GENERIC) and _is_rgb(path):
            return SlideImage(path, options)
        why = "OpenSlide does not recognize it"
    except openslide.OpenSlideError as error:
        why = str(error)
        if path.suffix.lower() not in _WITH_COMPANIONS and vendor == _DICOM:
            raise ImageOpenError(f"{describe_foreign(path)} OpenSlide says: {why}.") from error
    if path.suffix.lower() in _WITH_COMPANIONS:
        raise ImageOpenError(
            f"{path} cannot be read: {why}. Its pixels are in other files beside it (for .mrxs, in a folder of the "
            f"same name, {path.stem}): copy them too."
        )
    return None


def open_generic(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> Image | None:
    """Open a tiled 8-bit RGB TIFF that tifffile cannot read; return None if OpenSlide cannot either."""
    if options.series is not None or options.plane is not None:
        return None
    try:
        if openslide.OpenSlide.detect_format(path) == _GENERIC and _is_rgb(path):
            return SlideImage(path, options, is_generic=True)
    except openslide.OpenSlideError:
        return None
    return None


def _opened(path: Path) -> openslide.OpenSlide:
    slide = openslide.OpenSlide(path)
    slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
    return slide


def _scanned(slide: openslide.OpenSlide) -> tuple[Region, tuple[str, ...]]:
    """Return the scanned part of a slide, and notes if it is not the whole slide."""
    whole = Region(0, 0, *slide.dimensions)
    try:
        part = Region(*(int(slide.properties[f"openslide.bounds-{side}"]) for side in Region._fields))
    except (KeyError, ValueError):
        return whole, ()
    part = part.intersect(whole) or whole
    if part == whole or min(part.width, part.height) < 2:
        return whole, ()
    return part, (
        f"Only the scanned part of the slide is opened, as in QuPath: it begins at x={part.x}, y={part.y} of the whole "
        f"slide of {whole.width} x {whole.height} px, from whose corner OpenSlide counts.",
    )


def _pixel_size(slide: openslide.OpenSlide, *, is_resolution: bool) -> CheckedSize:
    """Return the pixel size in um that the slide gives, if plausible."""
    sides: list[float | None] = []
    for name in (openslide.PROPERTY_NAME_MPP_Y, openslide.PROPERTY_NAME_MPP_X):
        try:
            sides.append(float(slide.properties[name]))
        except (KeyError, ValueError):
            sides.append(None)
    return checked_pixel_size(*sides, is_resolution=is_resolution, source="The slide")


def _is_rgb(path: Path) -> bool:
    """Return whether a TIFF has three samples of 8 bits; OpenSlide decides about other files."""
    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            return page.samplesperpixel in (3, 4) and page.bitspersample == 8
    except DECODE_ERRORS:
        return True
