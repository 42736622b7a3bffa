"""Open images from a path, an address, an array or a Pillow image."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from histowidgets._address import address_of, scheme_of
from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images import readers
from histowidgets.images._image import Image, PixelSize
from histowidgets.images.readers import (
    ArrayImage,
    OpenOptions,
    describe_foreign,
    open_raster,
    orientation_of_picture,
    raster_pixels,
)

#: Endings of slides that may not be TIFF; for a slide of several files, that of the file to open.
_SLIDE_ENDINGS = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".czi", ".dcm")
#: Any of these files makes a folder a Zarr.
_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Position of "DICM" in a DICOM file, which may begin like a TIFF.
_DICOM = slice(128, 132)


def open_image(
    path_or_array: "str | os.PathLike[str] | np.ndarray | Image | Any",
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: PixelSize | None = None,
    *,
    series: int | str | None = None,
    plane: int | Sequence[int | None] | None = None,
    bounds: bool = True,
) -> Image:
    """Open an image.

    Parameters
    ----------
    path_or_array : path, address, ndarray or Image
        A PNG, JPEG, BMP, TIFF or OME-TIFF; a slide that OpenSlide supports (.svs, .ndpi, .mrxs, .scn, .vms, .bif,
        .svslide and others); the folder of an OME-Zarr, or its address (https://…, s3://…, with the extra `remote`);
        an array of (H, W), (H, W, C) or (C, H, W) with 1 to 64 channels; a Pillow image; or an Image, which is
        returned unchanged. Pyramids and large files are read in parts.
    name : str, optional
        By default the file's name without its ending, or "image".
    channel_names : sequence of str, optional
        By default from the file.
    pixel_size_um : float or (float, float), optional
        Side of a pixel in micrometres, or height and width. By default from the file.
    series : int or str, optional
        Image of a file with several (OME-TIFF, OME-Zarr, a TIFF of many pages), by its number from 0 or its name. By
        default the largest; `Image.notes` and an `ImageChoiceWarning` list the others.
    plane : int or (z, t), optional
        Plane of a stack, from 0. By default the middle one in depth and the first in time, which is reported likewise.
    bounds : bool, default True
        If only part of a slide was scanned (.mrxs, .scn), open that part, as QuPath does: coordinates start at its
        corner, which is at `Image.slide_origin`. With False, open the whole slide, as OpenSlide does.

    Returns
    -------
    Image

    Raises
    ------
    ImageOpenError
        If the file does not exist, or is not an image that can be read.
    ImageSizeError
        If the image is too thin, or has too many channels or axes.
    ImageValueError
        If a float image has infinite values (in a large file, when that part is read). NaN stands for no data.
    ImageError
        If the file does not have the requested image or plane.
    """
    options = _options(name, channel_names, pixel_size_um, series, plane, bounds)
    if isinstance(path_or_array, Image):
        if options != OpenOptions():
            raise ImageError(
                "The name, channel names, pixel size and plane of an Image cannot change. Give them when opening it."
            )
        return path_or_array
    if (address := address_of(path_or_array)) is not None:
        return _open_address(address, options)
    if isinstance(path_or_array, str | os.PathLike):
        return _open_file(Path(path_or_array), options)
    if isinstance(path_or_array, PIL.Image.Image):
        orientation = orientation_of_picture(path_or_array)
        pixels, notes = raster_pixels(path_or_array)
        given = (name or "image", options.channel_names, pixel_size_um)
        notes = (*notes, *orientation.notes)
        return ArrayImage(orientation.apply(pixels), *given, notes=notes, has_channels_last=True)
    if not isinstance(path_or_array, np.ndarray) and not hasattr(path_or_array, "__array__"):
        raise ImageError(
            f"An image cannot be made from a {type(path_or_array).__name__}. Pass a path, a NumPy array or an Image."
        )
    if isinstance(path_or_array, np.ma.MaskedArray):
        path_or_array = _masked_as_no_data(path_or_array)
    return ArrayImage(np.asarray(path_or_array), name or "image", options.channel_names, pixel_size_um)


def _masked_as_no_data(array: Any) -> np.ndarray:
    """Return a masked array with NaN, as floats, where it is masked; as it is if it is masked nowhere."""
    if array.dtype.kind not in "uif" or not np.ma.is_masked(array):
        return np.asarray(array)
    return np.asarray(array.astype(np.result_type(array.dtype, np.float32)).filled(np.nan))


def open_images(given: Any) -> list[Image]:
    """Open one or more images, each given as for `open_image`.

    Raises
    ------
    ImageError
        If one cannot be opened.
    """
    single = isinstance(given, Image | str | os.PathLike) or hasattr(given, "__array__")
    return [open_image(given)] if single or not isinstance(given, Iterable) else [open_image(one) for one in given]


def _options(
    name: str | None,
    channel_names: Sequence[str] | None,
    pixel_size_um: PixelSize | None,
    series: Any,
    plane: Any,
    bounds: bool,
) -> OpenOptions:
    if isinstance(channel_names, str) or not (channel_names is None or isinstance(channel_names, Iterable)):
        raise ImageError(f"The channel names are {channel_names!r}; pass a list of names.")
    names = None if channel_names is None else tuple(channel_names)
    if isinstance(plane, Sequence) and not isinstance(plane, str):
        plane = tuple(_plain_number(one) for one in plane)
    return OpenOptions(name, names, pixel_size_um, _plain_number(series), _plain_number(plane), bounds)


def _plain_number(value: Any) -> Any:
    """Return NumPy's whole numbers, which JSON cannot hold, as int; anything else as it is."""
    return int(value) if isinstance(value, np.integer) else value


def _open_address(address: str, options: OpenOptions) -> Image:
    """Open an OME-Zarr by its address; a file:// address is a path."""
    if scheme_of(address) == "file":
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        path = Path(url2pathname(urlsplit(address).path))
        if not path.exists():
            raise ImageOpenError(f"There is no file {path}, which the address {address} names. Check the address.")
        return _open_file(path, options)
    return readers.open_remote_zarr(address, options)


def _open_file(path: Path, options: OpenOptions) -> Image:
    path = path.expanduser().absolute()
    try:
        there = path.exists()
    except OSError as error:
        raise ImageOpenError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not there:
        raise ImageOpenError(f"There is no file {path}. Check the path; the current folder is {Path.cwd()}.")
    if path.is_dir():
        return _open_folder(path, options)
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        raise ImageOpenError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not start:
        raise ImageOpenError(f"{path} is empty. Copy it again.")
    if start.startswith(b"PK") and (zipped := readers.open_zipped_zarr(path, options)) is not None:
        return zipped
    is_dicom = start[_DICOM] == b"DICM"
    if start.startswith(_TIFF_STARTS) and not is_dicom:
        return _open_any_tiff(path, options)
    if is_dicom or path.suffix.lower() in _SLIDE_ENDINGS:
        if why := _openslide_fault():
            raise ImageOpenError(f"{path} cannot be read: OpenSlide cannot be loaded ({why}). Install openslide-bin.")
        slide = readers.open_slide(path, options)
        if slide is not None:
            return slide
    return open_raster(path, options)


def _open_folder(path: Path, options: OpenOptions) -> Image:
    if path.suffix.lower() == ".zarr" or any((path / file).exists() for file in _ZARR_FILES):
        return readers.open_zarr(path, options)
    raise ImageOpenError(f"{path} is a folder. Pass the path of an image file, or the folder of an OME-Zarr.")


def _open_any_tiff(path: Path, options: OpenOptions) -> Image:
    """Open a slide with OpenSlide, other TIFFs with tifffile, and what that cannot read with OpenSlide."""
    if path.name.lower().endswith((".ome.tif", ".ome.tiff")):  # never an OpenSlide format
        return readers.open_tiff(path, options)
    has_openslide = not _openslide_fault()
    slide = readers.open_slide(path, options) if has_openslide and options.series is None else None
    if slide is not None:
        return slide
    try:
        return readers.open_tiff(path, options)
    except ImageOpenError:
        generic = readers.open_generic(path, options) if has_openslide else None
        if generic is not None:
            return generic
        if path.suffix.lower() in (".vsi", ".ets", ".cr2", ".nef", ".arw", ".dng") and (why := describe_foreign(path)):
            raise ImageOpenError(why) from None
        raise


def _openslide_fault() -> str:
    """Return why OpenSlide's C library cannot be loaded; "" if it can."""
    try:
        readers.open_slide  # noqa: B018 - loads the library
    except (ImportError, OSError) as error:
        return str(error)
    return ""
