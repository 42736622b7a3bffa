"""Read TIFF, OME-TIFF, ImageJ TIFF and Aperio .svs in parts with tifffile."""

import functools
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._image import Image, default_channel_names, named_after
from histowidgets.images.readers._array import ArrayImage
from histowidgets.images.readers._choice import choose_image, choose_planes
from histowidgets.images.readers._interpretation import Interpretation, interpret
from histowidgets.images.readers._layout import as_kept, kept_dtype
from histowidgets.images.readers._no_data import find_no_data, no_data_notes
from histowidgets.images.readers._options import DEFAULT_OPTIONS, OpenOptions
from histowidgets.images.readers._orientation import Orientation
from histowidgets.images.readers._tiff_metadata import (
    channel_names_of,
    declared_no_data,
    missing_files,
    orientation_of,
    pixel_size_of,
    require_possible_planes,
    stored_of,
)
from histowidgets.images.readers._tiff_segments import DECODE_ERRORS, SegmentReader, require_possible_page
from histowidgets.images.readers._tiff_series import Picture, Plane, pictures_of, require_no_volume

#: A TIFF of fewer decoded bytes than this is read whole when it is opened.
EAGER_BYTES = 32 << 20
#: Pages up to this many pixels are examined whole to decide what their values mean, larger ones in places.
LOOKED_AT_WHOLE = 1 << 20
_PLACES, _PLACE_SIDE = 5, 64
#: Number of characters of a description in which OME-XML begins.
_OME_HEAD = 1000
_LEFT_OUT = "The OME-XML cannot be interpreted ({}): pages are read without it, pixel size and names are ignored."


class TiffImage(Image):
    """A TIFF of which only the requested tiles or strips are read.

    Parameters
    ----------
    path : Path
    tiff : tifffile.TiffFile
    picture : Picture
        The image of the file.
    chosen : mapping of str to int
        The plane of its stack.
    options : OpenOptions
    notes : sequence of str
        Notes on how the image and the plane were chosen.
    opened_with : mapping
        See `Image.opened_with`.
    """

    def __init__(
        self,
        path: Path,
        tiff: tifffile.TiffFile,
        picture: Picture,
        chosen: Mapping[str, int],
        options: OpenOptions,
        notes: Sequence[str],
        opened_with: Mapping[str, Any],
    ) -> None:
        name = options.name or named_after(path)
        series, stored = picture.series, picture.stored
        self._levels = [_Level(level, picture.planes(level, chosen)) for level in series.levels]
        full = self._levels[0]
        self._readers = _readers_of(self._levels)
        weakref.finalize(self, _close, tuple(self._readers.values()))
        for level in self._levels:
            for page, shift in level.planes:
                self._reader(page).require_whole(page, shift)
                require_possible_page(page)
        looked_at = functools.cache(lambda: self._looked_at(full))
        self._meaning: Interpretation = interpret(stored, path.name, looked_at)
        self._orientation = Orientation(orientation_of(picture.page))
        n_channels = len(full.planes) * self._meaning.n_channels
        dtype = kept_dtype(self._meaning.dtype, name)
        n_bytes = full.size[0] * full.size[1] * n_channels * dtype.itemsize
        #: Whether to read it whole at once.
        self.is_small = len(self._levels) == 1 and n_bytes <= EAGER_BYTES
        no_data, more = _no_data_of(series, self._meaning, looked_at)
        size = self._orientation.pixel_size(pixel_size_of(tiff, series))
        names = options.channel_names or channel_names_of(tiff, series, n_channels)
        super().__init__(
            name=name,
            width=self._orientation.size(*full.size)[0],
            height=self._orientation.size(*full.size)[1],
            dtype=dtype,
            channel_names=names or default_channel_names(n_channels, dtype, is_rgb=stored.is_picture),
            pixel_size_um=options.pixel_size_or(size.yx_um),
            level_sizes=[self._orientation.size(*level.size) for level in self._levels],
            source=str(path),
            notes=(
                *notes,
                *self._meaning.notes,
                *self._orientation.notes,
                *(() if self.is_small else more),  # if all pixels are read, they are counted exactly
                *size.notes,
            ),
            opened_with=opened_with,
            no_data=no_data,
        )
        self._require_names_for(n_channels)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        stored = self._levels[level]
        place = self._orientation.stored_region(x, y, width, height, *stored.size)
        return as_kept(self._orientation.apply(self._interpreted(stored, place)), self.name)

    def _interpreted(self, level: "_Level", place: tuple[int, int, int, int]) -> np.ndarray:
        """Return stored pixels as (rows, cols, channels), before they are turned."""
        parts = [self._meaning.convert(self._reader(page).read(page, *place, shift)) for page, shift in level.planes]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _reader(self, page: Any) -> SegmentReader:
        return self._readers[page.parent.filehandle.path]

    def _looked_at(self, level: "_Level") -> np.ndarray:
        """Return some stored pixels of the first page, (n, samples)."""
        page, shift = level.planes[0]
        read = functools.partial(self._reader(page).read, page, shift=shift)
        width, height = level.size
        if width * height <= LOOKED_AT_WHOLE:
            found = [read(0, 0, width, height)]
        else:
            w, h = min(_PLACE_SIDE, width), min(_PLACE_SIDE, height)
            xs, ys = (np.linspace(0, whole - part, _PLACES).astype(int) for whole, part in ((width, w), (height, h)))
            found = [read(int(x), int(y), w, h) for y in ys for x in xs]
        return np.concatenate([part.reshape(-1, part.shape[-1]) for part in found])


class _Level:
    """The planes of one stored level."""

    def __init__(self, series: Any, planes: list[Plane]) -> None:
        keyframe = series.keyframe
        self.width, self.height = self.size = int(keyframe.imagewidth), int(keyframe.imagelength)
        self.planes = planes
        if any((page.keyframe.imagewidth, page.keyframe.imagelength) != self.size for page, _ in planes):
            raise ImageOpenError(
                f"{keyframe.parent.filename} has pages of different sizes, which its description calls one image. "
                "Export it again."
            )
        for page, _ in planes:
            file = page.parent.filehandle
            is_closed = file.closed
            if is_closed:  # the page is in another file of a set
                file.open()
            # Created on first use from the file, which will be closed by then.
            _ = page.keyframe.decode, page.dataoffsets, page.databytecounts, page.jpegtables, page.is_memmappable
            if is_closed:
                file.close()


def _readers_of(levels: Sequence[_Level]) -> dict[str, SegmentReader]:
    """Return a reader for each file with pages of the levels."""
    found: dict[str, SegmentReader] = {}
    for level in levels:
        for page, _ in level.planes:
            path = page.parent.filehandle.path
            if path not in found:
                found[path] = SegmentReader(Path(path).open("rb"), Path(path).name)  # noqa: SIM115 - closed with the image
    return found


def _close(readers: Sequence[SegmentReader]) -> None:
    for reader in readers:
        reader.close()


def _no_data_of(series: Any, meaning: Interpretation, looked_at: Any) -> tuple[float | None, tuple[str, ...]]:
    """Return the value that stands for no data, if any, and notes about it."""
    if meaning.dtype.kind not in "if":
        return None, ()
    pixels = looked_at()
    value = find_no_data(pixels, meaning.dtype, declared_no_data(series))
    return value, no_data_notes(pixels, value, is_sample=True)


def open_tiff(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> Image:
    """Open a TIFF; a small one without stored levels is read whole.

    Raises
    ------
    ImageOpenError
        If it is damaged, truncated, or has an unsupported colour space or compression.
    ImageSizeError
        If it has too many channels.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            try:
                image = _opened(path, tiff, options, ())
            except _BrokenOme as broken:
                image = _without_ome(path, options, str(broken))
    except DECODE_ERRORS as error:
        if isinstance(error, ImageError):
            raise
        raise ImageOpenError(_why_not(path, error)) from error
    return ArrayImage.of(image) if isinstance(image, TiffImage) and image.is_small else image


class _BrokenOme(Exception):
    """Raised for OME-XML that cannot be interpreted."""


def _opened(path: Path, tiff: tifffile.TiffFile, options: OpenOptions, notes: Sequence[str]) -> Image:
    require_possible_planes(tiff)
    len(tiff.pages)  # detects cyclic page references, which iterating over the pages would follow for ever
    if not tiff.pages:
        raise ImageOpenError(f"{path} has no image. It may be truncated; copy it again.")
    _require_ome(tiff)
    if not notes and not tiff.is_ome and "<OME " in tiff.pages.first.description[:_OME_HEAD]:
        notes = (_LEFT_OUT.format("it is truncated"),)
    pictures = pictures_of(path, tiff, functools.partial(stored_of, tiff))
    image = choose_image(path.name, [picture.listed for picture in pictures], options.series)
    picture = pictures[image.at]
    require_no_volume(path.name, picture)
    stack = picture.stack
    if options.plane is not None or picture.has_too_many_pages:
        stack = picture.as_stack()
    elif picture.has_unnamed_pages and not picture.is_array:
        notes = (*notes, f"Its {picture.n_unnamed} pages are read as channels; plane= opens a single one.")
    planes = choose_planes(path.name, stack, options.plane)
    notes = (*notes, *image.notes, *planes.notes)
    opened_with = image.opened_with | planes.opened_with
    if picture.is_array:
        return _array_image(path, tiff, picture, planes.at, options, notes, opened_with)
    try:
        return TiffImage(path, tiff, picture, planes.at, options, notes, opened_with)
    except ImageOpenError as error:
        missing = missing_files(path, tiff)
        if not missing or "missing" not in str(error):
            raise
        raise ImageOpenError(
            f"{path} is one file of a set: {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''} "
            f"{'is' if len(missing) == 1 else 'are'} not beside it. Copy all files of the set into one folder, or "
            "export the image to a single OME-TIFF."
        ) from error


def _require_ome(tiff: tifffile.TiffFile) -> None:
    """Raise _BrokenOme for OME-XML that tifffile cannot interpret."""
    if not tiff.is_ome:
        return
    try:
        series = tiff.series
    except DECODE_ERRORS as error:
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) and error.args else str(error)
        raise _BrokenOme(why) from error
    if not any(one.kind == "ome" for one in series):
        raise _BrokenOme("it describes other images than the file has")


def _without_ome(path: Path, options: OpenOptions, why: str) -> Image:
    note = _LEFT_OUT.format(why)
    with tifffile.TiffFile(path, is_ome=False) as tiff:
        return _opened(path, tiff, options, (note,))


def _array_image(
    path: Path,
    tiff: tifffile.TiffFile,
    picture: Picture,
    chosen: Mapping[str, int],
    options: OpenOptions,
    notes: Sequence[str],
    opened_with: Mapping[str, Any],
) -> ArrayImage:
    """Open an array whose axes are not those of pages, such as one with a row per page."""
    pixels = picture.array(path, chosen)
    size = pixel_size_of(tiff, picture.series)
    return ArrayImage(
        pixels,
        options.name or named_after(path),
        options.channel_names,
        options.pixel_size_or(size.yx_um),
        str(path),
        notes=(*notes, *size.notes),
        opened_with=opened_with,
    )


def _why_not(path: Path, error: BaseException) -> str:
    """Return why a TIFF cannot be read, and what to do."""
    text = str(error)
    if isinstance(error, NotImplementedError) or "not supported" in text or "requires" in text:
        return (
            f"{path} is intact but not supported: {text}. Convert it to OME-TIFF, or to a TIFF without that, e.g. with "
            "QuPath, Fiji (Bio-Formats) or ImageMagick."
        )
    return f"{path} cannot be read: {text}. It may be truncated or damaged; copy it again."
