"""Predict a region: read its tiles, run the model, blend the outputs."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

import numpy as np

from histowidgets.annotations import UNLABELLED
from histowidgets.errors import PredictionCancelled
from histowidgets.images import without_data
from histowidgets.prediction.inference._job import Job
from histowidgets.prediction.inference._known_answers import KnownAnswers
from histowidgets.prediction.inference._options import Progress, ShouldStop
from histowidgets.prediction.pixel_models import KEPT_PIXELS, AnswersFast, RemembersTiles
from histowidgets.prediction.results import Prediction
from histowidgets.prediction.tiling import (
    BAND_ROWS,
    AxisPlan,
    Bands,
    BlankTiles,
    ProbabilityMap,
    Tile,
    TilePlan,
    averaged,
    best_class,
    blended,
    enlarged,
    kept_type,
    mean_over_symmetries,
    read_ahead,
    smoothed,
)


class TileCount:
    """Counts tiles, reports progress, and raises if the prediction should stop.

    Parameters
    ----------
    image_name : str
    total : int
        Number of tiles.
    progress, should_stop : callable, optional
    """

    def __init__(self, image_name: str, total: int, progress: Progress | None, should_stop: ShouldStop | None) -> None:
        self._image_name, self.total, self.done = image_name, total, 0
        self._progress, self._should_stop = progress, should_stop
        self._began = time.monotonic()
        self._skipped = 0

    def skip(self, n: int) -> None:
        """Count tiles that were computed earlier."""
        self.done += n
        self._skipped += n

    def step(self, n: int) -> None:
        """Count newly computed tiles, and report progress."""
        self.done += n
        if self._progress is not None:
            seconds = time.monotonic() - self._began
            left = seconds / (self.done - self._skipped) * (self.total - self.done)
            self._progress(self.done, self.total, left)

    def check(self) -> None:
        """Check whether to stop.

        Raises
        ------
        PredictionCancelled
            If `should_stop` returned True.
        """
        if self._should_stop is not None and self._should_stop():
            raise PredictionCancelled(
                f"The prediction of image {self._image_name!r} was stopped after {self.done} of {self.total} tiles. "
                "Call predict again to start over."
            )


class TiledPrediction:
    """One prediction in progress.

    Parameters
    ----------
    job : Job
    count : TileCount, optional
        Shared by the parts of a larger prediction; by default a new one without callbacks.
        blank : BlankTiles, optional
            Likewise.
    known : KnownAnswers, optional
        Cache of the outputs for tiles.
    """

    def __init__(
        self,
        job: Job,
        count: TileCount | None = None,
        blank: BlankTiles | None = None,
        known: KnownAnswers | None = None,
    ) -> None:
        self.job, self._model = job, job.spec.model
        self.count = count or TileCount(job.image.name, job.n_tiles, None, None)
        self._blank = (blank or BlankTiles(self._model.output_stride)) if job.options.skip_blank else None
        self._known = known
        self._keep = job.keep and job.n_seen_pixels <= KEPT_PIXELS
        # Large regions are not cached, so each model may use its fastest way to compute.
        usual = self._keep and not job.options.tta and self._blank is None
        self._remembers = self._model if usual and isinstance(self._model, RemembersTiles) else None
        self._fast: Callable[[np.ndarray, bool], np.ndarray] | None = None
        if isinstance(self._model, AnswersFast) and self._remembers is None:
            side = max(job.plans[0].rows.size, job.plans[0].cols.size)
            self._fast = self._model.fastest(side, self.count.total if job.options.precision == "auto" else 0)

    def map(self) -> ProbabilityMap:
        """Compute the probabilities of the region."""
        return self._mapped(None)

    def map_and_labels(self) -> tuple[ProbabilityMap, np.ndarray]:
        """Compute the probabilities of the region, and its label map: uint8 (height, width).

        For a large region the map is kept in half precision, but the labels are made from the full precision.
        """
        n, region = math.prod(self.job.shape), self.job.region
        if kept_type(n) == np.float32:
            found = self.map()
            return found, self._with_data(found.labels())
        labels = np.empty((region.height, region.width), np.uint8)
        return self._mapped(labels), self._with_data(labels)

    def _with_data(self, labels: np.ndarray) -> np.ndarray:
        """Remove the labels, in place, where the image has no data."""
        image, (x, y, width, _) = self.job.image, self.job.region
        if image.dtype.kind != "f":
            return labels
        for top in range(0, len(labels), BAND_ROWS):
            band = labels[top : top + BAND_ROWS]
            missing = without_data(image.read(x, y + top, width, len(band)))
            if missing is not None:
                band[missing] = UNLABELLED
        return labels

    def _mapped(self, labels: np.ndarray | None) -> ProbabilityMap:
        job = self.job
        values = np.empty(job.shape, kept_type(math.prod(job.shape)))

        def kept() -> Iterator[tuple[int, np.ndarray]]:
            for top, band in self.bands():
                values[:, top : top + band.shape[1]] = band
                yield top, band

        if labels is None:
            for _ in kept():
                pass
        else:
            for top, rows in self._labelled(kept()):
                labels[top : top + len(rows)] = rows
        return ProbabilityMap(values, job.region.width, job.region.height, places=job.places)

    def labels(self) -> np.ndarray:
        """Compute the label map of the region, uint8 (height, width), without holding all probabilities in memory."""
        region, options = self.job.region, self.job.options
        out = np.empty((region.height, region.width), np.uint8)
        plain = options.blend == "centre-crop" and len(self.job.plans) == 1 and not options.tta
        plain = plain and max(self.job.sigma) == 0 and self._known is None
        if plain and self.job.scale == 1 and self.job.is_plain and self._fast is not None and self._blank is None:
            self._label_tiles(out)
        else:
            for top, rows in self._labelled(self.bands()):
                out[top : top + len(rows)] = rows
        return self._with_data(out)

    def bands(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the probability map in bands from the top: the first row, and float32 (K, rows of the band, cols)."""
        job = self.job
        (first_row, last_row), (first_col, _) = job.computed
        above, before = job.places[0].first - first_row, job.places[1].first - first_col
        rows, cols = job.shape[1:]
        found = smoothed(averaged([self._grid(plan) for plan in job.plans]), job.sigma, last_row - first_row)
        for top, band in found:
            first, last = max(top, above), min(top + band.shape[1], above + rows)
            if last > first:
                yield first - above, band[:, first - top : last - top, before : before + cols]

    def _grid(self, plan: TilePlan) -> Bands:
        stride = self._model.output_stride
        (first_row, last_row), (first_col, last_col) = self.job.computed
        shape = self.job.shape[0], last_row - first_row, last_col - first_col
        rows, cols = _over(plan.rows, stride, shape[1]), _over(plan.cols, stride, shape[2])
        answers = self._answers(plan, labels=False)

        def tile_row(_: int) -> Iterator[np.ndarray]:
            for _ in cols.starts:
                yield next(answers)

        return blended(rows, cols, shape, tile_row, self.job.options.blend, plan.margin // stride)

    def _label_tiles(self, out: np.ndarray) -> None:
        plan = self.job.plans[0]
        answers = self._answers(plan, labels=True)
        for i, top in enumerate(plan.rows.starts):
            first, last = plan.rows.cuts[i], plan.rows.cuts[i + 1]
            for j, left in enumerate(plan.cols.starts):
                a, b = plan.cols.cuts[j], plan.cols.cuts[j + 1]
                out[first:last, a:b] = next(answers)[first - top : last - top, a - left : b - left]

    def _labelled(self, bands: Bands) -> Iterator[tuple[int, np.ndarray]]:
        """Convert rows of the map to rows of labels, as soon as all values needed for interpolation are known."""
        (rows, cols), (_, n_rows, n_cols), region = self.job.places, self.job.shape, self.job.region
        if self.job.is_plain:
            for top, band in bands:
                yield top, best_class(band)
            return
        kept, first, done = np.zeros((self.job.shape[0], 0, n_cols), np.float32), 0, 0
        for top, band in bands:
            kept = np.concatenate([kept, band], axis=1)
            have = top + band.shape[1]
            bottom = region.height if have == n_rows else min(rows.known(have), region.height)
            if bottom > done:
                yield done, best_class(enlarged(kept, first, done, bottom, region.width, rows, cols))
                done = bottom
            drop = max(0, rows.needed(region.y + done, region.y + done)[0] - rows.first - first)
            first, kept = first + drop, kept[:, drop:]

    def _answers(self, plan: TilePlan, labels: bool) -> Iterator[np.ndarray]:
        """Yield the model's output for each tile of a plan, row by row."""
        job = self.job
        tiles = [
            Tile(job.seen, region, job.spec.normalization, plan.downsample, job.channels, job.seen_within, self._keep)
            for region in plan.tile_regions()
        ]
        if self._known is None:
            yield from self._new_answers(tiles, labels)
            return
        parts = self._needed(plan)
        known = [self._known.get(tile.region, part) for tile, part in zip(tiles, parts, strict=True)]
        new = self._new_answers([tile for tile, answer in zip(tiles, known, strict=True) if answer is None], labels)
        with closing(new):
            for tile, answer in zip(tiles, known, strict=True):
                if answer is None:
                    answer = next(new)
                    self._known.put(tile.region, answer)
                else:
                    self.count.step(1)
                yield answer

    def _needed(self, plan: TilePlan) -> list[tuple[slice, slice]]:
        """Return the part of each tile's output that is needed, row by row."""
        stride = self._model.output_stride
        (first_row, last_row), (first_col, last_col) = self.job.computed
        whole = self.job.options.blend != "centre-crop"

        def along(axis: AxisPlan, length: int) -> list[slice]:
            over = _over(axis, stride, length)
            if whole:
                return [slice(max(0, -start), min(over.size, length - start)) for start in over.starts]
            return [slice(over.cuts[i] - start, over.cuts[i + 1] - start) for i, start in enumerate(over.starts)]

        rows, cols = along(plan.rows, last_row - first_row), along(plan.cols, last_col - first_col)
        return [(row, col) for row in rows for col in cols]

    def _new_answers(self, tiles: list[Tile], labels: bool) -> Generator[np.ndarray, None, None]:
        if self._remembers is not None:
            for tile in tiles:
                self.count.check()
                answer = self._remembers.tile_probabilities(tile)
                self.count.step(1)
                yield answer
            return
        n = self._model.batch_size
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
            compute: Callable[[np.ndarray], np.ndarray] = self._model.probabilities
        else:
            compute = partial(_call, fast, labels)
        if self.job.options.tta:
            return mean_over_symmetries(compute, batch, self.count.check)
        return compute(batch)


def predict_region(
    job: Job, probabilities: bool = True, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> Prediction:
    """Predict the probabilities and labels of a region; without `probabilities` only the labels.

    Raises
    ------
    PredictionCancelled
        If `should_stop` returned True.
    """
    running = _counted(job, progress, should_stop)
    if not probabilities:
        return as_prediction(job, None, running.labels())
    return as_prediction(job, *running.map_and_labels())


def as_prediction(job: Job, found: ProbabilityMap | None, labels: np.ndarray | None = None) -> Prediction:
    """Combine the computed values and the job into a prediction."""
    return Prediction(
        found,
        labels=labels,
        classes=job.spec.classes,
        colors=job.spec.colors,
        region=job.region,
        pixel_size_um=job.image.pixel_size_yx_um,
        image_name=job.image.name,
        predicted_at_um=job.predicted_at_um,
        bounds_offset=job.image.bounds_offset,
    )


def _counted(job: Job, progress: Progress | None, should_stop: ShouldStop | None) -> TiledPrediction:
    return TiledPrediction(job, TileCount(job.image.name, job.n_tiles, progress, should_stop))


def _call(fast: Callable[[np.ndarray, bool], np.ndarray], labels: bool, batch: np.ndarray) -> np.ndarray:
    return fast(batch, labels)


def _read(tiles: list[Tile]) -> np.ndarray:
    """Read a batch: float32 (N, C, H, W)."""
    return tiles[0].read()[None] if len(tiles) == 1 else np.stack([tile.read() for tile in tiles])


def _over(plan: AxisPlan, stride: int, length: int) -> AxisPlan:
    """Convert the plan from pixels to values of the output."""
    cuts = (*(c // stride for c in plan.cuts[:-1]), length)
    return AxisPlan(plan.size // stride, tuple(s // stride for s in plan.starts), cuts)
