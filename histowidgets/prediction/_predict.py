"""Prediction of a region: plan the tiles, read, ask the model, blend."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from histowidgets.errors import PredictionCancelled
from histowidgets.images import Image, Normalization, Region, scaled_shape
from histowidgets.prediction._blend import blended
from histowidgets.prediction._limits import KEPT_PIXELS
from histowidgets.prediction._model import PixelModel, Progress, RemembersTiles, ShouldStop
from histowidgets.prediction._plan import AxisPlan, plan_axis
from histowidgets.prediction._probability_map import ProbabilityMap
from histowidgets.prediction._symmetry import mean_over_symmetries
from histowidgets.prediction._tile import Tile


class TileNeeds(NamedTuple):
    """What the plan needs to know of a model; see `PixelModel`."""

    multiple: int
    output_stride: int
    context: int
    largest_tile: int

    @classmethod
    def of(cls, model: PixelModel) -> "TileNeeds":
        """Ask a model."""
        return cls(model.multiple, model.output_stride, model.context, model.largest_tile)


@dataclass(frozen=True)
class TilePlan:
    """Tiles over a region of an image.

    Attributes
    ----------
    region : Region
        Full-size pixels.
    downsample : int
    rows, cols : AxisPlan
        In pixels at the downsample, from the region's corner.
    margin : int
        Half of what neighbours share at least.
    """

    region: Region
    downsample: int
    rows: AxisPlan
    cols: AxisPlan
    margin: int

    def tile_region(self, i: int, j: int) -> Region:
        """Return the full-size region of the tile in row i and column j."""
        d = self.downsample
        x, y = self.region.x + self.cols.starts[j] * d, self.region.y + self.rows.starts[i] * d
        return Region(x, y, self.cols.size * d, self.rows.size * d)


def plan_tiles(
    needs: TileNeeds, region: Region, within: Region, downsample: int, tile_size: int, overlap: float
) -> TilePlan:
    """Plan tiles over `region` with context from `within`, the part of the image that may be read."""
    largest = max(tile_size, needs.largest_tile) // needs.multiple * needs.multiple
    largest = max(largest, needs.multiple)
    margin = max(needs.context, round(overlap * tile_size / 2))

    def axis(start: int, length: int, low: int, high: int) -> AxisPlan:
        n = -(-length // downsample)
        return plan_axis(
            n,
            (start - low) // downsample,
            max(0, -(-(high - start) // downsample) - n),
            largest=largest,
            margin=margin,
            multiple=needs.multiple,
            align=needs.output_stride,
        )

    rows = axis(region.y, region.height, within.y, within.bottom)
    cols = axis(region.x, region.width, within.x, within.right)
    return TilePlan(region, downsample, rows, cols, min(margin, largest // 4))


def predict_map(
    model: PixelModel,
    image: Image,
    plan: TilePlan,
    normalization: Normalization,
    channels: tuple[int, ...] | None,
    *,
    within: Region | None = None,
    blend: str = "centre-crop",
    tta: bool = False,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> ProbabilityMap:
    """Compute the probabilities of a planned region.

    Raises
    ------
    PredictionCancelled
        When `should_stop` says so.
    """
    region, stride = plan.region, model.output_stride
    scale = plan.downsample * stride
    shape = (model.n_classes, *scaled_shape(region.width, region.height, scale))
    total = len(plan.rows.starts) * len(plan.cols.starts)
    done = 0
    keep = region.area <= KEPT_PIXELS

    def check() -> None:
        if should_stop is not None and should_stop():
            raise PredictionCancelled(
                f"The prediction of image {image.name!r} was stopped after {done} of {total} tiles; "
                "call predict again to start over."
            )

    def tile_row(i: int) -> Iterator[np.ndarray]:
        nonlocal done
        regions = [plan.tile_region(i, j) for j in range(len(plan.cols.starts))]
        for first in range(0, len(regions), model.batch_size):
            check()
            some = regions[first : first + model.batch_size]
            tiles = [Tile(image, r, normalization, plan.downsample, channels, within, keep) for r in some]
            yield from _answers(model, tiles, tta, check)
            done += len(tiles)
            if progress is not None:
                progress(done, total)

    values = np.empty(shape, np.float16)
    rows, cols = _over(plan.rows, stride, shape[1]), _over(plan.cols, stride, shape[2])
    for top, band in blended(rows, cols, shape, tile_row, blend, plan.margin // stride):
        values[:, top : top + band.shape[1]] = band
    return ProbabilityMap(values, region.width, region.height, scale)


def _answers(model: PixelModel, tiles: list[Tile], tta: bool, check: Callable[[], None]) -> Iterator[np.ndarray]:
    if tta:
        yield from mean_over_symmetries(model.probabilities, np.stack([t.read() for t in tiles]), check)
    elif isinstance(model, RemembersTiles):
        for tile in tiles:
            yield model.tile_probabilities(tile)
    else:
        yield from model.probabilities(np.stack([t.read() for t in tiles]))


def _over(plan: AxisPlan, stride: int, length: int) -> AxisPlan:
    """Return the plan in values of the output."""
    cuts = (*(c // stride for c in plan.cuts[:-1]), length)
    return AxisPlan(plan.size // stride, tuple(s // stride for s in plan.starts), cuts)
