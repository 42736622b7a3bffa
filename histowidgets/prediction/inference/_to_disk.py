"""Prediction to disk, block by block, in memory that does not grow with the image."""

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from histowidgets.errors import PredictionCancelled, PredictionError, PredictionReplacedWarning
from histowidgets.images import Image, Region
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._fingerprint import prediction_fingerprint
from histowidgets.prediction.inference._job import Job
from histowidgets.prediction.inference._options import PredictOptions, Progress, ShouldStop
from histowidgets.prediction.inference._tiled import TileCount, TiledPrediction
from histowidgets.prediction.results import (
    BLOCK_SIDE,
    Card,
    Store,
    StoredPrediction,
    open_prediction,
    read_card,
    write_pyramid,
)
from histowidgets.prediction.tiling import BlankTiles, reach_of

#: Times `BLOCK_SIDE` that a block may be long in full-size pixels, where the model sees a downsampled image.
MOST_BLOCK_SCALE = 4

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
) -> StoredPrediction:
    """Predict into a file; see `Classifier.predict_to`. `announce` warns where something else is replaced."""
    job = Job.of(spec, image, region, options)
    is_tiff = out.name.lower().endswith(_TIFF)
    if not is_tiff and out.suffix.lower() != ".zarr":
        raise PredictionError(f"{out.name} ends neither in .zarr nor in .ome.tif, the formats that can be written.")
    # Blocks that are done are known by their number: after a change of their size, none of them counts.
    what = {
        "region": list(job.region),
        "probabilities": probabilities,
        "options": options.to_dict(),
        "block": BLOCK_SIDE,
    }
    card = Card(
        image_name=image.name,
        region=job.region,
        pixel_size_um=image.pixel_size_um,
        pixel_sides_um=_sides(image),
        classes=spec.classes,
        colors=spec.colors,
        probabilities=probabilities,
        fingerprint=prediction_fingerprint(spec, image, what),
    )
    if is_tiff and out.exists():
        if _require_ours(out).fingerprint == card.fingerprint:
            return open_prediction(out)
        if announce:
            _warn_restarted(out)
    store = Store(out.with_name(f".{out.name}.parts.zarr") if is_tiff else out, card)
    if store.open() and announce:
        _warn_restarted(out)
    _fill(store, job, progress, should_stop)
    if is_tiff:
        write_pyramid(store, out)
        shutil.rmtree(store.path)
    return open_prediction(out)


def _sides(image: Image) -> tuple[float, float] | None:
    """Return the height and width of pixels that are not square."""
    size = image.pixel_size_yx_um
    return None if size is None or size[0] == size[1] else size


def _fill(store: Store, job: Job, progress: Progress | None, should_stop: ShouldStop | None) -> None:
    """Predict the blocks that are missing."""
    blocks = blocks_of(job.region, BLOCK_SIDE * min(job.downsample, MOST_BLOCK_SCALE))
    reach = reach_of(job.options.sigma_px(job.image.pixel_size_um))
    parts = [_part(job, block, reach) for block in blocks]
    totals = [part.n_tiles for part in parts]
    count = TileCount(job.image.name, sum(totals), progress, should_stop)
    count.skip(sum(totals[: store.done]))
    blank = BlankTiles(job.spec.model.output_stride)
    for i in range(store.done, len(blocks)):
        try:
            labels, probabilities = _block(parts[i], blocks[i], count, blank, store.card.probabilities)
        except PredictionCancelled as error:
            raise PredictionCancelled(f"{error} What is on disk is kept; the same call resumes from there.") from None
        place = Region(blocks[i].x - job.region.x, blocks[i].y - job.region.y, blocks[i].width, blocks[i].height)
        store.write(place, labels, probabilities)
        store.note(i + 1, len(blocks))


def _part(job: Job, block: Region, reach: int) -> Job:
    """Return the job of a block, with what its blur needs around it."""
    grown = block.expanded(-(-reach // job.scale) * job.scale).intersect(job.image.region)
    return replace(job, region=grown or block, keep=False)


def _block(
    part: Job, block: Region, count: TileCount, blank: BlankTiles, probabilities: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predict a block: uint8 labels (height, width), and probabilities (K, height, width) if wanted."""
    running = TiledPrediction(part, count, blank)
    y, x = block.y - part.region.y, block.x - part.region.x
    rows, cols = slice(y, y + block.height), slice(x, x + block.width)
    if not probabilities:
        return running.labels()[rows, cols], None
    found = running.map()
    values = np.empty((part.spec.model.n_classes, part.region.height, part.region.width), np.uint8)
    for top, band in found.bands():
        values[:, top : top + band.shape[1]] = np.rint(band * 255)
    return found.labels()[rows, cols], values[:, rows, cols]


def blocks_of(region: Region, side: int) -> list[Region]:
    """Cut a region into blocks of `side`, those at the right and bottom edge smaller, row by row."""
    return [
        Region.from_edges(x, y, min(x + side, region.right), min(y + side, region.bottom))
        for y in range(region.y, region.bottom, side)
        for x in range(region.x, region.right, side)
    ]


def _require_ours(path: Path) -> Card:
    try:
        return read_card(path)
    except PredictionError as error:
        raise PredictionError(
            f"{path} exists and is not a prediction that histowidgets wrote; give another name."
        ) from error


def _warn_restarted(path: Path) -> None:
    warnings.warn(
        f"{path} held a prediction of another classifier, image or settings; it was replaced from the start.",
        PredictionReplacedWarning,
        stacklevel=4,
    )
