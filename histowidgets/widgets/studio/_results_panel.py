"""The scores and areas of the prediction that is shown, and the files to save: classifier, labels, objects, tables."""

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from histowidgets._io import file_stem
from histowidgets.errors import HistowidgetsError
from histowidgets.images import Image
from histowidgets.prediction import Classifier
from histowidgets.widgets.common import Disclosure, TaskQueue, full_width, observe
from histowidgets.widgets.live_prediction import ON_DISK, LearnerAnswer, LivePrediction
from histowidgets.widgets.studio._object_options import ObjectOptions
from histowidgets.widgets.studio._objects_panel import ObjectsPanel, ShowOutlines
from histowidgets.widgets.studio._state import StudioState

LEARNERS = [
    ("the best prediction", "best"),
    ("network and quick learner", "both"),
    ("the network", "network"),
    ("the quick learner", "quick"),
]
#: Share of pixels that may change their class when the image is moved, before there is advice.
MOST_CHANGED = 0.03
_PREDICTED = ("the saved prediction", ON_DISK)


def _table(answer: LearnerAnswer, background: tuple[str, ...]) -> str:
    """Return an HTML table of each class's score (IoU) in the test area, area, and share of the area."""
    prediction = answer.prediction
    unit = "µm²" if prediction.pixel_size_um else "px²"
    measured = prediction.measurements(background)
    rows = []
    for name in prediction.classes:
        if f"{name} (%)" not in measured:  # an ignored class
            continue
        iou = answer.class_scores.get(name)
        area = measured[f"{name} area ({'um2' if prediction.pixel_size_um else 'px2'})"]
        cells = [_score(iou, answer.likely(name)), f"{area:,.0f} {unit}", f"{measured[f'{name} (%)']:.1f} %"]
        if background:
            share = measured.get(f"{name} (% of tissue)")
            cells.append("–" if share is None else f"{share:.1f} %")
        rows.append((name, cells))
    more = [""] if background else []
    rows.append(("all", [_score(answer.score, answer.likely()), "", "", *more]))
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    titles = ["score", "area", "share", *(["of tissue"] if background else [])]
    head = "<tr><td></td>" + "".join(f"<th scope='col'>{title}</th>" for title in titles) + "</tr>"
    region = prediction.region
    where = f"{prediction.image_name}: {region.width:,} × {region.height:,} px"
    caption = f"{escape(answer.about)}<br><small>{escape(where)}</small>"
    return f"<table class='hw-table'><caption>{caption}</caption>{head}{body}</table>"


def _score(score: float | None, likely: tuple[float, float] | None) -> str:
    """Return a score with its probable range, as HTML."""
    if score is None:
        return "–"
    return f"{score:.2f}" + ("" if likely is None else f"<br><small>{likely[0]:.2f}–{likely[1]:.2f}</small>")


def _shifts(answer: LearnerAnswer) -> str:
    """Return a sentence about how much the prediction changes when the image is moved; "" if not measured yet."""
    if answer.changed_by_shifts is None:
        return ""
    advice = ""
    if answer.changed_by_shifts > MOST_CHANGED:
        advice = " Areas depend on where the tiles lie: paint more strokes, or train longer."
    return (
        "<p class='hw-quiet hw-shifts'>Moving the image by a few pixels changes the class of "
        f"{100 * answer.changed_by_shifts:.1f} % of the pixels.{advice}</p>"
    )


class ResultsPanel(ipywidgets.VBox):
    """Scores and areas of the prediction that is shown; `files` holds the controls that save files.

    Parameters
    ----------
    state
        Has the annotations to measure, and the folder for files, which this panel can change.
    live
        Has the prediction that is shown, and can switch to another learner's.
    show_outlines
        Outlines objects on the picture.

    Attributes
    ----------
    objects : ObjectsPanel
        Counts objects; shown below this panel.
    """

    def __init__(
        self, state: StudioState, live: LivePrediction, show_outlines: ShowOutlines = lambda objects, image_name: None
    ) -> None:
        self._state, self._live = state, live
        self.tasks = TaskQueue("save", self._say)
        self._learner = ipywidgets.Dropdown(options=LEARNERS, description="Show", tooltip="Which prediction to show")
        self._learner.observe(self._learner_chosen, names="value")
        self._numbers = ipywidgets.HTML()
        super().__init__([self._learner, self._numbers])
        self.add_class("hw-section")
        self.fields = ObjectOptions(self.refresh)
        self.objects = ObjectsPanel(state, self.fields, show_outlines)
        self._folder = full_width(
            ipywidgets.Text(
                value=str(state.folder),
                description="Save to",
                continuous_update=False,
                tooltip="Folder for the classifier and the files; created if missing",
            )
        )
        self._folder.observe(self._folder_entered, names="value")
        self._unobserve = observe(state, "folder", lambda change: setattr(self._folder, "value", str(change["new"])))
        self._actions = {text: (tip, action) for text, tip, action in self._files()}
        self._what = full_width(
            ipywidgets.Dropdown(options=list(self._actions), description="What", tooltip="What to save")
        )
        self._what.observe(lambda _: self._show_tip(), names="value")
        self._save = ipywidgets.Button(description="Save", icon="save", button_style="primary")
        self._save.on_click(lambda _: self._save_chosen())
        self._tip, self._said = ipywidgets.HTML(), ipywidgets.HTML("<p class='hw-quiet hw-said-here'></p>")
        options = Disclosure(
            "Objects and tissue", [self.fields], "What counts as an object, and which class is background"
        )
        title = ipywidgets.HTML("<h4 class='hw-title'>Save</h4>")
        self.files = ipywidgets.VBox([title, self._what, self._tip, self._folder, self._save, self._said, options])
        self.files.add_class("hw-section")
        self.files.add_class("hw-files")
        self._show_tip()
        self.refresh()

    def _files(self) -> list[tuple[str, str, Callable[[], Path | str]]]:
        """Return the name, the description and the function of each thing that can be saved."""
        return [
            ("Classifier", "Weights, classes and normalization, for Classifier.load.", self.save_classifier),
            (
                "Classifier for QuPath",
                "The network, without the quick learner, for QuPath's DL pixel classifier extension.",
                self.qupath,
            ),
            ("Classifier as ONNX", "The network, without the quick learner, for other programs.", self.save_onnx),
            (
                "Classifier for BioImage.IO",
                "The network, without the quick learner, as a model package for ilastik, deepImageJ and others.",
                self.save_bioimage,
            ),
            ("Labels (PNG)", "The label map that is shown, with the class colours.", self.save_png),
            (
                "Labels (OME-TIFF)",
                "The labels with pixel size, tiled; pyramidal if predicted to disk.",
                self.save_tiff,
            ),
            (
                "Objects (GeoJSON)",
                "The predicted areas with measurements, for QuPath.",
                self.save_geojson,
            ),
            ("Objects (CSV)", "One row per object: area, shape, probability, mean of each channel.", self.save_objects),
            (
                "Objects (label image)",
                "An OME-TIFF with a number for each object, and a table of them, for napari and scikit-image.",
                self.save_object_labels,
            ),
            ("Objects (GeoPackage)", "The predicted areas with measurements, for GIS programs.", self.save_geopackage),
            ("Objects (Parquet)", "The same as GeoParquet, for many objects.", self.save_parquet),
            (
                "Measurements (CSV)",
                "Area and share of each class, and its objects if they are counted; also inside each annotation.",
                self.save_measurements,
            ),
        ]

    def _show_tip(self) -> None:
        tip, _ = self._actions[self._what.value]
        self._tip.value = f"<p class='hw-quiet hw-tip'>{escape(tip)}</p>"
        self._save.tooltip = tip

    def _save_chosen(self) -> None:
        what = str(self._what.value)
        _, action = self._actions[what]
        self.tasks.submit(f"{what}: writing…", lambda: f"Saved {action()}", failed="Not saved: ")

    def _say(self, text: str, level: str) -> None:
        """Show the result of a save beside the button."""
        self._state.answered(text, level)
        self._said.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{escape(text)}</p>"

    def refresh(self) -> None:
        """Show the numbers of the prediction on the canvas."""
        answer = self._live.best
        self._show_learners(answer)
        if answer is None:
            self.objects.follow(None)
            self._numbers.value = "<p class='hw-quiet'>Nothing predicted yet: paint at least two classes.</p>"
            return
        self.fields.offer(answer.prediction.classes)
        hint = "" if answer.score is not None else "<p class='hw-quiet'>A score appears after training.</p>"
        warning = f"<p class='hw-quiet hw-unlike' role='note'>{escape(answer.warning)}</p>" if answer.warning else ""
        self._numbers.value = _table(answer, self.fields.background) + hint + _shifts(answer) + warning
        self.objects.follow(answer.prediction)

    def _show_learners(self, answer: LearnerAnswer | None) -> None:
        """Offer the prediction on disk if there is one, and mark the learner that is shown."""
        wanted = self._live.wanted
        options = [*LEARNERS, _PREDICTED] if wanted == ON_DISK or self._live.has_prediction_on_disk else LEARNERS
        if list(self._learner.options) != options:
            self._learner.unobserve(self._learner_chosen, names="value")
            self._learner.options, self._learner.value = options, wanted
            self._learner.observe(self._learner_chosen, names="value")
        elif self._learner.value != wanted:
            self._learner.value = wanted

    def _learner_chosen(self, change: dict[str, str]) -> None:
        if change["new"] != self._live.wanted:
            self._live.show_learner(change["new"])

    def _folder_entered(self, change: dict[str, str]) -> None:
        self._state.folder = Path(change["new"].strip() or ".").expanduser()

    # -- files ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish writing files, and close the widgets."""
        self._unobserve()
        self.tasks.close()
        self.objects.close()
        super().close()

    def _needed(self) -> LearnerAnswer:
        answer = self._live.best
        if answer is None:
            raise HistowidgetsError("There is no prediction yet: paint at least two classes first.")
        return answer

    def _network(self) -> Classifier:
        """Return the network that is shown or was trained last, since other programs cannot read the quick learner."""
        shown = self._needed()
        for answer in (shown, self._live.answer_of("network")):
            network = None if answer is None else answer.classifier.network
            if network is not None:
                return network
        return shown.classifier

    def _following(self, text: str) -> dict[str, Any]:
        """Return arguments that make an export report its steps, and stop when the studio is closed."""

        def report(done: int, total: int, step: str) -> None:
            if done < total:
                self._state.notify(f"{text}: {step} (step {done + 1} of {total})…")

        return {"progress": report, "should_stop": lambda: self.tasks.is_closing}

    def _file(self, ending: str) -> Path:
        self._state.folder.mkdir(parents=True, exist_ok=True)
        return self._state.folder / f"{file_stem(self._state.image_name)}{ending}"

    def save_classifier(self) -> str:
        """Save the classifier that is shown in ``classifier/`` of the folder; return a description and the path."""
        answer, target = self._needed(), self._state.folder / "classifier"
        classifier = answer.classifier
        if answer.changed_by_shifts is not None:  # part of what is known about the classifier
            scores = {**classifier.scores, "changed_by_shifts": round(answer.changed_by_shifts, 5)}
            classifier = Classifier(replace(classifier.spec, scores=scores))
        classifier.save(target)
        return f"the classifier that is shown, {answer.caption}: {target}"

    def qupath(self) -> Path:
        """Write the network for the QuPath extension into ``for_qupath/`` of the chosen folder."""
        target = self._state.folder / "for_qupath"
        self._network().export_qupath(target, **self._following("For QuPath"))
        return target

    def save_onnx(self) -> Path:
        """Write the network as ``classifier.onnx``."""
        network = self._network()
        self._state.folder.mkdir(parents=True, exist_ok=True)
        target = self._state.folder / "classifier.onnx"
        network.export_onnx(target, **self._following("ONNX"))
        return target

    def save_bioimage(self) -> Path:
        """Write the network as ``classifier.bioimage.io.zip``, without pictures, since it may be published."""
        network = self._network()
        self._state.folder.mkdir(parents=True, exist_ok=True)
        target = self._state.folder / "classifier.bioimage.io.zip"
        network.export_bioimage(target, **self._following("BioImage.IO"))
        return target

    def save_png(self) -> Path:
        """Save the label map that is shown as a PNG in the class colours."""
        answer, path = self._needed(), self._file("_labels.png")
        answer.prediction.save_png(path)
        return path

    def save_tiff(self) -> Path:
        """Save the label map that is shown as OME-TIFF."""
        answer, path = self._needed(), self._file("_labels.ome.tif")
        found = answer.prediction
        found.save_ome_tiff(path, probabilities=found.pyramid and found.has_probabilities)
        return path

    def save_geojson(self) -> Path:
        """Save the predicted areas as GeoJSON that QuPath reads."""
        answer, path = self._needed(), self._file("_prediction.geojson")
        answer.prediction.save_geojson(path, image=self._image(answer), **self.fields.objects)
        return path

    def save_objects(self) -> Path:
        """Save the predicted areas as a table."""
        answer, path = self._needed(), self._file("_objects.csv")
        answer.prediction.save_csv(path, image=self._image(answer), **self.fields.objects)
        return path

    def save_object_labels(self) -> Path:
        """Save the predicted areas as a label image with a table."""
        answer, path = self._needed(), self._file("_objects.ome.tif")
        answer.prediction.save_object_labels(path, image=self._image(answer), **self.fields.objects)
        return path

    def save_geopackage(self) -> Path:
        """Save the predicted areas as GeoPackage."""
        answer, path = self._needed(), self._file("_objects.gpkg")
        answer.prediction.save_geopackage(path, image=self._image(answer), **self.fields.objects)
        return path

    def save_parquet(self) -> Path:
        """Save the predicted areas as GeoParquet."""
        answer, path = self._needed(), self._file("_objects.parquet")
        answer.prediction.save_parquet(path, image=self._image(answer), **self.fields.objects)
        return path

    def _image(self, answer: LearnerAnswer) -> Image | None:
        """Return the image of a prediction, to measure its channels; None if it was removed."""
        project, name = self._state.project, answer.prediction.image_name
        return project.image(name) if name in project.image_names else None

    def save_measurements(self) -> Path:
        """Save the predicted area of each class, in total and inside each annotation, as a table."""
        answer, path = self._needed(), self._file("_measurements.csv")
        annotations = self._state.project.annotations(self._state.image_name)
        objects = answer.prediction.objects(**self.fields.objects) if self.objects.active else None
        answer.prediction.save_measurements(path, annotations, self.fields.background, objects)
        return path
