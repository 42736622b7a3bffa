"""Label maps: the class of each pixel, given by the annotations of an image."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from histowidgets.annotations.raster._spans import paint, spans_of
from histowidgets.annotations.shapes import Annotation
from histowidgets.errors import ClassNameError
from histowidgets.images import Region, scaled_shape

#: The label of a pixel that no annotation covers, or whose annotations were erased.
UNLABELLED = 255


def rasterize(
    annotations: Sequence[Annotation],
    class_index: Mapping[str, int],
    region: Region,
    downsample: float = 1,
) -> np.ndarray:
    """Draw annotations, in order, into a label map.

    Parameters
    ----------
    annotations : sequence of Annotation
        Later annotations win; an eraser (class None) leaves 255. For those outside the region, only the bounds are
        examined.
    class_index : mapping of str to int
        0 to 254 for each class.
    region : Region
        Full-size pixels.
    downsample : float, default 1
        A label is that at the centre of `downsample` x `downsample` full-size pixels (nearest neighbour).

    Returns
    -------
    ndarray of (ceil(height / downsample), ceil(width / downsample)), uint8
        Class indices; 255 where unlabelled.

    Raises
    ------
    ClassNameError
        If a class is not in `class_index`.
    """
    labels = np.full(scaled_shape(region.width, region.height, downsample), UNLABELLED, np.uint8)
    draw(labels, annotations, class_index, region, downsample)
    return labels


def draw(
    labels: np.ndarray,
    annotations: Sequence[Annotation],
    class_index: Mapping[str, int],
    region: Region,
    downsample: float = 1,
) -> None:
    """Draw annotations over the existing label map of a region in place."""
    reach = reach_of(region, downsample)
    near = [a for a in annotations if touches(a, reach)]
    values = np.array([_index(a.class_name, class_index) for a in near], np.uint8)
    paint(labels, spans_of([a.shape for a in near], region, downsample), values)


def reach_of(region: Region, downsample: float) -> Region:
    """Return the region grown to whole blocks, since the centre of a partial block lies beyond the edge."""
    rows, cols = scaled_shape(region.width, region.height, downsample)
    return Region(region.x, region.y, math.ceil(cols * downsample), math.ceil(rows * downsample))


def touches(annotation: Annotation, region: Region) -> bool:
    """Return whether the bounds of an annotation overlap a region."""
    left, top, right, bottom = annotation.shape.bounds
    return left < region.right and right > region.x and top < region.bottom and bottom > region.y


def _index(class_name: str | None, class_index: Mapping[str, int]) -> int:
    if class_name is None:
        return UNLABELLED
    if class_name not in class_index:
        raise ClassNameError(
            f"An annotation has the unknown class {class_name!r}; the classes are {', '.join(class_index)}."
        )
    return class_index[class_name]
