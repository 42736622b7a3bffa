"""An unbiased score while you annotate: each stroke is scored by a quick learner that has not seen it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from histowidgets.annotations import UNLABELLED, Project, ProjectSnapshot, Split, class_pixels, snapshot_of
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.images import Region
from histowidgets.models import DEFAULT_BACKBONE
from histowidgets.prediction import frozen_encoder
from histowidgets.training.data import FEWEST_FOLDS, MOST_FOLDS, cut_evenly
from histowidgets.training.loop import Confusion
from histowidgets.training.quick._learner import held_out_pairs, quick_classifier

# Our own choices, not from a publication.
#: Number of parts that are held out in turn.
FOLDS = 4
#: Earlier parts, and their features, are reused as long as none has more than this share of the strokes.
MOST_SHARE = 0.6


@dataclass(frozen=True)
class QuickScore:
    """The score of the quick learner on strokes that it has not seen.

    Attributes
    ----------
    miou : float
        Mean IoU, 0 to 1, over the classes that could be measured.
    iou : mapping of str to float or None
        Maps class names to IoU, 0 to 1; None for a class that occurs in only one part, so that it cannot be learned
        without this part.
    held_out_strokes : mapping of str to int
        Maps class names to the number of annotations that were held out.
    parts : tuple of Split
        What each quick learner did not see; together they hold out every label once.
    """

    miou: float
    iou: Mapping[str, float | None]
    held_out_strokes: Mapping[str, int]
    parts: tuple[Split, ...] = field(default=(), repr=False)

    @property
    def strokes(self) -> int:
        """Number of annotations that were held out."""
        return sum(self.held_out_strokes.values())


def quick_score(
    project: Project | ProjectSnapshot,
    folds: int = FOLDS,
    *,
    previous: QuickScore | None = None,
    should_stop: Callable[[], bool] | None = None,
    channels: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
    backbone: str = DEFAULT_BACKBONE,
) -> QuickScore | None:
    """Score the quick learner on strokes that it has not seen, holding out every label once.

    Each image is cut into rectangles with about equal numbers of strokes, each with all classes if possible. For each
    rectangle, a quick learner is fitted without it and its surroundings, and predicts it from its own pixels only; the
    counts are summed over the rectangles. Images with the role "validation" are never used for fitting, and images with
    the role "train" are never held out. This takes a second or two: the time of one `quick_classifier` for each part.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    folds : int, default 4
        Number of parts, 2 to 20.
    previous : QuickScore, optional
        An earlier score of the same project; its parts are reused if they still fit, which saves most of the time.
    should_stop : callable, optional
        Called before each part; if it returns True, the work stops.
    channels : sequence of str, optional
    pixel_size_um : float, optional
    backbone : str
        As for `quick_classifier`, except that weights that cannot be loaded are an error: no other encoder is scored in
        their place.

    Returns
    -------
    QuickScore or None
        None if it was stopped, or if no label can be held out: a class can be scored only if it is painted in two
        places.

    Raises
    ------
    SettingsError
        If `folds` is out of range, or an annotated image lacks one of the `channels`.
    BackboneError
        If the encoder cannot be loaded.
    """
    if not FEWEST_FOLDS <= folds <= MOST_FOLDS:
        raise SettingsError(f"folds is {folds}; use {FEWEST_FOLDS} to {MOST_FOLDS}.")
    if backbone != DEFAULT_BACKBONE:
        frozen_encoder(backbone)
    snapshot = snapshot_of(project)
    parts = _parts(snapshot, folds, previous)
    confusion = Confusion(len(snapshot.classes))
    judged: Counter[str] = Counter(dict.fromkeys(snapshot.classes, 0))
    for part in parts:
        if should_stop is not None and should_stop():
            return None
        judged.update(_judge(snapshot, part, confusion, channels, pixel_size_um, backbone))
    miou = confusion.mean_iou()
    if miou is None:
        return None
    return QuickScore(miou, dict(zip(snapshot.classes, confusion.iou(), strict=True)), dict(judged), parts)


def _judge(
    snapshot: ProjectSnapshot,
    part: Split,
    confusion: Confusion,
    channels: Sequence[str] | None,
    pixel_size_um: float | None,
    backbone: str,
) -> list[str]:
    """Add the counts of a learner fitted without this part; return the class of each annotation in it."""
    if not any(class_pixels(snapshot, name, r).any() for name, held in part.held_out.items() for r in held):
        return []
    try:
        classifier = quick_classifier(
            snapshot,
            split=part,
            score=False,
            channels=channels,
            pixel_size_um=pixel_size_um,
            announce=False,
            backbone=backbone,
        )
    except TrainingDataError:
        return []  # fewer than two classes are left for fitting
    known = classifier.trained_on["labelled_pixels"]
    unknown = [k for k, name in enumerate(snapshot.classes) if not known[name]]
    for found, truth in held_out_pairs(classifier, snapshot, part):
        judged = np.where(np.isin(truth, unknown), UNLABELLED, truth)
        confusion.add(torch.from_numpy(found), torch.from_numpy(judged))
    return [
        annotation.class_name
        for name, regions in part.held_out.items()
        for annotation in snapshot.annotations[name]
        if annotation.class_name is not None
        and known.get(annotation.class_name)
        and any(_holds(held, annotation.shape.region()) for held in regions)
    ]


def _holds(held: Region, region: Region) -> bool:
    """Return whether the centre of a shape is in a held-out rectangle, so that each shape is counted once."""
    x, y = _centre(region)
    return held.x <= x < held.right and held.y <= y < held.bottom


def _centre(region: Region) -> tuple[float, float]:
    return region.x + region.width / 2, region.y + region.height / 2


# --- parts -----------------------------------------------------------------------------------------------------------


def _parts(snapshot: ProjectSnapshot, folds: int, previous: QuickScore | None) -> tuple[Split, ...]:
    centres = {name: _centres(snapshot, name) for name in snapshot.annotated_names()}
    if previous is not None and len(previous.parts) == folds and _still_fit(previous, snapshot, centres):
        return previous.parts
    held: list[dict[str, tuple[Region, ...]]] = [dict.fromkeys(snapshot.images, ()) for _ in range(folds)]
    for name, points in centres.items():
        image = snapshot.images[name]
        if snapshot.roles[name] == "validation":
            held[0][name] = (image.region,)
        elif snapshot.roles[name] == "both":
            kinds = np.array([a.class_name for a in snapshot.annotations[name] if a.class_name is not None])
            for number, piece in enumerate(cut_evenly(points, image.region, folds, kinds)):
                held[number][name] = (piece,)
    return tuple(Split(one) for one in held)


def _centres(snapshot: ProjectSnapshot, name: str) -> np.ndarray:
    """Return the centre of each annotation with a class, (N, 2), within the image."""
    region = snapshot.images[name].region
    found = [_centre(a.shape.region()) for a in snapshot.annotations[name] if a.class_name is not None]
    points = np.array(found, float).reshape(-1, 2)
    return np.clip(points, (region.x, region.y), (region.right - 1, region.bottom - 1))


def _still_fit(previous: QuickScore, snapshot: ProjectSnapshot, centres: Mapping[str, np.ndarray]) -> bool:
    """Return whether earlier parts hold out every label of the same images, and none holds out too many."""
    for name, points in centres.items():
        held = [region for part in previous.parts for region in part.held_out.get(name, ())]
        expected = {"both": len(previous.parts), "validation": 1, "train": 0}[snapshot.roles[name]]
        if len(held) != expected or (held and sum(region.area for region in held) != snapshot.images[name].region.area):
            return False
        if expected > 1 and max(_share(points, region) for region in held) > MOST_SHARE:
            return False
    if set(previous.iou) != set(snapshot.classes):
        return False
    unknown = {name for name, value in previous.iou.items() if value is None}
    return not any(a.class_name in unknown for name in centres for a in snapshot.annotations[name])


def _share(points: Sequence[Sequence[float]] | np.ndarray, region: Region) -> float:
    places = np.asarray(points, float).reshape(-1, 2)
    inside = (places >= (region.x, region.y)) & (places < (region.right, region.bottom))
    return float(inside.all(axis=1).mean()) if len(places) else 0.0
