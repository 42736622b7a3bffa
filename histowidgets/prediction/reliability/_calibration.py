"""Measure how far probabilities can be trusted on held-out labels, and scale them by a temperature."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from histowidgets.annotations import UNLABELLED, Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import ClassifierError
from histowidgets.images import Region
from histowidgets.prediction._classifier import Classifier

#: Bins of the reliability diagram, of equal width, from 0 to 1.
BINS = 10

#: Largest temperature that is fitted. The least is 1: held-out strokes lie where a person was sure, so that they cannot
#: show that a classifier is too unsure elsewhere.
MOST = 5.0

#: Side of the blocks, in pixels, that are predicted at once.
BLOCK = 1024


@dataclass(frozen=True)
class Bin:
    """Pixels whose class was predicted with a similar probability.

    Attributes
    ----------
    confidence : float
        Mean probability of the predicted class, 0 to 1.
    accuracy : float
        Share of the pixels that are predicted right, 0 to 1.
    pixels : int
    """

    confidence: float
    accuracy: float
    pixels: int


@dataclass(frozen=True)
class Calibration:
    """How far the probabilities of a classifier hold on labelled pixels.

    Attributes
    ----------
    expected_error : float
        Expected calibration error, 0 to 1: the mean distance of confidence and accuracy over the bins, weighted by
        their pixels (Naeini et al. 2015).
    brier : float
        Brier score: the mean squared distance of the probabilities from the truth, summed over the classes, 0 to 2.
    log_loss : float
        Mean negative logarithm of the probability of the true class.
    accuracy : float
        Share of the pixels that are predicted right, 0 to 1.
    pixels : int
        Number of labelled pixels.
    bins : tuple of Bin
        The reliability diagram, without empty bins.
    """

    expected_error: float
    brier: float
    log_loss: float
    accuracy: float
    pixels: int
    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> "Calibration":
        """Measure the probabilities of pixels, for example on a label map that is known.

        Parameters
        ----------
        probabilities : ndarray of float, (pixels, classes)
            The sum over the classes is 1.
        truth : ndarray of int, (pixels,)
            Class indices.
        bins : int, default 10

        Raises
        ------
        ClassifierError
            If there are no pixels, or the arrays do not fit together.
        """
        p, truth = np.asarray(probabilities, float), np.asarray(truth)
        if p.ndim != 2 or truth.shape != p.shape[:1] or not len(truth):
            raise ClassifierError(
                f"The probabilities have the shape {p.shape} and the truth {truth.shape}; expected (pixels, classes) "
                "and (pixels,), with at least one pixel."
            )
        if truth.min() < 0 or truth.max() >= p.shape[1]:
            raise ClassifierError(f"The truth has classes from {truth.min()} to {truth.max()}, of {p.shape[1]}.")
        confidence, right = p.max(1), p.argmax(1) == truth
        where = np.minimum((confidence * bins).astype(int), bins - 1)
        counts = np.bincount(where, minlength=bins)
        sums, hits = (np.bincount(where, weights=values, minlength=bins) for values in (confidence, right))
        of_truth = p[np.arange(len(truth)), truth]
        return cls(
            expected_error=float(np.abs(sums - hits).sum() / len(truth)),
            brier=float(((p**2).sum(1) - 2 * of_truth + 1).mean()),
            log_loss=float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean()),
            accuracy=float(right.mean()),
            pixels=len(truth),
            bins=tuple(
                Bin(float(sums[k] / counts[k]), float(hits[k] / counts[k]), int(counts[k]))
                for k in np.flatnonzero(counts)
            ),
        )

    def __str__(self) -> str:
        return (
            f"Probabilities are off by {100 * self.expected_error:.1f} % on average (expected calibration error), "
            f"with a Brier score of {self.brier:.3f}, on {self.pixels:,} labelled pixels."
        )

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.diagram()}"

    def diagram(self) -> str:
        """Return the reliability diagram as SVG: accuracy over confidence; on the diagonal, probabilities hold."""
        side, edge = 200, 34
        most = max(one.pixels for one in self.bins)
        dots = "".join(
            f'<circle cx="{edge + side * one.confidence:.1f}" cy="{10 + side * (1 - one.accuracy):.1f}" '
            f'r="{2 + 5 * math.sqrt(one.pixels / most):.1f}" fill="#1f77b4" fill-opacity="0.8">'
            f"<title>{100 * one.confidence:.0f} % sure, {100 * one.accuracy:.0f} % right; {one.pixels:,} pixels</title>"
            "</circle>"
            for one in self.bins
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{side + edge + 10}" height="{side + edge + 14}" '
            'role="img" font-family="sans-serif" font-size="11" fill="currentColor" '
            f'aria-label="Reliability diagram. {self}">'
            f'<rect x="{edge}" y="10" width="{side}" height="{side}" fill="none" stroke="currentColor"/>'
            f'<line x1="{edge}" y1="{10 + side}" x2="{edge + side}" y2="10" stroke="currentColor" '
            f'stroke-dasharray="4 4"/>{dots}'
            f'<text x="{edge + side / 2}" y="{side + edge + 8}" text-anchor="middle">probability of the class</text>'
            f'<text transform="translate(12 {10 + side / 2}) rotate(-90)" text-anchor="middle">share that is right'
            f'</text><text x="{edge}" y="{side + 22}">0</text>'
            f'<text x="{edge + side}" y="{side + 22}" text-anchor="end">1</text>'
            f'<text x="{edge - 4}" y="18" text-anchor="end">1</text></svg>'
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "expected_error": self.expected_error,
            "brier": self.brier,
            "log_loss": self.log_loss,
            "accuracy": self.accuracy,
            "pixels": self.pixels,
            "bins": [vars(one) for one in self.bins],
        }


def measure_calibration(
    classifier: Classifier,
    project: Project | ProjectSnapshot,
    split: Split | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Calibration:
    """Measure how far a classifier's probabilities hold on strokes that it was not trained on.

    Of 100 pixels that are predicted with a probability of 0.8, 80 should be right.

    Parameters
    ----------
    classifier : Classifier
    project : Project or ProjectSnapshot
    split : Split, optional
        What was held out; by default, what the classifier's own run held out.
    progress : callable, optional
        ``progress(done, total)`` after each part of the test area.
    should_stop : callable, optional
        Called now and then; if it returns True, the work is cancelled.

    Returns
    -------
    Calibration

    Raises
    ------
    ClassifierError
        If nothing was held out, there are no labels there, or the project does not have the classifier's classes.
    PredictionCancelled
        If `should_stop` returned True.
    """
    return Calibration.of(*_held_out(classifier, snapshot_of(project), split, progress, should_stop))


def calibrate(
    classifier: Classifier,
    project: Project | ProjectSnapshot,
    split: Split | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Classifier:
    """Scale a classifier's probabilities so that they hold on strokes that it was not trained on.

    One temperature (Guo et al. 2017) is fitted to the held-out labels by maximum likelihood, from 1 (no change) to 5:
    the probabilities become softer. The classes stay, except for a few pixels at borders between them where the
    prediction is enlarged to full size. The temperature becomes part of the classifier, also where that is saved or
    exported.

    Parameters
    ----------
    classifier : Classifier
        Any but one from an ONNX file.
    project : Project or ProjectSnapshot
    split : Split, optional
        What was held out; by default, what the classifier's own run held out.
    progress : callable, optional
        ``progress(done, total)`` after each part of the test area.
    should_stop : callable, optional
        Called now and then; if it returns True, the work is cancelled.

    Returns
    -------
    Classifier
        Its `scores` have the ``"temperature"`` and the number of ``"calibration_pixels"``.

    Raises
    ------
    ClassifierError
        If nothing was held out, there are no labels of at least two classes there, the project does not have the
        classifier's classes, or the classifier is from an ONNX file.
    PredictionCancelled
        If `should_stop` returned True.
    """
    probabilities, truth = _held_out(classifier, snapshot_of(project), split, progress, should_stop)
    classes = np.unique(truth)
    if len(classes) < 2:
        raise ClassifierError(
            f"All held-out labels are {classifier.classes[classes[0]]!r}; a temperature needs at least two classes. "
            "Paint another class in the test area."
        )
    temperature = fit_temperature(probabilities, truth)
    spec = classifier.spec
    scores = {
        **spec.scores,
        "temperature": temperature * float(spec.scores.get("temperature", 1.0)),
        "calibration_pixels": len(truth),
    }
    return Classifier(replace(spec, model=spec.model.with_temperature(temperature), scores=scores))


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature from 1 to 5 that makes the truth most likely.

    Parameters
    ----------
    probabilities : ndarray of float, (pixels, classes)
    truth : ndarray of int, (pixels,)
        Class indices.
    """
    from scipy.optimize import minimize_scalar  # only here, as it takes a while to load

    logs = np.log(np.maximum(probabilities.astype(float), np.finfo(np.float32).tiny))
    own = logs[np.arange(len(truth)), truth]

    def loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float((np.logaddexp.reduce(scale * logs, 1) - scale * own).mean())

    found = float(minimize_scalar(loss, bounds=(0.0, math.log(MOST)), method="bounded").x)
    return math.exp(found) if loss(found) < loss(0.0) else 1.0


def _held_out(
    classifier: Classifier,
    snapshot: ProjectSnapshot,
    split: Split | None,
    progress: Callable[[int, int], object] | None,
    should_stop: Callable[[], bool] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of the held-out labelled pixels, (pixels, classes) in float32, and their classes."""
    if set(classifier.classes) != set(snapshot.classes):
        raise ClassifierError(
            f"The classifier has the classes {', '.join(classifier.classes)}, the project "
            f"{', '.join(snapshot.classes)}. Give the project that it was trained on."
        )
    held = split.held_out if split is not None else _own_held_out(classifier)
    own_index = np.full(256, UNLABELLED, np.uint8)
    own_index[: len(snapshot.classes)] = [classifier.classes.index(name) for name in snapshot.classes]
    found, truths = [], []
    blocks = list(_labelled_blocks(snapshot, held))
    for done, (name, region, block) in enumerate(blocks, 1):
        labels = own_index[snapshot.labels(name, block)]
        if (labels != UNLABELLED).any():
            answer = classifier.predict(snapshot.images[name], block, within=region, should_stop=should_stop)
            # Where the image has no data, nothing is predicted, and no probability can hold.
            compared = (labels != UNLABELLED) & (answer.labels != UNLABELLED)
            if compared.any():
                found.append(answer.probabilities[compared])
                truths.append(labels[compared])
        if progress is not None:
            progress(done, len(blocks))
    if not found:
        raise ClassifierError(
            "There are no labels in the test area, so that probabilities cannot be checked. Paint there, or give a "
            "split."
        )
    return np.concatenate(found), np.concatenate(truths)


def _own_held_out(classifier: Classifier) -> Mapping[str, Sequence[Region]]:
    stored = classifier.trained_on.get("held_out") or {}
    held = {name: [Region(*edges) for edges in some] for name, some in stored.items() if some}
    if not held:
        raise ClassifierError(
            "The classifier held nothing out in training, so its probabilities cannot be checked. Give the split with "
            "which it was trained, such as `split=hw.split_project(project)`."
        )
    return held


def _labelled_blocks(
    snapshot: ProjectSnapshot, held: Mapping[str, Sequence[Region]]
) -> Iterator[tuple[str, Region, Region]]:
    """Yield the name of an image, a held-out region and a part of it that has labels."""
    for name, regions in held.items():
        if name not in snapshot.images:
            continue
        for region in regions:
            inside = region.intersect(snapshot.images[name].region)
            if inside is None:
                continue
            for block in inside.blocks(BLOCK):
                if any(a.class_name is not None for a in snapshot.near(name, block)):
                    yield name, inside, block
