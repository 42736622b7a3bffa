"""Gather what a report says, step by step."""

import logging
import platform
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets._durations import roughly
from histowidgets._versions import versions
from histowidgets.advice import Advice, evidence_text
from histowidgets.annotations import Project, is_ignored_class
from histowidgets.errors import (
    AuditError,
    ClassifierError,
    HistowidgetsError,
    PredictionCancelled,
    PredictionError,
    ReportCancelled,
)
from histowidgets.images import Image
from histowidgets.prediction import (
    Audit,
    AuditResults,
    Calibration,
    PredictionResults,
    measure_calibration,
    open_prediction,
)
from histowidgets.reporting._charts import Chart, charts_of
from histowidgets.reporting._methods import methods
from histowidgets.reporting._pictures import Picture, annotated_picture, plain_picture, predicted_picture, swatches
from histowidgets.reporting._run_facts import RunFacts, facts_of_run, facts_of_stored
from histowidgets.training import TrainingSettings
from histowidgets.training.storage import read_run, run_folders

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier
    from histowidgets.training import Run

log = logging.getLogger("histowidgets")

#: Most pictures in each section; the tables hold all images.
MOST_PICTURES = 24
#: Largest image, in pixels, that is predicted for the report if no prediction of it is on disk.
LARGEST_PREDICTED = 4_000_000
SEVERITY = {"stop": "Stop", "warning": "Warning", "info": "Note", "good": "Good"}

Tell = Callable[[str], None]


@dataclass
class ImageRow:
    """An image in a report: its properties in words, its annotations by class, and a picture."""

    name: str
    size: str
    pixel_size: str
    channels: str
    role: str
    counts: dict[str, int]
    picture: Picture | None = None
    held_out: bool = False
    problem: str = ""


@dataclass
class PredictionRow:
    """The prediction of an image: where it is from, areas and shares by class, and a picture.

    Ignored classes have no areas; `ignored` says whether there are some.
    """

    name: str
    source: str
    unit: str
    areas: list[tuple[str, str, str]]
    ignored: bool = False
    picture: Picture | None = None


@dataclass
class AuditSection:
    """An audit with judgements."""

    when: str
    classifier: str
    progress: str
    results: AuditResults


@dataclass
class RunRow:
    """A row of the table of runs."""

    id: str
    started: str
    epochs: int
    seconds: str
    miou: str
    reported: bool


@dataclass
class Content:
    """All that a report says; the template only arranges it."""

    title: str
    written: str
    classes: list[tuple[str, str]]
    images: list[ImageRow] = field(default_factory=list)
    run: RunFacts | None = None
    runs: list[RunRow] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    diagnosis: list[tuple[str, Advice, str]] = field(default_factory=list)
    calibration: Calibration | None = None
    audits: list[AuditSection] = field(default_factory=list)
    predictions: list[PredictionRow] = field(default_factory=list)
    classifier: str = ""
    methods: str = ""
    references: list[str] = field(default_factory=list)
    settings: list[tuple[str, list[tuple[str, str, str, bool]]]] = field(default_factory=list)
    versions: list[tuple[str, str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notebook: str = ""
    all_runs: list[RunFacts] = field(default_factory=list)

    @property
    def n_annotations(self) -> int:
        """Number of annotations, without erasers."""
        return sum(sum(row.counts.values()) for row in self.images)


class Gatherer:
    """Gathers the content of a report.

    Parameters
    ----------
    project : Project
    run : Run or None
        A run in memory to report on; None for the last run in the project's folder.
    classifier : Classifier or None
        What predicts; None for that of the run.
    tell : callable
        Called as each step begins, with its name; may raise ReportCancelled.
    should_stop : callable
        Asked during predictions.
    """

    def __init__(
        self,
        project: Project,
        run: "Run | None",
        classifier: "Classifier | None",
        tell: Tell,
        should_stop: Callable[[], bool],
    ) -> None:
        self._project, self._snapshot = project, project.snapshot()
        self._given_run, self._classifier = run, classifier
        self._tell, self._should_stop = tell, should_stop
        self._readable: dict[str, Any] = {}
        folder = project.folder
        name = "the project in memory" if folder is None else Path(folder).resolve().name
        self.content = Content(
            title=name,
            written=datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            classes=swatches({name: self._snapshot.colors[name] for name in self._snapshot.classes}),
        )

    @staticmethod
    def steps(project: Project) -> int:
        """Return the number of steps, for the progress."""
        return 2 * len(project.image_names) + 4

    def gather(self) -> Content:
        """Gather everything, and return it."""
        content = self.content
        self._tell("reading the runs")
        self._gather_runs()
        for name in self._snapshot.images:
            self._tell(f"drawing {name}")
            self._gather_image(name)
        if not self._snapshot.images:
            content.missing.append("The project has no image.")
        if not content.n_annotations:
            content.missing.append("Nothing was annotated.")
        self._gather_classifier()
        self._tell("checking the probabilities")
        self._gather_calibration()
        for name in self._snapshot.images:
            self._tell(f"predicting {name}")
            self._gather_prediction(name)
        if not content.predictions:
            content.missing.append("There is no prediction, so no areas.")
        self._tell("reading the audits")
        self._gather_audits()
        audit = content.audits[-1].results if content.audits else None
        content.methods, content.references = methods(
            self._snapshot, content.run, self._classifier, audit, len(content.predictions)
        )
        self._gather_versions()
        return content

    # -- runs -------------------------------------------------------------------------------------

    def _gather_runs(self) -> None:
        content, found = self.content, list[RunFacts]()
        folder = self._project.folder
        for path in [] if folder is None else run_folders(Path(folder)):
            try:
                found.append(facts_of_stored(read_run(path), self._snapshot))
            except HistowidgetsError as error:
                content.missing.append(f"The run {path.name} was left out: {error}")
        ended = [one for one in found if one.history and one.best is not None and one.about["state"] != "running"]
        run = ended[-1] if ended else None
        if self._given_run is not None:
            stored = next((one for one in found if one.id == self._given_run.id and one.history), None)
            run = stored or facts_of_run(self._given_run, self._snapshot)
            if run is not None and stored is None:
                found.append(run)
        content.all_runs, content.run = found, run
        for one in found:
            miou = None if one.best is None else one.best["val_miou"]
            content.runs.append(
                RunRow(
                    one.id,
                    one.started_at,
                    len(one.history),
                    roughly(one.seconds) if one.history else "–",
                    "–" if miou is None else f"{miou:.2f}",
                    one is run,
                )
            )
        if run is None:
            content.missing.append("No training has finished, so there are no curves and no scores.")
            return
        content.charts = charts_of(run.history, None if run.best is None else run.best["epoch"])
        content.diagnosis = [(SEVERITY[one.severity], one, evidence_text(one)) for one in run.diagnosis()]
        content.settings = _settings(run.settings)
        if not run.scores():
            content.missing.append("No label was held out, so the run has no score.")
        if not run.labels_known:
            content.missing.append("The run did not record its annotations; those shown are the present ones.")

    def _gather_classifier(self) -> None:
        content = self.content
        if self._classifier is None and content.run is not None:
            try:
                self._classifier = self._trained(content.run)
            except HistowidgetsError as error:
                content.missing.append(f"The classifier of the run cannot be used: {error}")
        classifier = self._classifier
        if classifier is None:
            content.missing.append("There is no classifier.")
            return
        kinds = {"network": "a network", "quick": "the quick learner", "mean": "a network and the quick learner"}
        name = f" ({classifier.name})" if classifier.name else ""
        content.classifier = f"{kinds.get(classifier.kind, classifier.kind)}{name}"

    def _gather_calibration(self) -> None:
        """Compare the probabilities with the labels that the run held out."""
        run, classifier = self.content.run, self._classifier
        if run is None or classifier is None or not classifier.trained_on.get("held_out"):
            return
        try:
            self.content.calibration = measure_calibration(classifier, run.labels)
        except ClassifierError:
            return  # no label was held out, which the report says
        except (HistowidgetsError, OSError) as error:
            self.content.missing.append(f"The probabilities were not checked: {error}")

    def _trained(self, run: RunFacts) -> "Classifier | None":
        """Return the classifier of the reported run."""
        given = self._given_run
        if given is not None and given.id == run.id and given.classifier is not None:
            return given.classifier
        folder = self._project.folder
        if folder is None:
            return None
        from histowidgets.training.runs import read_classifier

        return read_classifier(read_run(Path(folder) / "runs" / run.id), self._snapshot)

    # -- images -------------------------------------------------------------------------------------

    def _gather_image(self, name: str) -> None:
        image, snapshot, run = self._snapshot.images[name], self._snapshot, self.content.run
        annotations = snapshot.annotations[name]
        counted = Counter(one.class_name for one in annotations if one.class_name is not None)
        held = () if run is None else run.split.held_out.get(name, ())
        row = ImageRow(
            name=name,
            size=f"{image.width:,} × {image.height:,} px",
            pixel_size="unknown" if image.pixel_size_um is None else f"{image.pixel_size_um:.3g} µm",
            channels=", ".join(image.channel_names),
            role={"both": "training and validation", "train": "training"}.get(snapshot.roles[name], "validation"),
            counts={one: counted[one] for one in snapshot.classes},
            held_out=bool(held),
        )
        self.content.images.append(row)
        if len(self._readable) >= MOST_PICTURES:
            return
        try:
            pixels = plain_picture(image)
            row.picture = annotated_picture(image, pixels, annotations, snapshot.colors, held)
        except (HistowidgetsError, OSError) as error:
            row.problem = f"left out: {error}"
            self.content.missing.append(f"The image {name} cannot be read and was left out: {error}")
            return
        self._readable[name] = pixels

    # -- predictions ------------------------------------------------------------------------------------

    def _gather_prediction(self, name: str) -> None:
        image = self._snapshot.images[name]
        if any(row.name == name and row.problem for row in self.content.images):
            return
        try:
            found = self._prediction(name, image)
        except PredictionCancelled as error:
            raise ReportCancelled("The report was cancelled; nothing was written.") from error
        except (HistowidgetsError, OSError) as error:
            self.content.missing.append(f"{name} was not predicted: {error}")
            return
        if found is None:
            return
        prediction, source = found
        measured, unit = prediction.measurements(), "µm²" if prediction.pixel_size_um else "px²"
        key = "um2" if prediction.pixel_size_um else "px2"
        areas = [
            (c, f"{measured[f'{c} area ({key})']:,.0f}", f"{measured[f'{c} (%)']:.1f}")
            for c in prediction.classes
            if not is_ignored_class(c)
        ]
        row = PredictionRow(name, source, unit, areas, len(areas) < len(prediction.classes))
        if name in self._readable:
            row.picture = predicted_picture(image, self._readable[name], prediction)
        self.content.predictions.append(row)

    def _prediction(self, name: str, image: Image) -> tuple[PredictionResults, str] | None:
        """Return the prediction of an image and where it is from: from disk, or else made now."""
        is_small = image.width * image.height <= LARGEST_PREDICTED
        stored = self._stored(name)
        if stored is not None:
            found, source, written_at = stored
            why = self._why_not_its_own(written_at)
            if not why:
                return found, source
            if self._classifier is None or not is_small:
                self.content.missing.append(
                    f"The prediction of {name} on disk is {why}, so it may be by another classifier and is left out. "
                    "Predict the image with the reported classifier, and make the report again."
                )
                return None
        if self._classifier is None:
            return None
        if not is_small:
            self.content.missing.append(
                f"{name} is large and has not been predicted. Predict it in the studio (Results, Predict), or with "
                "Classifier.predict_to, and make the report again."
            )
            return None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            prediction = self._classifier.predict(image, should_stop=self._should_stop)
        self.content.missing += [f"{name}: {one.message}" for one in caught if issubclass(one.category, UserWarning)]
        return prediction, f"predicted for this report by {self.content.classifier}"

    def _why_not_its_own(self, written_at: float) -> str:
        """Return why a prediction that was written at a time (seconds since 1970) may not be the run's own, or ""."""
        run = self.content.run
        if run is None or not run.started:
            return ""
        began = _seconds(run.started)
        if began > written_at:
            return "older than the reported training"
        later = [_seconds(one.started) for one in self.content.all_runs if one.started]
        if any(began < other <= written_at for other in later):
            return "from after a later training"
        return ""

    def _stored(self, name: str) -> tuple[PredictionResults, str, float] | None:
        """Return the newest complete prediction of a whole image in the project's folder, its source and its time."""
        folder = self._project.folder
        if folder is None:
            return None
        paths = sorted((Path(folder) / "predictions").glob("*.zarr"), key=lambda path: path.stat().st_mtime)
        for path in reversed(paths):
            try:
                found = open_prediction(path)
            except PredictionError:
                continue
            if found.image_name == name and found.complete and found.region == self._snapshot.images[name].region:
                seconds = path.stat().st_mtime
                when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
                return found, f"from disk ({path.name}, written {when})", seconds
        return None

    # -- the rest ---------------------------------------------------------------------------------------

    def _gather_audits(self) -> None:
        for record in self._snapshot.audits:
            if not record.judgements:
                continue
            try:
                results = Audit(self._project, record.id).results()
            except AuditError as error:
                self.content.missing.append(f"An audit has no numbers: {error}")
                continue
            self.content.audits.append(
                AuditSection(
                    datetime.fromtimestamp(record.time, UTC).strftime("%Y-%m-%d"),
                    record.classifier,
                    f"{len(record.judgements)} of {len(record.points)} points judged, seed {record.seed}",
                    results,
                )
            )
        if not self.content.audits:
            self.content.missing.append("No audit was made, so the accuracy on tissue without labels is not known.")

    def _gather_versions(self) -> None:
        now = {**versions(), "platform": platform.platform(), "processor": platform.machine()}
        run = self.content.run
        then = {} if run is None else dict(run.about.get("versions", {}))
        self.content.versions = [(name, then.get(name, "–"), version) for name, version in now.items()]


def _seconds(time: str) -> float:
    """Return a time in seconds since 1970."""
    return datetime.fromisoformat(time).timestamp()


def _settings(settings: TrainingSettings) -> list[tuple[str, list[tuple[str, str, str, bool]]]]:
    """Return (name, value, unit, whether it differs from the default) of each setting, by section of the form."""
    sections: dict[str, list[tuple[str, str, str, bool]]] = {}
    for name, described in TrainingSettings.model_fields.items():
        extra: Any = described.json_schema_extra or {}
        value = getattr(settings, name)
        text = (
            "none"
            if value in (None, (), {})
            else ", ".join(map(str, value))
            if isinstance(value, tuple)
            else str(value)
        )
        row = (name, text, str(extra.get("unit", "")), value != described.default)
        sections.setdefault(str(extra.get("section", "")), []).append(row)
    return list(sections.items())
