"""Probabilities at the resolution they were computed at, enlarged on demand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from histowidgets.errors import PredictionError
from histowidgets.images import Taps, scaled_shape, taps_between

#: Rows of a full-size picture that are worked on at once while labels are made (times columns and 4 bytes a class).
BAND_ROWS = 512

#: Probabilities of a region up to which they are kept as float32 (64 MB), as exact as they are computed; more of them
#: are kept as float16, in half the memory (three classes of 4096 x 4096 pixels: 100 MB).
EXACT_PROBABILITIES = 16_000_000

#: Rows of a map that are needed on either side of a band to interpolate its edge as if there were none.
EDGE_ROWS = 2


@dataclass(frozen=True)
class AxisPlace:
    """Where the values of a map lie along one axis of an image, and for which of its pixels they are there.

    Attributes
    ----------
    scale : float
        Full-size pixels for each value.
    corner : float
        Full-size pixel at which the values of the whole map begin.
    total : int
        Number of values of the whole map.
    start : int
        First of the full-size pixels that are wanted.
    first : int
        First of the values that are there.
    """

    scale: float
    corner: float
    total: int
    start: int = 0
    first: int = 0

    def needed(self, start: int, stop: int) -> tuple[int, int]:
        """Return which values of the whole map the full-size pixels from `start` to `stop` are made of."""
        if self.is_exact:
            return start - int(self.corner), stop - int(self.corner)
        first = math.floor((start - self.corner) / self.scale) - EDGE_ROWS
        last = math.ceil((stop - self.corner) / self.scale) + EDGE_ROWS
        return max(0, first), min(self.total, last)

    def known(self, have: int) -> int:
        """Return up to which pixel, from `start`, all is known where there are `have` values from `first` on."""
        return max(0, math.floor((self.first + have - EDGE_ROWS) * self.scale + self.corner) - self.start)

    @property
    def is_exact(self) -> bool:
        """Whether each value is that of one pixel."""
        return self.scale == 1 and float(self.corner).is_integer()

    def value_at(self, pixels: np.ndarray) -> np.ndarray:
        """Return which of the values that are there each pixel, from `start`, lies in."""
        places = np.floor((pixels + self.start + 0.5 - self.corner) / self.scale).astype(np.int64)
        return np.clip(places, 0, self.total - 1) - self.first

    def box(self, top: int, bottom: int) -> tuple[float, float]:
        """Return where pixels from `top` to `bottom`, from `start`, begin and end among the values that are there."""
        offset = (self.start - self.corner) / self.scale - self.first
        return top / self.scale + offset, bottom / self.scale + offset

    def taps(self, top: int, bottom: int) -> Taps:
        """Return what the pixels from `top` to `bottom`, from `start`, are made of."""
        edges = (np.arange(top, bottom + 1) + self.start - self.corner) / self.scale
        return taps_between(edges, 1 / self.scale, self.total).shifted(self.first)


def enlarged(
    values: np.ndarray, skipped: int, top: int, bottom: int, width: int, rows: AxisPlace, cols: AxisPlace
) -> np.ndarray:
    """Bring rows of a map to full size, bilinearly, with each value at the centre of its pixels.

    Where pixels are larger than values, each is the mean of those that it covers.

    Parameters
    ----------
    values : ndarray of (K, rows, cols)
        Rows from `skipped` on, with `EDGE_ROWS` more on either side where the map has them.
    skipped : int
        Rows of the map before them.
    top, bottom, width : int
        Rows and width of the result, in full-size pixels from the region's corner.
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
    places : (AxisPlace, AxisPlace), optional
        Where rows and columns lie, if they do not begin at the region's corner; instead of `scale`. There are then a
        few more values around the region, so that its edges are interpolated as in the whole image.

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
        """Bring the map to full size band by band, bilinearly, with each value at the centre of its pixels.

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
        rows, cols = self._rows, self._cols
        first, last = (value - rows.first for value in rows.needed(rows.start + top, rows.start + bottom))
        if rows.is_exact and cols.is_exact:
            left, right = (value - cols.first for value in cols.needed(cols.start, cols.start + self.width))
            return self.values[:, first:last, left:right].astype(np.float32, copy=False)
        return enlarged(self.values[:, first:last], first, top, bottom, self.width, rows, cols)

    def places_of(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the column of `values` in which rows and columns of the region lie."""
        return self._rows.value_at(rows), self._cols.value_at(columns)

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
