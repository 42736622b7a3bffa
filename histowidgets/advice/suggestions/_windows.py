"""Predict windows of an image: how certain the classifier is, where classes meet, and what looks unlike the labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from histowidgets.advice import _thresholds as t
from histowidgets.annotations import UNLABELLED, ProjectSnapshot
from histowidgets.images import Image, Region

#: A pixel is uncertain if the probabilities of its two best classes are this close.
UNCERTAIN_MARGIN = 0.3
#: A large image is sampled by windows of this side, in pixels, at most this many, spread over it.
WINDOW = 1024
MOST_WINDOWS = 6
#: Side of a suggested region, in pixels: at least this ...
SMALLEST_REGION = 48
#: ... and at most `REGION_SIDE`, chosen so that this many regions fill the window.
REGIONS_A_WINDOW = 40
#: Cells along the side of a region; their textures are compared with those of labelled places.
CELLS_A_REGION = 4


@dataclass(frozen=True)
class Window:
    """A window of an image with its prediction.

    Attributes
    ----------
    name : str
        Name of the image.
    region : Region
    side : int
        Side of the regions that can be suggested in the window.
    labelled : ndarray of (height, width), bool
    first, second : ndarray of (height, width), uint8
        The two most probable classes.
    margin : ndarray of (height, width), float32
        Difference of their probabilities, 0 to 1.
    cells : ndarray of (rows, columns, values), float32
        Mean and standard deviation of each channel in cells of a quarter of `side`.
    """

    name: str
    region: Region
    side: int
    labelled: np.ndarray
    first: np.ndarray
    second: np.ndarray
    margin: np.ndarray
    cells: np.ndarray

    @property
    def cell(self) -> int:
        """Side of a cell in pixels."""
        return max(1, self.side // CELLS_A_REGION)

    @property
    def uncertain(self) -> np.ndarray:
        """Mask of the unlabelled pixels whose two best classes are close."""
        unsure: np.ndarray = (self.margin < UNCERTAIN_MARGIN) & ~self.labelled
        return unsure

    @property
    def edges(self) -> np.ndarray:
        """Mask of the pixels whose right or lower neighbour is predicted as another class."""
        found = np.zeros(self.first.shape, bool)
        found[:, :-1] |= self.first[:, 1:] != self.first[:, :-1]
        found[:-1] |= self.first[1:] != self.first[:-1]
        return found

    def labelled_cells(self) -> np.ndarray:
        """Mask of the cells that contain a labelled pixel, (rows, columns) bool."""
        return box_means(self.labelled, self.cell, self.cell)[: self.cells.shape[0], : self.cells.shape[1]] > 0


def windows_of(snapshot: ProjectSnapshot, name: str, classifier: Any) -> list[Window]:
    """Predict an image, or windows that represent a large one."""
    return [_predict(snapshot, name, region, classifier) for region in window_regions(snapshot.images[name])]


def window_regions(image: Image) -> list[Region]:
    """Return the region of the whole image, or windows spread evenly over a large one."""
    if image.width * image.height <= MOST_WINDOWS * WINDOW**2 / 2:
        return [image.region]
    width, height = min(WINDOW, image.width), min(WINDOW, image.height)
    # The numbers of columns and rows are in proportion to the image's shape.
    columns = min(MOST_WINDOWS, max(1, round(math.sqrt(MOST_WINDOWS * image.width / image.height))))
    rows = max(1, MOST_WINDOWS // columns)
    xs = [int((i + 0.5) * (image.width - width) / columns) for i in range(columns)]
    ys = [int((j + 0.5) * (image.height - height) / rows) for j in range(rows)]
    return [Region(x, y, width, height) for y in ys for x in xs]


def box_means(values: np.ndarray, side: int, step: int) -> np.ndarray:
    """Return the means over squares of `side` pixels, spaced `step` pixels apart, as (rows, columns)."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    sums[1:, 1:] = values.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    y = np.arange(0, values.shape[0] - side + 1, step)[:, None]
    x = np.arange(0, values.shape[1] - side + 1, step)[None]
    total = sums[y + side, x + side] - sums[y, x + side] - sums[y + side, x] + sums[y, x]
    means: np.ndarray = np.maximum(total, 0) / side**2
    return means


def unlikeness(windows: Sequence[Window]) -> list[np.ndarray]:
    """Return the distance of each cell's texture from the nearest labelled one, in standard deviations.

    Zero everywhere if nothing is labelled, or if the images have different channels.
    """
    if len({window.cells.shape[-1] for window in windows}) != 1:
        return [np.zeros(window.cells.shape[:2]) for window in windows]
    features = np.concatenate([window.cells.reshape(-1, window.cells.shape[-1]) for window in windows])
    labelled = np.concatenate([window.labelled_cells().ravel() for window in windows])
    if not labelled.any():
        return [np.zeros(window.cells.shape[:2]) for window in windows]
    features = features / np.maximum(features.std(axis=0), 1e-6)
    distance, _ = cKDTree(features[labelled]).query(features)
    ends = np.cumsum([window.cells.shape[0] * window.cells.shape[1] for window in windows])[:-1]
    return [part.reshape(w.cells.shape[:2]) for part, w in zip(np.split(distance, ends), windows, strict=True)]


def _predict(snapshot: ProjectSnapshot, name: str, region: Region, classifier: Any) -> Window:
    image = snapshot.images[name]
    probabilities = np.asarray(classifier.predict(image, region).probabilities)
    first = probabilities.argmax(axis=-1)
    others = probabilities.copy()
    np.put_along_axis(others, first[..., None], -1, axis=-1)
    second = others.argmax(axis=-1)
    margin = probabilities.max(axis=-1) - others.max(axis=-1)
    fitting = int(math.sqrt(region.area / REGIONS_A_WINDOW))
    side = min(max(fitting, SMALLEST_REGION), t.REGION_SIDE, region.width, region.height)
    cell = max(1, side // CELLS_A_REGION)
    pixels = np.nan_to_num(image.read(*region).astype(np.float64))  # NaN: no data
    means = [box_means(pixels[..., c], cell, cell) for c in range(pixels.shape[-1])]
    squares = [box_means(pixels[..., c] ** 2, cell, cell) for c in range(pixels.shape[-1])]
    spreads = [np.sqrt(np.maximum(q - m * m, 0)) for m, q in zip(means, squares, strict=True)]
    return Window(
        name=name,
        region=region,
        side=side,
        labelled=snapshot.labels(name, region) != UNLABELLED,
        first=first.astype(np.uint8),
        second=second.astype(np.uint8),
        margin=margin.astype(np.float32),
        cells=np.stack([*means, *spreads], axis=-1).astype(np.float32),
    )
