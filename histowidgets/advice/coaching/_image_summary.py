"""What the coach sees of an image: its labels and pixels, downsampled so that it can follow each stroke."""

import math
import threading
import weakref
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage

from histowidgets.advice import _thresholds as t
from histowidgets.annotations import UNLABELLED, Project, ProjectSnapshot
from histowidgets.errors import ImageNameError
from histowidgets.images import Image, Region

#: Longest side, in pixels, of the images that the coach looks at; larger ones are downsampled.
COACH_SIDE = 1024
#: Side of the patches that are compared, in pixels of the downsampled image.
PATCH = 8

_LOCK = threading.Lock()


@dataclass(frozen=True)
class Texture:
    """Features of an image's pixels, scaled so that the 1st to 99th percentile becomes 0 to 1.

    Attributes
    ----------
    patches : ndarray of (rows, columns, values), float32
        For each cell of 8 x 8 downsampled pixels, the patch of that size around its brightest spot, averaged to 4 x 4,
        with all channels in one vector.
    spots : ndarray of (rows, columns, 2), int
        Row and column of those spots.
    cells : ndarray of (256, 3), float32
        Mean colour of each cell of a 16 x 16 grid; without three channels, their mean repeated three times.
    values : ndarray of (256, channels), float32
        Mean pixel values of each of these cells, not scaled, without missing pixels; NaN where all are missing.
    """

    patches: np.ndarray
    spots: np.ndarray
    cells: np.ndarray
    values: np.ndarray


# Images never change, so their texture stays valid for the lifetime of the object.
_TEXTURES: "weakref.WeakKeyDictionary[Image, Texture]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class ImageSummary:
    """One image with its labels, at an integer downsample.

    Attributes
    ----------
    name : str
    image : Image
    downsample : int
    labels : ndarray of (rows, columns), uint8
        Class indices, 255 where unlabelled.
    strokes : int
        Annotations that are not erasers.
    """

    name: str
    image: Image
    downsample: int
    labels: np.ndarray = field(repr=False)
    strokes: int

    @cached_property
    def labelled(self) -> np.ndarray:
        """Mask of the pixels that have a label, (rows, columns) bool."""
        return self.labels != UNLABELLED

    @cached_property
    def areas(self) -> np.ndarray:
        """Number of labelled full-size pixels of each class index, (256,); approximate if the image is downsampled."""
        return np.bincount(self.labels.ravel(), minlength=256) * self.downsample**2

    @property
    def texture(self) -> Texture:
        """Features of the pixels; read once for each image."""
        with _LOCK:
            if self.image not in _TEXTURES:
                _TEXTURES[self.image] = _read(self.image, self.downsample)
            return _TEXTURES[self.image]

    def points(self, index: int, most: int) -> np.ndarray:
        """Return at most `most` evenly sampled labelled pixels of a class, as (n, 2) row and column."""
        rows, cols = np.nonzero(self.labels == index)
        step = max(1, len(rows) // most)
        return np.column_stack([rows, cols])[::step][:most]

    def around(self, row: float, col: float) -> Region:
        """Return a square around a downsampled pixel, shifted to lie inside the image, in full-size pixels."""
        width, height = min(t.REGION_SIDE, self.image.width), min(t.REGION_SIDE, self.image.height)
        x = int((col + 0.5) * self.downsample - width / 2)
        y = int((row + 0.5) * self.downsample - height / 2)
        return Region(
            min(max(x, 0), self.image.width - width), min(max(y, 0), self.image.height - height), width, height
        )


def summarize_image(project: Project | ProjectSnapshot, snapshot: ProjectSnapshot, name: str) -> ImageSummary:
    """Summarize one image of a project."""
    image = snapshot.images[name]
    downsample = max(1, math.ceil(max(image.width, image.height) / COACH_SIDE))
    labels = None if isinstance(project, ProjectSnapshot) else _kept_labels(project, snapshot, name, downsample)
    if labels is None:
        labels = snapshot.labels(name, downsample=downsample)
    strokes = sum(a.class_name is not None for a in snapshot.annotations[name])
    return ImageSummary(name, image, downsample, labels, strokes)


def _kept_labels(project: Project, snapshot: ProjectSnapshot, name: str, downsample: int) -> np.ndarray | None:
    """Return the labels that the project updates with each stroke; None if they no longer match the snapshot."""
    try:
        labels = project.label_map(name, downsample)
    except ImageNameError:
        return None  # the image was removed meanwhile
    return labels if tuple(project.classes) == snapshot.classes else None


def cell_edges(length: int) -> np.ndarray:
    """Return where each of the 16 cells along a side begins, and where the last one ends."""
    return np.linspace(0, length, t.GRID + 1).astype(int)


def _read(image: Image, downsample: int) -> Texture:
    pixels = image.read(0, 0, image.width, image.height, downsample).astype(np.float32)
    missing = np.isnan(pixels)
    there = _cell_sums((~missing).astype(np.float32))
    with np.errstate(invalid="ignore"):
        values = _cell_sums(np.where(missing, 0, pixels)) / there
    low, high = np.percentile(pixels[~missing] if missing.any() else pixels, [1, 99])
    pixels = np.clip((pixels - low) / max(float(high - low), 1e-12), 0, 1)
    pixels[missing] = 0  # no data
    patches, spots = _patches(pixels)
    colours = pixels if pixels.shape[-1] == 3 else pixels.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    sizes = _cell_sums(np.ones((*pixels.shape[:2], 1), np.float32))
    return Texture(patches, spots, (_cell_sums(colours) / sizes), values)


def _cell_sums(values: np.ndarray) -> np.ndarray:
    """Sum (rows, columns, channels) over each cell; return (256, channels).

    If a side is shorter than the grid, some cells have no pixel: they repeat the next cell.
    """
    y, x = cell_edges(values.shape[0]), cell_edges(values.shape[1])
    sums = np.add.reduceat(np.add.reduceat(values, y[:-1], axis=0), x[:-1], axis=1)
    return sums.reshape(-1, values.shape[-1])


def _patches(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a patch around the brightest spot of each cell.

    Tissue that occurs twice, as in two overlapping crops, is thus cut in the same way wherever it lies on the grid.
    """
    side, half = PATCH, PATCH // 2
    height, width = pixels.shape[:2]
    # An image that is narrower than a patch is padded by repeating its edge.
    pixels = np.pad(pixels, ((0, max(0, side - height)), (0, max(0, side - width)), (0, 0)), mode="edge")
    rows, cols = pixels.shape[0] // side, pixels.shape[1] // side
    bright = ndimage.uniform_filter(pixels.mean(axis=-1), 3)[: rows * side, : cols * side]
    spot = bright.reshape(rows, side, cols, side).transpose(0, 2, 1, 3).reshape(rows, cols, side * side).argmax(axis=-1)
    row, col = spot // side + side * np.arange(rows)[:, None], spot % side + side * np.arange(cols)
    padded = np.pad(pixels, ((half, half), (half, half), (0, 0)), mode="edge")
    means = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
    within = 2 * np.arange(half)
    patches = means[row[..., None, None] + within[:, None], col[..., None, None] + within]
    spots = np.stack([np.minimum(row, height - 1), np.minimum(col, width - 1)], axis=-1)
    return patches.reshape(rows, cols, -1), spots
