"""Split the labelled pixels of a project into training and validation."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from histowidgets._checks import first_problem
from histowidgets.annotations.project import Project, ProjectSnapshot, snapshot_of
from histowidgets.annotations.raster import UNLABELLED
from histowidgets.annotations.split._blocks import annotated_blocks, class_pixels
from histowidgets.annotations.split._split_images import choose_images
from histowidgets.errors import ProjectError
from histowidgets.images import Image, Region

#: Cells per side of the grid of candidates for the held-out rectangle.
GRID = 24
#: Narrowest held-out rectangle, as a share of the image's side, since a tile needs some context in it.
LEAST_SIDE = 1 / 8
#: Largest held-out rectangle, as a share of the image's area.
MOST_AREA = 0.5
#: Costs of a class that is missing in training, of one that is missing in validation, of a shape that is not compact,
#: and of held-out area, and the size of the random part by which seeds differ. A class whose held-out share is off by
#: as much as the desired share costs 1, divided by the number of classes.
COST_NOT_TRAINED, COST_NOT_VALIDATED, COST_SHAPE, COST_AREA, COST_RANDOM = 10.0, 4.0, 0.1, 0.3, 0.1
#: A class counts as missing on a side if its share of pixels there, relative to the desired one, is below this.
LEAST_SHARE = 0.1

#: What can be held out of images of role "both".
SPLITS = ("part", "image")


class _StoredSplit(BaseModel):
    """A split as stored in a file: x, y, width and height of each region."""

    held_out: dict[str, list[tuple[int, int, int, int]]]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """The regions that are held out for validation, whose pixels training never reads.

    Attributes
    ----------
    held_out : mapping of image name to tuple of Region
        Rectangles that only validation reads: the whole image for the role "validation", none for "train".
    messages : tuple of str
        Notes for the user, such as that a class is only in training.
    """

    held_out: Mapping[str, tuple[Region, ...]]
    messages: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        held_out = {name: [list(region) for region in regions] for name, regions in self.held_out.items()}
        return {"held_out": held_out, "messages": list(self.messages)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Split":
        """Make a split from the result of `to_dict`.

        Raises
        ------
        ProjectError
            If a field is missing or invalid.
        """
        try:
            stored = _StoredSplit.model_validate(values)
        except ValidationError as error:
            raise ProjectError(
                f"The split is damaged: {first_problem(error)}. Make it again with split_project."
            ) from error
        held_out = {name: tuple(Region(*region) for region in regions) for name, regions in stored.held_out.items()}
        return cls(held_out, stored.messages)

    def training_regions(self, name: str, image: Image) -> list[Region]:
        """Return the largest rectangles of an image that share no pixel with the held-out regions.

        They overlap each other (up to four strips around a held-out rectangle), and together cover everything else.
        """
        free = [image.region]
        for held in self.held_out.get(name, ()):
            pieces = [piece for region in free for piece in _around(region, held)]
            free = [
                p
                for i, p in enumerate(pieces)
                if not any(q.contains(p) and (q != p or j < i) for j, q in enumerate(pieces) if j != i)
            ]
        return free


def _around(region: Region, held: Region) -> list[Region]:
    """Return the largest rectangles of a region outside another: left, right, above, below."""
    hit = region.intersect(held)
    if hit is None:
        return [region]
    sides = [
        Region.from_edges(region.x, region.y, hit.x, region.bottom),
        Region.from_edges(hit.right, region.y, region.right, region.bottom),
        Region.from_edges(region.x, region.y, region.right, hit.y),
        Region.from_edges(region.x, hit.bottom, region.right, region.bottom),
    ]
    return [side for side in sides if side.width > 0 and side.height > 0]


def split_project(
    project: Project | ProjectSnapshot,
    validation_fraction: float = 0.2,
    seed: int = 0,
    previous: Split | None = None,
    by: str = "part",
) -> Split:
    """Choose what to hold out for validation, so that training and validation share no pixel.

    An image of role "validation" is held out whole, one of role "train" not at all. Of an image of role "both", one
    axis-aligned rectangle is held out, chosen on a grid of 24 x 24 cells so that each class has labels on both sides if
    possible, with about `validation_fraction` of its labelled pixels inside. Images without labels are not held out.
    With "image", some images of role "both" are held out whole instead, stratified by class: a harder test, which says
    more about the next slide.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    validation_fraction : float, default 0.2
        Share of the labelled pixels to hold out, from 0 to below 1; at 0, nothing of images of role "both".
    seed : int, default 0
        Seed of random choices; the same arguments give the same split.
    previous : Split, optional
        The split of an earlier run, whose rectangles are kept if possible so that no pixel that was trained on is used
        for validation. A rectangle is replaced if it has no labels any more, or has all labels of a class.
    by : {"part", "image"}, default "part"
        What to hold out of images of role "both". If only one of them has labels, a part of it is held out, with a
        message.

    Returns
    -------
    Split

    Raises
    ------
    ProjectError
        If the fraction is out of range, `by` is unknown, or `project` is not a project.
    """
    snapshot = snapshot_of(project)
    if not 0 <= validation_fraction < 1:
        raise ProjectError(f"validation_fraction is {validation_fraction}; it must be a number from 0 to below 1.")
    if by not in SPLITS:
        raise ProjectError(f"by is {by!r}; choose one of {', '.join(SPLITS)}.")
    messages: list[str] = []
    if by == "image" and validation_fraction > 0:
        whole = _whole_images(snapshot, validation_fraction, seed, previous, messages)
        if whole is not None:
            split = Split(whole)
            return Split(whole, (*messages, *_one_sided(snapshot, split)))
    held_out: dict[str, tuple[Region, ...]] = {}
    for name, image in snapshot.images.items():
        role = snapshot.roles[name]
        if role != "both" or validation_fraction == 0:
            held_out[name] = (image.region,) if role == "validation" else ()
            continue
        grid = _LabelGrid(snapshot, name)
        if not grid.counts.any():
            held_out[name] = ()
            continue
        kept = None if previous is None else _still_valid(previous.held_out.get(name, ()), snapshot, name, messages)
        held_out[name] = kept or (grid.best(validation_fraction, seed),)
    split = Split(held_out)
    return Split(held_out, (*messages, *_one_sided(snapshot, split)))


def _whole_images(
    snapshot: ProjectSnapshot, fraction: float, seed: int, previous: Split | None, messages: list[str]
) -> dict[str, tuple[Region, ...]] | None:
    """Hold out whole images; None, with a message, if there are too few images for that."""
    roles, images = snapshot.roles, snapshot.images
    free = [name for name in snapshot.annotated_names() if roles[name] == "both"]
    pixels = np.array([class_pixels(snapshot, name, images[name].region) for name in free]).reshape(len(free), -1)
    free, pixels = [name for name, some in zip(free, pixels, strict=True) if some.any()], pixels[pixels.any(axis=1)]
    if len(free) < 2:
        messages.append(
            'Whole images cannot be held out: fewer than two images of role "both" have labels. A part of each is '
            "held out instead. Annotate a second image."
        )
        return None
    kept = [name for name in free if previous is not None and previous.held_out.get(name) == (images[name].region,)]
    chosen = (
        kept if 0 < len(kept) < len(free) else list(itertools.compress(free, choose_images(pixels, fraction, seed)))
    )
    whole = {name for name in images if roles[name] == "validation" or name in chosen}
    return {name: (image.region,) if name in whole else () for name, image in images.items()}


def _still_valid(
    held: tuple[Region, ...], snapshot: ProjectSnapshot, name: str, messages: list[str]
) -> tuple[Region, ...] | None:
    """Return the earlier held-out rectangles if they can be kept, else None, with a message."""
    image = snapshot.images[name]
    if not held or not all(image.region.contains(region) for region in held):
        return None
    inside = np.sum([class_pixels(snapshot, name, region) for region in held], axis=0)
    outside = class_pixels(snapshot, name, image.region) - inside
    if inside.sum() and not ((inside > 0) & (outside == 0)).any():
        return held
    messages.append(
        f"The validation area of {name} was moved because the labels changed: scores of earlier runs cannot be "
        "compared with the new ones."
    )
    return None


def _edges(length: int) -> np.ndarray:
    """Return the edges of the grid's cells along a side of the image."""
    return np.unique(np.round(np.linspace(0, length, min(GRID, length) + 1)).astype(int))


class _LabelGrid:
    """The labelled pixels of each class in each cell of a grid over an image."""

    def __init__(self, snapshot: ProjectSnapshot, name: str) -> None:
        image = snapshot.images[name]
        self.xs, self.ys = _edges(image.width), _edges(image.height)
        #: (classes, rows of cells, columns of cells)
        self.counts = np.zeros((len(snapshot.classes), len(self.ys) - 1, len(self.xs) - 1))
        for block in annotated_blocks(snapshot, name):
            labels = snapshot.labels(name, block)
            rows, cols = np.nonzero(labels != UNLABELLED)
            cell_row = np.searchsorted(self.ys, rows + block.y, side="right") - 1
            cell_col = np.searchsorted(self.xs, cols + block.x, side="right") - 1
            place = np.ravel_multi_index((labels[rows, cols], cell_row, cell_col), self.counts.shape)
            self.counts += np.bincount(place, minlength=self.counts.size).reshape(self.counts.shape)

    def best(self, fraction: float, seed: int) -> Region:
        """Return the candidate with the lowest cost."""
        tops, bottoms = _intervals(self.ys)
        lefts, rights = _intervals(self.xs)
        present = self.counts.any(axis=(1, 2))
        counts = self.counts[present]
        total = counts.sum(axis=(1, 2))
        # Sums over rectangles, from a summed-area table.
        table = np.zeros((len(counts), len(self.ys), len(self.xs)))
        table[:, 1:, 1:] = counts.cumsum(1).cumsum(2)
        strips = table[:, bottoms] - table[:, tops]
        held = (strips[:, :, rights] - strips[:, :, lefts]) / total[:, None, None]
        heights = (self.ys[bottoms] - self.ys[tops])[:, None] / self.ys[-1]
        widths = (self.xs[rights] - self.xs[lefts])[None] / self.xs[-1]
        cost = self._cost(held, fraction, heights, widths)
        cost += COST_RANDOM * np.random.default_rng(seed).random(cost.shape)
        i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
        return Region.from_edges(
            int(self.xs[lefts[j]]), int(self.ys[tops[i]]), int(self.xs[rights[j]]), int(self.ys[bottoms[i]])
        )

    def _cost(self, held: np.ndarray, fraction: float, heights: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """Return the cost of each candidate; `held` is (classes, candidates down, candidates across)."""
        area = heights * widths
        cost = np.abs(held - fraction).mean(axis=0) / fraction
        cost += COST_NOT_TRAINED * (1 - held < LEAST_SHARE * (1 - fraction)).sum(axis=0)
        cost += COST_NOT_VALIDATED * (held < LEAST_SHARE * fraction).sum(axis=0)
        # A few labels of a class on a side are still better than none.
        cost += COST_NOT_TRAINED * (held >= 1).sum(axis=0) + COST_NOT_VALIDATED * (held <= 0).sum(axis=0)
        cost += COST_SHAPE * np.abs(np.log(heights / widths)) + COST_AREA * area
        cost[area > MOST_AREA] = np.inf
        return cost


def _intervals(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last edge of each run of cells that is wide enough."""
    first, last = np.triu_indices(len(edges), k=1)
    wide = edges[last] - edges[first] >= LEAST_SIDE * edges[-1]
    return first[wide], last[wide]


def _one_sided(snapshot: ProjectSnapshot, split: Split) -> list[str]:
    """Return a message for each class that has labels on one side only."""
    inside = np.zeros(len(snapshot.classes), np.int64)
    everything = inside.copy()
    for name in snapshot.annotated_names():
        everything += class_pixels(snapshot, name, snapshot.images[name].region)
        for region in split.held_out[name]:
            inside += class_pixels(snapshot, name, region)
    if not inside.any():
        return ["No label is held out, so nothing can be validated."] if everything.any() else []
    messages = []
    for k, class_name in enumerate(snapshot.classes):
        if everything[k] and not inside[k]:
            messages.append(f"{class_name} is only in training, so it has no validation score.")
        elif everything[k] and inside[k] == everything[k]:
            messages.append(f"{class_name} is only in validation, so it cannot be learned. Paint more of it.")
    return messages
