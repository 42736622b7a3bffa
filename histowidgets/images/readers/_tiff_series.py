"""The images of a TIFF, with their planes and pages."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile

from histowidgets.errors import ImageOpenError, ImageSizeError
from histowidgets.images._claims import require_possible_part
from histowidgets.images._limits import MAX_CHANNELS
from histowidgets.images.readers._choice import STACK_AXES, Listed
from histowidgets.images.readers._interpretation import Stored
from histowidgets.images.readers._layout import channels_last

#: Axes whose pages are separate images, such as parts of a mosaic.
_MOSAIC = "RM"
#: Axes of pages of unknown meaning.
_UNNAMED = "IQ"
#: Minor series of slides, such as labels.
_MINOR_NAMES = ("label", "macro", "thumbnail", "overview", "preview")


class Plane(NamedTuple):
    """The samples of a page, or of a part of a page with many planes.

    Attributes
    ----------
    page : tifffile.TiffPage or TiffFrame
    shift : int
        Offset of the plane in the page's data, in bytes.
    """

    page: Any
    shift: int = 0


class Picture:
    """An image of a TIFF.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
    page : tifffile.TiffPage
        A page of it, whose tags hold for all.
    stored : Stored
        Description of its samples.
    at : mapping of str to int
        Its index along the axes of the series whose pages are separate images.
    name : str
        "" if it has none.

    Attributes
    ----------
    width, height : int
        Size as stored, before turning.
    pages : dict of str to int
        The axes of pages with their lengths, outermost first.
    stack : dict of str to int
        The axes among these along which to choose a plane.
    """

    def __init__(self, series: Any, page: Any, stored: Stored, at: Mapping[str, int], name: str) -> None:
        key = series.keyframe
        self.series, self.page, self.stored, self.name = series, page, stored, name
        self.width, self.height = int(key.imagewidth), int(key.imagelength)
        self.pages = page_axes(series)
        self._at = dict(at)
        self.stack = {axis: n for axis, n in self.pages.items() if axis[0] in STACK_AXES and n > 1}
        unnamed = [axis for axis in self.pages if axis[0] in _UNNAMED and axis not in at]
        #: Axes of gray pages that may be channels or planes.
        self.has_unnamed_pages = bool(unnamed) and not stored.is_picture
        self._unnamed = unnamed

    @property
    def listed(self) -> Listed:
        """Its entry in a list of the file's images."""
        is_minor = self.name.lower() in _MINOR_NAMES or bool(int(self.series.keyframe.subfiletype or 0) & 1)
        return Listed(self.name, self.width, self.height, is_minor)

    def as_stack(self) -> dict[str, int]:
        """Return the axes along which a plane can be chosen, including those of unnamed pages."""
        return self.stack | {axis: self.pages[axis] for axis in self._unnamed if self.has_unnamed_pages}

    @property
    def has_too_many_pages(self) -> bool:
        """Whether there are more unnamed pages than an image can have channels."""
        return self.has_unnamed_pages and not self.is_array and self.n_unnamed > MAX_CHANNELS

    @property
    def n_unnamed(self) -> int:
        """Number of pages of unknown meaning."""
        return math.prod(self.pages[axis] for axis in self._unnamed)

    @property
    def is_array(self) -> bool:
        """Whether pages are not planes of the image but, for instance, rows, so that it must be read whole."""
        if any(axis[0] in "XYS" for axis in self.pages):
            return True
        shape = [size for size in self.series.shape if size > 1]
        unnamed = len(shape) == 3 and self.series.kind == "shaped" and set(self.pages) == {"Q"}
        # An array of (rows, columns, channels) whose axes were not named.
        return unnamed and shape[0] > shape[-1] and shape[-1] <= MAX_CHANNELS and not self.stored.is_picture

    def planes(self, level: Any, chosen: Mapping[str, int]) -> list[Plane]:
        """Return the planes of a level that are the channels of the image, in order.

        Raises
        ------
        ImageOpenError
            If one is missing.
        """
        shape = tuple(self.pages.values())
        fixed = {**self._at, **chosen}
        places = np.arange(math.prod(shape)).reshape(shape or (1,))
        for number, axis in enumerate(self.pages):
            if axis in fixed:
                places = places.take([fixed[axis]], axis=number)
        numbers = places.ravel().tolist()
        if level.is_truncated or len(level) < math.prod(shape):
            return self._contiguous(level, numbers)
        found = [Plane(level[number]) for number in numbers]
        if any(plane.page is None for plane in found):
            raise ImageOpenError(_missing_pages(level))
        return found

    def _contiguous(self, level: Any, numbers: list[int]) -> list[Plane]:
        page = level[0]
        if page is None or not page.is_contiguous:
            raise ImageOpenError(_missing_pages(level))
        size = page.keyframe.nbytes
        return [Plane(page, number * size) for number in numbers]

    def array(self, path: Path, chosen: Mapping[str, int]) -> np.ndarray:
        """Read the whole image as (rows, columns, channels), before its samples are interpreted.

        Raises
        ------
        ImageOpenError
            If the file is truncated.
        ImageSizeError
            If the image would be too large.
        """
        series = self.series
        shape, axes = list(series.get_shape(squeeze=False)), list(series.get_axes(squeeze=False))
        size = series.dtype.itemsize * math.prod(shape)
        if path.stat().st_size < size and series.keyframe.compression == 1:
            raise ImageOpenError(f"{path.name} is truncated: it should have {size:,} bytes of pixels. Copy it again.")
        require_possible_part(path.name, shape[-1], shape[-2], size)
        pixels = np.asarray(series.asarray()).reshape(shape)
        fixed = {**self._at, **chosen}
        for axis in list(axes):
            if axis in fixed:
                pixels = pixels.take(fixed[axis], axis=axes.index(axis))
                axes.remove(axis)
        if {"Y", "X"} <= set(axes) and set(self.pages) & {"Y", "X", "S"}:
            others = [axis for axis in axes if axis not in "YX"]
            pixels = pixels.transpose([axes.index(axis) for axis in ("Y", "X", *others)])
            return pixels.reshape(*pixels.shape[:2], -1)
        return channels_last(pixels.reshape([n for n in pixels.shape if n > 1]), path.name)


def pictures_of(path: Path, tiff: tifffile.TiffFile, stored_of: Any) -> list[Picture]:
    """Return the images of a TIFF.

    Parameters
    ----------
    path : Path
    tiff : tifffile.TiffFile
    stored_of : callable
        Returns the description of the samples of a series, given one of its pages.

    Raises
    ------
    ImageOpenError
        If there is none.
    """
    found: list[Picture] = []
    for series in tiff.series:
        key = series.keyframe
        if not key.imagewidth or not key.imagelength:
            continue
        stored = stored_of(series, key)
        alone = {
            axis: n
            for axis, n in page_axes(series).items()
            if n > 1 and (axis[0] in _MOSAIC or (stored.is_picture and axis[0] not in STACK_AXES and axis not in "YXS"))
        }
        # Pages that are separate images may each have a palette and an orientation.
        pages = series.pages if len(series) == math.prod(alone.values()) and len(series) > 1 else [key]
        for number, place in enumerate(np.ndindex(*alone.values())):
            page = pages[number] if len(pages) > 1 else key
            page = key if page is None else page.aspage()
            own = stored if page is key else stored_of(series, page)
            found.append(Picture(series, page, own, dict(zip(alone, place, strict=True)), str(series.name or "")))
    if not found:
        raise ImageOpenError(f"{path} has no image. It may be truncated; copy it again.")
    return found


def page_axes(series: Any) -> dict[str, int]:
    """Return the axes of the pages of a series, outermost first, with their lengths.

    A repeated letter gets a number: "Q", "Q1".
    """
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    n_planes = math.prod(shape) // max(1, math.prod(series.keyframe.shape))
    found: dict[str, int] = {}
    covered = 1
    for axis, size in zip(axes, shape, strict=True):
        if covered >= n_planes:
            break
        found[axis if axis not in found else f"{axis}{len(found)}"] = int(size)
        covered *= size
    return {axis: size for axis, size in found.items() if size > 1}


def require_no_volume(file: str, picture: Picture) -> None:
    """Raise ImageSizeError for pages that have a depth."""
    if picture.series.keyframe.imagedepth > 1:
        raise ImageSizeError(
            f"{file} is a volume of {picture.series.keyframe.imagedepth} planes in one page. Save one of them first."
        )


def _missing_pages(series: Any) -> str:
    pages = [page for page in series if page is not None]
    missing = len(series) - len(pages)
    return (
        f"{series.keyframe.parent.filename} does not hold this plane: {missing or 'some'} of its {len(series)} pages "
        "are missing. It may not have been written to the end, or its description is wrong: export it again, or choose "
        "a plane that is there with plane=."
    )
