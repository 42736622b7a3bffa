"""The studio: paint, see, train, watch, correct, save, on one screen."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.advice import Advice
from histowidgets.annotations import Change, Split
from histowidgets.errors import ImageNameError
from histowidgets.images import Region
from histowidgets.prediction import Classifier, Prediction
from histowidgets.training import EpochEnded, RunEnded, RunStarted, TrainingSettings
from histowidgets.widgets._canvas import AnnotationCanvas
from histowidgets.widgets._class_panel import ClassPanel
from histowidgets.widgets._form import SettingsForm
from histowidgets.widgets._live_prediction import LivePrediction
from histowidgets.widgets._monitor import LossMonitor
from histowidgets.widgets._notice import LogPanel, Notice
from histowidgets.widgets._open_project import extend, forget, open_project
from histowidgets.widgets._project_panel import ProjectPanel
from histowidgets.widgets._results_panel import ResultsPanel
from histowidgets.widgets._room import Room
from histowidgets.widgets._style import style_widget
from histowidgets.widgets._train_panel import TrainPanel
from histowidgets.widgets._tree import close_tree

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import TrainingRun

ARCHITECTURE_NAMES = {"unet": "U-Net", "unetplusplus": "U-Net++", "deeplabv3plus": "DeepLabV3+", "fpn": "FPN"}

# CSS pixels. Below FOLD_WIDTH the side goes under the picture.
FOLD_WIDTH = 900
SIDE_WIDTH = 372
TOOLS_WIDTH = 48
STAGE_WIDTHS = (280, 1100)
STAGE_HEIGHTS = (380, 760)
# Of the window's height that the picture may take, so that bar, status and notice stay on the screen with it.
STAGE_SHARE = 0.68

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
        How to train; `TrainingSettings()` by default.
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

    def __init__(
        self,
        images: Any = None,
        classes: Sequence[str] | None = None,
        folder: str | Path | None = None,
        *,
        settings: TrainingSettings | None = None,
        fresh: bool = False,
    ) -> None:
        self._closed = True  # until it is whole: a widget that failed to be made is closed by Python
        held = _studio_on(folder)
        if held is None:
            self.project, found = open_project(images, classes, folder, fresh)
        else:
            self.project, found = extend(held.project, images, classes)
        if not self.project.image_names:
            raise ImageNameError("the project has no image yet: project.add_image(…) first")
        self._split: Split | None = None
        self._greeted = False
        self._build(settings or TrainingSettings())
        self._connect()
        super().__init__([style_widget("studio", "panels"), self._room, self._screen])
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
    def prediction(self) -> Prediction | None:
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
        """
        return self._training.start(settings or self.form.settings, afresh)

    def notify(self, text: str, level: str = "info") -> None:
        """Say `text` in the studio's line, at level "info", "good", "warning" or "error", and keep it in the log."""
        self.notice.show(text, level)
        self.log_panel.add(text)

    def close(self) -> None:
        """End the run (its best epoch is kept), the workers and all widgets. The project stays as it is."""
        if not self._closed:
            forget(self.project)
            self._close(stop_run=True)

    def _close(self, stop_run: bool) -> None:
        self._closed = True
        if _open_studios.get(id(self.project)) is self:
            del _open_studios[id(self.project)]
        self._unsubscribe()
        self._training.close(stop_run)
        self.live.close()
        self._classes.close()
        self._project_panel.close()
        self.canvas.close()
        # The canvas closes what is its own; ipycanvas' manager, which it refers to, belongs to the kernel.
        self._main.children = [part for part in self._main.children if part is not self.canvas]
        close_tree(self)

    def _take_over(self, earlier: "Studio | None") -> None:
        """Go on where an earlier studio of this project was, as when its cell is run again: its run goes on."""
        if earlier is None:
            return
        run = earlier.run
        earlier._close(stop_run=False)
        if run is not None:
            self._training.watch(run)

    # -- how it is put together ---------------------------------------------------------------------

    def _build(self, settings: TrainingSettings) -> None:
        self.notice, self.log_panel = Notice(), LogPanel()
        self.canvas = AnnotationCanvas(self.project, palette=False)
        self.form = SettingsForm(settings)
        self.live = LivePrediction(self.project, self._view, self._show_prediction, self.notify, self.log_panel.add)
        self._classes = ClassPanel(self.project, on_show=self._go_to)
        self._training = TrainPanel(self.project, self.form, self.notify, self.log_panel.add, self._on_event)
        folder = self.project.folder or Path("my_classifier")
        self._results = ResultsPanel(lambda: self.live.best, self.live.show_learner, Path(folder), self.notify)
        self._project_panel = ProjectPanel(self.project, lambda: self.canvas.image_name, self._show_image, self.notify)
        tabs = ipywidgets.Tab(
            [self._training, self.form, self._results, self._project_panel],
            titles=("Train", "Settings", "Results", "Project"),
        )
        tabs.add_class("hw-tabs")
        side = ipywidgets.VBox([self._classes, tabs])
        side.add_class("hw-side")
        self._main = ipywidgets.VBox([self.canvas, self.log_panel])
        self._main.add_class("hw-main")
        self._screen = ipywidgets.Box([self.notice, self._main, side])
        self._screen.add_class("hw-screen")
        self._room = Room()
        self._room.observe(lambda change: self._fit_room(*change["new"]), names="size")

    def _connect(self) -> None:
        self._classes.classes.selected = self.canvas.class_name
        self._classes.classes.on_select(lambda name: setattr(self.canvas, "class_name", name))
        self.canvas.observe(
            lambda change: setattr(self._classes.classes, "selected", change["new"]), names="class_name"
        )
        self._unsubscribe = self.project.subscribe(self._changed)

    def _greeting(self, found: str) -> tuple[str, str]:
        if self.project.read_only:
            return found, "warning"
        hint = "Pick a class, paint a few strokes of each, and the first prediction appears by itself."
        return f"{found} {hint}".strip(), "info"

    def _fit_room(self, width: int, window_height: int) -> None:
        """Give the picture what the page has left beside the side panel."""
        picture = width - TOOLS_WIDTH - (SIDE_WIDTH if width >= FOLD_WIDTH else 0) - 4
        self.canvas.resize(
            min(max(picture, STAGE_WIDTHS[0]), STAGE_WIDTHS[1]),
            min(max(round(window_height * STAGE_SHARE), STAGE_HEIGHTS[0]), STAGE_HEIGHTS[1]),
        )

    # -- events ---------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if change.kind in ("annotations", "classes"):
            self.live.refresh()

    def _view(self) -> tuple[str, Region]:
        return self.canvas.image_name, self.canvas.view.region

    def _show_prediction(self, prediction: Prediction | None, caption: str) -> None:
        if self._closed:
            return
        self.canvas.show_prediction(prediction, caption)
        self._results.refresh()
        if prediction is not None and not self._greeted:
            self._greeted = True
            self.notify("The first prediction. Correct it with more strokes, or press Train for a network.")

    def _show_held_out(self) -> None:
        if self._split is not None:
            self.canvas.show_held_out(self._split.held_out.get(self.canvas.image_name, ()))

    def _show_image(self, name: str) -> None:
        self.canvas.show_image(name)
        self._show_held_out()
        self._project_panel.refresh()
        self.live.image_changed()

    def _go_to(self, advice: Advice) -> None:
        if advice.image_name and advice.image_name != self.canvas.image_name:
            self._show_image(advice.image_name)
        if advice.region is not None:
            self.canvas.go_to(advice.region)

    def _on_event(self, run: "TrainingRun", event: Any) -> None:
        if isinstance(event, RunStarted):
            self._split = run.split
            self._show_held_out()
            self.live.judge_on(run.split)
        elif (isinstance(event, EpochEnded) and event.is_best) or isinstance(event, RunEnded):
            self._offer(run)

    def _offer(self, run: "TrainingRun") -> None:
        classifier = run.classifier
        if classifier is None:
            self.live.forget_network()
            return
        epoch = classifier.scores.get("epoch")
        name = ARCHITECTURE_NAMES.get(run.settings.architecture, run.settings.architecture)
        self.live.offer_network(classifier, f"{name}, epoch {epoch}" if epoch else name, classifier.scores)


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
