"""The layout of pixels: channel axis, supported dtypes, and transparency."""

from collections.abc import Sequence

import numpy as np

from histowidgets.errors import ImageError, ImageSizeError
from histowidgets.images._limits import MAX_CHANNELS

_KEPT: dict[np.dtype, np.dtype] = {np.dtype(t): np.dtype(t) for t in (np.uint8, np.uint16, np.float32, np.float64)}
#: The dtypes that other dtypes become, which hold all their values (64-bit integers: up to 2**53).
_CONVERTED: dict[np.dtype, np.dtype] = {
    np.dtype(bool): np.dtype(np.uint8),
    np.dtype(np.int8): np.dtype(np.float32),
    np.dtype(np.int16): np.dtype(np.float32),
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.int32): np.dtype(np.float64),
    np.dtype(np.uint32): np.dtype(np.float64),
    np.dtype(np.int64): np.dtype(np.float64),
    np.dtype(np.uint64): np.dtype(np.float64),
}


def kept_dtype(dtype: np.dtype, name: str) -> np.dtype:
    """Return the dtype in which an image of this dtype is read.

    Raises
    ------
    ImageError
        If it is not a real number (objects, text, complex).
    """
    native = np.dtype(dtype).newbyteorder("=")
    kept = _KEPT.get(native) or _CONVERTED.get(native)
    if kept is None:
        raise ImageError(
            f"Image {name!r} has pixels of type {dtype}; uint8, uint16, float32, float64, bool and other integers are "
            "supported. Convert it with .astype(...)."
        )
    return kept


def as_kept(pixels: np.ndarray, name: str) -> np.ndarray:
    """Convert pixels to a supported dtype; False and True become 0 and 255."""
    kept = kept_dtype(pixels.dtype, name)
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * np.uint8(255)
    return pixels.astype(kept, copy=False)


def over_white(pixels: np.ndarray, multiplied: bool, white: float | None = None) -> np.ndarray:
    """Blend (rows, cols, colours + transparency) with white, and drop the transparency.

    `multiplied` says that the colours were already multiplied by the transparency; `white` is the largest value, by
    default that of the dtype, or 1 for floats.
    """
    if white is None:
        white = float(np.iinfo(pixels.dtype).max) if np.issubdtype(pixels.dtype, np.integer) else 1.0
    share = pixels[..., -1:] / white
    colours = pixels[..., :-1] * (1.0 if multiplied else share) + (1 - share) * white
    rounded = np.rint(colours) if np.issubdtype(pixels.dtype, np.integer) else colours
    return np.clip(rounded, 0, white).astype(pixels.dtype) if multiplied else rounded.astype(pixels.dtype)


def channels_last(array: np.ndarray, name: str, n_named: int | None = None) -> np.ndarray:
    """View an array as (rows, columns, channels).

    A 2D array has one channel. In 3D, the channels are the first or last axis: the one of length at most 64; if both
    are, the one that matches `n_named` (the number of given channel names), else the shorter one, else the last.

    Raises
    ------
    ImageSizeError
        If no axis can be the channels, or more than three axes are longer than 1.
    """
    if array.ndim > 3 and sum(n > 1 for n in array.shape) <= 3:
        array = array.reshape([n for n in array.shape[:-3] if n > 1] + list(array.shape[-3:]))
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim != 3:
        raise ImageSizeError(
            f"Image {name!r} has shape {array.shape}; it must be rows x columns, rows x columns x channels or "
            "channels x rows x columns. Pass one plane of a stack or movie."
        )
    if _channels_are_first(array.shape, name, n_named):
        return np.moveaxis(array, 0, -1)
    return array


def _channels_are_first(shape: Sequence[int], name: str, n_named: int | None) -> bool:
    first, last = shape[0], shape[-1]
    can_be_first, can_be_last = 1 <= first <= MAX_CHANNELS, 1 <= last <= MAX_CHANNELS
    if not can_be_first and not can_be_last:
        raise ImageSizeError(
            f"Image {name!r} has shape {tuple(shape)}: neither its first nor its last axis can be channels, of "
            f"which at most {MAX_CHANNELS} are possible. Keep the channels you need, or pass one plane of a stack."
        )
    if can_be_first != can_be_last:
        return can_be_first
    if n_named is not None and (first == n_named) != (last == n_named):
        return first == n_named
    if first == 1 and last in (3, 4):  # a single row of RGB, which is then refused as too thin
        return False
    return first < last
