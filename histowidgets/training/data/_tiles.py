"""Batches of training tiles around annotations, and the tiles that validation measures on."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from histowidgets.annotations import UNLABELLED, ProjectSnapshot, Split
from histowidgets.images import Normalization, Region, read_padded, scaled_shape
from histowidgets.training._limits import CACHE_BYTES, VALIDATION_BYTES
from histowidgets.training.data._augmentation import (
    BEND_REACH,
    Geometry,
    bend,
    cut_tile,
    draw_geometry,
    vary_color,
)
from histowidgets.training.data._normalization import is_scan
from histowidgets.training.data._pixel_cache import PixelStore
from histowidgets.training.data._sampling import Anchors, Placement
from histowidgets.training.settings import TrainingSettings

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
    share : (int, int)
        Which process this is, from 0, and of how many: each cuts its part of the same batches.
    """

    def __init__(
        self,
        placement: Placement,
        snapshot: ProjectSnapshot,
        normalization: Normalization,
        settings: TrainingSettings,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._share, self._shares = share
        self._drawn = 0
        self._placement = placement
        self._settings = settings
        self._store = PixelStore(snapshot, normalization, settings.downsample, CACHE_BYTES)
        # All images have the same channels; there is none where every stroke was erased.
        names = [snapshot.images[name].channel_names for name in snapshot.annotated_names()[:1]]
        self._brightfield = any(is_scan(normalization, channels) for channels in names)
        self._rng = np.random.default_rng([settings.seed, 1])
        self._by_class: dict[int, list[Anchors]] = {}
        for anchors in placement.anchors:
            self._by_class.setdefault(anchors.class_index, []).append(anchors)
        self._classes = sorted(self._by_class)
        self._queues: dict[int, list[int]] = {index: [] for index in self._classes}

    def draw(self, size: int | None = None) -> Batch:
        """Cut the next batch; `size` is the side of its tiles, that of the settings by default and at most."""
        settings = self._settings
        size = settings.tile_size if size is None else size
        pixels, labels, varied = [], [], []
        for place in range(settings.batch_size):
            anchors = self._next_annotation()
            self._drawn += 1
            if place % self._shares != self._share:
                continue
            # Each tile has random numbers of its own, so that it does not matter who cuts the others.
            rng = np.random.default_rng([settings.seed, 1, self._drawn])
            image, mask = self._tile(anchors, size, rng)
            pixels.append(image)
            labels.append(mask)
            if settings.augmentation:
                varied.append(vary_color(image[None], settings, rng, self._brightfield)[0])
        plain = torch.stack(pixels)
        return Batch(torch.stack(varied) if varied else plain, torch.stack(labels), plain)

    def sample(self) -> Batch:
        """Cut the next batch, which `draw` will give all the same."""
        before = copy.deepcopy(self.state())
        try:
            return self.draw()
        finally:
            self.restore(before)

    def state(self) -> dict[str, Any]:
        """Return what the next batches depend on, as JSON holds it; `restore` takes it back."""
        queues = {str(index): list(waiting) for index, waiting in self._queues.items()}
        return {"random": self._rng.bit_generator.state, "queues": queues, "drawn": self._drawn}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._rng.bit_generator.state = state["random"]
        self._drawn = state["drawn"]
        self._queues = {int(index): list(waiting) for index, waiting in state["queues"].items()}

    def _tile(
        self, anchors: Anchors, size: int, rng: np.random.Generator, strays: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        settings = self._settings
        which = int(rng.integers(len(anchors.points)))
        window = self._placement.windows[int(anchors.windows[which])]
        pixels, labels = self._store.get(window)
        geometry: Geometry = draw_geometry(settings, rng)
        stray = rng.uniform(-1, 1, 2) * (_STRAY * size / geometry.zoom if strays else 0.0)
        center = (anchors.points[which] - (window.region.x, window.region.y)) / settings.downsample + stray
        reach = size / geometry.zoom / 2
        x = _clamped(float(center[0]), reach, labels.shape[1])
        y = _clamped(float(center[1]), reach, labels.shape[0])
        bends = settings.augmentation and settings.elastic > 0
        # What bending pulls in is the tissue around the tile, where there is some.
        margin = math.ceil(settings.elastic * BEND_REACH) if bends else 0
        image, mask = cut_tile(pixels, labels, (x, y), size + 2 * margin, geometry)
        if not bends:
            return image, mask
        image, mask = bend(image, mask, settings.elastic, rng)
        inside = slice(margin, margin + size)
        return image[:, inside, inside], mask[inside, inside]

    def variations(self, n: int, seed: int) -> list[torch.Tensor]:
        """Cut the tile around one labelled point `n` times, varied each time; (C, T, T) float32 in [0, 1].

        What `draw` gives does not change. `seed` picks the point, and the variations.
        """
        settings, rng = self._settings, np.random.default_rng([seed, 2])
        anchors = self._placement.anchors[int(rng.integers(len(self._placement.anchors)))]
        which = int(rng.integers(len(anchors.points)))
        one = Anchors(anchors.class_index, anchors.points[which : which + 1], anchors.windows[which : which + 1])
        tiles = []
        for number in range(n):
            rng = np.random.default_rng([seed, 3, number])
            image, _ = self._tile(one, settings.tile_size, rng, strays=False)
            tiles.append(vary_color(image[None], settings, rng, self._brightfield)[0])
        return tiles

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
    snapshot: ProjectSnapshot,
    split: Split,
    normalization: Normalization,
    settings: TrainingSettings,
    check: Callable[[], None] = lambda: None,
) -> ValidationTiles:
    """Cut the labelled parts of the held-out rectangles into tiles; nothing outside them is read (row B10).

    `check` is called before each tile; it may raise to end the cutting.
    """
    size, downsample = settings.tile_size, settings.downsample

    def is_labelled(name: str, rectangle: Region, origin: tuple[int, int], fresh: tuple[int, int]) -> bool:
        check()
        labels = _fresh_labels(snapshot, name, rectangle, origin, fresh, size, downsample)
        return bool((labels != UNLABELLED).any())

    places = [
        (name, rectangle, origin, fresh)
        for name, rectangles in sorted(split.held_out.items())
        if snapshot.annotations.get(name)
        for rectangle in rectangles
        for origin, fresh in _grid(rectangle, size, downsample)
        if is_labelled(name, rectangle, origin, fresh)
    ]
    n_channels = len(next(iter(snapshot.images.values())).channel_names)
    room = max(1, VALIDATION_BYTES // (size * size * (4 * n_channels + 1)))
    kept = [places[int(i * len(places) / room)] for i in range(room)] if len(places) > room else places
    pixels, labels = [], []
    for name, rectangle, origin, fresh in kept:
        check()
        region = Region(origin[0], origin[1], size * downsample, size * downsample)
        image = snapshot.images[name]
        raw = read_padded(image, region, downsample, within=rectangle)
        pixels.append(torch.from_numpy(normalization.of_image(image).apply(raw).transpose(2, 0, 1).copy()))
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
