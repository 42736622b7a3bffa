"""Plan tiles: as few as possible, with context on every side as far as the image extends."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from histowidgets.images import Region

#: Maps the number of grids to the shift of each along rows and columns, as a share of a step.
_SHIFTS = {1: ((0.0, 0.0),), 2: ((0.0, 0.0), (0.5, 0.5)), 4: ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.0, 0.5))}


@dataclass(frozen=True)
class AxisPlan:
    """Tiles along one axis, in pixels from the start of the region.

    Attributes
    ----------
    size : int
        Length of each tile.
    starts : tuple of int
        Start of each tile; may be negative.
    cuts : tuple of int
        One more than there are tiles: tile i is used from ``cuts[i]`` to ``cuts[i + 1]``; the first is 0, the last is
        the length.
    """

    size: int
    starts: tuple[int, ...]
    cuts: tuple[int, ...]

    def part(self, first: int, last: int, whole: bool) -> "AxisPlan":
        """Return the tiles that are needed for the pixels from `first` to `last`, counted from `first`.

        With `whole`, these are all tiles that overlap the pixels; otherwise only those that are used there.
        """
        ends = zip(self.cuts[:-1], self.cuts[1:], strict=True)
        used = [
            i
            for i, (start, (low, high)) in enumerate(zip(self.starts, ends, strict=True))
            if (start < last and start + self.size > first if whole else low < last and high > first)
        ]
        starts = tuple(self.starts[i] - first for i in used)
        cuts = [self.cuts[i] for i in (*used, used[-1] + 1)]
        return AxisPlan(self.size, starts, tuple(min(max(cut, first), last) - first for cut in cuts))


def plan_axis(
    length: int, before: int, after: int, *, largest: int, margin: int, multiple: int, align: int, shift: float = 0.0
) -> AxisPlan:
    """Plan tiles along one axis.

    Parameters
    ----------
    length : int
        Length of the region, in pixels.
    before, after : int
        Number of pixels of the image before and after the region.
    largest : int
        Longest tile; a multiple of `multiple`.
    margin : int
        Pixels of context on each side of the used part of a tile; neighbours overlap by at least twice this.
    multiple : int
        Sides of tiles are multiples of this.
    align : int
        Starts and cuts are multiples of this, which divides `multiple`.
    shift : float, default 0
        Fraction of a step by which the inner tiles are moved; the first and the last stay, and one more is added.

    Returns
    -------
    AxisPlan
        All tiles have the same length. They extend beyond the image only if it is shorter than a multiple.
    """

    def spanned(margin: int) -> tuple[int, int]:
        return -(min(before, margin) // align * align), length + min(after, margin)

    begin, end = spanned(margin)
    if end - begin > largest:
        # Use at least half the side of a small tile.
        margin = min(margin, largest // 4)
        begin, end = spanned(margin)
    span = end - begin
    if span <= largest:
        size = _up(span, multiple)
        # The pixels added by rounding up are taken from the image, as far as it extends.
        beyond = max(0, begin + size - (length + after))
        begin -= min(beyond, before + begin) // align * align
        return AxisPlan(size, (begin,), (0, length))
    count = -(-(span - 2 * margin) // (largest - 2 * margin))
    size = _up(-(-(span + (count - 1) * 2 * margin) // count), multiple)
    last = _up(end - size - begin, align)
    places = range(count) if not shift else [0.0, *(i + shift for i in range(count - 1)), count - 1.0]
    starts = sorted({begin + int(place * last // (count - 1)) // align * align for place in places})
    cuts = [(starts[i + 1] + starts[i] + size) // 2 // align * align for i in range(len(starts) - 1)]
    return AxisPlan(size, tuple(starts), (0, *cuts, length))


def _up(value: int, multiple: int) -> int:
    """Round up to a multiple."""
    return -(-value // multiple) * multiple


class TileNeeds(NamedTuple):
    """The properties of a model that the plan depends on; see `PixelModel`."""

    multiple: int
    output_stride: int
    context: int
    largest_tile: int


@dataclass(frozen=True)
class TilePlan:
    """A plan of tiles over a region of an image.

    Attributes
    ----------
    region : Region
        In full-size pixels.
    downsample : int
    rows, cols : AxisPlan
        In pixels at the downsample, from the corner of the region.
    margin : int
        At most half of the overlap of neighbours.
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
        """Return the full-size regions of all tiles, row by row."""
        return [self.tile_region(i, j) for i in range(len(self.rows.starts)) for j in range(len(self.cols.starts))]

    def part(self, rows: tuple[int, int], cols: tuple[int, int], whole: bool) -> "TilePlan":
        """Return the plan of a part of the region, with the same tiles; see `AxisPlan.part`."""
        d = self.downsample
        region = Region.from_edges(
            self.region.x + cols[0] * d,
            self.region.y + rows[0] * d,
            min(self.region.x + cols[1] * d, self.region.right),
            min(self.region.y + rows[1] * d, self.region.bottom),
        )
        return replace(self, region=region, rows=self.rows.part(*rows, whole), cols=self.cols.part(*cols, whole))


def plan_tiles(
    needs: TileNeeds,
    region: Region,
    within: Region,
    downsample: int,
    tile_size: int,
    overlap: float,
    shift: tuple[float, float] = (0.0, 0.0),
) -> TilePlan:
    """Plan tiles over `region`, with context from `within`, the part of the image that may be read.

    `shift` is the fraction of a step by which inner tiles are shifted along rows and columns; see `plan_axis`.
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
    """Plan several grids, each shifted by half a step, without duplicates (if a single tile is enough)."""
    plans = [plan_tiles(needs, region, within, downsample, tile_size, overlap, shift) for shift in _SHIFTS[grids]]
    return list(dict.fromkeys(plans))
