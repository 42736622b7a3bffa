"""Probabilities at the resolution at which they were computed, enlarged on demand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from histowidgets.errors import PredictionError
from histowidgets.images import Taps, scaled_shape, taps_between

#: Number of full-size rows that are enlarged at once to make labels (memory: times columns and 4 bytes per class).
BAND_ROWS = 512

#: Number of probabilities up to which they are kept as float32, as computed (64 MB); more are kept as float16, in half
#: the memory (three classes of 4096 x 4096 pixels: 100 MB).
EXACT_PROBABILITIES = 16_000_000

#: Number of rows on either side of a band that are needed to interpolate at its edge.
EDGE_ROWS = 2


@dataclass(frozen=True)
class AxisPlace:
    """The positions of a map's values along one axis of an image, and the pixels that they cover.

    Attributes
    ----------
    scale : float
        Full-size pixels per value.
    corner : float
        Full-size pixel at which the whole map begins.
    total : int
        Number of values of the whole map.
    start : int
        First full-size pixel of the result.
    first : int
        Index of the first available value.
    """

    scale: float
    corner: float
    total: int
    start: int = 0
    first: int = 0

    def needed(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of values of the whole map from which the pixels `start` to `stop` are interpolated."""
        if self.is_exact:
            return start - int(self.corner), stop - int(self.corner)
        first = math.floor((start - self.corner) / self.scale) - EDGE_ROWS
        last = math.ceil((stop - self.corner) / self.scale) + EDGE_ROWS
        return max(0, first), min(self.total, last)

    def known(self, have: int) -> int:
        """Return the number of pixels from `start` that can be interpolated from the `have` values from `first`."""
        return max(0, math.floor((self.first + have - EDGE_ROWS) * self.scale + self.corner) - self.start)

    @property
    def is_exact(self) -> bool:
        """Whether each value corresponds to one pixel."""
        return self.scale == 1 and float(self.corner).is_integer()

    def value_at(self, pixels: np.ndarray) -> np.ndarray:
        """Return the index, among the available values, of the value that contains each pixel, counted from `start`."""
        places = np.floor((pixels + self.start + 0.5 - self.corner) / self.scale).astype(np.int64)
        return np.clip(places, 0, self.total - 1) - self.first

    def box(self, top: int, bottom: int) -> tuple[float, float]:
        """Return where the pixels `top` to `bottom`, counted from `start`, begin and end among the available values."""
        offset = (self.start - self.corner) / self.scale - self.first
        return top / self.scale + offset, bottom / self.scale + offset

    def taps(self, top: int, bottom: int) -> Taps:
        """Return the interpolation taps of the pixels `top` to `bottom`, counted from `start`."""
        edges = (np.arange(top, bottom + 1) + self.start - self.corner) / self.scale
        return taps_between(edges, 1 / self.scale, self.total).shifted(self.first)


def enlarged(
    values: np.ndarray, skipped: int, top: int, bottom: int, width: int, rows: AxisPlace, cols: AxisPlace
) -> np.ndarray:
    """Enlarge rows of a map to full size bilinearly, with each value at the centre of its pixels.

    Where pixels are larger than values, each pixel is the mean of the values that it covers.

    Parameters
    ----------
    values : ndarray of (K, rows, cols)
        Rows from `skipped` on, with `EDGE_ROWS` more on either side as far as the map extends.
    skipped : int
        Number of rows of the map before them.
    top, bottom, width : int
        Rows and width of the result, in full-size pixels from the corner of the region.
    rows, cols : AxisPlace

    Returns
    -------
    ndarray of float32, (K, bottom - top, width)
    """
    if rows.scale != cols.scale or not float(rows.scale).is_integer():
        part = rows.taps(top, bottom).shifted(skipped).apply(values.astype(np.float32, copy=False), 1)
        return cols.taps(0, width).apply(part, 2)
    (low, high), (left, right) = rows.box(top, bottom), cols.box(0, width)
    box = (left, low - skipped, right, high - skipped)
    out = np.empty((len(values), bottom - top, width), np.float32)
    for k, plane in enumerate(values):
        small = PillowImage.fromarray(plane.astype(np.float32, copy=False))
        out[k] = np.asarray(small.resize((width, bottom - top), PillowImage.Resampling.BILINEAR, box))
    return out


def best_class(probabilities: np.ndarray) -> np.ndarray:
    """Return the index of the highest probability of (K, rows, cols), uint8 (rows, cols); the first one on ties."""
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
    """Class probabilities of a region, with one value for each `scale` x `scale` full-size pixels.

    They are kept as float32, or as float16 (steps below 0.0005) if there are more than 16 million values, or if they
    are given as float16. Three classes of 4096 x 4096 pixels take 100 MB, or 50 MB at scale 2.

    Parameters
    ----------
    values : ndarray of (K, rows, cols)
        From 0 to 1; rows and cols are those of the region at downsample `scale`.
    width, height : int
        Size of the region, in full-size pixels.
    scale : int, default 1
        Full-size pixels along each side of a value.
    places : (AxisPlace, AxisPlace), optional
        Positions of the rows and columns, if they do not begin at the corner of the region; used instead of `scale`.
        There are then a few more values around the region, so that its edges are interpolated as in the whole image.

    Raises
    ------
    PredictionError
        If the shape does not fit the region.
    """

    def __init__(
        self,
        values: np.ndarray,
        width: int,
        height: int,
        scale: int = 1,
        places: tuple[AxisPlace, AxisPlace] | None = None,
    ) -> None:
        if places is None:
            rows, cols = scaled_shape(width, height, scale)
            if values.ndim != 3 or values.shape[1:] != (rows, cols):
                raise PredictionError(
                    f"Probabilities of shape {values.shape} do not fit a region of {width} x {height} pixels at "
                    f"scale {scale}; the shape must be (classes, {rows}, {cols})."
                )
            places = AxisPlace(scale, 0, rows), AxisPlace(scale, 0, cols)
        self.values = np.ascontiguousarray(values, np.float16 if values.dtype == np.float16 else kept_type(values.size))
        self.values.setflags(write=False)
        self.width, self.height = width, height
        self._rows, self._cols = places
        self.scale = self._rows.scale

    def bands(self) -> Iterator[tuple[int, np.ndarray]]:
        """Enlarge the map to full size band by band, bilinearly, with each value at the centre of its pixels.

        Yields
        ------
        int
            First row, in full-size pixels from the top of the region.
        ndarray of float32, (K, rows of the band, width)
        """
        for top in range(0, self.height, BAND_ROWS):
            bottom = min(self.height, top + BAND_ROWS)
            yield top, self._band(top, bottom)

    def _band(self, top: int, bottom: int) -> np.ndarray:
        rows, cols = self._rows, self._cols
        first, last = (value - rows.first for value in rows.needed(rows.start + top, rows.start + bottom))
        if rows.is_exact and cols.is_exact:
            left, right = (value - cols.first for value in cols.needed(cols.start, cols.start + self.width))
            return self.values[:, first:last, left:right].astype(np.float32, copy=False)
        return enlarged(self.values[:, first:last], first, top, bottom, self.width, rows, cols)

    def places_of(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and columns of `values` that contain the given rows and columns of the region."""
        return self._rows.value_at(rows), self._cols.value_at(columns)

    def labels(self) -> np.ndarray:
        """Return the most probable class of each full-size pixel, uint8 (height, width); the first one on ties."""
        labels = np.zeros((self.height, self.width), np.uint8)
        for top, band in self.bands():
            labels[top : top + band.shape[1]] = best_class(band)
        return labels

    def confidence_steps(self) -> np.ndarray:
        """Return the highest probability at each pixel in steps of 1/255, as on disk: uint8 (height, width)."""
        out = np.empty((self.height, self.width), np.uint8)
        for top, band in self.bands():
            out[top : top + band.shape[1]] = np.rint(band.max(0) * 255)
        return out

    def expanded(self) -> np.ndarray:
        """Return the probabilities at each full-size pixel, float32 (height, width, K)."""
        out = np.empty((self.height, self.width, len(self.values)), np.float32)
        for top, band in self.bands():
            out[top : top + band.shape[1]] = np.moveaxis(band, 0, -1)
        return out
