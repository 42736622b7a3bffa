"""Batches of training tiles around annotations, and the tiles that validation measures on."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from histowidgets.annotations import UNLABELLED, ProjectSnapshot, Split
from histowidgets.images import Normalization, Region, read_padded, scaled_shape
from histowidgets.training._anchors import Anchors, Placement
from histowidgets.training._augment import Geometry, bend, cut_tile, draw_geometry, vary_color
from histowidgets.training._limits import CACHE_BYTES, VALIDATION_BYTES
from histowidgets.training._pixels import PixelStore
from histowidgets.training._settings import TrainingSettings

_STRAY = 1 / 3
"""How far, in tile sides, a tile's centre strays from its anchor: the anchor stays inside after any turn."""


@dataclass(frozen=True)
class Batch:
    """Some tiles.

    Attributes
    ----------
    pixels : Tensor, (N, C, T, T), float32
        In [0, 1].
    labels : Tensor, (N, T, T), uint8
        255 where unlabelled.
    plain : Tensor
        The pixels before their colours were varied.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    plain: torch.Tensor


class TrainingTiles:
    """Draws batches of tiles, without end.

    Classes take turns at random with equal chance, and within a class each annotation comes once before any comes
    again: how long a stroke is, or how many there are, does not matter.

    Parameters
    ----------
    placement : Placement
        Where tiles may lie.
    snapshot : ProjectSnapshot
        Images and annotations.
    normalization : Normalization
        Fitted.
    settings : TrainingSettings
        Tile size, batch size, augmentation, seed.
    """

    def __init__(
        self,
        placement: Placement,
        snapshot: ProjectSnapshot,
        normalization: Normalization,
        settings: TrainingSettings,
    ) -> None:
        self._placement = placement
        self._settings = settings
        self._store = PixelStore(snapshot, normalization, settings.downsample, CACHE_BYTES)
        self._rng = np.random.default_rng([settings.seed, 1])
        self._by_class: dict[int, list[Anchors]] = {}
        for anchors in placement.anchors:
            self._by_class.setdefault(anchors.class_index, []).append(anchors)
        self._classes = sorted(self._by_class)
        self._queues: dict[int, list[int]] = {index: [] for index in self._classes}

    def draw(self, size: int | None = None) -> Batch:
        """Cut the next batch; `size` is the side of its tiles, that of the settings by default and at most."""
        settings, rng = self._settings, self._rng
        size = settings.tile_size if size is None else size
        pixels, labels = [], []
        for _ in range(settings.batch_size):
            image, mask = self._tile(size)
            if settings.augmentation and settings.elastic > 0:
                image, mask = bend(image, mask, settings.elastic, rng)
            pixels.append(image)
            labels.append(mask)
        plain = torch.stack(pixels)
        return Batch(vary_color(plain, settings, rng), torch.stack(labels), plain)

    def _tile(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        settings, rng = self._settings, self._rng
        anchors = self._next_annotation()
        which = int(rng.integers(len(anchors.points)))
        window = self._placement.windows[int(anchors.windows[which])]
        pixels, labels = self._store.get(window)
        geometry: Geometry = draw_geometry(settings, rng)
        stray = rng.uniform(-1, 1, 2) * _STRAY * size / geometry.zoom
        center = (anchors.points[which] - (window.region.x, window.region.y)) / settings.downsample + stray
        reach = size / geometry.zoom / 2
        x = _clamped(float(center[0]), reach, labels.shape[1])
        y = _clamped(float(center[1]), reach, labels.shape[0])
        return cut_tile(pixels, labels, (x, y), size, geometry)

    def _next_annotation(self) -> Anchors:
        index = self._classes[int(self._rng.integers(len(self._classes)))]
        waiting = self._queues[index]
        if not waiting:
            waiting.extend(self._rng.permutation(len(self._by_class[index])).tolist())
        return self._by_class[index][waiting.pop()]


@dataclass(frozen=True)
class ValidationTiles:
    """The tiles that validation measures on; each labelled pixel is in at most one of them.

    Attributes
    ----------
    batches : list of Batch
        All of them, in memory.
    n_tiles : int
        How many tiles that is.
    n_left_out : int
        Tiles that memory had no room for.
    counts : ndarray, shape (K,), int64
        Labelled pixels of each class.
    """

    batches: list[Batch]
    n_tiles: int
    n_left_out: int
    counts: np.ndarray

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)


def cut_validation_tiles(
    snapshot: ProjectSnapshot, split: Split, normalization: Normalization, settings: TrainingSettings
) -> ValidationTiles:
    """Cut the labelled parts of the held-out rectangles into tiles; nothing outside them is read (row B10)."""
    size, downsample = settings.tile_size, settings.downsample
    places = [
        (name, rectangle, origin, fresh)
        for name, rectangles in sorted(split.held_out.items())
        for rectangle in rectangles
        for origin, fresh in _grid(rectangle, size, downsample)
        if snapshot.annotations.get(name)
        if (_fresh_labels(snapshot, name, rectangle, origin, fresh, size, downsample) != UNLABELLED).any()
    ]
    n_channels = len(next(iter(snapshot.images.values())).channel_names)
    room = max(1, VALIDATION_BYTES // (size * size * (4 * n_channels + 1)))
    kept = [places[int(i * len(places) / room)] for i in range(room)] if len(places) > room else places
    pixels, labels = [], []
    for name, rectangle, origin, fresh in kept:
        region = Region(origin[0], origin[1], size * downsample, size * downsample)
        raw = read_padded(snapshot.images[name], region, downsample, within=rectangle)
        pixels.append(torch.from_numpy(normalization.apply(raw).transpose(2, 0, 1).copy()))
        labels.append(torch.from_numpy(_fresh_labels(snapshot, name, rectangle, origin, fresh, size, downsample)))
    counts = np.zeros(len(snapshot.classes), np.int64)
    for mask in labels:
        counts += np.bincount(mask.numpy().ravel(), minlength=256)[: len(counts)]
    step = max(settings.batch_size, 4)
    batches = []
    for i in range(0, len(pixels), step):
        stacked = torch.stack(pixels[i : i + step])
        batches.append(Batch(stacked, torch.stack(labels[i : i + step]), stacked))
    return ValidationTiles(batches, len(kept), len(places) - len(kept), counts)


def _clamped(center: float, reach: float, length: int) -> float:
    """Move a tile's centre so that the tile lies inside, or in the middle where there is no room."""
    if 2 * reach >= length:
        return length / 2
    return min(max(center, reach), length - reach)


def _grid(rectangle: Region, size: int, downsample: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Tiles over a rectangle: the origin of each at full size, and the rows and columns no tile before it has.

    The last of a row or column is moved inwards where that gives it real pixels; what it shares with the one before
    is then not fresh.
    """
    rows, columns = scaled_shape(rectangle.width, rectangle.height, downsample)

    def starts(length: int) -> list[tuple[int, int]]:
        places = []
        for number in range(math.ceil(length / size)):
            start = number * size
            moved = max(0, min(start, length - size))
            places.append((moved, start - moved))
        return places

    return [
        ((rectangle.x + left * downsample, rectangle.y + top * downsample), (fresh_row, fresh_column))
        for top, fresh_row in starts(rows)
        for left, fresh_column in starts(columns)
    ]


def _fresh_labels(
    snapshot: ProjectSnapshot,
    name: str,
    rectangle: Region,
    origin: tuple[int, int],
    fresh: tuple[int, int],
    size: int,
    downsample: int,
) -> np.ndarray:
    """Labels (size, size) of a validation tile: 255 outside the rectangle, and where an earlier tile has been."""
    labels = np.full((size, size), UNLABELLED, np.uint8)
    part = Region(origin[0], origin[1], size * downsample, size * downsample).intersect(rectangle)
    if part is not None:
        inside = snapshot.labels(name, part, downsample)
        labels[: inside.shape[0], : inside.shape[1]] = inside
    labels[: fresh[0]] = UNLABELLED
    labels[:, : fresh[1]] = UNLABELLED
    return labels
