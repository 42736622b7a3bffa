"""Where a classifier and the labels disagree, tile by tile."""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from histowidgets.annotations import UNLABELLED, Project, ProjectSnapshot, is_ignored_class, rasterize, snapshot_of
from histowidgets.errors import AdviceError
from histowidgets.images import Region

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier, Prediction

#: Maximum number of tiles that are reviewed; from more, an even sample is taken.
MOST_TILES = 400
#: Longest side of a tile's heat map, in pixels.
HEAT_SIDE = 96
#: Lower probabilities count as this: float16 has no smaller number, and a single pixel must not decide the rank.
_LEAST_PROBABILITY = 1e-4


@dataclass(frozen=True)
class ReviewTile:
    """A labelled tile, compared with the prediction.

    Attributes
    ----------
    image_name, region
        Its place, in full-size pixels.
    loss : float
        Mean cross-entropy over its labelled pixels, in nats; 0 if every pixel is predicted correctly with certainty.
    disagreement : float
        Share of its labelled pixels that are predicted as another class, 0 to 1.
    class_iou : dict
        Maps each class that is labelled or predicted in the tile to its IoU over labelled pixels.
    n_labelled : int
        Number of labelled full-size pixels.
    held_out : bool
        Whether its centre was held out from training.
    confusion : ndarray of (K, K), int64
        Numbers of labelled pixels, with a row for each true class.
    heat : ndarray of (rows, columns), float32
        1 minus the probability of the label, 0 to 1; NaN where nothing is labelled. At most `HEAT_SIDE` pixels on each
        side.
    fingerprint : str
        Changes with the labels of the tile.
    """

    image_name: str
    region: Region
    loss: float
    disagreement: float
    class_iou: Mapping[str, float]
    n_labelled: int
    held_out: bool
    confusion: np.ndarray = field(repr=False, compare=False)
    heat: np.ndarray = field(repr=False, compare=False)
    fingerprint: str = ""

    @property
    def iou(self) -> float:
        """Mean IoU of the classes over labelled pixels, 0 to 1."""
        return float(np.mean(list(self.class_iou.values())))


@dataclass(frozen=True)
class ContradictedAnnotation:
    """An annotation of which most is predicted as other classes.

    Attributes
    ----------
    id : str
        Of the annotation.
    image_name, region
        Its place, in full-size pixels.
    class_name : str
        Its class.
    predicted : str
        The class that most of it is predicted as, other than its own.
    share : float
        Share of its pixels that are predicted as that class, 0 to 1. Only pixels that no later annotation covers count.
    n_pixels : int
        Number of its pixels that were compared.
    """

    id: str
    image_name: str
    region: Region
    class_name: str
    predicted: str
    share: float
    n_pixels: int


@dataclass(frozen=True)
class LabelReview:
    """Comparison of the labels with the prediction.

    Attributes
    ----------
    classes : tuple of str
    tiles : tuple of ReviewTile
        Highest loss first.
    n_left_out : int
        Number of labelled tiles that were not reviewed, because there are more than `MOST_TILES`.
    contradicted : tuple of ContradictedAnnotation
        Annotations of which most is predicted as other classes, those with the most such pixels first.
        ``project.reclassify(one.id, one.predicted)`` gives one the predicted class.
    """

    classes: tuple[str, ...]
    tiles: tuple[ReviewTile, ...]
    n_left_out: int = 0
    contradicted: tuple[ContradictedAnnotation, ...] = ()

    @property
    def confusion(self) -> np.ndarray:
        """Numbers of labelled pixels over all tiles, (K, K) int64, with a row for each true class."""
        empty = np.zeros((len(self.classes), len(self.classes)), np.int64)
        return sum((tile.confusion for tile in self.tiles), empty)

    def class_iou(self) -> dict[str, float]:
        """Return the IoU of each class over all reviewed labelled pixels; absent classes are left out."""
        return _iou(self.confusion, self.classes)

    def tiles_of(self, true: str, predicted: str) -> list[ReviewTile]:
        """List the tiles of one cell of the confusion matrix, those with the most of its pixels first.

        Raises
        ------
        AdviceError
            There is no such class.
        """
        for name in (true, predicted):
            if name not in self.classes:
                raise AdviceError(f"There is no class {name!r}; the classes are {', '.join(self.classes)}.")
        cell = self.classes.index(true), self.classes.index(predicted)
        return sorted((tile for tile in self.tiles if tile.confusion[cell]), key=lambda tile: -tile.confusion[cell])


def find_label_errors(
    project: Project | ProjectSnapshot,
    classifier: "Classifier",
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> LabelReview:
    """Rank the labelled tiles of a project by how badly a classifier predicts them.

    Only labelled pixels count. A high loss means that the classifier did not learn the tile, or that its label is
    wrong.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Its labels are taken as the truth.
    classifier : Classifier
        Must have the project's classes.
    progress : callable, optional
        ``progress(done, total)`` after each tile.
    should_stop : callable, optional
        Called before each tile; if it returns True, the review ends with the tiles so far.

    Raises
    ------
    AdviceError
        The classes differ, or nothing is labelled.
    """
    snapshot = snapshot_of(project)
    if tuple(classifier.classes) != tuple(snapshot.classes):
        raise AdviceError(
            f"The classifier has the classes {', '.join(classifier.classes)}, the project "
            f"{', '.join(snapshot.classes)}; train again to review it."
        )
    places = list(_labelled_places(snapshot, classifier.tile_size * classifier.downsample))
    if not places:
        raise AdviceError("Nothing is labelled. Paint a few strokes, then review the classifier on them.")
    kept = places
    if len(places) > MOST_TILES:
        kept = [places[int(i)] for i in np.linspace(0, len(places) - 1, MOST_TILES)]
    tiles, by_annotation = [], dict[str, np.ndarray]()
    for done, (name, region) in enumerate(kept, 1):
        if should_stop is not None and should_stop():
            break
        prediction = classifier.predict(snapshot.images[name], region)
        tiles.append(_reviewed(classifier, snapshot, name, region, prediction))
        for one_id, counts in _predicted_in(snapshot, name, region, prediction.labels):
            by_annotation[one_id] = by_annotation.get(one_id, 0) + counts
        if progress is not None:
            progress(done, len(kept))
    ranked = tuple(sorted(tiles, key=lambda tile: -tile.loss))
    contradicted = tuple(sorted(_contradicted(snapshot, by_annotation), key=lambda one: -one.share * one.n_pixels))
    return LabelReview(tuple(snapshot.classes), ranked, len(places) - len(kept), contradicted)


def _predicted_in(
    snapshot: ProjectSnapshot, name: str, region: Region, predicted: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the id of each annotation in a region, and its visible pixels by predicted class: int64 (K,)."""
    drawn, n = snapshot.near(name, region), len(snapshot.classes)
    for begin in range(0, len(drawn), UNLABELLED):
        # Each annotation gets a label of its own. Those of later rounds are drawn as erasers, since they cover it.
        some = [one if one.class_name is None else replace(one, class_name=one.id) for one in drawn[begin:]]
        here = [one.id for one in some[:UNLABELLED] if one.class_name is not None]
        if not here:
            continue
        cover = [replace(one, class_name=None) for one in some[UNLABELLED:]]
        which = rasterize([*some[:UNLABELLED], *cover], {one: k for k, one in enumerate(here)}, region)
        labelled = which != UNLABELLED
        pairs = which[labelled].astype(np.int64) * n + predicted[labelled]
        counts = np.bincount(pairs, minlength=len(here) * n).reshape(len(here), n)
        yield from zip(here, counts, strict=True)


def _contradicted(
    snapshot: ProjectSnapshot, by_annotation: Mapping[str, np.ndarray]
) -> Iterator[ContradictedAnnotation]:
    """Yield the annotations of which more than half is predicted as other classes than their own."""
    for name, annotations in snapshot.annotations.items():
        for one in annotations:
            counts = by_annotation.get(one.id)
            if counts is None or one.class_name is None or is_ignored_class(one.class_name):
                continue
            others = counts.copy()
            others[snapshot.class_index[one.class_name]] = 0
            total = int(counts.sum())
            if 2 * others.sum() <= total:
                continue
            region = one.shape.region().intersect(snapshot.images[name].region)
            most = int(others.argmax())
            if region is not None:
                share = float(others[most] / total)
                yield ContradictedAnnotation(one.id, name, region, one.class_name, snapshot.classes[most], share, total)


def _labelled_places(snapshot: ProjectSnapshot, side: int) -> Iterator[tuple[str, Region]]:
    """Yield the labelled tiles of a grid over each image; the bounds of shapes rule out most others cheaply."""
    for name in snapshot.annotated_names():
        image = snapshot.images[name]
        for y in range(0, image.height, side):
            for x in range(0, image.width, side):
                region = Region(x, y, min(side, image.width - x), min(side, image.height - y))
                if snapshot.near(name, region) and (snapshot.labels(name, region) != UNLABELLED).any():
                    yield name, region


def _reviewed(
    classifier: "Classifier", snapshot: ProjectSnapshot, name: str, region: Region, prediction: "Prediction"
) -> ReviewTile:
    labels = snapshot.labels(name, region)
    rows, columns = np.nonzero(labels != UNLABELLED)
    true = labels[rows, columns].astype(np.int64)
    predicted = prediction.labels[rows, columns].astype(np.int64)
    of_label = np.full(labels.shape, np.nan, np.float32)
    of_label[rows, columns] = prediction.probabilities[rows, columns, true]
    n = len(snapshot.classes)
    confusion = np.bincount(true * n + predicted, minlength=n * n).reshape(n, n)
    known = of_label[rows, columns]
    return ReviewTile(
        image_name=name,
        region=region,
        loss=float(-np.log(np.maximum(known, _LEAST_PROBABILITY)).mean()),
        disagreement=float(np.mean(predicted != true)),
        class_iou=_iou(confusion, snapshot.classes),
        n_labelled=len(true),
        held_out=_is_held_out(classifier, name, region),
        confusion=confusion,
        heat=_small(1 - of_label),
        fingerprint=f"{zlib.crc32(labels.tobytes()):08x}",
    )


def _iou(confusion: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    either = confusion.sum(axis=0) + confusion.sum(axis=1) - np.diag(confusion)
    return {name: float(confusion[i, i] / either[i]) for i, name in enumerate(classes) if either[i]}


def _is_held_out(classifier: "Classifier", name: str, region: Region) -> bool:
    x, y = region.x + region.width / 2, region.y + region.height / 2
    held_out = classifier.trained_on.get("held_out", {}).get(name, ())
    return any(left <= x < left + width and top <= y < top + height for left, top, width, height in held_out)


def _small(heat: np.ndarray) -> np.ndarray:
    """Shrink a heat map, keeping the hottest pixel of each block, so that thin strokes stay visible."""
    step = max(1, math.ceil(max(heat.shape) / HEAT_SIDE))
    rows, columns = (math.ceil(length / step) for length in heat.shape)
    padded = np.full((rows * step, columns * step), np.nan, np.float32)
    padded[: heat.shape[0], : heat.shape[1]] = heat
    blocks = padded.reshape(rows, step, columns, step)
    found = np.where(np.isnan(blocks), -1, blocks).max(axis=(1, 3))
    return np.where(found < 0, np.nan, found).astype(np.float32)
