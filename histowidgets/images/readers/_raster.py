"""PNG, JPEG, BMP and other files that Pillow reads, always whole."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from histowidgets.errors import ImageOpenError
from histowidgets.images._image import named_after
from histowidgets.images.readers._array import ArrayImage
from histowidgets.images.readers._layout import over_white
from histowidgets.images.readers._units import LARGEST_PIXEL_UM, UM


def open_raster(
    path: Path,
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> ArrayImage:
    """Open a file through Pillow.

    A palette becomes RGB; transparency is laid over white; gray stays one channel; 16-bit gray stays 16 bit.

    Raises
    ------
    ImageOpenError
        If it is not an image, is cut short, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes that are common here, and refuses those twice as large.
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(path) as picture:
                if pixel_size_um is None:
                    pixel_size_um = _pixel_size(picture)
                pixels = _deep_png(path) if _is_deep_colour(picture) else raster_pixels(picture)
    except PIL.UnidentifiedImageError:
        raise ImageOpenError(
            f"{path} is no image that can be read. PNG, JPEG, BMP, TIFF, OME-TIFF, OME-Zarr and "
            "slides that OpenSlide knows (.svs, .ndpi, .mrxs and others) can."
        ) from None
    except PIL.Image.DecompressionBombError as error:
        raise ImageOpenError(
            f"{path} is too large for a picture that is read whole: {error} Convert it to a pyramidal OME-TIFF, "
            "which is read in parts, or raise PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        raise ImageOpenError(
            f"{path} cannot be read: {error}. It may be cut short or damaged; copy it again."
        ) from error
    return ArrayImage(pixels, name or named_after(path), channel_names, pixel_size_um, str(path))


def _is_deep_colour(picture: PIL.Image.Image) -> bool:
    """Tell whether a PNG has 16 bits a colour, of which Pillow would drop 8."""
    tiles = getattr(picture, "tile", None)
    raw = str(tiles[0][3]) if tiles else ""
    return picture.format == "PNG" and "16" in raw and picture.mode in ("RGB", "RGBA", "LA")


def _deep_png(path: Path) -> np.ndarray:
    """Return (rows, cols, channels) uint16 of a PNG with 16 bits a colour, transparency laid over white."""
    import imagecodecs  # only here, as it takes a while to load

    pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    return pixels if pixels.shape[2] == 3 else over_white(pixels, multiplied=False)


def raster_pixels(picture: PIL.Image.Image) -> np.ndarray:
    """Return the pixels of a Pillow image as (rows, cols, channels)."""
    mode = picture.mode
    if "transparency" in picture.info or mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        gray = mode in ("L", "LA", "La")
        clear = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, clear).convert("L" if gray else "RGB")
    elif mode == "1":
        picture = picture.convert("L")
    elif mode not in ("L", "RGB", "F") and not mode.startswith("I"):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    if mode == "I" and pixels.min() >= 0 and pixels.max() <= np.iinfo(np.uint16).max:
        pixels = pixels.astype(np.uint16)  # older Pillow opens 16-bit gray as 32 bit
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _pixel_size(picture: PIL.Image.Image) -> float | None:
    """Return the pixel size that the resolution says, if it can be that of a microscope."""
    dpi = picture.info.get("dpi")
    if not dpi or not dpi[0] or float(dpi[0]) <= 0:
        return None
    size = UM["inch"] / float(dpi[0])
    return size if size <= LARGEST_PIXEL_UM else None
