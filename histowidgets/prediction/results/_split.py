"""Split objects that touch, by a watershed from the h-maxima of the distance to their border.

The surface is the distance of each pixel to the border of its object, in um (Vincent and Soille 1991, as in
scikit-image), or this distance times the probability of the class. A maximum becomes an object of its own if it rises
by at least the depth above the pass to a higher one (h-maxima, Soille 2003). All of it is computed on one object at a
time, so that the result does not depend on the blocks that a prediction is read in.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from histowidgets.annotations.raster import Areas
from histowidgets.images import Region
from histowidgets.prediction.results._block import Block, ReadBlock
from histowidgets.prediction.results._polygons import Group, groups_of, joined

#: Steps per pixel in which distances are compared: whole numbers, so that equal distances are equal everywhere.
STEPS = 64

#: Largest bounding box, in pixels, that is split as a whole (a quarter of a GB).
MOST_PIXELS = 1536 * 1536

#: Side of the squares in which larger objects are split, and the margin around each: more than any cell is wide.
SQUARE, MARGIN = 1024, 256

_NO_MARKER = (-1, -1)
_CROSS = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True)
class Splitting:
    """How objects are split.

    Attributes
    ----------
    by_probability : bool
        Whether distances are multiplied by the probability.
    depth : float
        In pixels (geometric mean of the sides).
    least : float
        Smallest piece, in pixels.
    sides : (float, float)
        Height and width of a pixel, relative to their geometric mean.
    """

    by_probability: bool
    depth: float
    least: float
    sides: tuple[float, float]


def split_group(group: Group, read: ReadBlock, how: Splitting) -> list[Group]:
    """Split a group of pixels, given in pixels of the image; return the pieces, or the group itself."""
    if group.n_pixels < 2 * max(how.least, 1):
        return [group]
    shapely.prepare(group.polygon)
    left, top, right, bottom = (round(edge) for edge in group.polygon.bounds)
    box = Region.from_edges(left, top, right, bottom)
    pieces: list[Group] = []
    keys: list[tuple[int, int]] = []
    squares = list(_squares(box))
    for square in squares:
        window = box if len(squares) == 1 else square.expanded(MARGIN).intersect(box)
        if window is None:
            continue
        block = read(window)
        basins, markers = _basins(_inside(block, group.polygon), block, group.class_index, how, box)
        if len(squares) == 1 and len(markers) < 2:
            return [group]
        for piece, marker in _pieces(basins, block, group.class_index, square):
            pieces.append(piece)
            keys.append(markers[marker - 1])
    return pieces if len(squares) == 1 else joined(pieces, keys)


def _squares(box: Region) -> Iterator[Region]:
    """Yield the box, or, if it is large, the squares of a fixed grid that cover it."""
    if box.area <= MOST_PIXELS:
        yield box
        return
    for y in range(box.y // SQUARE * SQUARE, box.bottom, SQUARE):
        for x in range(box.x // SQUARE * SQUARE, box.right, SQUARE):
            found = Region(x, y, SQUARE, SQUARE).intersect(box)
            if found is not None:
                yield found


def _inside(block: Block, polygon: shapely.Polygon) -> np.ndarray:
    """Return the pixels inside a polygon whose rings separate areas of different labels."""
    from skimage import measure

    number = measure.label(block.labels, background=-1, connectivity=1)
    _, first = np.unique(number, return_index=True)
    rows, columns = np.divmod(first, number.shape[1])
    inside = shapely.contains_xy(polygon, columns + block.region.x + 0.5, rows + block.region.y + 0.5)
    mask: np.ndarray = np.concatenate([[False], inside])[number]
    return mask


def _basins(
    mask: np.ndarray, block: Block, class_index: int, how: Splitting, box: Region
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return the number of the basin of each pixel, 0 outside, and (x, y) in the image of the marker of each."""
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    # The edge of the image is a border like any other.
    inside = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    inside[1:-1, 1:-1] = mask
    distance = ndimage.distance_transform_edt(inside, sampling=how.sides)
    if how.by_probability and block.confidence is not None:
        distance[1:-1, 1:-1] *= np.where(block.labels == class_index, block.confidence, 255) / 255
    surface = np.rint(distance * STEPS).astype(np.int32)
    depth = max(1, round(how.depth * STEPS))
    lowered = reconstruction(np.maximum(surface - depth, 0), surface, "dilation", footprint=_CROSS)
    peaks = local_maxima(lowered, connectivity=1) & (lowered > 0)
    markers, count = ndimage.label(peaks, _CROSS)
    if count < 2:
        places = _places(markers, block.region) or [(block.region.x, block.region.y)]
        return mask.astype(np.int32), places
    basins = watershed(-surface, markers, connectivity=1, mask=inside)
    target = _without_small(basins, surface, how.least, _cut(basins, block.region, box, count))
    places = _places(np.where(target[markers] == markers, markers, 0), block.region)
    number = np.zeros(count + 1, np.int32)
    kept = np.unique(target[1:])
    number[kept] = np.arange(1, len(kept) + 1)
    basins = number[target][basins]
    without = inside & (basins == 0)  # in a window of a large object: parts that are too thin for a marker
    if without.any():
        basins[without] = len(kept) + 1
        places.append(_NO_MARKER)
    return basins[1:-1, 1:-1], places


def _places(markers: np.ndarray, region: Region) -> list[tuple[int, int]]:
    """Return (x, y) in the image of the first pixel of each marker, given with a margin of one pixel, by number."""
    _, first = np.unique(markers, return_index=True)
    rows, columns = np.divmod(first[1:], markers.shape[1])
    places = zip(columns - 1 + region.x, rows - 1 + region.y, strict=True)
    return [(int(x), int(y)) for x, y in places]


def _without_small(basins: np.ndarray, surface: np.ndarray, least: float, cut: np.ndarray) -> np.ndarray:
    """Join basins that are too small to the neighbour behind the highest pass, the smallest first.

    Returns
    -------
    ndarray of int
        For each number of a basin the number of the one that it belongs to.
    """
    sizes = np.bincount(basins.ravel(), minlength=len(cut) + 1)
    passes = _passes(basins, surface)
    target = list(range(len(sizes)))
    waiting = [(int(sizes[i]), i) for i in range(1, len(sizes)) if sizes[i] < least and not cut[i - 1]]
    heapq.heapify(waiting)
    continues = [False, *cut.tolist()]
    while waiting:
        size, i = heapq.heappop(waiting)
        if target[i] != i or size != sizes[i] or not passes[i]:
            continue
        j = max(passes[i], key=lambda other: (passes[i][other], -other))
        target[i] = j
        sizes[j] += sizes[i]
        continues[j] = continues[j] or continues[i]
        for other, height in passes.pop(i).items():
            del passes[other][i]
            if other != j:
                passes[j][other] = passes[other][j] = max(height, passes[j].get(other, -1))
        if sizes[j] < least and not continues[j]:
            heapq.heappush(waiting, (int(sizes[j]), j))
    for i in range(len(target)):
        while target[target[i]] != target[i]:
            target[i] = target[target[i]]
    return np.array(target)


def _passes(basins: np.ndarray, surface: np.ndarray) -> dict[int, dict[int, int]]:
    """Return the height of the highest pass between each pair of basins that touch along a side."""
    found: dict[int, dict[int, int]] = {int(i): {} for i in np.unique(basins) if i}
    for one, other in (((np.s_[:-1]), (np.s_[1:])), (np.s_[:, :-1], np.s_[:, 1:])):
        a, b = basins[one], basins[other]
        border = (a != b) & (a > 0) & (b > 0)
        height = np.minimum(surface[one], surface[other])[border]
        for i, j, top in zip(a[border].tolist(), b[border].tolist(), height.tolist(), strict=True):
            found[i][j] = found[j][i] = max(top, found[i].get(j, -1))
    return found


def _cut(basins: np.ndarray, window: Region, box: Region, count: int) -> np.ndarray:
    """Return for each basin whether it may continue beyond the window."""
    cut = np.zeros(count + 1, bool)
    inner = basins[1:-1, 1:-1]
    edges = (
        (window.y > box.y, inner[0]),
        (window.bottom < box.bottom, inner[-1]),
        (window.x > box.x, inner[:, 0]),
        (window.right < box.right, inner[:, -1]),
    )
    for continues, edge in edges:
        if continues:
            cut[edge] = True
    return cut[1:]


def _pieces(basins: np.ndarray, block: Block, class_index: int, square: Region) -> Iterator[tuple[Group, int]]:
    """Yield the connected parts of basins inside a square, in pixels of the image, and the basin of each."""
    from skimage import measure

    y, x = square.y - block.region.y, square.x - block.region.x
    inside = basins[y : y + square.height, x : x + square.width]
    number, count = measure.label(np.pad(inside, 1), background=0, connectivity=1, return_num=True)
    part = block.crop(square)
    areas = Areas(number, int(count))
    found = groups_of(areas, lambda row, column: int(inside[row, column]), part.values, part.labels == class_index)
    for piece in found:
        group = Group(class_index, piece.n_pixels, piece.polygon, piece.sums)
        yield group.moved(square.x, square.y), piece.class_index
