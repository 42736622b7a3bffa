"""Find pixels that were labelled twice, with different classes."""

from dataclasses import dataclass

import numpy as np

from histowidgets.annotations.project import ProjectSnapshot
from histowidgets.annotations.raster import UNLABELLED, flat_pixels, spans_of, touches
from histowidgets.annotations.split._blocks import annotated_blocks
from histowidgets.images import Region


@dataclass(frozen=True)
class Conflict:
    """A patch of pixels on which a class was drawn over another.

    Attributes
    ----------
    region : Region
        Its bounds in full-size pixels.
    pixels : int
    below, above : str
        The class drawn first, and the one that hides it; of several pairs, the most frequent.
    """

    region: Region
    pixels: int
    below: str
    above: str


def conflicts(snapshot: ProjectSnapshot, name: str) -> list[Conflict]:
    """Find where classes were drawn over other classes.

    Each pixel counts once, however often it was drawn over; labels that were erased in between do not count.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    name : str
        The image.

    Returns
    -------
    list of Conflict
        Patches of touching pixels, the largest first. Their `pixels` add up to the number of pixels labelled twice.

    Raises
    ------
    ImageNameError
        If there is no image of that name.
    """
    found = [conflict for block in annotated_blocks(snapshot, name) for conflict in _in_block(snapshot, name, block)]
    return sorted(found, key=lambda c: (-c.pixels, c.region))


def _in_block(snapshot: ProjectSnapshot, name: str, block: Region) -> list[Conflict]:
    labels = np.full((block.height, block.width), UNLABELLED, np.uint8)
    hidden = labels.copy()  # the class under the visible one, where they differ
    now, under = labels.reshape(-1), hidden.reshape(-1)
    near = [a for a in snapshot.near(name, block) if touches(a, block)]
    spans = spans_of([a.shape for a in near], block)
    first = np.searchsorted(spans.owner, np.arange(len(near) + 1))
    index = snapshot.class_index
    for i, annotation in enumerate(near):
        part = type(spans)(*(column[first[i] : first[i + 1]] for column in spans))
        pixels = flat_pixels(part, block.width)
        if annotation.class_name is None:
            now[pixels] = under[pixels] = UNLABELLED
            continue
        k = index[annotation.class_name]
        before = now[pixels]
        differs = (before != UNLABELLED) & (before != k)
        under[pixels[differs]] = before[differs]
        now[pixels] = k
    return _patches(snapshot.classes, labels, hidden, block)


def _patches(classes: tuple[str, ...], labels: np.ndarray, hidden: np.ndarray, block: Region) -> list[Conflict]:
    from scipy import ndimage  # only here, as it takes a while to load

    numbered, _ = ndimage.label(hidden != UNLABELLED, structure=np.ones((3, 3)))
    patches = []
    for number, (rows, cols) in enumerate(ndimage.find_objects(numbered), start=1):
        inside = numbered[rows, cols] == number
        pairs = hidden[rows, cols][inside].astype(np.int64) * 256 + labels[rows, cols][inside]
        below, above = divmod(int(np.bincount(pairs).argmax()), 256)
        region = Region.from_edges(block.x + cols.start, block.y + rows.start, block.x + cols.stop, block.y + rows.stop)
        patches.append(Conflict(region, len(pairs), classes[below], classes[above]))
    return patches
