"""Blend tiles into rows of a probability map, with one row of tiles in memory at a time."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from histowidgets.prediction.tiling._plan import AxisPlan

#: Smallest weight of a pixel in a blended tile, so that no weight is 0.
LEAST_WEIGHT = 1e-3

#: Standard deviation of the Gaussian blend, as a fraction of the tile's side (the usual choice for sliding windows).
GAUSSIAN_SHARE = 0.125

#: Ways to blend; see `blended`.
BLENDS: tuple[str, ...] = ("centre-crop", "gaussian", "linear")

#: Maps the index of a row of tiles to their probabilities, from left to right: (K, size / stride, size / stride).
TileRow = Callable[[int], Iterable[np.ndarray]]


def blended(
    rows: AxisPlan, cols: AxisPlan, shape: tuple[int, int, int], tile_row: TileRow, blend: str, margin: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Compute the rows of a probability map, from the top.

    Parameters
    ----------
    rows, cols : AxisPlan
        In values of the map (input pixels divided by the output stride).
    shape : (K, rows, cols)
        Shape of the map.
    tile_row : callable
        Returns the probabilities of a row of tiles.
    blend : {"centre-crop", "gaussian", "linear"}
        "centre-crop" takes each value from the tile whose central part contains it; the others average all tiles that
        contain it, weighted by a Gaussian around the tile's centre, or by a linear ramp as long as the overlap.
    margin : int
        Half of the overlap, in values of the map.

    Yields
    ------
    int
        First row.
    ndarray of float32, (K, rows of the band, cols)
        Each row is yielded once.
    """
    if blend == "centre-crop":
        return _cropped(rows, cols, shape, tile_row)
    return _weighted(rows, cols, shape, tile_row, blend, margin)


def _cropped(
    rows: AxisPlan, cols: AxisPlan, shape: tuple[int, int, int], tile_row: TileRow
) -> Iterator[tuple[int, np.ndarray]]:
    for i, top in enumerate(rows.starts):
        first, last = rows.cuts[i], rows.cuts[i + 1]
        band = np.empty((shape[0], last - first, shape[2]), np.float32)
        for j, tile in enumerate(tile_row(i)):
            left, a, b = cols.starts[j], cols.cuts[j], cols.cuts[j + 1]
            band[:, :, a:b] = tile[:, first - top : last - top, a - left : b - left]
        yield first, band


def _weighted(
    rows: AxisPlan, cols: AxisPlan, shape: tuple[int, int, int], tile_row: TileRow, blend: str, margin: int
) -> Iterator[tuple[int, np.ndarray]]:
    weights = np.outer(tile_weights(rows.size, blend, margin), tile_weights(cols.size, blend, margin))
    done = 0
    # Sums over the rows from `done` to the end of the current row of tiles.
    total = np.zeros((shape[0], 0, shape[2]), np.float32)
    weight = np.zeros((0, shape[2]), np.float32)
    for i, top in enumerate(rows.starts):
        bottom = min(top + rows.size, shape[1])
        missing = bottom - done - total.shape[1]
        total = np.pad(total, ((0, 0), (0, missing), (0, 0)))
        weight = np.pad(weight, ((0, missing), (0, 0)))
        y0 = max(top, 0)
        for j, tile in enumerate(tile_row(i)):
            x0, x1 = max(cols.starts[j], 0), min(cols.starts[j] + cols.size, shape[2])
            inside = np.s_[y0 - top : bottom - top, x0 - cols.starts[j] : x1 - cols.starts[j]]
            target = np.s_[y0 - done : bottom - done, x0:x1]
            total[(slice(None), *target)] += tile[(slice(None), *inside)] * weights[inside]
            weight[target] += weights[inside]
        finished = shape[1] if i + 1 == len(rows.starts) else max(rows.starts[i + 1], 0)
        n = finished - done
        yield done, total[:, :n] / weight[:n]
        total, weight, done = total[:, n:], weight[n:], finished


def tile_weights(size: int, blend: str, margin: int) -> np.ndarray:
    """Return the weight of each value along one side of a tile: float32 (size,), above 0 everywhere."""
    place = np.arange(size) + 0.5
    if blend == "gaussian":
        weights = np.exp(-0.5 * ((place - size / 2) / (GAUSSIAN_SHARE * size)) ** 2)
    else:
        weights = np.minimum(1.0, np.minimum(place, size - place) / max(2 * margin, 1))
    return np.maximum(weights, LEAST_WEIGHT).astype(np.float32)
