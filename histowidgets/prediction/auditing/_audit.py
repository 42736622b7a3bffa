"""The public function `audit`, and the class `Audit` that it returns."""

import os
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from histowidgets.annotations import (
    FEWEST_POINTS,
    MOST_POINTS,
    ROLES,
    USUAL_POINTS,
    AuditPoint,
    AuditRecord,
    Judgement,
    Project,
    ProjectSnapshot,
    is_ignored_class,
    snapshot_of,
)
from histowidgets.errors import AuditError, HistowidgetsWarning, ImageNameError, ReadOnlyError
from histowidgets.prediction.auditing._draw import Place, draw_places
from histowidgets.prediction.auditing._estimates import cross_counts, stratified_numbers, weighted_numbers
from histowidgets.prediction.auditing._predictions import (
    ImageProgress,
    Judged,
    Source,
    pixels_by_class,
    predicted,
    predicted_at,
    shares,
    unreadable,
)
from histowidgets.prediction.auditing._results import AuditResults, percent
from histowidgets.prediction.auditing._table import read_judgements, write_points
from histowidgets.prediction.results import PredictionResults


class Audit:
    """The points of an audit, what was seen at each, and what follows from that. Get one from `audit`.

    The project keeps it: each judgement is on disk before the method returns, and one step of undo. An audit can
    therefore be left at any time, and opened again with ``hw.audit(project)``. Nothing is ever trained on the points,
    unless `annotate` makes them annotations.

    Parameters
    ----------
    project : Project
    audit_id : str
        The id of an audit of the project.

    Raises
    ------
    AuditError
        If the project has no such audit.

    Examples
    --------
    >>> import histowidgets as hw
    >>> project = hw.Project(["Epithelium", "Other"])
    >>> name = project.add_image(hw.samples.colon_ihc())
    >>> for class_name, x in [("Epithelium", 300), ("Epithelium", 105), ("Other", 260), ("Other", 490)]:
    ...     _ = project.annotate(name, hw.Stroke([(x, 50), (x + 15, 65)], width=8), class_name)
    >>> audit = hw.audit(project, hw.quick_classifier(project), n=20)
    >>> audit.judge(audit.next_point, "Other")
    >>> audit.n_judged, len(audit.points)
    (1, 20)
    """

    def __init__(self, project: Project, audit_id: str) -> None:
        self.project, self.id = project, audit_id
        self.record  # noqa: B018 - raises an error if there is no such audit

    def __repr__(self) -> str:
        return f"<Audit of {', '.join(self.record.pixels)}: {self.n_judged} of {len(self.points)} points judged>"

    @property
    def record(self) -> AuditRecord:
        """How the points were drawn, and the judgements so far; it does not change.

        Raises
        ------
        AuditError
            If the audit was undone.
        """
        for one in self.project.audits:
            if one.id == self.id:
                return one
        raise AuditError(f"The project has no audit {self.id!r}. It may have been undone; draw one with hw.audit.")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that a point can have, by the names they had when the audit was drawn."""
        return self.record.classes

    @property
    def points(self) -> tuple[AuditPoint, ...]:
        """All points, in the order in which they are shown."""
        return self.record.points

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What was seen so far, the latest last."""
        return self.record.judgements

    @property
    def n_judged(self) -> int:
        """Number of points that were judged, including those where the person could not tell."""
        return len(self.record.judgements)

    @property
    def next_point(self) -> AuditPoint | None:
        """The first point that was not judged yet; None if there is none. Points on removed images are passed over."""
        record, names = self.record, set(self.project.image_names)
        return next((p for p in record.points if p.index not in record.by_point and p.image_name in names), None)

    def judge(self, point: AuditPoint | int, class_name: str | None) -> None:
        """Keep what a person saw at a point, instead of an earlier judgement. One step of undo.

        Parameters
        ----------
        point : AuditPoint or int
            The point, or its index from 0.
        class_name : str or None
            One of `classes`; None if the person could not tell.

        Raises
        ------
        ClassNameError
            If the class is not one of the audit's.
        AuditError
            If there is no such point.
        ReadOnlyError
            If another session holds the project's folder.
        """
        self.project.judge_point(self.id, _index(point), class_name)

    def back(self) -> AuditPoint | None:
        """Withdraw the latest judgement, so that its point is judged again. One step of undo.

        Returns
        -------
        AuditPoint or None
            The point; None if none was judged.
        """
        record = self.record
        if not record.judgements:
            return None
        last = record.judgements[-1].point
        self.project.withdraw_judgement(self.id, last)
        return record.points[last]

    def results(self) -> AuditResults:
        """Return what follows from the judgements so far, about the prediction that the points were drawn on.

        Raises
        ------
        AuditError
            If no class was seen at any point yet.
        """
        record = self.record
        kept = _measured(record)
        pixels = np.sum(list(record.pixels.values()), axis=0)[kept]
        predicted_as, seen = _seen(record, _drawn_as(record), kept)
        names = [record.classes[k] for k in kept]
        counts = cross_counts(predicted_as, seen, len(kept))
        found = stratified_numbers(counts, pixels, names, shares(pixels.tolist()))
        return self._as_results(record, found, counts, pixels, record.classifier)

    def score(self, predictions: Judged, **options: Any) -> AuditResults:
        """Return what follows from the judgements about another prediction of the same images.

        What was seen at a point is true whatever predicts it, so no point needs to be judged again. The intervals are
        somewhat wider than if the points had been drawn on this prediction.

        Parameters
        ----------
        predictions : Classifier, path, PredictionResults, or several
            As for `audit`. A classifier predicts large images only around the points; then the pixel counts are None.
        **options
            See `PredictOptions`.

        Raises
        ------
        AuditError
            If no class was seen at any point yet, the project lacks a class of the prediction, a judged point lies
            outside the predictions, or the points were made annotations.
        PredictionError, ImageError
            If a point cannot be predicted.
        """
        record, source = self.record, Source.of(predictions, options)
        if record.annotated:
            raise AuditError(
                "The points of this audit were made annotations, so they no longer count as an audit of other "
                "classifiers, which may have been trained on them. Undo that, or draw a new audit with another seed."
            )
        snapshot = replace(self.project.snapshot(), classes=record.classes)
        indices = source.class_indices(snapshot)
        told = [record.points[one.point] for one in record.judgements if one.class_name is not None]
        now, counted = predicted_at(source, told, indices, snapshot, list(record.pixels))
        kept = _measured(record)
        drawn_as = _drawn_as(record)
        # A point that is predicted as an ignored class now is no part of the measured area.
        both = {point: k for point, k in drawn_as.items() if now.get(point) in kept}
        strata, seen = _seen(record, both, kept)
        predicted_as, _ = _seen(record, {point: now[point] for point in both if drawn_as[point] in kept}, kept)
        pixels = np.sum(list(record.pixels.values()), axis=0)[kept]
        names, known = [record.classes[k] for k in kept], [counted[k] for k in kept]
        if None not in known:
            known = shares(one for one in known if one is not None)
        found = weighted_numbers(strata, predicted_as, seen, pixels, names, known)
        counts = cross_counts(predicted_as, seen, len(kept))
        return self._as_results(record, found, counts, pixels, source.name)

    def annotate(self, width: float = 5.0) -> int:
        """Make the judgements annotations: a dot at each point that has a class. One step of undo.

        From then on classifiers can be trained on them, so they no longer count as an audit of those; `results` says
        so, and `score` refuses.

        Parameters
        ----------
        width : float, default 5
            Diameter of the dots, in full-size pixels.

        Returns
        -------
        int
            Number of annotations.

        Raises
        ------
        AuditError
            If it was done before, or no point has a class.
        ClassNameError
            If the project no longer has one of the classes.
        ShapeError
            If the width is not a number above 0.
        """
        return self.project.annotate_audit(self.id, width)

    def save_csv(self, path: "str | os.PathLike[str]") -> None:
        """Write the points as a table with the columns point, image, x, y and class, without the predicted classes.

        The class is empty where there is no judgement, and "?" where the person could not tell.

        Raises
        ------
        AuditError
            If the file cannot be written.
        """
        write_points(self.record, path)

    def read_csv(self, path: "str | os.PathLike[str]") -> int:
        """Keep the judgements of a table as `save_csv` writes it. One step of undo; all or none are kept.

        Parameters
        ----------
        path : path
            A table with at least the columns point and class. Rows with an empty class are passed over; "?" means that
            the person could not tell.

        Returns
        -------
        int
            Number of points whose judgement changed.

        Raises
        ------
        AuditError
            If the file cannot be read, or a row does not fit the audit; the message gives the line.
        """
        record = self.record
        found = read_judgements(record, path)
        known = {index: one.class_name for index, one in record.by_point.items()}
        new = {index: name for index, name in found.items() if index not in known or known[index] != name}
        if new:
            self.project.judge_points(self.id, new)
        return len(new)

    def _as_results(
        self, record: AuditRecord, found: Any, counts: np.ndarray, pixels: np.ndarray, classifier: str
    ) -> AuditResults:
        n_seen = int(counts.sum())
        cannot_tell = sum(one.class_name is None for one in record.judgements)
        return AuditResults(
            classifier=classifier,
            n_points=len(record.points),
            n_judged=n_seen,
            n_cannot_tell=cannot_tell,
            accuracy=found.accuracy,
            classes=found.classes,
            confusion=tuple(tuple(int(n) for n in row) for row in counts),
            notes=tuple(_notes(record, pixels, cannot_tell)),
        )


def _notes(record: AuditRecord, pixels: np.ndarray, cannot_tell: int) -> list[str]:
    """Return what limits the numbers, as sentences."""
    notes = []
    if cannot_tell:
        of = f"At {cannot_tell} of {len(record.judgements)} points the class could not be told"
        notes.append(f"{of}; the numbers are for the area where it can be.")
    ignored = sum(one.class_name is not None and is_ignored_class(one.class_name) for one in record.judgements)
    if ignored:
        notes.append(f"{ignored} point{'' if ignored == 1 else 's'} in ignored areas (classes with *) are left out.")
    names = [name for name in record.classes if not is_ignored_class(name)]
    told = {record.points[one.point].predicted for one in record.judgements if one.class_name is not None}
    for name, n in zip(names, pixels, strict=True):
        if n and name not in told:
            area = percent(n / pixels.sum())
            notes.append(f"The {area} of the area that is predicted as {name} is left out: no point of it has a class.")
    for name, why in record.left_out.items():
        notes.append(f"The image {name} is left out: {why.rstrip('.')}.")
    if record.annotated:
        notes.append("The points are annotations now: they do not count as an audit of classifiers trained since.")
    return notes


def _drawn_as(record: AuditRecord) -> dict[int, int]:
    """Return the index of the class that each point was drawn as, by the index of the point."""
    return {point.index: record.classes.index(point.predicted) for point in record.points}


def _measured(record: AuditRecord) -> list[int]:
    """Return the indices of the classes that count; those whose names end in "*" are ignored areas."""
    return [k for k, name in enumerate(record.classes) if not is_ignored_class(name)]


def _seen(record: AuditRecord, predicted_as: dict[int, int], kept: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the predicted class and the class seen of each point where one was seen, counted among those kept.

    Points without a predicted class, and those where either class is not kept, are left out.
    """
    place = {k: i for i, k in enumerate(kept)}
    told = [(one.point, one.class_name) for one in record.judgements if one.class_name is not None]
    pairs = [(predicted_as.get(point, -1), record.classes.index(name)) for point, name in told]
    rows = [(place[predicted], place[seen]) for predicted, seen in pairs if predicted in place and seen in place]
    found = np.array(rows, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _index(point: object) -> Any:
    """Return the index of a point; anything else as it is, for the project to reject."""
    if isinstance(point, AuditPoint):
        return point.index
    return int(point) if isinstance(point, np.integer) else point


def audit(
    project: Project,
    predictions: Judged | None = None,
    images: Sequence[str] | str | None = None,
    n: int = USUAL_POINTS,
    seed: int = 0,
    *,
    progress: ImageProgress | None = None,
    should_stop: Callable[[], bool] | None = None,
    tell: Callable[[str], object] | None = None,
    **options: Any,
) -> Audit:
    """Draw points at random on predicted images, for a person to say which class each has.

    From that follow the accuracy, and the precision, recall, IoU and share of the area of each class, with 95 %
    intervals that need no assumption about strokes. The points are drawn at random within each predicted class, in
    proportion to its area, except that rare classes get more, for which the estimates correct. Areas that are predicted
    as ignored classes (whose names end in "*") get none, and points that are seen to lie in such an area are left out.

    The project keeps the audit. Called again with the same arguments, the function returns the audit with its
    judgements, so a notebook can be run again.

    Parameters
    ----------
    project : Project
    predictions : Classifier, path, PredictionResults, or several of these; optional
        What is audited: a classifier (or its folder), which predicts the images now; or predictions of images, in
        memory or on disk, as a list or by image name. Without it, the latest audit of the project is opened.
    images : sequence of str, or str; optional
        Names of images, or the role of those to take, such as "validation". By default all images, or all those with
        predictions.
    n : int, default 100
        Number of points, 10 to 2,000, and at least one for each predicted class.
    seed : int, default 0
        Of the draw, at least 0.
    progress : callable, optional
        ``progress(done, total)`` is called after each image that a classifier predicts.
    should_stop : callable, optional
        Called while a classifier predicts; if it returns True, no audit is drawn.
    tell : callable, optional
        Called with a sentence about each image that is left out, instead of a warning, as catching warnings is not
        thread-safe.
    **options
        Of the classifier, see `PredictOptions`.

    Returns
    -------
    Audit
        Images that cannot be read or predicted are left out, which is a warning and a note of the results.

    Raises
    ------
    AuditError
        If there is no prediction and no earlier audit, the project lacks a class of the prediction, no image is left,
        or `n` or `seed` is out of range.
    ImageNameError
        If an image is unknown.
    ClassifierError, PredictionError
        If the classifier cannot be loaded, or an option is unknown.
    ReadOnlyError
        If another session holds the project's folder.
    PredictionCancelled
        If `should_stop` returned True.
    """
    snapshot = snapshot_of(project)
    if not isinstance(project, Project):
        raise AuditError("An audit is kept in a project; this is a snapshot of one. Pass the project itself.")
    if predictions is None:
        if not snapshot.audits:
            raise AuditError(
                "There is no prediction to audit. Pass a classifier or predictions: hw.audit(project, classifier)."
            )
        return Audit(project, snapshot.audits[-1].id)
    for name, value, least, most in (("n", n, FEWEST_POINTS, MOST_POINTS), ("seed", seed, 0, 2**63)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
            raise AuditError(f"{name} is {value!r}; expected a whole number from {least} to {most:,}.")
    source = Source.of(predictions, options)
    indices = source.class_indices(snapshot)
    names = _names(images, snapshot, source)
    earlier = _earlier(snapshot, source.fingerprint, names, n, seed)
    if earlier is not None:
        return Audit(project, earlier.id)
    if project.read_only:
        raise ReadOnlyError(f"The project cannot keep an audit, as it is read-only: {project.read_only_reason}")
    left_out: dict[str, str] = {}
    wanted = {name: snapshot.images[name] for name in names}
    with predicted(source, wanted, left_out, progress, should_stop) as found:
        own = {name: indices[name if source.classifier is None else ""] for name in found}
        pixels = {name: _without_ignored(one, own[name], snapshot.classes) for name, one in found.items()}
        for name in [name for name, counts in pixels.items() if not sum(counts)]:
            left_out[name] = "nothing is predicted on it"
            del pixels[name]
        total = sum(map(sum, pixels.values()))
        if not pixels:
            why = "; ".join(f"{name}: {why}" for name, why in left_out.items())
            raise AuditError(f"No image is left to draw points on. {why}")
        if total < n:
            raise AuditError(f"Only {total:,} pixels are predicted, fewer than {n} points. Draw fewer.")
        drawn = draw_places({name: found[name] for name in pixels}, own, pixels, n, np.random.default_rng(seed))
    made = _record(snapshot, source, pixels, drawn, left_out, seed)
    same = [one for one in snapshot.audits if one.points == made.points and one.pixels == made.pixels]
    if same and not same[-1].annotated and same[-1].fingerprint == made.fingerprint:
        return Audit(project, same[-1].id)
    project.start_audit(made)
    for name, why in left_out.items():
        text = f"The image {name} is left out of the audit: {why}"
        if tell is None:
            warnings.warn(text, HistowidgetsWarning, stacklevel=2)
        else:
            tell(text)
    return Audit(project, made.id)


def _without_ignored(prediction: PredictionResults, indices: list[int], classes: Sequence[str]) -> tuple[int, ...]:
    """Return the number of pixels of each class, 0 for ignored ones, on which no points are drawn."""
    counts = pixels_by_class(prediction, indices, len(classes))
    return tuple(0 if is_ignored_class(name) else n for name, n in zip(classes, counts, strict=True))


def _names(images: Sequence[str] | str | None, snapshot: ProjectSnapshot, source: Source) -> list[str]:
    """Return the names of the images to draw points on."""
    available = list(snapshot.images) if source.classifier is not None else list(source.predictions)
    if images is None:
        names = available
    elif isinstance(images, str) and images in ROLES and images not in snapshot.images:
        names = [name for name in snapshot.images if snapshot.roles[name] == images]
        if not names:
            raise AuditError(
                f"No image has the role {images!r}. Give one this role with project.set_role, or pass names."
            )
    else:
        names = list(dict.fromkeys([images] if isinstance(images, str) else images))
    for name in names:
        if name not in snapshot.images:
            raise ImageNameError(
                f"The project has no image named {name!r}; it has {', '.join(snapshot.images) or 'none'}."
            )
        if name not in available:
            raise AuditError(f"There is no prediction of {name!r}. Pass one, or leave the image out.")
    if not names:
        raise AuditError("There is no image to draw points on. Add images to the project, or pass their names.")
    return names


def _earlier(snapshot: ProjectSnapshot, fingerprint: str, names: list[str], n: int, seed: int) -> AuditRecord | None:
    """Return the latest audit that was drawn with the same arguments."""
    for one in reversed(snapshot.audits):
        alike = fingerprint and one.fingerprint == fingerprint and one.classes == snapshot.classes
        if alike and not one.annotated and (len(one.points), one.seed) == (n, seed):
            still_out = all(unreadable(snapshot.images[name]) for name in one.left_out if name in snapshot.images)
            if {*one.pixels, *one.left_out} == set(names) and still_out:
                return one
    return None


def _record(
    snapshot: ProjectSnapshot,
    source: Source,
    pixels: dict[str, tuple[int, ...]],
    drawn: list[Place],
    left_out: dict[str, str],
    seed: int,
) -> AuditRecord:
    points = [AuditPoint(i, p.image_name, p.x, p.y, snapshot.classes[p.predicted]) for i, p in enumerate(drawn)]
    return AuditRecord(
        id=uuid.uuid4().hex,
        time=time.time(),
        seed=int(seed),
        classes=snapshot.classes,
        pixels=pixels,
        points=tuple(points),
        classifier=source.name,
        fingerprint=source.fingerprint,
        left_out=left_out,
    )
