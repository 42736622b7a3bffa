"""Prediction of a region: plan the tiles, read, ask the model, blend."""

import math
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from histowidgets.errors import PredictionCancelled, RegionError
from histowidgets.images import Image, Normalization, Region, scaled_shape
from histowidgets.prediction.inference._options import PredictOptions, Progress, ShouldStop
from histowidgets.prediction.pixel_models import KEPT_PIXELS, AnswersFast, PixelModel, RemembersTiles
from histowidgets.prediction.tiling import (
    EDGE_ROWS,
    AxisPlan,
    Bands,
    BlankTiles,
    ProbabilityMap,
    Tile,
    TileNeeds,
    TilePlan,
    averaged,
    best_class,
    blended,
    enlarged,
    kept_type,
    mean_over_symmetries,
    plan_grids,
    read_ahead,
    smoothed,
)


@dataclass(frozen=True)
class Job:
    """A region that is to be predicted, and how.

    Attributes
    ----------
    model : PixelModel
    image : Image
    normalization : Normalization
    channels : tuple of int or None
        Which channels of the image, in which order; None for all.
    region : Region
        Full-size pixels.
    within : Region or None
        The only pixels that are read; None for the whole image.
    downsample, tile_size : int
    options : PredictOptions
    keep : bool, default True
        Whether a small region's features may be kept for the next prediction of it.
    """

    model: PixelModel
    image: Image
    normalization: Normalization
    channels: tuple[int, ...] | None
    region: Region
    within: Region | None
    downsample: int
    tile_size: int
    options: PredictOptions
    keep: bool = True

    @property
    def scale(self) -> int:
        """Full-size pixels for each value of the model's answer, along each side."""
        return self.downsample * self.model.output_stride

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the probability map: (K, rows, cols)."""
        return (self.model.n_classes, *scaled_shape(self.region.width, self.region.height, self.scale))

    def plans(self) -> list[TilePlan]:
        """Plan the tiles, once for each grid."""
        readable = self.image.region if self.within is None else self.within
        model, options = self.model, self.options
        needs = TileNeeds(model.multiple, model.output_stride, model.context, model.largest_tile)
        size, overlap = self.tile_size, options.overlap
        return plan_grids(needs, self.region, readable, self.downsample, size, overlap, options.grids)


class TileCount:
    """Counts tiles, tells the progress, and stops when somebody says so.

    Parameters
    ----------
    image_name : str
    total : int
        Tiles.
    progress, should_stop : callable, optional
    """

    def __init__(self, image_name: str, total: int, progress: Progress | None, should_stop: ShouldStop | None) -> None:
        self._image_name, self.total, self.done = image_name, total, 0
        self._progress, self._should_stop = progress, should_stop
        self._began = time.monotonic()
        self._skipped = 0

    def skip(self, n: int) -> None:
        """Count tiles that were there already."""
        self.done += n
        self._skipped += n

    def step(self, n: int) -> None:
        """Count tiles that were computed."""
        self.done += n
        if self._progress is not None:
            seconds = time.monotonic() - self._began
            left = seconds / (self.done - self._skipped) * (self.total - self.done)
            self._progress(self.done, self.total, left)

    def check(self) -> None:
        """Stop if somebody says so.

        Raises
        ------
        PredictionCancelled
        """
        if self._should_stop is not None and self._should_stop():
            raise PredictionCancelled(
                f"The prediction of image {self._image_name!r} was stopped after {self.done} of {self.total} tiles; "
                "call predict again to start over."
            )


class TiledPrediction:
    """One prediction under way.

    Parameters
    ----------
    job : Job
    count : TileCount, optional
        Shared by the parts of a larger prediction; a new one without callbacks if not given.
    blank : BlankTiles, optional
        Likewise.
    """

    def __init__(self, job: Job, count: TileCount | None = None, blank: BlankTiles | None = None) -> None:
        self.job = job
        self.plans = job.plans()
        n_tiles = sum(plan.n_tiles for plan in self.plans)
        self.count = count or TileCount(job.image.name, n_tiles, None, None)
        self._blank = (blank or BlankTiles(job.model.output_stride)) if job.options.skip_blank else None
        self._keep = job.keep and job.region.area <= KEPT_PIXELS
        # Of a large region nothing is kept: there each model may answer in its fastest way.
        usual = self._keep and not job.options.tta and self._blank is None
        self._remembers = job.model if usual and isinstance(job.model, RemembersTiles) else None
        self._fast: Callable[[np.ndarray, bool], np.ndarray] | None = None
        if isinstance(job.model, AnswersFast) and self._remembers is None:
            side = max(self.plans[0].rows.size, self.plans[0].cols.size)
            self._fast = job.model.fastest(side, n_tiles if job.options.precision == "auto" else 0)

    def map(self) -> ProbabilityMap:
        """Compute the probabilities of the region."""
        values = np.empty(self.job.shape, kept_type(math.prod(self.job.shape)))
        for top, band in self.bands():
            values[:, top : top + band.shape[1]] = band
        return ProbabilityMap(values, self.job.region.width, self.job.region.height, self.job.scale)

    def labels(self) -> np.ndarray:
        """Compute the label map of the region: uint8 (height, width). Its probabilities are never there as a whole."""
        region, options = self.job.region, self.job.options
        out = np.empty((region.height, region.width), np.uint8)
        plain = options.blend == "centre-crop" and len(self.plans) == 1 and not options.tta and not self._sigma
        if plain and self.job.scale == 1 and self._fast is not None and self._blank is None:
            self._label_tiles(out)
        else:
            for top, rows in self._label_bands():
                out[top : top + len(rows)] = rows
        return out

    @property
    def _sigma(self) -> float:
        """Standard deviation of the blur in values of the map."""
        return self.job.options.sigma_px(self.job.image.pixel_size_um) / self.job.scale

    def bands(self) -> Iterator[tuple[int, np.ndarray]]:
        """Compute rows of the probability map, from the top: the first row, and float32 (K, some rows, cols)."""
        return smoothed(averaged([self._grid(plan) for plan in self.plans]), self._sigma, self.job.shape[1])

    def _grid(self, plan: TilePlan) -> Bands:
        stride, shape = self.job.model.output_stride, self.job.shape
        rows, cols = _over(plan.rows, stride, shape[1]), _over(plan.cols, stride, shape[2])
        answers = self._answers(plan, labels=False)

        def tile_row(_: int) -> Iterator[np.ndarray]:
            for _ in cols.starts:
                yield next(answers)

        return blended(rows, cols, shape, tile_row, self.job.options.blend, plan.margin // stride)

    def _label_tiles(self, out: np.ndarray) -> None:
        plan = self.plans[0]
        answers = self._answers(plan, labels=True)
        for i, top in enumerate(plan.rows.starts):
            first, last = plan.rows.cuts[i], plan.rows.cuts[i + 1]
            for j, left in enumerate(plan.cols.starts):
                a, b = plan.cols.cuts[j], plan.cols.cuts[j + 1]
                out[first:last, a:b] = next(answers)[first - top : last - top, a - left : b - left]

    def _label_bands(self) -> Iterator[tuple[int, np.ndarray]]:
        scale, region = self.job.scale, self.job.region
        if scale == 1:
            for top, band in self.bands():
                yield top, best_class(band)
            return
        kept, first, done = np.zeros((self.job.shape[0], 0, self.job.shape[2]), np.float32), 0, 0
        for top, band in self.bands():
            kept = np.concatenate([kept, band], axis=1)
            have = top + band.shape[1]
            bottom = region.height if have == self.job.shape[1] else (have - EDGE_ROWS) * scale
            if bottom > done:
                yield done, best_class(enlarged(kept, first, done, bottom, region.width, scale))
                done = bottom
            drop = max(0, done // scale - EDGE_ROWS - first)
            first, kept = first + drop, kept[:, drop:]

    def _answers(self, plan: TilePlan, labels: bool) -> Iterator[np.ndarray]:
        """Ask the model for each tile of a plan, row by row."""
        job = self.job
        tiles = [
            Tile(job.image, region, job.normalization, plan.downsample, job.channels, job.within, self._keep)
            for region in plan.tile_regions()
        ]
        if self._remembers is not None:
            for tile in tiles:
                self.count.check()
                answer = self._remembers.tile_probabilities(tile)
                self.count.step(1)
                yield answer
            return
        n = job.model.batch_size
        with closing(read_ahead([tiles[i : i + n] for i in range(0, len(tiles), n)], _read)) as batches:
            for batch in batches:
                self.count.check()
                found = list(self._computed(batch, labels))
                self.count.step(len(found))
                yield from found

    def _computed(self, batch: np.ndarray, labels: bool) -> Iterator[np.ndarray]:
        if self._blank is None:
            yield from self._ask(batch, labels)
            return
        for i in range(len(batch)):
            one = batch[i : i + 1]
            yield self._blank.answer(one[0], partial(self._first_of, one))

    def _first_of(self, batch: np.ndarray) -> np.ndarray:
        answer: np.ndarray = self._ask(batch, labels=False)[0]
        return answer

    def _ask(self, batch: np.ndarray, labels: bool) -> np.ndarray:
        fast = self._fast
        if fast is None:
            compute: Callable[[np.ndarray], np.ndarray] = self.job.model.probabilities
        else:
            compute = partial(_call, fast, labels)
        if self.job.options.tta:
            return mean_over_symmetries(compute, batch, self.count.check)
        return compute(batch)


def predict_map(job: Job, progress: Progress | None = None, should_stop: ShouldStop | None = None) -> ProbabilityMap:
    """Compute the probabilities of a region.

    Raises
    ------
    PredictionCancelled
        When `should_stop` says so.
    """
    return _counted(job, progress, should_stop).map()


def predict_labels(job: Job, progress: Progress | None = None, should_stop: ShouldStop | None = None) -> np.ndarray:
    """Compute the label map of a region, uint8 (height, width), without a probability map.

    Raises
    ------
    PredictionCancelled
        When `should_stop` says so.
    """
    return _counted(job, progress, should_stop).labels()


def _counted(job: Job, progress: Progress | None, should_stop: ShouldStop | None) -> TiledPrediction:
    n_tiles = sum(plan.n_tiles for plan in job.plans())
    return TiledPrediction(job, TileCount(job.image.name, n_tiles, progress, should_stop))


def _call(fast: Callable[[np.ndarray, bool], np.ndarray], labels: bool, batch: np.ndarray) -> np.ndarray:
    return fast(batch, labels)


def _read(tiles: list[Tile]) -> np.ndarray:
    """Read a batch: float32 (N, C, H, W)."""
    return tiles[0].read()[None] if len(tiles) == 1 else np.stack([tile.read() for tile in tiles])


def _over(plan: AxisPlan, stride: int, length: int) -> AxisPlan:
    """Return the plan in values of the output."""
    cuts = (*(c // stride for c in plan.cuts[:-1]), length)
    return AxisPlan(plan.size // stride, tuple(s // stride for s in plan.starts), cuts)


def checked_region(image: Image, region: Sequence[int]) -> Region:
    """Return a region of an image, of Python's own integers.

    Raises
    ------
    RegionError
        If it is not four whole numbers, has no area, or sticks out of the image.
    """
    try:
        found = Region(*(operator.index(value) for value in region))
    except TypeError:
        raise RegionError(f"The region {region!r} must be four whole numbers: x, y, width, height.") from None
    if found.width < 1 or found.height < 1 or not image.region.contains(found):
        raise RegionError(
            f"{found} is not inside image {image.name!r} of {image.width} x {image.height} pixels. "
            "Ask for at least one pixel, inside the image."
        )
    return found
