"""Compare the labels of two annotators pixel by pixel, and estimate how far that agreement can be trusted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets._wilson import wilson
from histowidgets.annotations.agreement._patches import Patches
from histowidgets.annotations.agreement._results import NAMELESS, Agreement, AgreementEstimate, Disagreement
from histowidgets.annotations.project import AgreementTiles, Project, ProjectSnapshot, snapshot_of
from histowidgets.annotations.raster import UNLABELLED, rasterize
from histowidgets.annotations.shapes import drawn_by, match_class
from histowidgets.annotations.split import annotated_blocks
from histowidgets.errors import ImageSizeError, ProjectError
from histowidgets.images import Region

#: From this number of places on, the scatter of agreement among them is estimated; before, each counts as one trial.
ENOUGH_PLACES = 10


def compare_annotators(
    project: Project | ProjectSnapshot,
    other: Project | ProjectSnapshot | None = None,
    *,
    annotators: tuple[str, str] | None = None,
    tiles: AgreementTiles | None = None,
) -> Agreement:
    """Measure how well two annotators agree where both have labelled the same pixels.

    The two may have painted in the same project, or each in a project of their own with the same images, so that
    neither saw the labels of the other.

    Each separate area that both have labelled counts as one place. The pixels of a place are too alike to count as
    independent trials, so the intervals are those of Wilson (1927) for the effective number of places: that of Kish
    (1965) for places of different sizes, or from their scatter where there are at least ten. The interval of kappa is
    that of the agreement, with the agreement by chance taken as known.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    other : Project or ProjectSnapshot, optional
        The second annotator's project. All labels of `project` are then the first's, and all of `other` the second's.
        Images and classes are matched by name; classes also if their names differ only in case or blanks.
    annotators : tuple of str, optional
        Names of the two. In one project, by default the two with the most annotations.
    tiles : AgreementTiles, optional
        From `agreement_tiles` (``project.agreement_tiles``). Only labels in these tiles count, and each tile that both
        have labelled is one place: drawn at random, they say how well the two agree on all of the images.

    Returns
    -------
    Agreement

    Raises
    ------
    ProjectError
        If there are no two annotators, one is unknown, or no pixel was labelled by both.
    ImageSizeError
        If an image has another size in the other project.
    """
    first = snapshot_of(project)
    second = first if other is None else snapshot_of(other)
    if other is None:
        names = _two_of(first, annotators)
    else:
        names = annotators or ("the first", "the second")
        _check_sizes(first, second)
    if len(names) != 2 or names[0] == names[1]:
        raise ProjectError(f"Give the names of two different annotators; got {names!r}.")
    known = [_known_as(name, second.classes, first.classes) for name in second.classes]
    classes = (*first.classes, *(name for name in known if name not in first.classes))
    renamed = {name: classes.index(as_first) for name, as_first in zip(second.classes, known, strict=True)}
    own = (
        _Labels(first, names[0] if other is None else None, first.class_index),
        _Labels(second, names[1] if other is None else None, renamed),
    )
    confusions: list[np.ndarray] = []
    differing: list[Disagreement] = []
    by_image = None if tiles is None else _by_image(tiles)
    for image_name in first.images:
        if image_name not in second.images:
            continue
        if by_image is not None:
            unlike = Patches(first.images[image_name].width, len(classes))
            for tile in by_image.get(image_name, ()):
                a, b = (labels.of(image_name, tile) for labels in own)
                labelled = (a != UNLABELLED) & (b != UNLABELLED)
                unlike.add(labelled & (a != b), a, b, tile)
                if labelled.any():
                    pairs = a[labelled].astype(np.int64) * len(classes) + b[labelled]
                    counts = np.bincount(pairs, minlength=len(classes) ** 2)
                    confusions.append(counts.reshape(len(classes), len(classes)))
            differing += [_disagreement(counts, region, image_name, classes) for counts, region in unlike.joined()]
            continue
        width = first.images[image_name].width
        both, unlike = Patches(width, len(classes)), Patches(width, len(classes))
        for block in _shared_blocks(first, second, image_name):
            a, b = (labels.of(image_name, block) for labels in own)
            labelled = (a != UNLABELLED) & (b != UNLABELLED)
            both.add(labelled, a, b, block)
            unlike.add(labelled & (a != b), a, b, block)
        confusions += [counts for counts, _ in both.joined()]
        differing += [_disagreement(counts, region, image_name, classes) for counts, region in unlike.joined()]
    if not confusions:
        raise ProjectError(_nothing_shared(first, second, names, tiles))
    return _agreement(names, classes, np.array(confusions), differing)


def _known_as(name: str, own: Sequence[str], others: Sequence[str]) -> str:
    """Return what the other project calls a class, which may differ in case; the name itself if it lacks the class."""
    found = match_class(name, others)
    return name if found is None or found in own else found


def _by_image(tiles: AgreementTiles) -> dict[str, list[Region]]:
    found: dict[str, list[Region]] = {}
    for tile in tiles.tiles:
        found.setdefault(tile.image_name, []).append(tile.region)
    return found


def _nothing_shared(
    first: ProjectSnapshot, second: ProjectSnapshot, names: tuple[str, str], tiles: AgreementTiles | None
) -> str:
    if not first.images.keys() & second.images.keys():
        return (
            f"The projects have no image of the same name: the first has {_listed(list(first.images)) or 'none'}, the "
            f"second {_listed(list(second.images)) or 'none'}. Add the images with the same names, such as "
            "add_image(path, name=...)."
        )
    a, b = (name or NAMELESS for name in names)
    if tiles is not None:
        return f"{a} and {b} have labelled no pixel of any tile both. Let both paint in the same tiles, then compare."
    return f"No pixel was labelled by both {a} and {b}. Let both paint the same places, then compare."


@dataclass(frozen=True)
class _Labels:
    """The labels of one annotator, or of all (None), by the number that each class has in the comparison."""

    snapshot: ProjectSnapshot
    annotator: str | None
    index: Mapping[str, int]

    def of(self, image_name: str, region: Region) -> np.ndarray:
        near = self.snapshot.near(image_name, region)
        drawn = near if self.annotator is None else drawn_by(near, self.annotator)
        return rasterize(drawn, self.index, region)


def _two_of(snapshot: ProjectSnapshot, wanted: tuple[str, str] | None) -> tuple[str, str]:
    drawn = Counter(
        one.annotator for some in snapshot.annotations.values() for one in some if one.class_name is not None
    )
    if wanted is not None:
        unknown = [name for name in wanted if name not in drawn]
        if unknown:
            raise ProjectError(f"Nothing was drawn by {_listed(unknown)}; the annotators are {_listed(sorted(drawn))}.")
        return wanted
    if len(drawn) < 2:
        raise ProjectError(
            f"All annotations are by {_listed(drawn) or 'nobody'}. Set `project.annotator` before each person paints, "
            "or give a second project."
        )
    (a, _), (b, _) = drawn.most_common(2)
    return (a, b) if a < b else (b, a)


def _listed(names: Sequence[str] | Counter[str]) -> str:
    return ", ".join(repr(name) if name else NAMELESS for name in names)


def _check_sizes(first: ProjectSnapshot, second: ProjectSnapshot) -> None:
    for name in first.images.keys() & second.images.keys():
        a, b = first.images[name], second.images[name]
        if a.region != b.region:
            raise ImageSizeError(
                f"The image {name!r} has {a.width} x {a.height} pixels in the first project and {b.width} x {b.height} "
                "in the second, so their labels cannot be compared."
            )


def _shared_blocks(first: ProjectSnapshot, second: ProjectSnapshot, name: str) -> Iterator[Region]:
    for block in annotated_blocks(first, name):
        if second is first or second.near(name, block):
            yield block


def _disagreement(counts: np.ndarray, region: Region, image_name: str, classes: tuple[str, ...]) -> Disagreement:
    first, second = np.unravel_index(counts.argmax(), counts.shape)
    return Disagreement(image_name, region, int(counts.sum()), classes[first], classes[second])


def _agreement(
    names: tuple[str, str], classes: tuple[str, ...], confusions: np.ndarray, differing: list[Disagreement]
) -> Agreement:
    confusion = confusions.sum(0)
    same = np.trace(confusions, axis1=1, axis2=2)
    agreement = _estimate(same, confusions.sum((1, 2)))
    by_chance = float(confusion.sum(1) @ confusion.sum(0)) / float(confusion.sum()) ** 2
    kappa = None
    if by_chance < 1:
        kappa = AgreementEstimate(
            *((share - by_chance) / (1 - by_chance) for share in (agreement.value, agreement.low, agreement.high))
        )
    by_class: dict[str, AgreementEstimate | None] = {}
    for k, name in enumerate(classes):
        given = confusions[:, k, :].sum(1) + confusions[:, :, k].sum(1)
        by_class[name] = _estimate(2 * confusions[:, k, k], given) if given.any() else None
    largest_first = sorted(differing, key=lambda one: (-one.pixels, one.image_name, one.region))
    return Agreement(names, classes, confusion, len(confusions), agreement, kappa, by_class, tuple(largest_first))


def _estimate(hits: np.ndarray, of: np.ndarray) -> AgreementEstimate:
    """Estimate the share of all hits from those in each place, (places,)."""
    used = of > 0
    hits, of = hits[used].astype(float), of[used].astype(float)
    share = hits.sum() / of.sum()
    trials = of.sum() ** 2 / (of**2).sum()
    if len(of) >= ENOUGH_PLACES:
        # The variance of a ratio of two sums over places (Cochran 1977, 6.4).
        variance = ((hits - share * of) ** 2).sum() * len(of) / (len(of) - 1) / of.sum() ** 2
        if variance > 0:
            trials = max(trials, share * (1 - share) / variance)
    low, high = wilson(share, trials)
    return AgreementEstimate(float(share), float(low), float(high))
