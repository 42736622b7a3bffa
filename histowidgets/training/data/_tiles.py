"""Cut batches of training tiles around annotations, and the tiles for validation."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from histowidgets.annotations import UNLABELLED, ProjectSnapshot, Split
from histowidgets.images import Normalization, Region, read_padded, scaled_shape, without_data
from histowidgets.training.data._augmentation import (
    ELASTIC_REACH,
    Augmentation,
    Geometry,
    cut_tile,
    deform,
    draw_geometry,
    vary_color,
)
from histowidgets.training.data._normalization import is_scan
from histowidgets.training.data._pixel_cache import PixelCache
from histowidgets.training.data._sampling import AnnotationSamples, SamplingPlan

#: Maximum size of the validation tiles in memory, in bytes; if the labels need more, tiles are thinned out evenly.
VALIDATION_BYTES = 128 << 20

#: Largest distance, in tile sides, of a tile's centre from its point: the point stays inside after any rotation.
_JITTER = 1 / 3


@dataclass(frozen=True)
class Batch:
    """A batch of tiles.

    Attributes
    ----------
    pixels : Tensor, (N, C, T, T), float32
        In [0, 1].
    labels : Tensor, (N, T, T), uint8
        255 where unlabelled.
    plain : Tensor
        The pixels without colour augmentation.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    plain: torch.Tensor


class TrainingTiles:
    """Draws an endless sequence of batches of tiles.

    The class of each tile is drawn at random with equal probabilities, and within a class each annotation is used once
    before any is repeated. So neither the length nor the number of strokes matters.

    Parameters
    ----------
    plan : SamplingPlan
        Where tiles may be cut from.
    snapshot : ProjectSnapshot
        Images and annotations.
    normalization : Normalization
        Fitted.
    tile_size : int
        Side of a tile, in pixels at the downsample.
    downsample : int
        Full-size pixels along one pixel of a tile.
    batch_size : int
        Number of tiles in a batch, over all processes.
    augmentation : Augmentation or None
        How to vary tiles.
    seed : int
        Random seed.
    share : (int, int)
        Index of this process, from 0, and number of processes; each cuts its share of the same batches.
    """

    def __init__(
        self,
        plan: SamplingPlan,
        snapshot: ProjectSnapshot,
        normalization: Normalization,
        *,
        tile_size: int,
        downsample: int,
        batch_size: int,
        augmentation: Augmentation | None,
        seed: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._rank, self._processes = share
        self._drawn = 0
        self._plan = plan
        self._tile_size, self._downsample, self._batch_size = tile_size, downsample, batch_size
        self._augmentation = augmentation
        self._seed = seed
        self._cache = PixelCache(snapshot, normalization, downsample)
        # All images have the same channels; without any stroke there is no window.
        names = [snapshot.images[name].channel_names for name in snapshot.annotated_names()[:1]]
        self._brightfield = any(is_scan(normalization, channels) for channels in names)
        self._rng = np.random.default_rng([seed, 1])
        self._by_class: dict[int, list[AnnotationSamples]] = {}
        for samples in plan.samples:
            self._by_class.setdefault(samples.class_index, []).append(samples)
        self._classes = sorted(self._by_class)
        self._queues: dict[int, list[int]] = {index: [] for index in self._classes}

    def draw(self, size: int | None = None) -> Batch:
        """Cut the next batch; `size` is the side of its tiles, by default (and at most) `tile_size`."""
        size = self._tile_size if size is None else size
        pixels, labels, varied = [], [], []
        for place in range(self._batch_size):
            samples = self._next_annotation()
            self._drawn += 1
            if place % self._processes != self._rank:
                continue
            # Each tile has its own random numbers, so that results do not depend on which process cuts the others.
            rng = np.random.default_rng([self._seed, 1, self._drawn])
            image, mask = self._tile(samples, size, rng)
            pixels.append(image)
            labels.append(mask)
            if self._augmentation is not None:
                varied.append(vary_color(image[None], self._augmentation, rng, self._brightfield)[0])
        plain = torch.stack(pixels)
        return Batch(torch.stack(varied) if varied else plain, torch.stack(labels), plain)

    def sample(self) -> Batch:
        """Cut the next batch, without affecting later calls of `draw`."""
        before = copy.deepcopy(self.state_dict())
        try:
            return self.draw()
        finally:
            self.load_state_dict(before)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that the next batches depend on, for JSON."""
        queues = {str(index): list(waiting) for index, waiting in self._queues.items()}
        return {"random": self._rng.bit_generator.state, "queues": queues, "drawn": self._drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._rng.bit_generator.state = state["random"]
        self._drawn = state["drawn"]
        self._queues = {int(index): list(waiting) for index, waiting in state["queues"].items()}

    def _tile(
        self, samples: AnnotationSamples, size: int, rng: np.random.Generator, jitter: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        augmentation = self._augmentation
        which = int(rng.integers(len(samples.points)))
        window = self._plan.windows[int(samples.windows[which])]
        pixels, labels = self._cache.get(window)
        geometry = Geometry() if augmentation is None else draw_geometry(augmentation, rng)
        moved = rng.uniform(-1, 1, 2) * (_JITTER * size / geometry.zoom if jitter else 0.0)
        center = (samples.points[which] - (window.region.x, window.region.y)) / self._downsample + moved
        reach = size / geometry.zoom / 2
        x = _clamped(float(center[0]), reach, labels.shape[1])
        y = _clamped(float(center[1]), reach, labels.shape[0])
        elastic = 0.0 if augmentation is None else augmentation.elastic
        # Cut a larger tile, so that the deformation moves in real surrounding tissue if there is any.
        margin = math.ceil(elastic * ELASTIC_REACH)
        image, mask = cut_tile(pixels, labels, (x, y), size + 2 * margin, geometry)
        if elastic == 0:
            return image, mask
        image, mask = deform(image, mask, elastic, rng)
        inside = slice(margin, margin + size)
        return image[:, inside, inside], mask[inside, inside]

    def variations(self, n: int, seed: int) -> list[torch.Tensor]:
        """Cut the tile around one labelled point `n` times, each with a new variation; (C, T, T) float32 in [0, 1].

        Later calls of `draw` are not affected. `seed` determines the point and the variations.
        """
        rng = np.random.default_rng([seed, 2])
        samples = self._plan.samples[int(rng.integers(len(self._plan.samples)))]
        which = int(rng.integers(len(samples.points)))
        one = AnnotationSamples(
            samples.class_index, samples.points[which : which + 1], samples.windows[which : which + 1]
        )
        tiles = []
        for number in range(n):
            rng = np.random.default_rng([seed, 3, number])
            image, _ = self._tile(one, self._tile_size, rng, jitter=False)
            if self._augmentation is not None:
                image = vary_color(image[None], self._augmentation, rng, self._brightfield)[0]
            tiles.append(image)
        return tiles

    def _next_annotation(self) -> AnnotationSamples:
        index = self._classes[int(self._rng.integers(len(self._classes)))]
        waiting = self._queues[index]
        if not waiting:
            waiting.extend(self._rng.permutation(len(self._by_class[index])).tolist())
        return self._by_class[index][waiting.pop()]


@dataclass(frozen=True)
class ValidationTiles:
    """The tiles for validation; each labelled pixel is in at most one of them.

    Attributes
    ----------
    batches : list of Batch
        All of them, in memory.
    n_tiles : int
        Number of tiles.
    n_left_out : int
        Number of tiles left out to save memory.
    counts : ndarray, shape (K,), int64
        Number of labelled pixels of each class.
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
    *,
    tile_size: int,
    downsample: int,
    batch_size: int,
    check: Callable[[], None] = lambda: None,
) -> ValidationTiles:
    """Cut the labelled parts of the held-out rectangles into tiles; nothing outside them is read.

    Parameters
    ----------
    snapshot : ProjectSnapshot
        Images and annotations.
    split : Split
        The held-out regions.
    normalization : Normalization
        Fitted.
    tile_size, downsample : int
        As for training.
    batch_size : int
        Number of tiles in a batch; at least 4 are used.
    check : callable
        Called before each tile; may raise to stop.
    """
    size = tile_size

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
        pixels.append(torch.from_numpy(normalization.tensor_of(image, raw)))
        own, missing = _fresh_labels(snapshot, name, rectangle, origin, fresh, size, downsample), without_data(raw)
        if missing is not None:
            own[missing] = UNLABELLED
        labels.append(torch.from_numpy(own))
    counts = np.zeros(len(snapshot.classes), np.int64)
    for mask in labels:
        counts += np.bincount(mask.numpy().ravel(), minlength=256)[: len(counts)]
    step = max(batch_size, 4)
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
    """List the tiles over a rectangle: the origin of each, at full size, and its first new row and column.

    The last tile of a row or column is moved inwards to avoid padding, if possible. Its overlap with the previous tile
    is not new, since the previous tile covers it.
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
    """Return the labels (size, size) of a validation tile, 255 outside the rectangle and in earlier tiles."""
    labels = np.full((size, size), UNLABELLED, np.uint8)
    part = Region(origin[0], origin[1], size * downsample, size * downsample).intersect(rectangle)
    if part is not None:
        inside = snapshot.labels(name, part, downsample)
        labels[: inside.shape[0], : inside.shape[1]] = inside
    labels[: fresh[0]] = UNLABELLED
    labels[:, : fresh[1]] = UNLABELLED
    return labels
