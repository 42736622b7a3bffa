"""The studio: paint, predict, train, watch, correct and save on one screen."""

import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.annotations import Change, Project, Split
from histowidgets.errors import HistowidgetsError, ImageNameError
from histowidgets.images import Region
from histowidgets.prediction import Classifier, PredictionResults
from histowidgets.training import EpochEnded, RunEnded, RunStarted, TrainingSettings
from histowidgets.widgets.audit import AuditPanel
from histowidgets.widgets.canvas import AnnotationCanvas, DisplayPanel
from histowidgets.widgets.common import StaticOutput, close_tree, colab_pulse, observe, style_widget
from histowidgets.widgets.live_prediction import LivePrediction
from histowidgets.widgets.monitor import LossMonitor
from histowidgets.widgets.settings import NormalizationFold, SettingsForm, SettingsTab
from histowidgets.widgets.studio._accept_panel import AcceptPanel
from histowidgets.widgets.studio._annotation_list import AnnotationList
from histowidgets.widgets.studio._annotation_rows import AnnotationRow
from histowidgets.widgets.studio._audit_view import AuditView
from histowidgets.widgets.studio._calibration_panel import CalibrationPanel
from histowidgets.widgets.studio._class_panel import ClassPanel
from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._last_session import ViewFile
from histowidgets.widgets.studio._log_panel import LogPanel
from histowidgets.widgets.studio._next_panel import NextPanel
from histowidgets.widgets.studio._open_project import extend, forget, open_project
from histowidgets.widgets.studio._page_size import PageSize
from histowidgets.widgets.studio._predict_panel import PredictPanel
from histowidgets.widgets.studio._project_panel import ProjectPanel
from histowidgets.widgets.studio._report_panel import ReportPanel
from histowidgets.widgets.studio._results_panel import ResultsPanel
from histowidgets.widgets.studio._review_panel import ReviewPanel
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._still import studio_html
from histowidgets.widgets.studio._tiles_panel import TilesPanel
from histowidgets.widgets.studio._tour import Tour, TourFacts
from histowidgets.widgets.studio._train_panel import TrainPanel
from histowidgets.widgets.studio._trials_panel import TrialsPanel

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import TrainingRun

#: Names of architectures as captions show them.
ARCHITECTURE_NAMES = {"unet": "U-Net", "unetplusplus": "U-Net++", "deeplabv3plus": "DeepLabV3+", "fpn": "FPN"}

_closing = threading.Lock()
_open_studios: "weakref.WeakValueDictionary[int, Studio]" = weakref.WeakValueDictionary()


class Studio(ipywidgets.VBox):
    """One screen for the whole loop: the picture with its tools, and beside it classes, training and results.

    Running a cell again shows the same project again. It is found by its folder or, for a project without a folder,
    by its images and classes within this kernel. An active run continues.

    Parameters
    ----------
    images
        An array, a path, an `Image`, a list of them, or a `Project`.
    classes
        Names of the classes, at least two to train; needed for a new project.
    folder
        Where to keep the project on disk; None keeps it in the memory of the kernel.
    settings
        How to train; the preset "cpu" by default.
    fresh
        Ignore annotations that this kernel remembers for the same images and classes.
    annotator
        Name of the person who paints, stored with each new annotation; None keeps that of the project.

    Attributes
    ----------
    project : Project
        The images, classes and annotations.
    canvas : AnnotationCanvas
        The picture with its tools.
    form : SettingsForm
        The settings of the next run.

    Raises
    ------
    ImageError, ClassNameError, ProjectFolderError
        If an image cannot be used, the classes are invalid, or the folder cannot be written.

    Examples
    --------
    >>> import histowidgets as hw
    >>> studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"])
    >>> studio.close()
    """

    _closed = True  # until it is built: Python also closes a widget whose construction failed

    def __init__(
        self,
        images: Any = None,
        classes: Sequence[str] | None = None,
        folder: str | Path | None = None,
        *,
        settings: TrainingSettings | None = None,
        fresh: bool = False,
        annotator: str | None = None,
    ) -> None:
        self._closes_project = not isinstance(images, Project)  # a project that was passed in stays open
        same = _studio_on(folder)
        if same is None:
            self.project, found = open_project(images, classes, folder, fresh)
        else:
            self.project, found = extend(same.project, images, classes)
            self._closes_project = same._closes_project
        if annotator is not None:
            self.project.annotator = annotator
        if not self.project.image_names:
            raise ImageNameError("The project has no image yet. Add one with project.add_image(…).")
        self._split: Split | None = None
        self._static_output = StaticOutput("Studio", lambda: studio_html(self.canvas, self.monitor), "picture")
        self._build(settings or TrainingSettings.preset("cpu"))
        self._connect()
        super().__init__([style_widget("studio/style", "common/panels"), self._page_size, *colab_pulse(), self._screen])
        self.add_class("hw-studio")
        self._closed = False
        earlier = _open_studios.get(id(self.project))
        if earlier is None:
            self._view_file.restore()
            self._training.last_run.look()
        else:
            self._take_over(earlier)
        _open_studios[id(self.project)] = self
        if found:
            self.notify(found)
        self._live.refresh()

    # -- public ------------------------------------------------------------------------------------

    @property
    def run(self) -> "TrainingRun | None":
        """The run that is active, or the last one."""
        run: TrainingRun | None = self._state.run
        return run

    @property
    def runs(self) -> list[Any]:
        """All runs so far, without the weights of all but the last."""
        return list(self._state.runs)

    @property
    def classifier(self) -> Classifier | None:
        """The classifier whose prediction is shown; None if there is none yet."""
        best = self._live.best
        if best is not None:
            return best.classifier
        return None if self.run is None else self.run.classifier

    @property
    def prediction(self) -> PredictionResults | None:
        """The prediction that is shown; None if there is none yet."""
        best = self._live.best
        return None if best is None else best.prediction

    @property
    def monitor(self) -> LossMonitor:
        """The live chart of the run."""
        return self._training.monitor

    @property
    def log(self) -> str:
        """All messages of this studio, the newest last, with the tracebacks of errors."""
        return self._log_panel.text

    def train(self, settings: TrainingSettings | None = None, from_scratch: bool = False) -> "TrainingRun":
        """Start a run in the background, as the Train button does, and return it.

        Parameters
        ----------
        settings
            How to train; the settings of the form by default.
        from_scratch
            Start with new weights instead of those of the last run.

        Raises
        ------
        TrainingDataError
            If there are too few annotations to train on.
        TrainingError
            If a run is active already.
        """
        return self._training.start(settings or self.form.settings, from_scratch)

    def notify(self, text: str, level: str = "info") -> None:
        """Show the user a message at level "info", "good", "warning" or "error", and add it to the log.

        Warnings and errors stay in the box under the classes until they are dismissed. Other messages stay in the
        line under the image until the next edit.
        """
        self._log_panel.add(text)
        if level in ("warning", "error"):
            self._next.say_wrong(text, level)
        else:
            self.canvas.say(text)

    def close(self) -> None:
        """Stop the run (keeping its best epoch) and the workers, and close all widgets.

        A project that the studio opened is closed too, so that it can be opened elsewhere. A project that was passed
        in stays open.
        """
        if self._begins_to_close():
            forget(self.project)
            self._training.end_run()
            self._close(renew=True)
            if self._closes_project:
                self.project.close()

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._static_output.show(self._repr_mimebundle_(**kwargs))

    def _begins_to_close(self) -> bool:
        """Return whether this is the first call, since two threads may close at the same moment."""
        with _closing:
            first, self._closed = not self._closed, True
        return first

    def _close(self, renew: bool) -> None:
        self._static_output.close(renew=renew)
        if _open_studios.get(id(self.project)) is self:
            del _open_studios[id(self.project)]
        for disconnect in self._connections:
            disconnect()
        for part in self._parts:
            part.close()
        # Canvas and strip have closed themselves. The canvas refers to ipycanvas' manager, which must stay open.
        self._main.children = []
        close_tree(self)

    def _take_over(self, earlier: "Studio") -> None:
        """Take over from an earlier studio of this project, as when its cell is run again; its run continues."""
        earlier._audit.pause()  # so that what it hid is shown again
        self.canvas.resume(earlier.canvas)
        earlier._training.hand_over(self._training)
        if earlier._tour.step is not None:
            self._tour.start()
        if earlier._begins_to_close():
            earlier._close(renew=False)

    # -- construction ---------------------------------------------------------------------------------

    def _build(self, settings: TrainingSettings) -> None:
        self._log_panel = LogPanel()
        self.canvas = AnnotationCanvas(self.project)
        self.canvas.remove_class("hw-alone")  # the studio has a frame of its own
        self._view_file = ViewFile(self.canvas)
        self._strip = ImageStrip(self.project)
        self._strip.add_class("hw-strip-box")
        self.form = SettingsForm(settings, self.project)
        self._state = state = self._make_state()
        self._live = LivePrediction(self.project, state.view, self._show_prediction, state.notify, state.log)
        self._training = TrainPanel(state, self.form)
        self._next = NextPanel(state, self._training, self._live, self._review_labels)
        self._classes = ClassPanel(state, self._next.coached)
        self._settings_tab = SettingsTab(self.project, self.form, state.view)
        self._normalization = NormalizationFold(self.project, self.form, state.view, state.log)
        self._results = ResultsPanel(state, self._live, self.canvas.show_outlines)
        self._accept = AcceptPanel(state, lambda: self.prediction)
        self._predict = PredictPanel(state, self._live)
        self._calibration = CalibrationPanel(state, self._live)
        self._report = ReportPanel(state, self._live)
        self._review = ReviewPanel(state)
        self._audit_view = AuditView(state, self.canvas)
        self._audit = AuditPanel(
            self.project,
            lambda: self.classifier,
            lambda: state.image_name,
            self._shown_options,
            self._audit_view.show,
            state.log,
        )
        self._trials = TrialsPanel(state, self.form)
        self._annotations = AnnotationList(state, self._show_annotation)
        self._project_panel = ProjectPanel(state)
        self._tiles = TilesPanel(state, self.canvas.mark)
        self._display = DisplayPanel(self.canvas, state.log, asleep=True)
        self.canvas.put_in_eye_menu(self._display, self._display.wake)
        #: In closing order: the parts that start work first, those that show it last.
        self._parts: list[Any] = [
            *(self._training, self._settings_tab, self._review, self._audit, self._audit_view, self._predict),
            *(self._calibration, self._report, self._results, self._accept, self._trials),
            *(self._live, self._classes, self._next, self._annotations, self._project_panel, self._tiles),
            self._display,
            *(self._normalization, self._strip, self._view_file, self.canvas),
        ]
        self._lay_out()

    def _make_state(self) -> StudioState:
        return StudioState(
            self.project,
            region=lambda: self.canvas.view.region,
            selection=self.canvas.selected_annotations,
            classifier=lambda: self.classifier,
            show_region=self._show_region,
            paint=self._paint,
            notify=self.notify,
            answered=lambda text, level: self._log_panel.add(text),
            log=self._log_panel.add,
            annotator_changed=self._annotator_changed,
        )

    def _lay_out(self) -> None:
        parts = [
            *(self._results, self._results.objects, self._accept, self._calibration),
            *(self._predict, self._results.files, self._report),
            *(self._audit, self._review, self._trials),
        ]
        results = ipywidgets.VBox(parts)
        results.add_class("hw-results-page")
        project = ipywidgets.VBox([self._project_panel, self._tiles, self._log_panel])
        pages = {
            "Train": self._training,
            "Settings": ipywidgets.VBox([self._settings_tab, self._normalization]),
            "Results": results,
            "Annotations": self._annotations,
            "Project": project,
        }
        self._tabs = ipywidgets.Tab(list(pages.values()), titles=tuple(pages))
        self._tabs.add_class("hw-tabs")
        self._tabs.observe(lambda _: self._tab_opened(), names="selected_index")
        outlined = {"canvas": self.canvas, "classes": self._classes, "next": self._next, "tabs": self._tabs}
        self._tour = Tour(self._tour_facts, outlined, self._open_tab)
        project.children = [*project.children, self._tour.resume]
        self._side = ipywidgets.VBox([self._tour, self._classes, self._next, self._tabs])
        self._side.add_class("hw-side")
        self._main = ipywidgets.VBox([self.canvas, self._strip])
        self._main.add_class("hw-main")
        self._screen = ipywidgets.Box([self._main, self._side])
        self._screen.add_class("hw-screen")
        self._page_size = PageSize()

    def _connect(self) -> None:
        """Keep canvas, strip and class list in step with the state, and listen to the project, the form and runs."""
        state, canvas, classes = self._state, self.canvas, self._classes
        classes.show_patterns(canvas.patterns)
        classes.classes.selected = canvas.class_name
        classes.classes.on_select(self._class_chosen)
        self._connections: list[Callable[[], None]] = [
            observe(canvas, "class_name", lambda change: classes.select(change["new"])),
            observe(canvas, "patterns", lambda change: classes.show_patterns(change["new"])),
            observe(canvas, "image_name", lambda change: self._show_image(change["new"])),
            observe(self._strip, "shown", lambda change: self._show_image(change["new"])),
            observe(state, "image_name", lambda change: self._image_changed(change["new"])),
            observe(state, "disagreement", lambda change: setattr(canvas, "disagreement", change["new"])),
            observe(canvas, "disagreement", lambda change: setattr(state, "disagreement", change["new"])),
            observe(state, "others_hidden", lambda change: self._hide_others(change["new"])),
            observe(canvas, "others_hidden", lambda change: setattr(state, "others_hidden", change["new"])),
            observe(self._page_size, "size", lambda change: self._fit_page()),
            observe(canvas, "class_name", lambda change: self._view_file.changed()),
            canvas.on_view(self._live.view_changed),
            canvas.on_view(self._view_file.changed),
            canvas.on_view(self._tour.refresh),
            observe(canvas, "class_name", lambda _: self._tour.refresh()),
            canvas.on_view(self._results.objects.moved),
            canvas.on_view(self._accept.refresh),
            observe(canvas, "selection", lambda _: self._results.objects.moved()),
            observe(canvas, "selection", lambda _: self._annotations.follow_selection()),
            observe(canvas, "selection", lambda _: self._accept.refresh()),
            self.form.on_change(lambda settings: self._live.use_channels(settings.channels, settings.pixel_size_um)),
            self._training.on_event(self._on_run_event),
            self.project.subscribe(self._project_changed),
        ]
        self._live.use_channels(self.form.settings.channels, self.form.settings.pixel_size_um)

    # -- the chosen image and class -------------------------------------------------------------------

    def _shown_options(self) -> dict[str, Any]:
        """Return the options that the prediction on the canvas was made with."""
        best = self._live.best
        return {} if best is None else best.options

    def _show_image(self, name: str) -> None:
        if name:  # the strip of an empty project shows none
            self._state.image_name = name

    def _image_changed(self, name: str) -> None:
        """Show the image everywhere, whatever chose it."""
        if name != self.canvas.image_name:
            self.canvas.show_image(name)
        self._strip.shown = name
        self._show_held_out()
        self._normalization.refresh()
        self._live.image_changed()

    def _class_chosen(self, name: str) -> None:
        if name == self.canvas.class_name:
            return  # chosen on the canvas, which the list follows
        try:
            self.canvas.choose_class(name)
        except HistowidgetsError as error:
            self.canvas.say(str(error), "error")

    def _paint(self, class_name: str) -> None:
        self.canvas.class_name, self.canvas.tool = class_name, "brush"

    def _show_region(self, region: Region) -> None:
        self.canvas.go_to(region)
        self.canvas.mark(region)

    def _show_annotation(self, row: AnnotationRow) -> None:
        """Select an annotation, and bring it into view."""
        self._state.image_name = row.image_name
        self.canvas.go_to(row.view())
        self.canvas.selection = (row.annotation.id,)

    def _hide_others(self, hide: bool) -> None:
        """Hide annotations by other people, or show them again; also the prediction, which learned from them."""
        self.canvas.others_hidden = hide
        self.canvas.overlay_on = not hide

    def _annotator_changed(self) -> None:
        self._tiles.refresh()
        self._annotations.refresh()
        if self.canvas.others_hidden:
            self.canvas.selection = ()
            self.canvas.redraw()

    def _show_held_out(self) -> None:
        if self._split is not None:
            self.canvas.show_held_out(self._split.held_out.get(self._state.image_name, ()))

    # -- the page ---------------------------------------------------------------------------------------

    def _open_tab(self, title: str) -> None:
        self._tabs.selected_index = self._tabs.titles.index(title)

    def _tab_opened(self) -> None:
        self._annotations.visible = self._tabs.selected_index == self._tabs.titles.index("Annotations")

    def _tour_facts(self) -> TourFacts:
        counts = self.project.count()
        return TourFacts(
            view=(self.canvas.image_name, self.canvas.view),
            class_name=self.canvas.class_name,
            n_annotations=sum(counts.values()),
            n_classes_painted=sum(n > 0 for n in counts.values()),
            has_prediction=self._live.best is not None,
            has_run=self.run is not None,
        )

    def _review_labels(self) -> None:
        self._open_tab("Results")
        self._review.ask()

    def _fit_page(self) -> None:
        """Give the image the space that the page leaves beside the side panel, so that nothing has to scroll."""
        if not self._page_size.is_known:
            return
        width, height, side_height = self._page_size.layout_for(len(self.project.image_names))
        was_whole = self.canvas.view == self.canvas.view.fitted()
        self.canvas.resize(width, height)
        if was_whole:  # keep the whole image in view
            self.canvas.fit()
        self._side.layout.height = side_height

    # -- what happens in the project, the prediction and the run ----------------------------------------

    def _project_changed(self, change: Change) -> None:
        self._static_output.changed()
        if change.kind == "annotations":
            self.canvas.mark(self._tiles.shown)
            self._tour.refresh()
        if change.kind in ("annotations", "classes"):
            self._live.edited()
            self._accept.refresh()
        elif change.kind == "images":
            self._fit_page()

    def _show_prediction(self, prediction: PredictionResults | None, caption: str) -> None:
        if self._closed:
            return
        self.canvas.show_prediction(prediction, caption)
        self._static_output.changed()
        self._results.refresh()
        self._annotations.follow(prediction)
        self._tour.refresh()
        self._accept.refresh()
        self._next.refresh()

    def _on_run_event(self, run: "TrainingRun", event: Any) -> None:
        if isinstance(event, RunStarted):
            self._split = run.split
            self._tour.refresh()
            self._show_held_out()
            self._next.run_started()
            self._live.score_on(run.split)
        elif (isinstance(event, EpochEnded) and event.is_best) or isinstance(event, RunEnded):
            self._offer(run, final=isinstance(event, RunEnded))
        if isinstance(event, RunEnded) and run.ended_at is not None and run.classifier is not None:
            self._predict.show_saved(run.classifier, run.ended_at)

    def _offer(self, run: "TrainingRun", final: bool) -> None:
        """Pass the best weights of a run to the live prediction."""
        classifier = run.classifier
        if classifier is None:
            self._live.forget_network()
            return
        epoch = classifier.scores.get("epoch")
        name = ARCHITECTURE_NAMES.get(run.settings.architecture, run.settings.architecture)
        self._live.offer_network(classifier, f"{name}, epoch {epoch}" if epoch else name, classifier.scores, final)


def _studio_on(folder: str | Path | None) -> Studio | None:
    """Return the open studio of this kernel whose project is in `folder`, if there is one."""
    if folder is None:
        return None
    wanted = Path(folder).expanduser().resolve()
    for studio in list(_open_studios.values()):
        held = studio.project.folder
        if held is not None and Path(held).resolve() == wanted and not studio.project.closed:
            return studio
    return None
