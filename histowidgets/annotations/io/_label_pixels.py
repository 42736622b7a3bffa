"""Read the pixels of a label map from a picture file or an array."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from histowidgets.annotations.io._label_png import KEYWORD, check_pixels, own_text
from histowidgets.errors import LabelPngError
from histowidgets.images import Orientation, orientation_of_picture

#: Called with width and height before decoding; raises if they do not fit.
CheckSize = Callable[[int, int], object]


@dataclass(frozen=True)
class LabelPixels:
    """The pixels of a file or an array, before their values are interpreted.

    Attributes
    ----------
    name : str
        Name of the file, or "The array".
    values : ndarray of (rows, columns), integers; or (rows, columns, 3), uint8
        Numbers or colours.
    hidden : ndarray of (rows, columns), bool, or None
        Where a picture is transparent.
    is_mask : bool
        Whether the pixels are boolean (1 bit, or True and False).
    palette : dict of value to "#RRGGBB"
    classes : list of (name, colour), or None
        Classes that `write_label_png` wrote into the file.
    downsample : float or None
        Downsample that `write_label_png` wrote into the file.
    """

    name: str
    values: np.ndarray
    hidden: np.ndarray | None = None
    is_mask: bool = False
    palette: Mapping[int, str] = field(default_factory=dict)
    classes: list[tuple[str, str]] | None = None
    downsample: float | None = None


def read_label_pixels(source: Any, check_size: CheckSize) -> LabelPixels:
    """Read a PNG, TIFF, BMP, GIF or NPY file, an array or a Pillow image.

    Raises
    ------
    LabelPngError
        If it cannot be read, or its pixels cannot be labels. Errors of `check_size` are passed on.
    """
    if isinstance(source, PIL.Image.Image):
        return _of_picture("The picture", source, check_size)
    if not isinstance(source, Path):
        return _of_array("The array", np.asarray(source), check_size)
    try:
        with source.open("rb") as file:
            start = file.read(26)
    except OSError as error:
        raise LabelPngError(f"{source} cannot be read: {error.strerror or error}. Check the path.") from error
    if start[:8] == b"\x89PNG\r\n\x1a\n":
        return _of_png(source, start, check_size)
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _of_tiff(source, check_size)
    if start[:6] == b"\x93NUMPY":
        return _of_npy(source, check_size)
    if start[:2] == b"BM" or start[:4] == b"GIF8":
        with _opened(source, ["BMP", "GIF"]) as picture:
            return _of_picture(source.name, picture, check_size)
    if start[:3] == b"\xff\xd8\xff":
        raise LabelPngError(f"{source} is a JPEG, whose compression changes values. Export the labels as PNG or TIFF.")
    raise LabelPngError(f"{source} is not a PNG, TIFF, BMP, GIF or NPY file. Export the labels as PNG.")


# --- arrays ----------------------------------------------------------------------------------------------------------


def _of_array(name: str, array: np.ndarray, check_size: CheckSize, **more: Any) -> LabelPixels:
    """Read integers, booleans or colours from an array."""
    array = np.asarray(array)
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array[0] if array.shape[0] == 1 else array[:, :, 0]
    if array.ndim == 3 and array.shape[2] not in (3, 4) and array.shape[0] in (3, 4):
        array = np.moveaxis(array, 0, 2)
    is_color = array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype == np.uint8
    if array.ndim != 2 and not is_color:
        raise LabelPngError(
            f"{name} has the shape {array.shape} and the type {array.dtype}; labels must be (rows, columns) of whole "
            "numbers, or (rows, columns, 3) of uint8 for colours. Pass a single plane of it."
        )
    check_size(array.shape[1], array.shape[0])
    if is_color:
        hidden = array[:, :, 3] == 0 if array.shape[2] == 4 else None
        return LabelPixels(name, np.ascontiguousarray(array[:, :, :3]), hidden, **more)
    if array.dtype == np.bool_:
        return LabelPixels(name, array.astype(np.uint8), is_mask=True, **more)
    if array.dtype.kind == "f":
        whole = np.where(np.isfinite(array), array, 0).astype(np.int64)
        if not (np.abs(array) < 2**53).all() or (whole != array).any():
            raise LabelPngError(
                f"{name} has values that are not whole numbers, such as probabilities. Choose the classes first, e.g. "
                "with array > 0.5 or array.argmax(axis=-1)."
            )
        array = whole
    if array.dtype.kind not in "iu":
        raise LabelPngError(f"{name} is of type {array.dtype}; labels must be whole numbers.")
    return LabelPixels(name, array, **more)


def _of_npy(path: Path, check_size: CheckSize) -> LabelPixels:
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # refuses pickled objects
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise LabelPngError(f"{path} is damaged: {error}. Save it again with numpy.save.") from error
    return _of_array(path.name, array, check_size)


# --- pictures --------------------------------------------------------------------------------------------------------


def _opened(path: Path, formats: list[str]) -> PIL.Image.Image:
    try:
        return PIL.Image.open(path, formats=formats)
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise LabelPngError(f"{path} is damaged: {error}. Export it again.") from error


def _of_png(path: Path, start: bytes, check_size: CheckSize) -> LabelPixels:
    if len(start) < 26 or start[12:16] != b"IHDR":
        raise LabelPngError(f"{path} is damaged: it has no header. Export it again.")
    width, height, bits, color_type = struct.unpack(">IIBB", start[16:26])
    if width < 1 or height < 1:
        raise LabelPngError(f"{path} is damaged: its header says {width} x {height} pixels.")
    check_pixels(width, height, path.name)
    with _opened(path, ["PNG"]) as picture:
        found = _of_picture(path.name, picture, check_size, bits if color_type == 0 else 8)
        text = picture.text.get(KEYWORD) if isinstance(picture, PIL.PngImagePlugin.PngImageFile) else None
    if text is None:
        return found
    classes, downsample = own_text(path.name, text)
    return LabelPixels(found.name, found.values, found.hidden, found.is_mask, found.palette, classes, downsample)


def _of_picture(name: str, picture: PIL.Image.Image, check_size: CheckSize, bits: int = 8) -> LabelPixels:
    check_pixels(picture.width, picture.height, name)
    try:
        orientation = orientation_of_picture(picture)
        check_size(*orientation.size(picture.width, picture.height))
        if picture.mode in ("LA", "PA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"):
            picture = picture.convert("RGBA")
        array = orientation.apply(np.array(picture))
        palette = _palette(picture)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, PIL.Image.DecompressionBombError) as error:
        raise LabelPngError(f"{name} is damaged: {error}. Export it again.") from error
    if bits in (2, 4) and picture.mode == "L":
        array = array // (255 // ((1 << bits) - 1))  # Pillow scales grey of few bits to 0 to 255
    found = _of_array(name, array, check_size, palette=palette)
    clear = picture.info.get("transparency") if picture.mode == "P" else None
    if isinstance(clear, bytes):
        values = [k for k, alpha in enumerate(clear) if alpha == 0]
    else:
        values = [clear] if isinstance(clear, int) else []
    if not values:
        return found
    return LabelPixels(name, found.values, np.isin(found.values, values), found.is_mask, palette)


def _palette(picture: PIL.Image.Image) -> dict[int, str]:
    rgb = picture.getpalette("RGB") if picture.mode == "P" else None
    if rgb is None:
        return {}
    return {k: "#{:02X}{:02X}{:02X}".format(*rgb[3 * k : 3 * k + 3]) for k in range(len(rgb) // 3)}


def _of_tiff(path: Path, check_size: CheckSize) -> LabelPixels:
    import tifffile  # only here, as it takes a while to load

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            orientation = Orientation(getattr(page.tags.get("Orientation"), "value", 1))
            check_size(*orientation.size(page.imagewidth, page.imagelength))
            check_pixels(page.imagewidth, page.imagelength, path.name)
            shapes = [other.shape for other in tiff.pages]
            if shapes.count(page.shape) > 1:
                raise LabelPngError(
                    f'{path.name} has {len(shapes)} pages. Pass one as an array: tifffile.imread("{path.name}", key=0).'
                )
            if page.compression in (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG):
                raise LabelPngError(
                    f"{path.name} is compressed as JPEG, which changes values. Export the labels without it."
                )
            array = page.asarray()
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and array.ndim == 3:
                array = np.moveaxis(array, 0, 2)
            array = orientation.apply(array)
            is_mask = page.bitspersample == 1
            if is_mask and page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
                array = array == 0  # white marks the labels
            palette = _tiff_palette(page) if page.photometric == tifffile.PHOTOMETRIC.PALETTE else {}
    except LabelPngError:
        raise
    except Exception as error:  # tifffile and its decoders raise almost anything
        raise LabelPngError(f"{path} cannot be read: {error}. Export the labels as PNG.") from error
    return _of_array(path.name, array.astype(bool) if is_mask and not palette else array, check_size, palette=palette)


def _tiff_palette(page: Any) -> dict[int, str]:
    colors = np.asarray(page.colormap) >> 8
    return {k: "#{:02X}{:02X}{:02X}".format(*(int(v) for v in rgb)) for k, rgb in enumerate(colors.T)}
