"""Plan training tiles: points on annotations to place them around, and windows of images to cut them from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets.annotations import UNLABELLED, Annotation, ProjectSnapshot, Split, rasterize
from histowidgets.images import Image, Region

#: Maximum number of points of one annotation that tiles are placed around: enough for any stroke.
POINTS_PER_ANNOTATION = 512

#: A training region of up to this many pixels (at the downsample) is read at once; a larger one in windows.
WHOLE_PIXELS = 4_000_000

#: Side, in tiles, of the windows in which a large image is read.
WINDOW_TILES = 4


@dataclass(frozen=True)
class Window:
    """A piece of one image that tiles are cut from.

    Attributes
    ----------
    image_name : str
        Name of the image.
    region : Region
        Its place; it may contain held-out rectangles.
    pieces : tuple of Region
        The parts of it that may be read: overlapping rectangles around the held-out regions.
    """

    image_name: str
    region: Region
    pieces: tuple[Region, ...]


@dataclass(frozen=True)
class AnnotationSamples:
    """The labelled points of one annotation that tiles are placed around.

    Attributes
    ----------
    class_index : int
        The class of the annotation.
    points : ndarray, shape (n, 2), float64
        x, y in full-size pixels.
    windows : ndarray, shape (n,), int
        The window that each point's tile is cut from.
    """

    class_index: int
    points: np.ndarray
    windows: np.ndarray


@dataclass(frozen=True)
class SamplingPlan:
    """The points to place tiles around, and the windows to cut them from.

    Attributes
    ----------
    windows : list of Window
        The windows that may be read.
    samples : list of AnnotationSamples
        One for each annotation that has labelled pixels outside the held-out rectangles.
    n_tiles : int
        Number of tiles of a grid, with the overlap of the settings, that contain such pixels: the size of an epoch.
    """

    windows: list[Window]
    samples: list[AnnotationSamples]
    n_tiles: int

    def classes(self) -> set[int]:
        """Return the class indices that training can see."""
        return {one.class_index for one in self.samples}


def plan_sampling(
    snapshot: ProjectSnapshot, split: Split, tile_size: int, downsample: int, tile_overlap: float, seed: int
) -> SamplingPlan:
    """Find the points to place training tiles around, and the windows to cut them from.

    Parameters
    ----------
    snapshot : ProjectSnapshot
        Images and annotations.
    split : Split
        The held-out regions; no window contains a pixel of them.
    tile_size : int
        Side of a tile, in pixels at the downsample.
    downsample : int
        Full-size pixels along each side of a tile's pixel.
    tile_overlap : float
        Overlap of neighbouring tiles in the grid that counts tiles, as a share of their side.
    seed : int
        Seed for choosing points of large annotations.
    """
    rng = np.random.default_rng([seed, 0])
    class_index = {name: index for index, name in enumerate(snapshot.classes)}
    windows: list[Window] = []
    index_of: dict[Window, int] = {}
    samples: list[AnnotationSamples] = []
    cells: set[tuple[str, int, int]] = set()
    stride = max(1.0, tile_size * downsample * (1 - tile_overlap))
    side = tile_size * downsample
    for name in snapshot.annotated_names():
        image = snapshot.images[name]
        strips = split.training_regions(name, image)
        if not strips:
            continue
        for annotation in snapshot.annotations[name]:
            if annotation.class_name is None:
                continue
            points = _labelled_points(snapshot, name, annotation, class_index, downsample)
            points = points[_inside(points, strips)]
            if len(points) == 0:
                continue
            cells.update((name, int(x), int(y)) for x, y in np.unique(points // stride, axis=0))
            if len(points) > POINTS_PER_ANNOTATION:
                points = points[rng.choice(len(points), POINTS_PER_ANNOTATION, replace=False)]
            chosen = np.empty(len(points), int)
            for i, point in enumerate(points):
                window = _window(name, image, point, strips, side, downsample)
                if window not in index_of:
                    index_of[window] = len(windows)
                    windows.append(window)
                chosen[i] = index_of[window]
            samples.append(AnnotationSamples(class_index[annotation.class_name], points, chosen))
    return SamplingPlan(windows, samples, len(cells))


def _labelled_points(
    snapshot: ProjectSnapshot,
    name: str,
    annotation: Annotation,
    class_index: Mapping[str, int],
    downsample: int,
) -> np.ndarray:
    """Return the centres, (n, 2) x and y at full size, of the pixels labelled by an annotation."""
    image = snapshot.images[name]
    left, top, right, bottom = annotation.shape.bounds
    box = Region(math.floor(left), math.floor(top), math.ceil(right - left) + 2, math.ceil(bottom - top) + 2)
    region = box.intersect(Region(0, 0, image.width, image.height))
    if region is None:
        return np.empty((0, 2))
    step = float(downsample)
    while region.area / step**2 > WHOLE_PIXELS:
        step *= 2
    own = rasterize([annotation], class_index, region, step)
    final = snapshot.labels(name, region, step)
    rows, columns = np.nonzero((own != UNLABELLED) & (own == final))
    return np.stack([region.x + (columns + 0.5) * step, region.y + (rows + 0.5) * step], axis=1)


def _inside(points: np.ndarray, regions: Sequence[Region]) -> np.ndarray:
    """Return a mask of the points, (n, 2), that lie in any of the regions."""
    inside = np.zeros(len(points), bool)
    for region in regions:
        inside |= (
            (points[:, 0] >= region.x)
            & (points[:, 0] < region.right)
            & (points[:, 1] >= region.y)
            & (points[:, 1] < region.bottom)
        )
    return inside


def _window(name: str, image: Image, point: np.ndarray, strips: Sequence[Region], side: int, downsample: int) -> Window:
    """Choose the window for a point's tile: the whole image, or a sufficiently large part of a large one."""
    region = image.region
    if region.area / downsample**2 > WHOLE_PIXELS:
        cell = WINDOW_TILES * side
        column, row = int(point[0] // cell), int(point[1] // cell)
        own = Region(column * cell, row * cell, cell, cell).intersect(region)
        wide = None if own is None else own.expanded(side + side // 4).intersect(region)
        region = region if wide is None else wide
    pieces = (region.intersect(strip) for strip in strips)
    return Window(name, region, tuple(piece for piece in pieces if piece is not None))
