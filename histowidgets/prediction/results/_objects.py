"""Find connected areas of one class as objects, block by block, join them across borders, and split them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import shapely
from shapely.affinity import scale

from histowidgets.annotations import is_ignored_class
from histowidgets.annotations.shapes import simplify
from histowidgets.errors import PredictionCancelled
from histowidgets.images import Region
from histowidgets.prediction.results._block import ReadBlock
from histowidgets.prediction.results._object_options import ObjectOptions
from histowidgets.prediction.results._polygons import Group, joined, polygons_of
from histowidgets.prediction.results._split import Splitting, split_group

#: Distance in pixels by which an outline may deviate from pixel edges when its length is measured.
OUTLINE_TOLERANCE = 1.0

#: Number of pixels below which an outline is measured without smoothing: it has too few corners.
SMALL_OUTLINE = 16


@dataclass(frozen=True)
class PredictedObject:
    """A connected area of one class, or a part of one that was split.

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
        Mean probability of its class over its pixels, without filled holes, in steps of 1/255 for each pixel as on
        disk; None if there are only labels.
    pixel_size_yx_um : (float, float) or None
        Height and width of a full-size pixel.
    eccentricity : float
        Of the ellipse with the same second moments: 0 for a disc, near 1 for a line.
    means : mapping of str to float
        Mean of each channel, in the image's own units, and of the optical densities "OD hematoxylin" and "OD DAB" of
        stained tissue on glass, without filled holes; empty unless the image was given.
    """

    class_name: str
    polygon: shapely.Polygon
    area_px: int
    area_um2: float | None
    mean_probability: float | None = None
    pixel_size_yx_um: tuple[float, float] | None = None
    eccentricity: float = 0.0
    means: Mapping[str, float] = field(default_factory=dict)

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
        values |= {"Circularity": self.circularity, "Eccentricity": self.eccentricity, "Mean probability": probability}
        return values | {f"Mean {name}": mean for name, mean in self.means.items()}


def _smooth(polygon: shapely.Polygon) -> shapely.Polygon:
    """Smooth the pixel steps of an outline, for measuring its length."""
    return polygon if polygon.area < SMALL_OUTLINE else polygon.simplify(OUTLINE_TOLERANCE)


def _in_um(polygon: shapely.Polygon, sides: tuple[float, float]) -> shapely.Polygon:
    """Convert an outline to um, given the height and width of a pixel."""
    return scale(polygon, sides[1], sides[0], origin=(0, 0))


def find_objects(
    blocks: Sequence[Region],
    read: ReadBlock,
    classes: Sequence[str],
    pixel_size_yx_um: tuple[float, float] | None,
    options: ObjectOptions,
    splits: Sequence[bool],
    measured: Sequence[str] = (),
    should_stop: Callable[[], bool] | None = None,
) -> list[PredictedObject]:
    """Find the objects of a prediction; see `PredictionResults.objects`.

    Parameters
    ----------
    blocks : sequence of Region
        Which together cover the prediction.
    read : callable
        Reads any region of the prediction.
    classes : sequence of str
    pixel_size_yx_um : (float, float) or None
    options : ObjectOptions
    splits : sequence of bool
        Whether the objects of each class are split.
    measured : sequence of str
        Names of the measured channels of the blocks.
    should_stop : callable, optional
        Called before each object; if it returns True, `PredictionCancelled` is raised.
    """
    sides = pixel_size_yx_um or (1.0, 1.0)
    pixel_area = sides[0] * sides[1]
    pixel = math.sqrt(pixel_area)
    # Half a pixel below the limit, so that rounding does not drop an area that equals it.
    least, holes = options.min_area_um2 / pixel_area - 0.5, options.fill_holes_um2 / pixel_area + 0.5
    relative = sides[0] / pixel, sides[1] / pixel
    how = Splitting(options.split == "probability", options.split_depth_um / pixel, least, relative)
    ignored = [is_ignored_class(name) for name in classes]

    def finished(group: Group, read: ReadBlock) -> list[Group]:
        if should_stop is not None and should_stop():
            raise PredictionCancelled("Stopped before all objects were found.")
        if options.fill_holes_um2 > 0:
            group = _without_small_holes(group, holes)
        if group.n_pixels < least:
            return []
        pieces = split_group(group, read, how) if splits[group.class_index] else [group]
        return [piece for piece in pieces if piece.n_pixels >= least]

    groups = _joined(blocks, read, ignored, 0 if options.fill_holes_um2 > 0 else least, finished)
    found = []
    for group in sorted(groups, key=lambda g: (g.class_index, g.polygon.bounds[1], g.polygon.bounds[0])):
        outline = simplify(group.polygon, options.simplify_um / pixel)
        area = None if pixel_size_yx_um is None else group.n_pixels * pixel_area
        means = list(group.sums.means)
        probability = means.pop(0) / 255 if len(means) > len(measured) else None
        found.append(
            PredictedObject(
                classes[group.class_index],
                outline,
                group.n_pixels,
                area,
                probability,
                pixel_size_yx_um,
                group.sums.eccentricity(sides),
                dict(zip(measured, means, strict=True)),
            )
        )
    return found


def _joined(
    blocks: Sequence[Region],
    read: ReadBlock,
    ignored: Sequence[bool],
    least: float,
    finished: Callable[[Group, ReadBlock], list[Group]],
) -> list[Group]:
    """Find the groups of all blocks, join those that cross the borders of blocks, and finish each."""
    inner: list[Group] = []
    cut: list[Group] = []
    several = len(blocks) > 1
    for region in blocks:
        block = read(region)
        for group in polygons_of(block.labels, len(ignored), least, block.values, keep_cut=several):
            if ignored[group.class_index]:
                continue
            moved = group.moved(region.x, region.y)
            if several and _reaches(moved.polygon, region):
                cut.append(moved)
            else:
                inner += finished(moved, block.crop)
    for group in joined(cut, [group.class_index for group in cut]):
        inner += finished(group, read)
    return inner


def _reaches(polygon: shapely.Polygon, region: Region) -> bool:
    """Return whether a polygon touches the edge of the region that it was found in."""
    edges = (region.x, region.y, region.right, region.bottom)
    return any(mine == theirs for mine, theirs in zip(polygon.bounds, edges, strict=True))


def _without_small_holes(group: Group, most: float) -> Group:
    holes = [(ring, shapely.Polygon(ring).area) for ring in group.polygon.interiors]
    if all(area >= most for _, area in holes):
        return group
    kept = [ring for ring, area in holes if area >= most]
    filled = sum(round(area) for _, area in holes if area < most)
    polygon = shapely.Polygon(group.polygon.exterior, kept)
    return replace(group, polygon=polygon, n_pixels=group.n_pixels + filled)
