"""What an audit is drawn on: the predictions of images, given or computed, and their pixels by class."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from histowidgets.annotations import UNLABELLED, AuditPoint, ProjectSnapshot
from histowidgets.annotations.shapes import match_class
from histowidgets.errors import AuditError, ImageError, PredictionCancelled, PredictionError
from histowidgets.images import Image, Region
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction.inference import PredictOptions, classifier_digest
from histowidgets.prediction.results import PredictionResults, StoredPrediction

#: Number of pixels up to which predictions are kept in memory; the rest is on disk while the points are drawn.
IN_MEMORY_PIXELS = 250_000_000

#: About as many pixels are computed to predict a single one with its context.
AROUND_PIXELS = 1_000_000

#: A classifier, its folder, or predictions of images.
Judged = (
    Classifier | str | PathLike[str] | PredictionResults | Iterable[PredictionResults] | Mapping[str, PredictionResults]
)

ImageProgress = Callable[[int, int], object]
"""Called as ``progress(done, total)`` after each image."""


@dataclass(frozen=True)
class Source:
    """Either a classifier with its options, or predictions by image name.

    Attributes
    ----------
    classifier : Classifier or None
    options : dict
        Of `Classifier.predict`.
    predictions : dict of image name to PredictionResults
        Empty if there is a classifier.
    """

    classifier: Classifier | None
    options: dict[str, Any]
    predictions: dict[str, PredictionResults]

    @classmethod
    def of(cls, given: Judged, options: Mapping[str, Any]) -> "Source":
        """Sort out what was given.

        Raises
        ------
        ClassifierError
            If a folder holds no classifier.
        PredictionError
            If an option is unknown, or options are given together with predictions.
        AuditError
            If it is neither a classifier nor a prediction, or there are two predictions of an image.
        """
        if isinstance(given, str | PathLike):
            given = Classifier.load(given)
        if isinstance(given, Classifier):
            PredictOptions.of(options)
            return cls(given, dict(options), {})
        if options:
            raise PredictionError(f"The option {next(iter(options))!r} needs a classifier; predictions were given.")
        if isinstance(given, PredictionResults):
            given = [given]
        if not isinstance(given, Iterable):
            raise AuditError(f"An audit needs a classifier or predictions; {given!r:.80} is neither.")
        pairs = list(given.items()) if isinstance(given, Mapping) else [(_name_of(one), one) for one in given]
        for name, one in pairs:
            if not isinstance(one, PredictionResults):
                raise AuditError(f"The prediction of {name!r} is {one!r:.80}; expected a Prediction.")
            if isinstance(one, StoredPrediction) and not one.complete:
                raise AuditError(f"The prediction {one.path} is not complete. Resume it with Classifier.predict_to.")
        found = dict(pairs)
        if not found or len(found) != len(pairs):
            raise AuditError("There is no prediction." if not found else "Two predictions are of the same image.")
        return cls(None, {}, found)

    @property
    def fingerprint(self) -> str:
        """A hash of what determines the predictions; "" if that is not known."""
        if self.classifier is not None:
            parts = [classifier_digest(self.classifier.spec), PredictOptions.of(self.options).to_dict()]
        else:
            cards = [getattr(one.info, "fingerprint", "") for one in self.predictions.values()]
            if not all(cards):
                return ""
            parts = sorted(cards)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The name of the classifier, or else its kind; "" if there is none."""
        return "" if self.classifier is None else self.classifier.name or self.classifier.kind

    def class_indices(self, snapshot: ProjectSnapshot) -> dict[str, list[int]]:
        """Return the index in the project of each class of the predictions, by image; of the classifier by "".

        Raises
        ------
        AuditError
            If the project lacks one of the classes.
        """
        lists = {name: one.classes for name, one in self.predictions.items()}
        if self.classifier is not None:
            lists = {"": self.classifier.classes}
        return {name: _indices(classes, snapshot.classes) for name, classes in lists.items()}


def _name_of(prediction: object) -> str:
    return prediction.image_name if isinstance(prediction, PredictionResults) else "an image"


def _indices(classes: list[str], known: tuple[str, ...]) -> list[int]:
    found = [match_class(name, list(known)) for name in classes]
    missing = [name for name, own in zip(classes, found, strict=True) if own is None]
    if missing:
        raise AuditError(
            f"The prediction has the class {missing[0]!r}, which the project lacks; its classes are "
            f"{', '.join(known)}. Audit a prediction of these classes, or add the class with project.add_class."
        )
    return [known.index(str(own)) for own in found]


def unreadable(image: Image) -> str:
    """Return why no pixel of an image can be read; "" if it can."""
    try:
        image.read(0, 0, 1, 1)
    except (ImageError, OSError) as error:
        return str(error)
    return ""


@contextmanager
def predicted(
    source: Source,
    images: Mapping[str, Image],
    left_out: dict[str, str],
    progress: ImageProgress | None,
    should_stop: Callable[[], bool] | None,
) -> Iterator[dict[str, PredictionResults]]:
    """Yield the predictions of images; those that cannot be read or predicted are added to `left_out`, with the reason.

    Raises
    ------
    PredictionCancelled
        If `should_stop` returned True.
    """
    with ExitStack() as stack:
        found: dict[str, PredictionResults] = {}
        in_memory = 0
        for done, (name, image) in enumerate(images.items()):
            if why := unreadable(image):
                left_out[name] = why
                continue
            if source.classifier is None:
                if not image.region.contains(source.predictions[name].region):
                    raise AuditError(f"The prediction of {name!r} extends beyond the image. Predict this image again.")
                found[name] = source.predictions[name]
                continue
            try:
                in_memory += image.region.area
                if in_memory <= IN_MEMORY_PIXELS:
                    # The region leaves out the warning about images unlike those of training: the audit measures it.
                    found[name] = source.classifier.predict(
                        image, image.region, should_stop=should_stop, probabilities=False, **source.options
                    )
                else:
                    folder = Path(stack.enter_context(TemporaryDirectory(prefix="histowidgets-audit-")))
                    found[name] = source.classifier.predict_to(
                        image, folder / "labels.zarr", image.region, should_stop=should_stop, **source.options
                    )
            except PredictionCancelled:
                raise
            except (ImageError, PredictionError, OSError) as error:
                left_out[name] = str(error)
            if progress is not None:
                progress(done + 1, len(images))
        yield found


def pixels_by_class(prediction: PredictionResults, indices: list[int], n_classes: int) -> tuple[int, ...]:
    """Return the number of pixels of each class of the project."""
    counts = [0] * n_classes
    for k, n in zip(indices, prediction.pixel_counts().values(), strict=True):
        counts[k] += n
    return tuple(counts)


def predicted_at(
    source: Source,
    points: Sequence[AuditPoint],
    indices: Mapping[str, list[int]],
    snapshot: ProjectSnapshot,
    names: Sequence[str],
) -> tuple[dict[int, int], list[float | None]]:
    """Return the predicted class at points, and the share of the pixels of each class on the images with these names.

    Returns
    -------
    dict of int to int
        Index of the class by index of the point.
    list of float or None
        None for each class, if an image was predicted only around the points.

    Raises
    ------
    AuditError
        If an image is missing, there is no prediction of it, or none at a point.
    """
    size = len(snapshot.classes)
    found: dict[int, int] = {}
    counts: list[tuple[int, ...]] | None = []
    for name in names:
        here = [point for point in points if point.image_name == name]
        prediction = _whole(source, name, len(here), snapshot)
        own = indices[name if source.classifier is None else ""]
        if prediction is None:
            counts = None
        elif counts is not None:
            counts.append(pixels_by_class(prediction, own, size))
        for point in here:
            place = Region(point.x, point.y, 1, 1)
            at = prediction
            if at is None and source.classifier is not None:
                at = source.classifier.predict(snapshot.images[name], place, probabilities=False, **source.options)
            label = int(at.read_labels(place)[0, 0]) if at is not None and at.region.contains(place) else UNLABELLED
            if label == UNLABELLED:
                raise AuditError(f"Nothing is predicted at point {point.index}, x={point.x}, y={point.y} of {name!r}.")
            found[point.index] = own[label]
    return found, [None] * size if counts is None else shares([sum(column) for column in zip(*counts, strict=True)])


def _whole(source: Source, name: str, n_points: int, snapshot: ProjectSnapshot) -> PredictionResults | None:
    """Return the prediction of an image; None if a classifier has less work to predict only around the points."""
    if source.classifier is None:
        if name not in source.predictions:
            raise AuditError(f"There is no prediction of {name!r}, where the audit has points. Pass one too.")
        return source.predictions[name]
    image = snapshot.images.get(name)
    if image is None:
        raise AuditError(f"The image {name!r} of the audit was removed from the project. Undo that first.")
    if image.region.area > n_points * AROUND_PIXELS:
        return None
    return source.classifier.predict(image, image.region, probabilities=False, **source.options)


def shares(counts: Iterable[float]) -> list[float | None]:
    """Return each count's share of their sum; None if that is 0."""
    listed = list(counts)
    total = sum(listed)
    return [n / total if total else None for n in listed]
