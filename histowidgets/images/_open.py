"""The one way in: from a path or an array to an Image."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._array import ArrayImage
from histowidgets.images._image import Image
from histowidgets.images._raster import open_raster

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
        A PNG, JPEG, BMP, TIFF, OME-TIFF (pyramids are read in parts) or Aperio .svs file; or an array of
        (H, W), (H, W, C) or (C, H, W), of 1 to 64 channels; or an Image, which is passed through.
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
        If there is no such file, or it is no image that can be read.
    ImageSizeError
        If the image is too thin, or has too many channels or axes.
    ImageValueError
        If a float image holds NaN or infinity (a large file: when that part is read).
    """
    if isinstance(path_or_array, Image):
        if name is not None or channel_names is not None or pixel_size_um is not None:
            raise ImageError("An Image keeps its name, channel names and pixel size. Give them when it is opened.")
        return path_or_array
    if isinstance(path_or_array, str | os.PathLike):
        return _open_file(Path(path_or_array), name, channel_names, pixel_size_um)
    if not isinstance(path_or_array, np.ndarray) and not hasattr(path_or_array, "__array__"):
        raise ImageError(
            f"An image cannot be made from a {type(path_or_array).__name__}. Give a path, a NumPy array or an Image."
        )
    return ArrayImage(np.asarray(path_or_array), name or "image", channel_names, pixel_size_um)


def _open_file(path: Path, name: str | None, channel_names: Sequence[str] | None, pixel_size_um: float | None) -> Image:
    path = path.expanduser().absolute()
    if not path.exists():
        raise ImageOpenError(f"There is no file {path}. Check the path; the current folder is {Path.cwd()}.")
    if path.is_dir():
        raise ImageOpenError(f"{path} is a folder. Give the path of an image file.")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ImageOpenError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not start:
        raise ImageOpenError(f"{path} is empty. Copy it again.")
    if start in _TIFF_STARTS:
        from histowidgets.images._tiff import open_tiff

        return open_tiff(path, name, channel_names, pixel_size_um)
    return open_raster(path, name, channel_names, pixel_size_um)
