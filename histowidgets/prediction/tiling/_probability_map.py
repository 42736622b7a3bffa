"""Probabilities at the resolution they were computed at, enlarged on demand."""

from collections.abc import Iterator

import numpy as np
from PIL import Image as PillowImage

from histowidgets.errors import PredictionError
from histowidgets.images import scaled_shape

#: Rows of a full-size picture that are worked on at once while labels are made (times columns and 4 bytes a class).
BAND_ROWS = 512

#: Probabilities of a region up to which they are kept as float32 (64 MB), as exact as they are computed; more of them
#: are kept as float16, in half the memory (three classes of 4096 x 4096 pixels: 100 MB).
EXACT_PROBABILITIES = 16_000_000

#: Rows of a map that are needed on either side of a band to interpolate its edge as if there were none.
EDGE_ROWS = 2


def enlarged(values: np.ndarray, first: int, top: int, bottom: int, width: int, scale: int) -> np.ndarray:
    """Enlarge rows of a map to full size, bilinearly, with each value at the centre of its pixels.

    Parameters
    ----------
    values : ndarray of (K, rows, cols)
        Rows from `first`, with `EDGE_ROWS` more on either side where the map has them.
    first : int
        In values of the map.
    top, bottom, width : int
        Rows and width of the result, in full-size pixels.
    scale : int

    Returns
    -------
    ndarray of float32, (K, bottom - top, width)
    """
    box = (0.0, top / scale - first, width / scale, bottom / scale - first)
    out = np.empty((len(values), bottom - top, width), np.float32)
    for k, plane in enumerate(values):
        small = PillowImage.fromarray(plane.astype(np.float32, copy=False))
        out[k] = np.asarray(small.resize((width, bottom - top), PillowImage.Resampling.BILINEAR, box))
    return out


def best_class(probabilities: np.ndarray) -> np.ndarray:
    """Return the index of the highest of (K, rows, cols): uint8 (rows, cols); the first one of equals."""
    labels = np.zeros(probabilities.shape[1:], np.uint8)
    best = probabilities[0].copy()
    for k in range(1, len(probabilities)):
        labels[probabilities[k] > best] = k
        np.maximum(best, probabilities[k], out=best)
    return labels


def kept_type(count: int) -> type[np.floating]:
    """Return the number format in which `count` probabilities are kept."""
    return np.float32 if count <= EXACT_PROBABILITIES else np.float16


class ProbabilityMap:
    """Class probabilities of a region, one value for each `scale` x `scale` full-size pixels.

    Kept as float32, or as float16 (steps below 0.0005) where there are more than 16 million of them, or where they
    are given as float16: three classes of 4096 x 4096 pixels take 100 MB, or 50 MB at scale 2.

    Parameters
    ----------
    values : ndarray of (K, rows, cols)
        From 0 to 1; rows and cols are those of the region at downsample `scale`.
    width, height : int
        Of the region, in full-size pixels.
    scale : int, default 1
        Full-size pixels per value, along each side.

    Raises
    ------
    PredictionError
        If the shape does not fit the region.
    """

    def __init__(self, values: np.ndarray, width: int, height: int, scale: int = 1) -> None:
        if values.ndim != 3 or values.shape[1:] != scaled_shape(width, height, scale):
            rows, cols = scaled_shape(width, height, scale)
            raise PredictionError(
                f"Probabilities of shape {values.shape} do not fit a region of {width} x {height} pixels at "
                f"scale {scale}; the shape must be (classes, {rows}, {cols})."
            )
        self.values = np.ascontiguousarray(values, np.float16 if values.dtype == np.float16 else kept_type(values.size))
        self.values.setflags(write=False)
        self.width, self.height, self.scale = width, height, scale

    def bands(self) -> Iterator[tuple[int, np.ndarray]]:
        """Enlarge band by band, bilinearly, with each value at the centre of its pixels.

        Yields
        ------
        int
            First row, in full-size pixels from the region's top.
        ndarray of float32, (K, rows of the band, width)
        """
        for top in range(0, self.height, BAND_ROWS):
            bottom = min(self.height, top + BAND_ROWS)
            yield top, self._band(top, bottom)

    def _band(self, top: int, bottom: int) -> np.ndarray:
        if self.scale == 1:
            return self.values[:, top:bottom].astype(np.float32, copy=False)
        # More rows on each side, so that a band's edge is interpolated as if there were none.
        first = max(0, top // self.scale - EDGE_ROWS)
        last = min(self.values.shape[1], -(-bottom // self.scale) + EDGE_ROWS)
        return enlarged(self.values[:, first:last], first, top, bottom, self.width, self.scale)

    def labels(self) -> np.ndarray:
        """Return the most probable class of each full-size pixel: uint8 (height, width); the first one of equals."""
        labels = np.zeros((self.height, self.width), np.uint8)
        for top, band in self.bands():
            labels[top : top + band.shape[1]] = best_class(band)
        return labels

    def confidence(self) -> np.ndarray:
        """Return the highest probability of each full-size pixel: float32 (height, width)."""
        out = np.empty((self.height, self.width), np.float32)
        for top, band in self.bands():
            out[top : top + band.shape[1]] = band.max(0)
        return out

    def expanded(self) -> np.ndarray:
        """Return the probabilities of each full-size pixel: float32 (height, width, K)."""
        out = np.empty((self.height, self.width, len(self.values)), np.float32)
        for top, band in self.bands():
            out[top : top + band.shape[1]] = np.moveaxis(band, 0, -1)
        return out
