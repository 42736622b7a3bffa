"""Tiles over a region of an image, for what a model needs."""

from dataclasses import dataclass
from typing import NamedTuple

from histowidgets.images import Region
from histowidgets.prediction.tiling._plan import AxisPlan, plan_axis

_SHIFTS = {1: ((0.0, 0.0),), 2: ((0.0, 0.0), (0.5, 0.5)), 4: ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.0, 0.5))}


class TileNeeds(NamedTuple):
    """What the plan needs to know of a model; see `PixelModel`."""

    multiple: int
    output_stride: int
    context: int
    largest_tile: int


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

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return len(self.rows.starts) * len(self.cols.starts)

    def tile_region(self, i: int, j: int) -> Region:
        """Return the full-size region of the tile in row i and column j."""
        d = self.downsample
        x, y = self.region.x + self.cols.starts[j] * d, self.region.y + self.rows.starts[i] * d
        return Region(x, y, self.cols.size * d, self.rows.size * d)

    def tile_regions(self) -> list[Region]:
        """Return all of them, row by row."""
        return [self.tile_region(i, j) for i in range(len(self.rows.starts)) for j in range(len(self.cols.starts))]


def plan_tiles(
    needs: TileNeeds,
    region: Region,
    within: Region,
    downsample: int,
    tile_size: int,
    overlap: float,
    shift: tuple[float, float] = (0.0, 0.0),
) -> TilePlan:
    """Plan tiles over `region` with context from `within`, the part of the image that may be read.

    `shift` is the share of a step by which inner tiles are moved, along rows and columns; see `plan_axis`.
    """
    largest = max(tile_size, needs.largest_tile) // needs.multiple * needs.multiple
    largest = max(largest, needs.multiple)
    margin = max(needs.context, round(overlap * tile_size / 2))

    def axis(start: int, length: int, low: int, high: int, moved: float) -> AxisPlan:
        n = -(-length // downsample)
        return plan_axis(
            n,
            (start - low) // downsample,
            max(0, -(-(high - start) // downsample) - n),
            largest=largest,
            margin=margin,
            multiple=needs.multiple,
            align=needs.output_stride,
            shift=moved,
        )

    rows = axis(region.y, region.height, within.y, within.bottom, shift[0])
    cols = axis(region.x, region.width, within.x, within.right, shift[1])
    return TilePlan(region, downsample, rows, cols, min(margin, largest // 4))


def plan_grids(
    needs: TileNeeds, region: Region, within: Region, downsample: int, tile_size: int, overlap: float, grids: int
) -> list[TilePlan]:
    """Plan several grids, each shifted by half a step; those that turn out the same (a single tile) are given once."""
    plans = [plan_tiles(needs, region, within, downsample, tile_size, overlap, shift) for shift in _SHIFTS[grids]]
    return list(dict.fromkeys(plans))
