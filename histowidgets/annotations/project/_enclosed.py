"""Find the unlabelled areas that annotations of a class enclose."""

import numpy as np

from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.raster import UNLABELLED, find_areas, rasterize, trace
from histowidgets.annotations.shapes import Annotation, Polygon
from histowidgets.images import Region

#: Largest area, in pixels, whose labels are made at full resolution; larger ones are made coarser.
MOST_PIXELS = 16_000_000


def enclosed_areas(snapshot: ProjectSnapshot, name: str, annotation: Annotation) -> list[Polygon]:
    """Return the unlabelled areas that an annotation encloses, by itself or with others of its class that it touches.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    name : str
        The image.
    annotation : Annotation
        One of the image, with a class.

    Returns
    -------
    list of Polygon
        In full-size pixels. Labels inside a ring are left out.
    """
    from scipy import ndimage  # only here, as it takes a while to load

    region = _reach(snapshot, name, annotation)
    downsample = 1
    while region.area / downsample**2 > MOST_PIXELS:
        downsample *= 2
    labels = snapshot.labels(name, region, downsample)
    mine = labels == snapshot.class_index[str(annotation.class_name)]
    joined, _ = ndimage.label(mine, structure=np.ones((3, 3)))
    own = (rasterize([annotation], {str(annotation.class_name): 0}, region, downsample) == 0) & mine
    touched = np.unique(joined[own])
    ring = np.isin(joined, touched[touched > 0])
    inside = ndimage.binary_fill_holes(ring) & (labels == UNLABELLED)
    areas = find_areas(np.where(inside, 0, UNLABELLED).astype(np.uint8), UNLABELLED)
    return [polygon.moved(region.x, region.y) for _, _, polygon in trace(areas, downsample)]


def _reach(snapshot: ProjectSnapshot, name: str, annotation: Annotation) -> Region:
    """Return the bounds, within the image, of an annotation with those of its class that may touch it in a chain."""
    image = snapshot.images[name].region
    region = _grown(annotation.shape.region(), image)
    while True:
        wider = region
        for other in snapshot.near(name, region):
            if other.class_name == annotation.class_name:
                wider = wider.union(_grown(other.shape.region(), image))
        if wider == region:
            return region
        region = wider


def _grown(region: Region, image: Region) -> Region:
    """Return a region with a rim of one pixel, so that what is outside of a ring is joined, within an image."""
    return region.expanded(1).intersect(image) or image
