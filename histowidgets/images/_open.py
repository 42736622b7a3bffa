"""Opening images: from a path, an array or a Pillow image."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images import readers
from histowidgets.images._image import Image
from histowidgets.images.readers import ArrayImage, open_raster, raster_pixels

#: Endings of slides that may not be TIFF. Of a slide of several files, the one to open.
_SLIDE_ENDINGS = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".czi", ".dcm")
#: Any of these makes a folder a Zarr.
_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_image(
    path_or_array: "str | os.PathLike[str] | np.ndarray | Image | Any",
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> Image:
    """Open an image.

    Parameters
    ----------
    path_or_array : path, ndarray or Image
        A PNG, JPEG, BMP, TIFF or OME-TIFF; a slide that OpenSlide knows (.svs, .ndpi, .mrxs, .scn, .vms, .bif,
        .svslide and others); the folder of an OME-Zarr; an array of (H, W), (H, W, C) or (C, H, W), of 1 to 64
        channels; a Pillow image; or an Image, which is returned as it is. Pyramids and large files are read in
        parts.
    name : str, optional
        By default the file's name without its ending, or "image".
    channel_names : sequence of str, optional
        By default from the file.
    pixel_size_um : float, optional
        Side of a pixel in micrometres. By default from the file.

    Returns
    -------
    Image

    Raises
    ------
    ImageOpenError
        If there is no such file, or it is not an image that can be read.
    ImageSizeError
        If the image is too thin, or has too many channels or axes.
    ImageValueError
        If a float image holds NaN or infinity (in a large file: when that part is read).
    """
    if isinstance(path_or_array, Image):
        if name is not None or channel_names is not None or pixel_size_um is not None:
            raise ImageError("An Image keeps its name, channel names and pixel size. Give them when it is opened.")
        return path_or_array
    if isinstance(channel_names, str) or not (channel_names is None or isinstance(channel_names, Iterable)):
        raise ImageError(f"The channel names are {channel_names!r}; a list of names is wanted.")
    channel_names = None if channel_names is None else tuple(channel_names)
    if isinstance(path_or_array, str | os.PathLike):
        return _open_file(Path(path_or_array), name, channel_names, pixel_size_um)
    if isinstance(path_or_array, PIL.Image.Image):
        return ArrayImage(raster_pixels(path_or_array), name or "image", channel_names, pixel_size_um)
    if not isinstance(path_or_array, np.ndarray) and not hasattr(path_or_array, "__array__"):
        raise ImageError(
            f"An image cannot be made from a {type(path_or_array).__name__}. Give a path, a NumPy array or an Image."
        )
    return ArrayImage(np.asarray(path_or_array), name or "image", channel_names, pixel_size_um)


def open_images(given: Any) -> list[Image]:
    """Open one image, or a list of them, each whatever `open_image` takes.

    Raises
    ------
    ImageError
        If one cannot be opened.
    """
    single = isinstance(given, Image | str | os.PathLike) or hasattr(given, "__array__")
    return [open_image(given)] if single or not isinstance(given, Iterable) else [open_image(one) for one in given]


def _open_file(path: Path, name: str | None, channel_names: Sequence[str] | None, pixel_size_um: float | None) -> Image:
    path = path.expanduser().absolute()
    try:
        there = path.exists()
    except OSError as error:
        raise ImageOpenError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not there:
        raise ImageOpenError(f"There is no file {path}. Check the path; the current folder is {Path.cwd()}.")
    if path.is_dir():
        return _open_folder(path, name, channel_names, pixel_size_um)
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ImageOpenError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not start:
        raise ImageOpenError(f"{path} is empty. Copy it again.")
    given = (name, channel_names, pixel_size_um)
    if start in _TIFF_STARTS:
        return _open_any_tiff(path, *given)
    if path.suffix.lower() in _SLIDE_ENDINGS:
        if why := _openslide_fault():
            raise ImageOpenError(f"{path} cannot be read: OpenSlide cannot be loaded ({why}). Install openslide-bin.")
        slide = readers.open_slide(path, *given)
        if slide is not None:
            return slide
    return open_raster(path, *given)


def _open_folder(
    path: Path, name: str | None, channel_names: Sequence[str] | None, pixel_size_um: float | None
) -> Image:
    if path.suffix.lower() == ".zarr" or any((path / file).exists() for file in _ZARR_FILES):
        return readers.open_zarr(path, name, channel_names, pixel_size_um)
    raise ImageOpenError(f"{path} is a folder. Give the path of an image file, or the folder of an OME-Zarr.")


def _open_any_tiff(
    path: Path, name: str | None, channel_names: Sequence[str] | None, pixel_size_um: float | None
) -> Image:
    """Open a slide through OpenSlide, any other TIFF through tifffile, and what that cannot read through OpenSlide."""
    given = (name, channel_names, pixel_size_um)
    if path.name.lower().endswith((".ome.tif", ".ome.tiff")):  # never a slide of OpenSlide's
        return readers.open_tiff(path, *given)
    has_openslide = not _openslide_fault()
    slide = readers.open_slide(path, *given) if has_openslide else None
    if slide is not None:
        return slide
    try:
        return readers.open_tiff(path, *given)
    except ImageOpenError:
        generic = readers.open_generic(path, *given) if has_openslide else None
        if generic is None:
            raise
        return generic


def _openslide_fault() -> str:
    """Say why OpenSlide's C library cannot be loaded; "" where it can."""
    try:
        readers.open_slide  # noqa: B018 - loads the library
    except (ImportError, OSError) as error:
        return str(error)
    return ""
