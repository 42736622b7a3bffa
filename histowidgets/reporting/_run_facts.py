"""What is known about a run: from its folder, or from the run itself if it is in memory only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from histowidgets.advice import Advice, diagnose, held_out_counts, likely_range, strokes_of_mean
from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.errors import AdviceError
from histowidgets.training import EpochRecord, Run, TrainingSettings, what_differs
from histowidgets.training.storage import StoredRun, read_labels


@dataclass(frozen=True)
class ScoreRow:
    """The score of a class on held-out labels.

    Attributes
    ----------
    name : str
    iou : float or None
        None if no label of the class was held out.
    likely : (float, float) or None
        Its 95 % range; None if it is unknown.
    strokes : int or None
        Number of held-out annotations; None if unknown.
    pixels : int or None
        Number of held-out labelled pixels.
    """

    name: str
    iou: float | None
    likely: tuple[float, float] | None
    strokes: int | None
    pixels: int | None


@dataclass(frozen=True)
class RunFacts:
    """A run, as a report tells of it.

    Attributes
    ----------
    id, started : str
        `started` is in ISO 8601; "" if unknown.
    settings : TrainingSettings
    history : sequence of EpochRecord
    best : EpochRecord or None
        The epoch whose weights were kept.
    confusion : list of list of int, or None
    classes : list of str
    network : mapping
        Architecture, backbone and so on; empty if unknown.
    weights : str
        What the network started from; "" if unknown.
    about : mapping
        The other entries of ``run.json``; empty for a run in memory.
    labels : ProjectSnapshot
        What it was trained on: as recorded or, if that is not known, as the project is now.
    labels_known : bool
        Whether it was recorded.
    changed : bool
        Whether the annotations of the project have changed since.
    split : Split
        What was held out.
    inexact : tuple of str
        Why a repetition may not reach the same weights.
    """

    id: str
    settings: TrainingSettings
    history: Sequence[EpochRecord]
    best: EpochRecord | None
    confusion: list[list[int]] | None
    classes: list[str]
    labels: ProjectSnapshot
    split: Split
    started: str = ""
    network: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    labels_known: bool = True
    changed: bool = False
    inexact: tuple[str, ...] = ()

    @property
    def started_at(self) -> str:
        """When it started, in words; "" if unknown."""
        return self.started.replace("T", " ").replace("+00:00", " UTC")

    @property
    def seconds(self) -> float:
        """Training time without pauses."""
        return float(self.history[-1]["seconds"] or 0.0) if self.history else 0.0

    @property
    def steps(self) -> int | None:
        """Number of optimizer steps; None if unknown."""
        steps: int | None = self.about.get("steps")
        return steps

    @property
    def continued_from(self) -> str | None:
        """The run that it continued from; "" if it is unknown which, None if it did not."""
        start = self.about.get("start")
        return None if start is None else str(start["run"])

    def held_out_strokes(self) -> dict[str, int]:
        """Return the number of held-out annotations of each class."""
        return held_out_counts(self.labels, self.split)

    def scores(self) -> list[ScoreRow]:
        """Return the mean over the classes, then each class; empty if nothing was scored."""
        best = self.best
        if best is None or best["val_miou"] is None:
            return []
        strokes = self.held_out_strokes() if self.labels_known else {}
        pixels = [sum(row) for row in self.confusion] if self.confusion else None
        rows = []
        for k, (name, iou) in enumerate(best["val_iou"].items()):
            count = strokes.get(name) if strokes else None
            likely = None if iou is None or not count else likely_range(min(max(iou, 0.0), 1.0), count)
            rows.append(ScoreRow(name, iou, likely, count, pixels[k] if pixels and k < len(pixels) else None))
        of_all = strokes_of_mean(row.strokes or 0 for row in rows if row.iou is not None) if strokes else 0.0
        mean = min(max(best["val_miou"], 0.0), 1.0)
        total = sum(strokes.values()) if strokes else None
        all_pixels = sum(pixels) if pixels else None
        return [ScoreRow("mean (mIoU)", best["val_miou"], likely_range(mean, of_all), total, all_pixels), *rows]

    def diagnosis(self) -> list[Advice]:
        """Return what the curves mean."""
        confusion = None
        if self.confusion and len(self.confusion) == len(self.classes):
            confusion = {
                true: {name: float(n) for name, n in zip(self.classes, row, strict=True)}
                for true, row in zip(self.classes, self.confusion, strict=True)
            }
        try:
            return diagnose(
                self.history,
                self.settings,
                confusion=confusion,
                held_out_strokes=(self.held_out_strokes() if self.labels_known else None) or None,
            )
        except AdviceError:
            return []


def facts_of_stored(stored: StoredRun, project: ProjectSnapshot) -> RunFacts:
    """Return what the folder of a run says.

    Raises
    ------
    TrainingError
        A file is damaged.
    """
    recorded, about = read_labels(stored.folder), stored.about
    labels, changed = project, False
    if recorded is not None:
        known = {name: some for name, some in recorded.annotations.items() if name in project.images}
        images = {name: project.images[name] for name in known}
        labels = ProjectSnapshot(recorded.classes, recorded.colors, images, recorded.roles, known)
        now = {name: some for name, some in project.annotations.items() if some}
        changed = now != {name: some for name, some in recorded.annotations.items() if some}
    return RunFacts(
        id=stored.id,
        settings=stored.settings,
        history=stored.history,
        best=stored.best,
        confusion=stored.confusion,
        classes=list(about["classes"]),
        labels=labels,
        split=Split.from_dict({"held_out": about["held_out"], "messages": []}),
        started=about["started"],
        network=about["network"],
        weights=about["weights"],
        about=about,
        labels_known=recorded is not None,
        changed=changed,
        inexact=tuple(what_differs(stored)),
    )


def facts_of_run(run: Run, project: ProjectSnapshot) -> RunFacts | None:
    """Return what a run in memory says; None if it has no settings or no epoch yet."""
    if run.settings is None or not run.history:
        return None
    scores, classifier = run.scores, run.classifier
    best = next((record for record in run.history if record["epoch"] == run.best_epoch), None)
    described: Mapping[str, Any] = {}
    if classifier is not None and classifier.kind == "network":
        described = classifier.model.spec()
    about: dict[str, Any] = {}
    if classifier is not None:
        about["normalization"] = classifier.normalization.to_dict()
        about["pixel_size_um"] = classifier.pixel_size_um
    split: Split = getattr(run, "split", None) or Split({})
    labels: ProjectSnapshot | None = getattr(run, "snapshot", None)
    return RunFacts(
        id=run.id,
        settings=run.settings,
        history=run.history,
        best=best,
        confusion=scores.get("confusion"),
        classes=list(run.history[-1]["val_iou"]) or list(project.classes),
        labels=labels or project,
        labels_known=labels is not None,
        changed=labels is not None and labels.annotations != project.annotations,
        split=split,
        network=described.get("network", {}),
        weights=str(described.get("weights_used", "")),
        about=about,
    )
