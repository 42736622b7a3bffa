"""The panel that predicts a region, an image or all images to disk, with progress and a stop button."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from histowidgets._durations import clock
from histowidgets._io import file_stem
from histowidgets._threads import BackgroundThread
from histowidgets.errors import HistowidgetsError, PredictionCancelled, PredictionError
from histowidgets.images import Image, Region
from histowidgets.prediction import Classifier, open_prediction
from histowidgets.widgets.common import Disclosure, TaskQueue, TextEntry
from histowidgets.widgets.live_prediction import LearnerAnswer, LivePrediction, range_warning_text
from histowidgets.widgets.studio._job_row import JobRow
from histowidgets.widgets.studio._predict_options import PredictOptionFields
from histowidgets.widgets.studio._state import StudioState

WHOLE, IN_VIEW, SELECTED, ALL = "whole image", "what is in view", "the selected shape", "all images"
WHAT = [("this whole image", WHOLE), ("the region in view", IN_VIEW), ("the selected shape", SELECTED), (ALL, ALL)]
#: Least seconds between two progress reports.
SECONDS_BETWEEN = 0.2


class PredictPanel(ipywidgets.VBox):
    """Predict with the classifier that is shown, and write files that the canvas then shows.

    Parameters
    ----------
    state
        Has the images, the view, the selection, and the folder; files go into its ``predictions/``.
    live
        Has the classifier, and shows the predictions.
    """

    def __init__(self, state: StudioState, live: LivePrediction) -> None:
        self._state, self._live = state, live
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.tasks = TaskQueue("load", self._tell)
        self._told = 0.0
        self._what = ipywidgets.Dropdown(
            options=WHAT, description="What", tooltip="What to predict at full resolution, into a pyramidal file"
        )
        self.start_button = ipywidgets.Button(
            description="Predict",
            icon="play",
            tooltip="Predict with the classifier shown; you can keep painting",
        )
        self.stop_button = ipywidgets.Button(
            description="Stop",
            icon="stop",
            disabled=True,
            tooltip="Stop, keeping what is done; Predict continues from there",
        )
        self.start_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self._stop.set())
        self._row = JobRow(self.start_button, self.stop_button)
        self._status = ipywidgets.HTML()
        self.fields = PredictOptionFields()
        load = TextEntry(
            "Classifier",
            "saved folder",
            "Load",
            "Predict with a saved classifier instead of the one trained here",
            self._load,
        )
        how = Disclosure("How to predict", [self.fields, load], "Averaging, blending, smoothing, another classifier")
        title = ipywidgets.HTML("<h4 class='hw-title'>Predict</h4>")
        super().__init__([title, self._what, self._row, self._status, how])
        self.add_class("hw-section")
        self.add_class("hw-predict")
        self._say("")

    # -- what the user does ----------------------------------------------------------------------------

    def start(self, what: str | None = None) -> None:
        """Start predicting in the background; does nothing while a prediction is active.

        Parameters
        ----------
        what
            "whole image", "what is in view", "the selected shape" or "all images"; by default the choice on the
            page.
        """
        if self.active:
            return
        answer = self._live.best
        if answer is None:
            self._fail("There is no classifier yet: paint at least two classes, or load one under How to predict.")
            return
        try:
            jobs = self._jobs(str(self._what.value) if what is None else what)
        except HistowidgetsError as error:
            self._fail(str(error))
            return
        self._stop.clear()
        self._row.show_busy(True)
        self._say("Preparing…")
        work = (jobs, answer, self.fields.values(), self.fields.adapt)
        self._thread = BackgroundThread(self._work, "predict", work, stop=self._stop.set)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether a prediction is active."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no prediction is active; return whether that was reached before the timeout."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.active

    def close(self) -> None:
        """Stop an active prediction, which can be continued later, and close the widgets."""
        self._stop.set()
        self.tasks.close()
        self.wait(10)
        super().close()

    def show_saved(self, classifier: Classifier, since: float) -> None:
        """Find, on a thread, whole-image predictions of an earlier session, and show them.

        Parameters
        ----------
        classifier
            The last classifier of the project.
        since
            Time in seconds since 1970; older predictions are by other classifiers.
        """

        def find() -> None:
            for name in self._state.project.image_names:
                path = self._target(name, None)
                try:
                    if path.is_dir() and path.stat().st_mtime >= since:
                        found = open_prediction(path)
                        if found.complete and found.image_name == name:
                            answer = LearnerAnswer(classifier, found, "saved prediction", scope=WHOLE)
                            self._live.show_prediction_on_disk(name, answer)
                except (HistowidgetsError, OSError) as error:
                    self._state.log(f"The saved prediction of {name} cannot be shown: {error}")

        if (self._state.folder / "predictions").is_dir():
            threading.Thread(target=find, name="histowidgets-saved-predictions", daemon=True).start()

    def _jobs(self, what: str) -> list[tuple[str, Region | None, str]]:
        """Return the image, the region (None for the whole image) and a description for each job."""
        name, in_view = self._state.view()
        if what == ALL:
            return [(each, None, WHOLE) for each in self._state.project.image_names]
        if what == WHOLE:
            return [(name, None, WHOLE)]
        if what == IN_VIEW:
            return [(name, in_view, "region in view")]
        selected = self._state.selection
        if not selected:
            raise PredictionError("Nothing is selected. Select a shape with the Select tool (V) first.")
        area = selected[0].shape.region()
        for annotation in selected[1:]:
            area = area.union(annotation.shape.region())
        inside = area.intersect(self._state.project.image(name).region)
        if inside is None:
            raise PredictionError("The selection lies outside the image. Select a shape on the image.")
        return [(name, inside, "selected region")]

    def _load(self, path: str) -> None:
        path = path.strip()

        def load() -> str:
            classifier = Classifier.load(Path(path).expanduser())
            self._live.offer_network(classifier, classifier.name or Path(path).name, {}, alone=True)
            return f"Loaded {path}: {', '.join(classifier.classes)}."

        self.tasks.submit(f"Loading {path}…", load)

    # -- on the thread of a prediction --------------------------------------------------------------------------

    def _work(
        self,
        jobs: Sequence[tuple[str, Region | None, str]],
        answer: LearnerAnswer,
        options: dict[str, Any],
        adapt: bool,
    ) -> None:
        began, failed = time.monotonic(), list[str]()
        try:
            for number, (name, region, scope) in enumerate(jobs):
                prefix = f"{number + 1} of {len(jobs)}: " if len(jobs) > 1 else ""
                try:
                    found = self._predict(name, region, answer, options, adapt, prefix)
                except PredictionCancelled:
                    raise
                except (HistowidgetsError, OSError) as error:
                    failed.append(f"{name}: {error}")
                else:
                    self._live.show_prediction_on_disk(name, replace(found, scope=scope))
        except PredictionCancelled as cancelled:
            self._end(str(cancelled).split("; call")[0] + "; Predict continues from there.", "info")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            self._end(f"The prediction failed: {type(error).__name__}: {error}", "error")
        else:
            done = len(jobs) - len(failed)
            seconds = time.monotonic() - began
            words = f"Predicted {jobs[0][0] if len(jobs) == 1 else f'{done} images'} in {seconds:.0f} s. "
            words = words if done else ""
            good = (
                "It is shown on the image. Save objects and tables below."
                if done == 1
                else "Save objects and tables below."
            )
            self._end(words + ("; ".join(failed) or good), "error" if failed else "good")

    def _predict(
        self, name: str, region: Region | None, answer: LearnerAnswer, options: dict[str, Any], adapt: bool, prefix: str
    ) -> LearnerAnswer:
        """Predict one image, and return the answer to show."""
        image, classifier = self._state.project.image(name), answer.classifier
        warning = range_warning_text(classifier, image)
        if adapt:
            self._say(f"{prefix}{name}: measuring its statistics…")
            classifier = classifier.adapted_to(image, region)
            answer = replace(answer, classifier=classifier, score=None, class_scores={}, scored_on={})
            answer = replace(answer, learner=f"{answer.learner}, adapted")
        stored = classifier.predict_to(
            image,
            self._target(name, region),
            image.region if region is None else region,
            announce=False,
            overwrite=True,  # a prediction left by an image that was removed from the project
            progress=lambda done, total, left: self._progress(f"{prefix}{name}", done, total, left),
            should_stop=self._stop.is_set,
            **_fitting(options, image),
        )
        return replace(answer, prediction=stored, warning=warning)

    def _target(self, name: str, region: Region | None) -> Path:
        folder = self._state.folder / "predictions"
        folder.mkdir(parents=True, exist_ok=True)
        place = "" if region is None else f"_x{region.x}_y{region.y}_{region.width}x{region.height}"
        names = self._state.project.image_names
        alike = [other for other in names if file_stem(other) == file_stem(name)]
        number = f"-{alike.index(name) + 1}" if len(alike) > 1 else ""
        return folder / f"{file_stem(name)}{number}{place}.zarr"

    def _progress(self, name: str, done: int, total: int, seconds_left: float) -> None:
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN and done < total:
            return
        self._told = now
        self._row.show_share(done / total)
        self._say(f"{name}: {done} of {total} tiles · {clock(seconds_left)} left")

    # -- status and notices ---------------------------------------------------------------------------------

    def _end(self, words: str, level: str) -> None:
        self._row.show_busy(False)
        self._tell(words, level)

    def _fail(self, words: str) -> None:
        self._tell(words, "error")

    def _tell(self, words: str, level: str) -> None:
        self._say(words, level)
        self._state.answered(words, level)

    def _say(self, words: str, level: str = "info") -> None:
        text = f"{escape(words)}&nbsp;"
        self._status.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{text}</p>"


def _fitting(options: dict[str, Any], image: Image) -> dict[str, Any]:
    """Return the options for an image; the blur is in pixels if the image has no pixel size."""
    chosen = dict(options)
    blur = chosen.pop("blur")
    return {**chosen, "blur_px": blur} if image.pixel_size_um is None else {**chosen, "blur_um": blur}
