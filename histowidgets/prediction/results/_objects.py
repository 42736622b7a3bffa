"""Find connected areas of one class as objects, block by block, and join them across the borders of blocks."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.affinity import scale, translate

from histowidgets.annotations.shapes import simplify
from histowidgets.images import Region
from histowidgets.prediction.results._polygons import Group, polygons_of

#: Maps a region to its labels, uint8 (height, width), and the probabilities of these classes, float32, or None.
ReadBlock = Callable[[Region], tuple[np.ndarray, np.ndarray | None]]

#: Distance in pixels by which an outline may deviate from pixel edges when its length is measured.
OUTLINE_TOLERANCE = 1.0

#: Number of pixels below which an outline is measured without smoothing: it has too few corners.
SMALL_OUTLINE = 16


@dataclass(frozen=True)
class PredictedObject:
    """A connected area of one class.

    Attributes
    ----------
    class_name : str
    polygon : shapely.Polygon
        With holes, in full-size pixels of the image; follows pixel edges unless it was simplified.
    area_px : int
        Number of pixels, including filled holes; equals ``polygon.area`` unless the outline was simplified.
    area_um2 : float or None
        Area in um2; None for an image without a pixel size.
    mean_probability : float or None
        Mean probability of its class over its pixels, without filled holes; None if there are only labels.
    pixel_size_yx_um : (float, float) or None
        Height and width of a full-size pixel.
    """

    class_name: str
    polygon: shapely.Polygon
    area_px: int
    area_um2: float | None
    mean_probability: float | None = None
    pixel_size_yx_um: tuple[float, float] | None = None

    @property
    def perimeter_px(self) -> float:
        """Length of the outlines of the object and its holes in pixels, with the pixel steps smoothed."""
        return float(_smooth(self.polygon).length)

    @property
    def perimeter_um(self) -> float | None:
        """`perimeter_px` in um; None for an image without a pixel size."""
        sides = self.pixel_size_yx_um
        return None if sides is None else float(_in_um(_smooth(self.polygon), sides).length)

    @property
    def circularity(self) -> float:
        """4 pi area / perimeter**2 of the outline without holes: 1 for a disc, less for any other shape."""
        outline = _in_um(_smooth(shapely.Polygon(self.polygon.exterior)), self.pixel_size_yx_um or (1.0, 1.0))
        return min(1.0, 4 * math.pi * outline.area / outline.length**2)

    def row(self) -> dict[str, str | float]:
        """Return the object as a row of a table, with units in the names."""
        x, y = self.polygon.centroid.coords[0]
        values: dict[str, str | float] = {"Class": self.class_name, "Centroid X (px)": x, "Centroid Y (px)": y}
        if self.pixel_size_yx_um is None:
            values |= {"Area (px2)": self.area_px, "Perimeter (px)": self.perimeter_px}
        else:
            values |= {"Area (um2)": self.area_um2 or 0.0, "Perimeter (um)": self.perimeter_um or 0.0}
        probability = math.nan if self.mean_probability is None else self.mean_probability
        return values | {"Circularity": self.circularity, "Mean probability": probability}


def _smooth(polygon: shapely.Polygon) -> shapely.Polygon:
    """Smooth the pixel steps of an outline, for measuring its length."""
    return polygon if polygon.area < SMALL_OUTLINE else polygon.simplify(OUTLINE_TOLERANCE)


def _in_um(polygon: shapely.Polygon, sides: tuple[float, float]) -> shapely.Polygon:
    """Convert an outline to um, given the height and width of a pixel."""
    return scale(polygon, sides[1], sides[0], origin=(0, 0))


def find_objects(
    blocks: Sequence[Region],
    read: ReadBlock,
    classes: list[str],
    pixel_size_yx_um: tuple[float, float] | None,
    min_area_um2: float,
    fill_holes_um2: float,
    simplify_um: float,
) -> list[PredictedObject]:
    """Find the objects of a prediction; see `PredictionResults.objects`."""
    sides = pixel_size_yx_um or (1.0, 1.0)
    pixel_area = sides[0] * sides[1]
    pixel = math.sqrt(pixel_area)
    # Half a pixel below the limit, so that rounding does not drop an area that equals it.
    least, holes = min_area_um2 / pixel_area - 0.5, fill_holes_um2 / pixel_area + 0.5
    found = []
    for group in _joined(blocks, read, len(classes), 0 if fill_holes_um2 > 0 else least):
        group = _without_small_holes(group, holes) if fill_holes_um2 > 0 else group
        if group.n_pixels < least:
            continue
        outline = simplify(group.polygon, simplify_um / pixel)
        area = None if pixel_size_yx_um is None else group.n_pixels * pixel_area
        name = classes[group.class_index]
        found.append(PredictedObject(name, outline, group.n_pixels, area, group.mean, pixel_size_yx_um))
    return found


def _joined(blocks: Sequence[Region], read: ReadBlock, n_classes: int, least: float) -> Iterator[Group]:
    """Find the groups of all blocks, by class, and join those that cross the borders of blocks."""
    inner: list[Group] = []
    cut: list[Group] = []
    several = len(blocks) > 1
    for region in blocks:
        labels, confidence = read(region)
        for group in polygons_of(labels, n_classes, least, confidence, keep_cut=several):
            moved = replace(group, polygon=translate(group.polygon, region.x, region.y))
            if several and _reaches(moved.polygon, region):
                cut.append(moved)
            else:
                inner.append(moved)
    groups = inner + _merged(cut)
    yield from sorted(groups, key=lambda g: (g.class_index, g.polygon.bounds[1], g.polygon.bounds[0]))


def _reaches(polygon: shapely.Polygon, region: Region) -> bool:
    """Return whether a polygon touches the edge of the region that it was found in."""
    edges = (region.x, region.y, region.right, region.bottom)
    return any(mine == theirs for mine, theirs in zip(polygon.bounds, edges, strict=True))


def _merged(cut: list[Group]) -> list[Group]:
    """Join pieces of one class that touch along a side."""
    if not cut:
        return []
    tree = shapely.STRtree([group.polygon for group in cut])
    parent = list(range(len(cut)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first, second = tree.query([group.polygon for group in cut], predicate="touches")
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        alike = i < j and cut[i].class_index == cut[j].class_index
        if alike and root(i) != root(j) and cut[i].polygon.intersection(cut[j].polygon).length > 0:
            parent[root(i)] = root(j)
    families: dict[int, list[Group]] = {}
    for i, group in enumerate(cut):
        families.setdefault(root(i), []).append(group)
    return [_union(family) for family in families.values()]


def _union(family: list[Group]) -> Group:
    if len(family) == 1:
        return family[0]
    # Where two pieces were joined, corners remain in the middle of straight edges.
    union = shapely.union_all([group.polygon for group in family])
    straight = union.simplify(0)
    polygon = straight if straight.is_valid else union
    n_pixels = sum(group.n_pixels for group in family)
    known = [group.mean * group.n_pixels for group in family if group.mean is not None]
    mean = sum(known) / n_pixels if len(known) == len(family) else None
    return Group(family[0].class_index, n_pixels, polygon, mean)


def _without_small_holes(group: Group, most: float) -> Group:
    holes = [(ring, shapely.Polygon(ring).area) for ring in group.polygon.interiors]
    if all(area >= most for _, area in holes):
        return group
    kept = [ring for ring, area in holes if area >= most]
    filled = sum(round(area) for _, area in holes if area < most)
    polygon = shapely.Polygon(group.polygon.exterior, kept)
    return replace(group, polygon=polygon, n_pixels=group.n_pixels + filled)
