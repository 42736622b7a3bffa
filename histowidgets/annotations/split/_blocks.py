"""Read the labels of an image of any size block by block."""

import numpy as np

from histowidgets.annotations.project import ProjectSnapshot
from histowidgets.errors import ImageNameError
from histowidgets.images import Region

#: Side, in pixels, of the blocks for which labels are made at once: 4 MB each.
BLOCK = 2048


def annotated_blocks(snapshot: ProjectSnapshot, name: str, within: Region | None = None) -> list[Region]:
    """Split an image or a region into blocks of at most 2048 x 2048 pixels; return those with annotations.

    Raises
    ------
    ImageNameError
        If there is no image of that name.
    """
    if name not in snapshot.images:
        raise ImageNameError(f"There is no image named {name!r}; the images are {', '.join(snapshot.images)}.")
    whole = within or snapshot.images[name].region
    return [block for block in whole.blocks(BLOCK) if snapshot.near(name, block)]


def class_pixels(snapshot: ProjectSnapshot, name: str, region: Region | None = None) -> np.ndarray:
    """Count the labelled pixels of each class in an image or a region of it.

    Returns
    -------
    ndarray of (classes,), int64
    """
    counts = np.zeros(len(snapshot.classes), np.int64)
    for block in annotated_blocks(snapshot, name, region):
        counts += np.bincount(snapshot.labels(name, block).ravel(), minlength=256)[: len(counts)]
    return counts
