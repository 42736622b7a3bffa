"""The studio: paint, see, train, watch, correct, save, on one screen."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.advice import Advice
from histowidgets.annotations import Change, Project, Split
from histowidgets.errors import HistowidgetsError, ImageNameError
from histowidgets.images import Region
from histowidgets.prediction import Classifier, PredictionResults
from histowidgets.training import EpochEnded, RunEnded, RunStarted, TrainingSettings
from histowidgets.widgets.canvas import AnnotationCanvas, DisplayPanel
from histowidgets.widgets.common import close_tree, pulse, style_widget
from histowidgets.widgets.live_prediction import LivePrediction
from histowidgets.widgets.monitor import LossMonitor
from histowidgets.widgets.settings import NormalizationFold, SettingsForm, SettingsTab
from histowidgets.widgets.studio._annotate_next_panel import NextPlaces
from histowidgets.widgets.studio._class_panel import ClassPanel
from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._notifications import LogPanel, Notice
from histowidgets.widgets.studio._open_project import extend, forget, open_project
from histowidgets.widgets.studio._page_size import Room
from histowidgets.widgets.studio._predict_panel import PredictPanel
from histowidgets.widgets.studio._project_panel import ProjectPanel
from histowidgets.widgets.studio._results_panel import ResultsPanel
from histowidgets.widgets.studio._review_panel import ReviewPanel
from histowidgets.widgets.studio._static_output import Still, studio_html
from histowidgets.widgets.studio._train_panel import TrainPanel
from histowidgets.widgets.studio._trials_panel import TrialsPanel

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import TrainingRun

ARCHITECTURE_NAMES = {"unet": "U-Net", "unetplusplus": "U-Net++", "deeplabv3plus": "DeepLabV3+", "fpn": "FPN"}

_open_studios: "weakref.WeakValueDictionary[int, Studio]" = weakref.WeakValueDictionary()


class Studio(ipywidgets.VBox):
    """One screen for the whole loop: the picture with its tools, and beside it classes, training and results.

    A cell that is run again shows the same project again: by its folder, or for a project without a folder by
    its images and classes within this kernel.

    Parameters
    ----------
    images
        An array, a path, an `Image`, a list of them, or a `Project`.
    classes
        Names of the classes, at least two to train; needed for a new project.
    folder
        Where the project is kept on disk; None keeps it in the kernel's memory only.
    settings
        How to train; the preset "cpu" by default.
    fresh
        Start without the annotations that this kernel remembers for the same images and classes.

    Raises
    ------
    ImageError, ClassNameError, ProjectFolderError
        If an image cannot be used, the classes are no good, or the folder cannot be written.

    Examples
    --------
    >>> import histowidgets as hw
    >>> studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"])
    >>> studio.close()
    """

    _closed = True  # until it is whole: a widget that failed to be made is closed by Python

    def __init__(
        self,
        images: Any = None,
        classes: Sequence[str] | None = None,
        folder: str | Path | None = None,
        *,
        settings: TrainingSettings | None = None,
        fresh: bool = False,
    ) -> None:
        self._closes_project = not isinstance(images, Project)  # whoever passes one in goes on with it
        held = _studio_on(folder)
        if held is None:
            self.project, found = open_project(images, classes, folder, fresh)
        else:
            self.project, found = extend(held.project, images, classes)
            self._closes_project = held._closes_project
        if not self.project.image_names:
            raise ImageNameError("the project has no image yet: project.add_image(…) first")
        self._split: Split | None = None
        self._greeted = False
        self._still = Still(lambda: studio_html(self.canvas, self.monitor))
        self._build(settings or TrainingSettings.preset("cpu"))
        self._connect()
        super().__init__([style_widget("studio/style", "common/panels"), self._room, *pulse(), self._screen])
        self.add_class("hw-studio")
        self._closed = False
        self._take_over(_open_studios.get(id(self.project)))
        _open_studios[id(self.project)] = self
        self.notify(*self._greeting(found))
        self.live.refresh()

    # -- what a person reaches for -----------------------------------------------------------------

    @property
    def run(self) -> "TrainingRun | None":
        """The run that is on, or the last one."""
        return self._training.run

    @property
    def classifier(self) -> Classifier | None:
        """The classifier whose prediction is shown; None before there is one."""
        best = self.live.best
        if best is not None:
            return best.classifier
        return None if self.run is None else self.run.classifier

    @property
    def prediction(self) -> PredictionResults | None:
        """The prediction that is shown; None before there is one."""
        best = self.live.best
        return None if best is None else best.prediction

    @property
    def monitor(self) -> LossMonitor:
        """The live chart of the run."""
        return self._training.monitor

    def train(self, settings: TrainingSettings | None = None, afresh: bool = False) -> "TrainingRun":
        """Start a run in the background, as the Train button does, and return it.

        Parameters
        ----------
        settings
            How to train; those of the form by default.
        afresh
            Begin with new weights, not with those of the last run.

        Raises
        ------
        TrainingDataError
            If there are too few annotations to learn from.
        TrainingError
            If a run is on already.
        """
        return self._training.start(settings or self.form.settings, afresh)

    def notify(self, text: str, level: str = "info") -> None:
        """Say `text` in the studio's line, at level "info", "good", "warning" or "error", and keep it in the log."""
        self.notice.show(text, level)
        self.log_panel.add(text)

    def close(self) -> None:
        """End the run (its best epoch is kept), the workers and all widgets.

        So is a project that it opened in a folder, which can then be opened elsewhere; one passed in stays open.
        """
        if not self._closed:
            forget(self.project)
            self._close(stop_run=True)
            if self._closes_project:
                self.project.close()

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._still.show(self._repr_mimebundle_(**kwargs))

    def _close(self, stop_run: bool) -> None:
        self._still.close(renew=stop_run)
        self._closed = True
        if _open_studios.get(id(self.project)) is self:
            del _open_studios[id(self.project)]
        self._unsubscribe()
        self._training.close(stop_run)
        self._settings_tab.close()
        self._review.close()
        self._predict.close()
        self._results.close()
        self._trials.close()
        self.live.close()
        self._classes.close()
        self.next_places.close()
        self._project_panel.close()
        self._display.close()
        self._normalization.close()
        self.strip.close()
        self.canvas.close()
        # Canvas and strip close what is their own; ipycanvas' manager, which the canvas refers to, is the kernel's.
        self._main.children = []
        close_tree(self)

    def _take_over(self, earlier: "Studio | None") -> None:
        """Go on where an earlier studio of this project was, as when its cell is run again: its run goes on."""
        if earlier is None:
            return
        run = earlier.run
        self.canvas.resume(earlier.canvas)
        earlier._close(stop_run=False)
        if run is not None:
            self._training.watch(run)

    # -- how it is put together ---------------------------------------------------------------------

    def _build(self, settings: TrainingSettings) -> None:
        self.notice, self.log_panel = Notice(), LogPanel()
        self.canvas = AnnotationCanvas(self.project, palette=False)
        self.strip = ImageStrip(self.project, self.notify)
        self.strip.add_class("hw-strip-box")
        self.form = SettingsForm(settings, self.project)
        self._settings_tab = SettingsTab(self.project, self.form, lambda: self.canvas.image_name)
        self.live = LivePrediction(self.project, self._view, self._show_prediction, self.notify, self.log_panel.add)
        self._classes = ClassPanel(self.project, self._go_to, self.notify, self.log_panel.add)
        self.next_places = NextPlaces(self.project, lambda: self.classifier, self._go_to, self.notify)
        self._training = TrainPanel(self.project, self.form, self.notify, self.log_panel.add, self._on_event)
        folder = self.project.folder or Path("my_classifier")
        self._results = ResultsPanel(self.project, self.live, lambda: self.canvas.image_name, Path(folder), self.notify)
        self._predict = PredictPanel(
            self.project,
            self.live,
            self._view,
            self.canvas.selected_annotations,
            lambda: self._results.folder,
            self.notify,
        )
        self._trials = TrialsPanel(self.project, self.form, lambda: self._training.runs)
        self._review = ReviewPanel(
            self.project,
            lambda: self.classifier,
            self._go_to_place,
            self._relabel,
            lambda on: setattr(self.canvas, "disagreement", on),
        )
        self._project_panel = ProjectPanel(self.project, lambda: self.canvas.image_name, self._show_image, self.notify)
        self._display = DisplayPanel(self.canvas, self.notify, self.log_panel.add, asleep=True)
        self._normalization = NormalizationFold(self.project, self.form, self._view, self.log_panel.add)
        results = ipywidgets.VBox([self._results, self._predict, self._results.files, self._review, self._trials])
        settings_tab = ipywidgets.VBox([self._settings_tab, self._normalization])
        project = ipywidgets.VBox([self._project_panel, self.log_panel])
        self._tabs = tabs = ipywidgets.Tab(
            [self._training, settings_tab, results, self._display, project],
            titles=("Train", "Settings", "Results", "Display", "Project"),
        )
        tabs.add_class("hw-tabs")
        tabs.observe(lambda change: self._tab_opened(change["new"]), names="selected_index")
        self._side = ipywidgets.VBox([self._classes, self.next_places, tabs])
        self._side.add_class("hw-side")
        self._main = ipywidgets.VBox([self.canvas, self.strip])
        self._main.add_class("hw-main")
        self._screen = ipywidgets.Box([self.notice, self._main, self._side])
        self._screen.add_class("hw-screen")
        self._room = Room()
        self._room.observe(lambda _: self._fit_room(), names="size")

    def _connect(self) -> None:
        self._classes.classes.selected = self.canvas.class_name
        self._classes.classes.on_select(self._class_chosen)
        self.canvas.observe(lambda change: self._classes.select(change["new"]), names="class_name")
        self.canvas.observe(lambda change: self._classes.show_patterns(change["new"]), names="patterns")
        self.strip.observe(lambda change: self._image_chosen(change["new"]), names="shown")
        self.canvas.observe(lambda change: setattr(self.strip, "shown", change["new"]), names="image_name")
        self.canvas.on_view(self.live.view_changed)
        self.live.use_channels(self.form.settings.channels)
        self.form.on_change(lambda settings: self.live.use_channels(settings.channels))
        self._unsubscribe = self.project.subscribe(self._changed)

    def _class_chosen(self, name: str) -> None:
        if name == self.canvas.class_name:
            return  # by the canvas, which the list follows
        try:
            self.canvas.choose_class(name)
        except HistowidgetsError as error:
            self.canvas.say(str(error), "error")

    def _tab_opened(self, index: int | None) -> None:
        if index is not None and self._tabs.titles[index] == "Display":
            self._display.wake()

    def _greeting(self, found: str) -> tuple[str, str]:
        if self.project.read_only:
            return found, "warning"
        hint = "Pick a class, paint a few strokes of each, and the first prediction appears by itself."
        return f"{found} {hint}".strip(), "info"

    def _fit_room(self) -> None:
        """Give the picture what the page has left beside the side panel, so that all can be seen without scrolling."""
        if not self._room.is_known:
            return
        width, height, side_height = self._room.shared_out(len(self.project.image_names))
        was_whole = self.canvas.view == self.canvas.view.fitted()
        self.canvas.resize(width, height)
        if was_whole:  # whoever saw all of the image goes on seeing it
            self.canvas.fit()
        self._side.layout.height = side_height

    # -- events ---------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        self._still.changed()
        if change.kind in ("annotations", "classes"):
            self.live.edited()
        elif change.kind == "images":
            self._fit_room()

    def _view(self) -> tuple[str, Region]:
        return self.canvas.image_name, self.canvas.view.region

    def _show_prediction(self, prediction: PredictionResults | None, caption: str) -> None:
        if self._closed:
            return
        self.canvas.show_prediction(prediction, caption)
        self._still.changed()
        self._results.refresh()
        if prediction is not None and not self._greeted:
            self._greeted = True
            self.notify("The first prediction. Correct it with more strokes, or press Train for a network.")

    def _show_held_out(self) -> None:
        if self._split is not None:
            self.canvas.show_held_out(self._split.held_out.get(self.canvas.image_name, ()))

    def _show_image(self, name: str) -> None:
        self.strip.shown = name

    def _image_chosen(self, name: str) -> None:
        """Show the image that the strip marks: whoever chose it, it comes by here."""
        if not name:
            return
        if name != self.canvas.image_name:
            self.canvas.show_image(name)
        self._show_held_out()
        self._project_panel.refresh()
        self._normalization.refresh()
        self.live.image_changed()

    def _go_to(self, advice: Advice) -> None:
        if advice.image_name and advice.image_name != self.canvas.image_name:
            self._show_image(advice.image_name)
        if advice.region is not None:
            self.canvas.go_to(advice.region)

    def _go_to_place(self, name: str, region: Region) -> None:
        if name != self.canvas.image_name:
            self._show_image(name)
        self.canvas.go_to(region)

    def _relabel(self, name: str, region: Region, class_name: str) -> None:
        self._go_to_place(name, region)
        self.canvas.class_name, self.canvas.tool = class_name, "brush"

    def _on_event(self, run: "TrainingRun", event: Any) -> None:
        if isinstance(event, RunStarted):
            self._split = run.split
            self._show_held_out()
            self.live.judge_on(run.split)
        elif (isinstance(event, EpochEnded) and event.is_best) or isinstance(event, RunEnded):
            self._offer(run, final=isinstance(event, RunEnded))

    def _offer(self, run: "TrainingRun", final: bool) -> None:
        classifier = run.classifier
        if classifier is None:
            self.live.forget_network()
            return
        epoch = classifier.scores.get("epoch")
        name = ARCHITECTURE_NAMES.get(run.settings.architecture, run.settings.architecture)
        self.live.offer_network(classifier, f"{name}, epoch {epoch}" if epoch else name, classifier.scores, final)


def _studio_on(folder: str | Path | None) -> Studio | None:
    """Return the studio of this kernel whose project lies in `folder`, if there is one."""
    if folder is None:
        return None
    wanted = Path(folder).expanduser().resolve()
    for studio in list(_open_studios.values()):
        held = studio.project.folder
        if held is not None and Path(held).resolve() == wanted and not studio.project.closed:
            return studio
    return None
