"""Predict to disk block by block, with memory use that does not grow with the image."""

import itertools
import math
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from histowidgets._file_mark import identifying_marks
from histowidgets.errors import PredictionCancelled, PredictionError, PredictionReplacedWarning
from histowidgets.images import Image, Region
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._fingerprint import prediction_fingerprint
from histowidgets.prediction.inference._job import Job
from histowidgets.prediction.inference._known_answers import BorderAnswers
from histowidgets.prediction.inference._options import PredictOptions, Progress, ShouldStop
from histowidgets.prediction.inference._tiled import TileCount, TiledPrediction
from histowidgets.prediction.results import (
    BLOCK_SIDE,
    Card,
    Store,
    StoredPrediction,
    open_prediction,
    read_card,
    sides_if_not_square,
    write_pyramid,
)
from histowidgets.prediction.tiling import EDGE_ROWS, BlankTiles, reach_of

#: Longest side of a block in full-size pixels, in multiples of `BLOCK_SIDE`, if the model sees a downsampled image.
MOST_BLOCK_SCALE = 4

#: Share by which blocks may be longer, so that they end at tile borders.
_SLACK = 1.1

_TIFF = (".ome.tif", ".ome.tiff")


def predict_to_disk(
    spec: ClassifierSpec,
    image: Image,
    out: Path,
    region: Sequence[int] | None,
    probabilities: bool,
    options: PredictOptions,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    *,
    announce: bool = True,
    overwrite: bool = False,
) -> StoredPrediction:
    """Predict into a file; see `Classifier.predict_to`."""
    job = Job.of(spec, image, region, options)
    is_tiff = out.name.lower().endswith(_TIFF)
    if not is_tiff and out.suffix.lower() != ".zarr":
        raise PredictionError(f"{out.name} ends neither in .zarr nor in .ome.tif. Choose one of these formats.")
    # Only the number of finished blocks is stored: if the blocks are cut differently, none of them is valid.
    what = {"region": list(job.region), "probabilities": probabilities, "options": options.to_dict()}
    squares = prediction_fingerprint(spec, image, {**what, "block": BLOCK_SIDE})
    store_path = out.with_name(f".{out.name}.parts.zarr") if is_tiff else out
    in_squares = any(_fingerprint_of(path) == squares for path in (out, store_path))
    card = Card(
        image_name=image.name,
        region=job.region,
        pixel_size_um=image.pixel_size_um,
        pixel_sides_um=sides_if_not_square(image.pixel_size_yx_um),
        classes=spec.classes,
        colors=spec.colors,
        probabilities=probabilities,
        predicted_at_um=job.predicted_at_um,
        bounds_offset=image.bounds_offset,
        fingerprint=squares if in_squares else prediction_fingerprint(spec, image, {**what, "blocks": BLOCK_SIDE}),
        source_marks=() if image.source is None else identifying_marks(image.source),
    )
    if not overwrite:
        _require_same_image(out, card)
    if is_tiff and out.exists():
        if _require_ours(out).fingerprint == card.fingerprint:
            return open_prediction(out)
        if announce:
            _warn_restarted(out)
    store = Store(store_path, card)
    if store.open() and announce:
        _warn_restarted(out)
    _fill(store, job, squares_of(job) if in_squares else blocks_of(job), progress, should_stop)
    if is_tiff:
        write_pyramid(store, out)
        shutil.rmtree(store.path)
    return open_prediction(out)


def _fill(
    store: Store, job: Job, blocks: Sequence[Region], progress: Progress | None, should_stop: ShouldStop | None
) -> None:
    """Predict the blocks that are missing."""
    parts = [replace(job, region=block, keep=False) for block in blocks]
    totals = [part.n_tiles for part in parts]
    count = TileCount(job.image.name, sum(totals), progress, should_stop)
    count.skip(sum(totals[: store.done]))
    blank = BlankTiles(job.spec.model.output_stride)
    borders = _borders(job)
    for i in range(store.done, len(blocks)):
        try:
            running = TiledPrediction(parts[i], count, blank, borders)
            labels, probabilities = _block(running, store.card.probabilities)
        except PredictionCancelled as error:
            raise PredictionCancelled(f"{error} What is on disk is kept; the same call resumes from there.") from None
        place = Region(blocks[i].x - job.region.x, blocks[i].y - job.region.y, blocks[i].width, blocks[i].height)
        store.write(place, labels, probabilities)
        store.note(i + 1, len(blocks))


def _block(running: TiledPrediction, probabilities: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Predict a block: uint8 labels (height, width), and probabilities (K, height, width) if requested."""
    if not probabilities:
        return running.labels(), None
    found, labels = running.map_and_labels()
    values = np.empty((len(found.values), *labels.shape), np.uint8)
    for top, band in found.bands():
        values[:, top : top + band.shape[1]] = np.rint(band * 255)
    return labels, values


def blocks_of(job: Job) -> list[Region]:
    """Cut the region of a job into blocks that end at tile borders, row by row, so that few tiles are shared."""
    rows, cols = (_edges(job, axis) for axis in (0, 1))
    return [
        Region.from_edges(left, top, right, bottom)
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(cols)
    ]


def squares_of(job: Job) -> list[Region]:
    """Cut the region of a job into squares, as earlier versions did, to resume their predictions."""
    return job.region.blocks(BLOCK_SIDE * min(job.downsample, MOST_BLOCK_SCALE))


def _edges(job: Job, axis: int) -> list[int]:
    """Return the borders of the blocks along an axis, in full-size pixels."""
    place, (first, _), plan = job.places[axis], job.computed[axis], job.plans[0]
    tiles, region, stride = (plan.rows, plan.cols)[axis], job.region, job.spec.model.output_stride
    start, stop = (region.y, region.bottom) if axis == 0 else (region.x, region.right)
    side = _SLACK * BLOCK_SIDE * min(place.scale / stride, MOST_BLOCK_SCALE)
    # Up to here all needed tiles are in the block; where tiles are blended, up to the next tile.
    ends = tiles.cuts[1:-1] if job.options.blend == "centre-crop" else tiles.starts[1:]
    edges, last = [start], start
    for end in [*(first + cut // stride - reach_of(job.sigma[axis]) for cut in ends), None]:
        if end is None:
            pixel = stop
        elif place.is_exact:
            pixel = end + int(place.corner)
        else:
            pixel = start + place.known(end - place.first)
        if pixel - edges[-1] > side and last > edges[-1]:
            edges.append(last)
        if last < pixel < stop:
            last = pixel
    return [*edges, stop]


def _borders(job: Job) -> BorderAnswers | None:
    """Return the cache for the tile borders that neighbouring blocks share; None if they share none."""
    options, stride = job.options, job.spec.model.output_stride
    if job.is_plain and max(job.sigma) == 0 and options.blend == "centre-crop" and len(job.plans) == 1:
        return None
    if len(job.plans) > 1:  # blocks follow the tiles of the first grid
        return BorderAnswers(job.plans[0].rows.size, job.plans[0].cols.size)

    def shared(axis: int) -> int:
        plan, place = job.plans[0], job.places[axis]
        tiles = (plan.rows, plan.cols)[axis]
        overlap = max((a + tiles.size - b for a, b in itertools.pairwise(tiles.starts)), default=0)
        around = 2 * (EDGE_ROWS + reach_of(job.sigma[axis]) + 1) + math.ceil(1 / place.scale)
        return overlap // stride + around

    return BorderAnswers(shared(0), shared(1))


def _card_of(path: Path) -> Card | None:
    """Return the card of a prediction on disk; None if there is none, or something else, which raises later."""
    try:
        return read_card(path) if path.exists() else None
    except (PredictionError, FileNotFoundError):
        return None


def _fingerprint_of(path: Path) -> str:
    card = _card_of(path)
    return "" if card is None else card.fingerprint


def _require_same_image(path: Path, card: Card) -> None:
    """Raise PredictionError if `path` holds the prediction of another image."""
    earlier = _card_of(path)
    if earlier is not None and earlier.is_of_another_image(card):
        raise PredictionError(
            f"{path} holds the prediction of another image, {earlier.image_name!r}. Give another name, or replace it "
            "with overwrite=True."
        )


def _require_ours(path: Path) -> Card:
    try:
        return read_card(path)
    except PredictionError as error:
        raise PredictionError(f"{path} exists and is not a prediction by histowidgets. Give another name.") from error


def _warn_restarted(path: Path) -> None:
    warnings.warn(
        f"{path} held a prediction with another classifier, image or settings. It is replaced by a new one.",
        PredictionReplacedWarning,
        stacklevel=4,
    )
