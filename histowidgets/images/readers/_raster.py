"""Open PNG, JPEG, BMP and other files with Pillow, always reading them whole."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._image import named_after
from histowidgets.images.readers._array import ArrayImage
from histowidgets.images.readers._choice import Listed, choose_image, choose_planes
from histowidgets.images.readers._foreign import describe_foreign
from histowidgets.images.readers._interpretation import Stored, interpret
from histowidgets.images.readers._netpbm import deep_netpbm
from histowidgets.images.readers._options import DEFAULT_OPTIONS, OpenOptions
from histowidgets.images.readers._orientation import Orientation
from histowidgets.images.readers._pixel_size import UM, UNKNOWN, CheckedSize, checked_pixel_size

_ORIENTATION = 0x0112
_CLEAR_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
#: Formats whose further frames are parts or other sizes of the first.
_ONE_PICTURE = ("MPO", "ICO", "ICNS", "PSD")


def open_raster(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> ArrayImage:
    """Open a file with Pillow.

    A palette becomes RGB, transparency is blended with white, and gray stays one channel. Depths of more than 8 bits
    are kept.

    Raises
    ------
    ImageOpenError
        If it is not an image, is truncated, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes that are common here, and refuses sizes twice as large.
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(path) as picture:
                return _opened(path, picture, options)
    except PIL.UnidentifiedImageError:
        pixels = _decoded_otherwise(path)
        if pixels is not None:
            return _array_image(path, pixels, (), UNKNOWN, Orientation(), options)
        raise ImageOpenError(
            describe_foreign(path)
            or f"{path} is not a supported image. PNG, JPEG, BMP, TIFF, OME-TIFF, OME-Zarr and slides that OpenSlide "
            "supports (.svs, .ndpi, .mrxs and others) can be read. Convert files of microscope software to "
            "OME-TIFF with QuPath, Fiji (Bio-Formats) or bioformats2raw."
        ) from None
    except PIL.Image.DecompressionBombError as error:
        raise ImageOpenError(
            f"{path} is too large to be read whole: {error} Convert it to a pyramidal OME-TIFF, which is read in "
            "parts, or raise PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except ImageError:
        raise
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        raise ImageOpenError(
            describe_foreign(path, by_name=False)
            or f"{path} cannot be read: {error}. It may be truncated or damaged; copy it again."
        ) from error


def _opened(path: Path, picture: PIL.Image.Image, options: OpenOptions) -> ArrayImage:
    notes: tuple[str, ...] = ()
    decode = _deep_decoder(
        path, picture
    )  # first, since the following calls load the picture, after which its storage format is lost
    n_frames = int(getattr(picture, "n_frames", 1))
    size, orientation = _pixel_size(picture), orientation_of_picture(picture)
    if n_frames > 1 and picture.format not in _ONE_PICTURE and options.series is None and options.plane is None:
        listed = [Listed("", *picture.size) for _ in range(n_frames)]
        notes = choose_image(path.name, listed, None).notes
    elif options.series is not None or options.plane is not None:
        listed = [Listed("", *picture.size) for _ in range(n_frames)]
        at = choose_image(path.name, listed, options.series).at
        choose_planes(path.name, {}, options.plane)
        picture.seek(at)
    more: tuple[str, ...] = ()
    pixels = None if decode is None else decode()
    if pixels is None:
        pixels, more = raster_pixels(picture)
    elif pixels.shape[2] in (2, 4):
        pixels, more = _without_transparency(pixels, path.name, by_default=picture.format != "PNG")
    return _array_image(path, pixels, (*notes, *more), size, orientation, options)


def _array_image(
    path: Path,
    pixels: np.ndarray,
    notes: tuple[str, ...],
    size: CheckedSize,
    orientation: Orientation,
    options: OpenOptions,
) -> ArrayImage:
    size = orientation.pixel_size(size)
    return ArrayImage(
        orientation.apply(pixels),
        options.name or named_after(path),
        options.channel_names,
        options.pixel_size_or(size.yx_um),
        str(path),
        notes=(*notes, *orientation.notes, *(size.notes if options.pixel_size_um is None else ())),
        opened_with=options.given_choices,
        has_channels_last=True,
    )


def _deep_decoder(path: Path, picture: PIL.Image.Image) -> Callable[[], np.ndarray | None] | None:
    """Return a function that reads a picture whose depth Pillow would reduce; None for other pictures."""
    if picture.format == "PPM":
        return partial(deep_netpbm, path)
    if picture.format == "PNG" and _has_deep_colour(picture):
        from imagecodecs import png_decode  # only here, as it takes a while to load

        return lambda: _channels_last(png_decode(path.read_bytes()))
    if picture.format == "JPEG2000" and _is_deep_jpeg2000(path):
        from imagecodecs import jpeg2k_decode  # only here, as it takes a while to load

        return lambda: _channels_last(jpeg2k_decode(path.read_bytes()))
    return None


def _channels_last(decoded: np.ndarray) -> np.ndarray:
    pixels = np.asarray(decoded)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _has_deep_colour(picture: PIL.Image.Image) -> bool:
    """Return whether a PNG has 16 bits per colour, with or without transparency."""
    tiles = getattr(picture, "tile", None)
    raw = str(tiles[0][3]) if tiles else ""
    return "16" in raw and picture.mode in ("RGB", "RGBA", "LA")


def _is_deep_jpeg2000(path: Path) -> bool:
    """Return whether a JPEG 2000 has more than 8 bits per sample or more than four channels, by its SIZ marker."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    at = start.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(start) < at + 43:
        return False
    n_channels = int.from_bytes(start[at + 40 : at + 42], "big")
    return (start[at + 42] & 0x7F) + 1 > 8 or n_channels > 4


def _decoded_otherwise(path: Path) -> np.ndarray | None:
    """Return the pixels of a file that only imagecodecs supports (12-bit JPEG, JPEG XL); None for other files."""
    with path.open("rb") as file:
        start = file.read(12)
    if not (start.startswith((b"\xff\xd8\xff", b"\xff\x0a")) or start[4:8] == b"JXL "):
        return None
    import imagecodecs  # only here, as it takes a while to load

    decode = imagecodecs.jpeg_decode if start.startswith(b"\xff\xd8") else imagecodecs.jpegxl_decode
    try:
        return _channels_last(decode(path.read_bytes()))
    except (RuntimeError, ValueError, imagecodecs.DelayedImportError):
        return None


def raster_pixels(picture: PIL.Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the pixels of a Pillow image as (rows, cols, channels), and notes about them."""
    mode = picture.mode
    clear_value = picture.info.get("transparency")
    if mode.startswith("I") and isinstance(clear_value, int):
        # Pillow would make it 8 bits, all white.
        deep = np.asarray(picture).astype(np.uint16)
        share = np.where(deep == clear_value, 0, np.iinfo(np.uint16).max).astype(np.uint16)
        return _without_transparency(np.dstack([deep, share]), "The picture")
    if mode == "La":
        picture = picture.convert("LA")  # Pillow converts it to nothing else
    if clear_value is not None or mode in _CLEAR_MODES:
        gray = mode in ("L", "LA", "La")
        clear = np.asarray(picture.convert("RGBA"))
        return _without_transparency(clear[..., (0, 3)] if gray else clear, "The picture")
    if mode == "1":
        picture = picture.convert("L")
    elif mode == "LAB":
        stored = Stored("ICCLAB", 3, np.dtype(np.uint8), 8)
        meaning = interpret(stored, "The picture", lambda: np.zeros((1, 3)))
        lab = np.asarray(picture)
        return meaning.convert(np.stack([lab[..., 0], lab[..., 1] ^ 128, lab[..., 2] ^ 128], axis=-1)), meaning.notes
    elif mode not in ("L", "RGB", "F") and not mode.startswith("I"):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    if mode == "I" and pixels.min() >= 0 and pixels.max() <= np.iinfo(np.uint16).max:
        pixels = pixels.astype(np.uint16)  # older versions of Pillow open 16-bit gray as 32 bits
    return (pixels if pixels.ndim == 3 else pixels[:, :, None]), ()


def orientation_of_picture(picture: PIL.Image.Image) -> Orientation:
    """Return how the pixels of a Pillow image are to be turned, by its EXIF."""
    return Orientation(picture.getexif().get(_ORIENTATION, 1))


def _without_transparency(
    pixels: np.ndarray, name: str, *, by_default: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the channels of a picture whose last sample is transparency, or may be (`by_default`)."""
    colours = "RGB" if pixels.shape[2] == 4 else "MINISBLACK"
    stored = Stored(
        colours,
        pixels.shape[2],
        pixels.dtype,
        8 * pixels.dtype.itemsize,
        (2,),
        by_default=by_default,
        is_certain=not by_default,
    )
    meaning = interpret(stored, name, lambda: pixels.reshape(-1, pixels.shape[2]))
    return meaning.convert(pixels), meaning.notes


def _pixel_size(picture: PIL.Image.Image) -> CheckedSize:
    """Return the pixel size from the resolution, if it is plausible for a microscope."""
    dpi: Any = picture.info.get("dpi")
    try:
        across, down = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return UNKNOWN
    if across in (0, 1) and down in (0, 1):  # unknown
        return UNKNOWN
    return checked_pixel_size(*(UM["inch"] / per if per else None for per in (down, across)), is_resolution=True)
