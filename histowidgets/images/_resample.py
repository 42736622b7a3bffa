"""Downsample by area means: each output pixel is the mean of the pixels that it covers."""

import numpy as np
import PIL.Image

from histowidgets.images._region import scaled_shape


def area_mean(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Downsample (rows, cols, channels) by a whole factor; a partial block at the edge averages the pixels it has.

    NaN (no data) is ignored; a block of only NaN becomes NaN. The dtype is kept; integers are rounded (8-bit ones by
    Pillow, to within two thirds of a step).
    """
    if factor == 1:
        return pixels
    if pixels.dtype.kind == "f" and np.isnan(pixels).any():
        there = ~np.isnan(pixels)
        means = area_mean(np.where(there, pixels, 0), factor)
        return _per_share(means, area_mean(there.astype(pixels.dtype), factor))
    rows, cols, channels = pixels.shape
    out = np.empty((*scaled_shape(cols, rows, factor), channels), pixels.dtype)
    if pixels.dtype == np.uint8 and channels == 3:
        return np.asarray(PIL.Image.fromarray(np.ascontiguousarray(pixels)).reduce(factor))
    for c in range(channels):
        plane = np.ascontiguousarray(pixels[..., c])
        if pixels.dtype == np.float64:  # Pillow has no 64-bit float
            out[..., c] = _block_means(plane, factor)
            continue
        if pixels.dtype != np.uint8:
            plane = plane.astype(np.float32)
        small = np.asarray(PIL.Image.fromarray(plane).reduce(factor))
        out[..., c] = np.rint(small) if pixels.dtype == np.uint16 else small
    return out


def _per_share(means: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return means over valid pixels, given means with zeros for missing ones, and the share of valid pixels."""
    # Sums over many pixels are not exact, so the share of no pixels is not quite 0.
    is_there = share > 1e-6
    return np.where(is_there, means / np.where(is_there, share, 1), np.nan).astype(means.dtype)


def _block_means(plane: np.ndarray, factor: int) -> np.ndarray:
    """Downsample a float64 plane of (rows, cols) by a whole factor."""
    rows, cols = plane.shape
    top, left = np.arange(0, rows, factor), np.arange(0, cols, factor)
    sums = np.add.reduceat(np.add.reduceat(plane, top, axis=0), left, axis=1)
    counts = np.outer(np.diff(np.append(top, rows)), np.diff(np.append(left, cols)))
    return sums / counts


def area_mean_between(
    pixels: np.ndarray, row_edges: np.ndarray, column_edges: np.ndarray, dtype: np.dtype
) -> np.ndarray:
    """Average (rows, cols, channels) between edges that need not be whole numbers.

    Parameters
    ----------
    pixels : ndarray of (rows, cols, channels)
    row_edges, column_edges : ndarray of (n + 1,) float
        Edges of the output pixels, in input pixels; pixels cut by an edge count by their share. NaN (no data) is
        ignored; the mean of only NaN is NaN.
    dtype : dtype
        Dtype of the result; integers are rounded.

    Returns
    -------
    ndarray of (n_rows, n_cols, channels)
    """
    there = ~np.isnan(pixels) if pixels.dtype.kind == "f" else None
    if there is not None and not there.all():
        pixels = np.where(there, pixels, 0)
        means = _means_along(_means_along(pixels, row_edges, 0), column_edges, 1)
        return _per_share(means, _means_along(_means_along(there, row_edges, 0), column_edges, 1)).astype(dtype)
    means = _means_along(_means_along(pixels, row_edges, 0), column_edges, 1)
    return np.rint(means).astype(dtype) if np.issubdtype(dtype, np.integer) else means.astype(dtype)


def _means_along(pixels: np.ndarray, edges: np.ndarray, axis: int) -> np.ndarray:
    length = pixels.shape[axis]
    # A level may be a pixel short of the full-size image; edges beyond its end fall on its last pixel.
    stop = np.clip(edges[1:], 1e-6, length)
    start = np.minimum(np.clip(edges[:-1], 0, length), stop - 1e-6)
    total = np.cumsum(pixels, axis=axis, dtype=np.float64)
    total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis)

    def up_to(position: np.ndarray) -> np.ndarray:
        whole = np.minimum(position.astype(int), length - 1)
        share = (position - whole).reshape([-1 if a == axis else 1 for a in range(pixels.ndim)])
        return total.take(whole, axis) + share * pixels.take(whole, axis)

    size = (stop - start).reshape([-1 if a == axis else 1 for a in range(pixels.ndim)])
    return (up_to(stop) - up_to(start)) / size
