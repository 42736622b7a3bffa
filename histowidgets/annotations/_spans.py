"""Which pixels a shape covers: those whose centre lies in it, found for many shapes at once.

A *span* is a run of pixels in one row. Pillow's own drawing rounds each corner to a whole pixel, which at a
downsample of 8 is as wide as a brush; and it takes a call for each corner. Here each piece of each path gives its
spans in closed form, so that 5,000 strokes are a few array operations.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from histowidgets.annotations._shapes import Polygon, Rectangle, Shape, _Path
from histowidgets.images import Region, scaled_shape


class Spans(NamedTuple):
    """Runs of pixels, each array of (n,): the number of the shape, the row, first column, column past the last."""

    owner: np.ndarray
    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def spans_of(shapes: Sequence[Shape], region: Region, downsample: float = 1) -> Spans:
    """Find the pixels of a region that each shape covers.

    Parameters
    ----------
    shapes : sequence of Shape
    region : Region
        Full-size pixels; rows and columns are counted from its corner.
    downsample : float, default 1
        A pixel stands for `downsample` x `downsample` full-size ones, and is covered if their centre is.

    Returns
    -------
    Spans
        In the order of the shapes; the spans of one shape and row do not overlap.
    """
    rows, cols = scaled_shape(region.width, region.height, downsample)
    parts = []
    paths = [(i, s) for i, s in enumerate(shapes) if isinstance(s, _Path)]
    for some in _groups(paths):
        parts.append(_merged(_path_spans(some, region, downsample, rows, cols), rows, cols))
    areas = [(i, s) for i, s in enumerate(shapes) if not isinstance(s, _Path)]
    if areas:
        parts.append(_not_empty(_area_spans(areas, region, downsample, rows, cols)))
    if not parts:
        empty = np.zeros(0, np.int64)
        return Spans(empty, empty, empty, empty)
    if len(parts) == 1:
        return parts[0]
    joined = Spans(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if not areas:
        return joined
    order = np.argsort(joined.owner, kind="stable")
    return Spans(*(column[order] for column in joined))


#: Points of paths taken together: few enough that the arrays made of them stay in the processor's cache.
_GROUP_POINTS = 2000


def _groups(paths: Sequence[tuple[int, _Path]]) -> Iterator[Sequence[tuple[int, _Path]]]:
    """Cut paths into groups of about `_GROUP_POINTS` points."""
    first, n_points = 0, 0
    for past, (_, path) in enumerate(paths, start=1):
        n_points += len(path.points)
        if n_points >= _GROUP_POINTS or past == len(paths):
            yield paths[first:past]
            first, n_points = past, 0


def _first_centre_from(position: np.ndarray, past: int) -> np.ndarray:
    """Return the first of the pixels 0 to `past` whose centre is at `position` or after it; `past` if none is."""
    return np.clip(np.ceil(position - 0.5), 0, past).astype(np.int64)


def _each_row(first: np.ndarray, past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expand row ranges: return for each (range, row in it) the number of the range, and the row."""
    counts = np.maximum(past - first, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    return which, first[which] + np.arange(len(which)) - begins


def _path_spans(paths: Sequence[tuple[int, _Path]], region: Region, downsample: float, rows: int, cols: int) -> Spans:
    """Return one span for each row of each straight piece; those of one path overlap."""
    scale = 1.0 / downsample
    corner = np.array([region.x, region.y], float)
    starts, ends, owners, first_radii, last_radii = [], [], [], [], []
    for i, path in paths:
        points = (path.points - corner) * scale
        pieces = max(1, len(points) - 1)
        starts.append(points[:pieces])
        ends.append(points[-pieces:])
        owners.append(np.full(pieces, i))
        if isinstance(path.width, np.ndarray):
            first_radii.append(path.radii[:pieces] * scale)
            last_radii.append(path.radii[-pieces:] * scale)
        else:
            first_radii.append(np.full(pieces, path.width / 2 * scale))
            last_radii.append(first_radii[-1])
    a, b, owner = np.concatenate(starts), np.concatenate(ends), np.concatenate(owners)
    ra, rb = np.concatenate(first_radii), np.concatenate(last_radii)
    first = _first_centre_from(np.minimum(a[:, 1] - ra, b[:, 1] - rb), rows)
    past = _first_centre_from(np.maximum(a[:, 1] + ra, b[:, 1] + rb), rows)
    piece, row = _each_row(first, past)
    left, right = _capsule_extent(a[piece], b[piece], ra[piece], row + 0.5)
    if (ra != rb).any():
        tapers = (ra != rb)[piece]
        some, y = piece[tapers], row[tapers] + 0.5
        left[tapers], right[tapers] = _tapered_extent(a[some], b[some], ra[some], rb[some], y)
    return Spans(owner[piece], row, _first_centre_from(left, cols), _first_centre_from(right, cols))


def _capsule_extent(a: np.ndarray, b: np.ndarray, radius: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the line y enters and leaves the points within `radius` of the piece from a to b."""
    left, right = _discs_extent(((a, radius), (b, radius)), y)
    # The straight sides: |distance from the line| <= radius, and the foot lies between a and b.
    direction = b - a
    length = np.hypot(direction[:, 0], direction[:, 1])
    ux, uy = (direction / np.where(length > 0, length, 1)[:, None]).T
    dy = y - a[:, 1]
    low1, high1 = _solve(-uy, dy * ux, -radius, radius)
    low2, high2 = _solve(ux, dy * uy, np.zeros_like(length), length)
    low, high = np.maximum(low1, low2) + a[:, 0], np.minimum(high1, high2) + a[:, 0]
    hit = (high >= low) & (length > 0)
    return np.where(hit, np.minimum(left, low), left), np.where(hit, np.maximum(right, high), right)


def _tapered_extent(
    a: np.ndarray, b: np.ndarray, ra: np.ndarray, rb: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the line y enters and leaves the convex hull of a disc at a and one at b, of unlike radii."""
    left, right = _discs_extent(((a, ra), (b, rb)), y)
    direction = b - a
    length = np.hypot(direction[:, 0], direction[:, 1])
    outside = length > np.abs(ra - rb)  # else one disc holds the other
    safe = np.where(outside, length, 1.0)
    unit = direction / safe[:, None]
    # A straight side touches both discs where their normals are alike: this far along, and the rest across.
    along = np.where(outside, (ra - rb) / safe, 0.0)
    across = np.sqrt(1 - along**2)
    for side in (-1, 1):
        normal = along[:, None] * unit + side * across[:, None] * np.column_stack([-unit[:, 1], unit[:, 0]])
        p, q = a + ra[:, None] * normal, b + rb[:, None] * normal
        height = q[:, 1] - p[:, 1]
        share = (y - p[:, 1]) / np.where(height == 0, 1.0, height)
        hit = outside & (height != 0) & (share >= 0) & (share <= 1)
        x = p[:, 0] + share * (q[:, 0] - p[:, 0])
        left, right = np.where(hit, np.minimum(left, x), left), np.where(hit, np.maximum(right, x), right)
    return left, right


def _discs_extent(discs: Sequence[tuple[np.ndarray, np.ndarray]], y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last x of discs (centres, radii) on the line y; inf and -inf where it meets none."""
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for centre, radius in discs:
        half_squared = radius**2 - (y - centre[:, 1]) ** 2
        half = np.sqrt(np.maximum(half_squared, 0))
        hit = half_squared >= 0
        left = np.where(hit, np.minimum(left, centre[:, 0] - half), left)
        right = np.where(hit, np.maximum(right, centre[:, 0] + half), right)
    return left, right


def _solve(slope: np.ndarray, offset: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve low <= slope * t + offset <= high for t; where the slope is 0, all t or none."""
    flat = np.abs(slope) < 1e-12
    safe = np.where(flat, 1.0, slope)
    one, two = (low - offset) / safe, (high - offset) / safe
    always = (offset >= low) & (offset <= high)
    flat_low = np.where(always, -np.inf, np.inf)
    return np.where(flat, flat_low, np.minimum(one, two)), np.where(flat, -flat_low, np.maximum(one, two))


def _area_spans(areas: Sequence[tuple[int, Shape]], region: Region, downsample: float, rows: int, cols: int) -> Spans:
    """Return the spans of polygons and rectangles, by the even-odd rule."""
    scale = 1.0 / downsample
    corner = np.array([region.x, region.y], float)
    heads, tails, owners = [], [], []
    for i, shape in areas:
        for ring in _rings(shape):
            points = (ring - corner) * scale
            heads.append(points)
            tails.append(np.roll(points, -1, axis=0))
            owners.append(np.full(len(points), i))
    a, b, owner = np.concatenate(heads), np.concatenate(tails), np.concatenate(owners)
    first = _first_centre_from(np.minimum(a[:, 1], b[:, 1]), rows)
    past = _first_centre_from(np.maximum(a[:, 1], b[:, 1]), rows)
    edge, row = _each_row(first, past)
    a, b, owner = a[edge], b[edge], owner[edge]
    x = a[:, 0] + (row + 0.5 - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    order = np.lexsort((x, row, owner))
    owner, row, x = owner[order], row[order], x[order]
    # A closed outline crosses each row an even number of times: each two crossings are one span.
    start, stop = _first_centre_from(x[::2], cols), _first_centre_from(x[1::2], cols)
    return Spans(owner[::2], row[::2], start, stop)


def _rings(shape: Shape) -> list[np.ndarray]:
    if isinstance(shape, Polygon):
        return [shape.points, *shape.holes]
    if isinstance(shape, Rectangle):
        x0, y0, x1, y1 = shape.bounds
        return [np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])]
    raise TypeError(f"spans of a {type(shape).__name__} are not known")


def _not_empty(spans: Spans) -> Spans:
    """Drop the spans without a pixel."""
    full = spans.stop > spans.start
    return Spans(*(column[full] for column in spans))


def _merged(spans: Spans, rows: int, cols: int) -> Spans:
    """Join the overlapping spans of each shape and row."""
    owner, row, start, stop = _not_empty(spans)
    if not len(owner):
        return Spans(owner, row, start, stop)
    line = owner * rows + row
    # One number for (line, column), on which running maxima cannot reach from one line into the next.
    begin, end = line * (cols + 1) + start, line * (cols + 1) + stop
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], np.maximum.accumulate(end[order])
    new = np.append(True, begin[1:] > end[:-1])
    last = np.append(np.flatnonzero(new)[1:], len(new)) - 1
    line, start = np.divmod(begin[new], cols + 1)
    return Spans(line // rows, line % rows, start, end[last] - line * (cols + 1))


def paint(labels: np.ndarray, spans: Spans, values: np.ndarray) -> None:
    """Write values[owner] into (rows, cols) labels where the spans are; a later span wins."""
    counts = spans.stop - spans.start
    if not len(counts):
        return
    flat = labels.reshape(-1)
    for some in _chunks(counts):
        part = Spans(*(column[some] for column in spans))
        # NumPy assigns in order, so of an index that comes twice the last value stays.
        flat[flat_pixels(part, labels.shape[1])] = np.repeat(values[part.owner], counts[some])


def flat_pixels(spans: Spans, cols: int) -> np.ndarray:
    """Return the place of each pixel of the spans in a flattened array with `cols` columns."""
    counts = spans.stop - spans.start
    begin = spans.row * cols + spans.start - (np.cumsum(counts) - counts)
    return np.repeat(begin, counts) + np.arange(counts.sum())


#: Pixels written at once: bounds the memory that painting takes (about 24 bytes each).
_CHUNK_PIXELS = 1 << 20


def _chunks(counts: np.ndarray) -> list[slice]:
    """Cut spans into runs of about `_CHUNK_PIXELS` pixels."""
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, np.arange(_CHUNK_PIXELS, total[-1], _CHUNK_PIXELS))
    edges = np.unique(np.concatenate([[0], cuts, [len(counts)]]))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
