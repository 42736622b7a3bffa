"""Find the pixels that shapes cover, that is those whose centre lies inside, for many shapes at once.

A *span* is a run of pixels in one row. Pillow's drawing rounds each corner to a whole pixel, which at a downsample of 8
is as wide as a brush, and needs a call for each corner. Here, the spans of each piece of a path are computed in closed
form, so that 5,000 strokes take only a few array operations.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from histowidgets.annotations.shapes import PathShape, Polygon, Rectangle, Shape
from histowidgets.images import Region, scaled_shape


class Spans(NamedTuple):
    """Runs of pixels, as arrays of (n,): index of the shape, row, first column, and column after the last."""

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
        In full-size pixels; rows and columns are counted from its corner.
    downsample : float, default 1
        A pixel stands for `downsample` x `downsample` full-size pixels, and is covered if their centre is.

    Returns
    -------
    Spans
        In the order of the shapes; the spans of one shape and row do not overlap.
    """
    rows, cols = scaled_shape(region.width, region.height, downsample)
    paths = [(i, s) for i, s in enumerate(shapes) if isinstance(s, PathShape)]
    parts = [_path_spans(some, region, downsample, rows, cols) for some in _groups(paths, rows, cols)]
    areas = [(i, s) for i, s in enumerate(shapes) if not isinstance(s, PathShape)]
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


#: Number of path points per group, few enough that their arrays stay in the processor's cache.
_GROUP_POINTS = 1000


def _groups(paths: Sequence[tuple[int, PathShape]], rows: int, cols: int) -> Iterator[Sequence[tuple[int, PathShape]]]:
    """Split paths into groups of about `_GROUP_POINTS` points, whose spans fit the packed sort key."""
    most = 1 << max(0, _KEY_BITS - rows.bit_length() - 2 * cols.bit_length())
    first, n_points = 0, 0
    for past, (_, path) in enumerate(paths, start=1):
        n_points += len(path.points)
        if n_points >= _GROUP_POINTS or past == len(paths) or past - first >= most:
            yield paths[first:past]
            first, n_points = past, 0


def _first_centre_from(position: np.ndarray, past: int) -> np.ndarray:
    """Return the first of the pixels 0 to `past` whose centre is at or after `position`; `past` if there is none."""
    return np.clip(np.ceil(position - 0.5), 0, past).astype(np.int64)


def _each_row(first: np.ndarray, past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expand row ranges: return the index of the range and the row for each row of each range."""
    counts = np.maximum(past - first, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    return which, first[which] + np.arange(len(which)) - begins


class _Pieces(NamedTuple):
    """Straight pieces of paths, as arrays of (n,): index of the path, both ends, and the radius at each."""

    path: np.ndarray
    ax: np.ndarray
    ay: np.ndarray
    bx: np.ndarray
    by: np.ndarray
    ra: np.ndarray
    rb: np.ndarray


def _pieces(paths: Sequence[PathShape], region: Region, scale: float) -> _Pieces:
    """Split paths into straight pieces, in pixels of the label map; a single point is a piece of length 0."""
    n_points = np.array([len(path.points) for path in paths])
    n_pieces = np.maximum(n_points - 1, 1)
    path = np.repeat(np.arange(len(paths)), n_pieces)
    a = np.arange(n_pieces.sum()) + np.repeat(np.cumsum(n_points - n_pieces) - (n_points - n_pieces), n_pieces)
    b = a + (n_points > 1)[path]
    x, y = ((np.concatenate([p.points for p in paths]) - (region.x, region.y)) * scale).T
    if any(isinstance(p.width, np.ndarray) for p in paths):
        radii = np.concatenate([p.radii for p in paths]) * scale
        return _Pieces(path, x[a], y[a], x[b], y[b], radii[a], radii[b])
    radius = (np.array([p.width for p in paths], float) / 2 * scale)[path]
    return _Pieces(path, x[a], y[a], x[b], y[b], radius, radius)


def _path_spans(
    paths: Sequence[tuple[int, PathShape]], region: Region, downsample: float, rows: int, cols: int
) -> Spans:
    """Return the spans of paths; those of one path and row do not overlap."""
    pieces = _pieces([path for _, path in paths], region, 1.0 / downsample)
    first = _first_centre_from(np.minimum(pieces.ay - pieces.ra, pieces.by - pieces.rb), rows)
    past = _first_centre_from(np.maximum(pieces.ay + pieces.ra, pieces.by + pieces.rb), rows)
    piece, row = _each_row(first, past)
    y = row + 0.5
    left, right = _capsule_extent(pieces, np.maximum(past - first, 0), y)
    if pieces.ra is not pieces.rb:
        tapers = (pieces.ra != pieces.rb)[piece]
        left[tapers], right[tapers] = _tapered_extent(pieces, piece[tapers], y[tapers])
    start, stop = _first_centre_from(left, cols), _first_centre_from(right, cols)
    owners = np.array([i for i, _ in paths])
    return _merged(owners, pieces.path[piece], row, start, stop, rows, cols)


def _capsule_extent(pieces: _Pieces, counts: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where lines at `y`, `counts` for each piece, enter and leave the area within the radius `ra` of a piece.

    The outermost point on a line belongs to the disc around one point of the piece. If the line crosses a straight
    side, that is the foot of the side's normal, which moves along the piece with y; beyond the ends of the side, it is
    the end of the piece.
    """
    dx, dy = pieces.bx - pieces.ax, pieces.by - pieces.ay
    length = np.hypot(dx, dy)
    flat = np.abs(dy) < 1e-9  # the sides are parallel to the lines, so that the ends are the outermost points
    per_line = np.where(flat, 0.0, 1 / np.where(flat, 1.0, dy))
    # How far a point of the left side lies below its foot, along the normal that points to the left, seen downwards.
    below = pieces.ra * np.where(dy >= 0, dx, -dx) / np.where(length > 0, length, 1.0)
    spread = [np.repeat(column, counts) for column in (pieces.ax, pieces.ay, dx, dy, pieces.ra**2, per_line)]
    ax, ay, dx_, dy_, squared, per_line_ = spread
    down = y - ay
    extents = []
    for side, foot in ((-1, flat & (dx < 0)), (1, flat & (dx > 0))):
        share = down + np.repeat(side * below, counts)
        share *= per_line_
        share += np.repeat(foot.astype(float), counts)
        np.clip(share, 0, 1, out=share)
        half = dy_ * share
        np.subtract(down, half, out=half)
        np.multiply(half, half, out=half)
        np.subtract(squared, half, out=half)
        np.maximum(half, 0, out=half)
        np.sqrt(half, out=half)
        share *= dx_
        share += ax
        extents.append(share - half if side < 0 else share + half)
    return extents[0], extents[1]


def _tapered_extent(pieces: _Pieces, piece: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where lines at `y` enter and leave the convex hull of their piece's two discs, which differ in radius."""
    ax, ay, bx, by, ra, rb = (column[piece] for column in pieces[1:])
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for x0, y0, radius in ((ax, ay, ra), (bx, by, rb)):
        half_squared = radius**2 - (y - y0) ** 2
        half = np.sqrt(np.maximum(half_squared, 0))
        hit = half_squared >= 0
        left = np.where(hit, np.minimum(left, x0 - half), left)
        right = np.where(hit, np.maximum(right, x0 + half), right)
    length = np.hypot(bx - ax, by - ay)
    outside = length > np.abs(ra - rb)  # otherwise one disc contains the other
    safe = np.where(outside, length, 1.0)
    ux, uy = (bx - ax) / safe, (by - ay) / safe
    # A straight side touches both discs where their normals agree, given as components along and across the piece.
    along = np.where(outside, (ra - rb) / safe, 0.0)
    across = np.sqrt(1 - along**2)
    for side in (-1, 1):
        nx, ny = along * ux - side * across * uy, along * uy + side * across * ux
        px, py, qx, qy = ax + ra * nx, ay + ra * ny, bx + rb * nx, by + rb * ny
        height = qy - py
        share = (y - py) / np.where(height == 0, 1.0, height)
        hit = outside & (height != 0) & (share >= 0) & (share <= 1)
        x = px + share * (qx - px)
        left, right = np.where(hit, np.minimum(left, x), left), np.where(hit, np.maximum(right, x), right)
    return left, right


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
    if not heads:  # polygons that their holes cover entirely
        return Spans(*(np.zeros(0, np.int64) for _ in Spans._fields))
    a, b, owner = np.concatenate(heads), np.concatenate(tails), np.concatenate(owners)
    first = _first_centre_from(np.minimum(a[:, 1], b[:, 1]), rows)
    past = _first_centre_from(np.maximum(a[:, 1], b[:, 1]), rows)
    edge, row = _each_row(first, past)
    a, b, owner = a[edge], b[edge], owner[edge]
    x = a[:, 0] + (row + 0.5 - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    order = np.lexsort((x, row, owner))
    owner, row, x = owner[order], row[order], x[order]
    # A closed outline crosses each row an even number of times; each pair of crossings is a span.
    start, stop = _first_centre_from(x[::2], cols), _first_centre_from(x[1::2], cols)
    return Spans(owner[::2], row[::2], start, stop)


def _rings(shape: Shape) -> list[np.ndarray]:
    if isinstance(shape, Polygon):
        return list(shape.rings)
    if isinstance(shape, Rectangle):
        x0, y0, x1, y1 = shape.bounds
        return [np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])]
    raise TypeError(f"spans of a {type(shape).__name__} are not known")


def _not_empty(spans: Spans) -> Spans:
    """Drop empty spans."""
    full = spans.stop > spans.start
    return Spans(*(column[full] for column in spans))


#: Bits of the number that packs shape, row, first and last column of a span.
_KEY_BITS = 62


def _merged(
    owners: np.ndarray, path: np.ndarray, row: np.ndarray, start: np.ndarray, stop: np.ndarray, rows: int, cols: int
) -> Spans:
    """Join the overlapping spans of each path and row, and drop empty ones; `owners` gives the shape of each path."""
    across, down = cols.bit_length(), rows.bit_length()
    key = ((path << down | row) << across | start) << across | stop
    key = np.sort(key[stop > start], kind="stable")  # fast on sorted runs, such as the rows of a piece
    if not len(key):
        return Spans(key, key, key, key)
    # Start and end are each packed with path and row, so that no maximum extends from one row into the next.
    begin = key >> across
    line = begin >> across
    end = np.maximum.accumulate(line << across | key & (1 << across) - 1)
    new = np.append(True, begin[1:] > end[:-1])
    last = np.append(np.flatnonzero(new)[1:], len(new)) - 1
    line, mask = line[new], (1 << across) - 1
    return Spans(owners[line >> down], line & (1 << down) - 1, begin[new] & mask, end[last] & mask)


def paint(labels: np.ndarray, spans: Spans, values: np.ndarray) -> None:
    """Write values[owner] into (rows, cols) labels where the spans are; a later span wins."""
    counts = spans.stop - spans.start
    if not len(counts):
        return
    flat = labels.reshape(-1)
    for some in _chunks(counts):
        part = Spans(*(column[some] for column in spans))
        # NumPy assigns in order, so that for a repeated index the last value stays.
        flat[flat_pixels(part, labels.shape[1])] = np.repeat(values[part.owner], counts[some])


def flat_pixels(spans: Spans, cols: int) -> np.ndarray:
    """Return the flat index of each pixel of the spans, in an array with `cols` columns."""
    counts = spans.stop - spans.start
    begin = spans.row * cols + spans.start - (np.cumsum(counts) - counts)
    return np.repeat(begin, counts) + np.arange(counts.sum())


#: Number of pixels written at once, few enough for the processor's cache and the memory (about 24 bytes each).
_CHUNK_PIXELS = 1 << 16


def _chunks(counts: np.ndarray) -> list[slice]:
    """Split spans into chunks of about `_CHUNK_PIXELS` pixels."""
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, np.arange(_CHUNK_PIXELS, total[-1], _CHUNK_PIXELS))
    edges = np.unique(np.concatenate([[0], cuts, [len(counts)]]))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
