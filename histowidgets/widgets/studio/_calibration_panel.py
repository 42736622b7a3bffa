"""The panel that scales the probabilities of the classifier that is shown, with progress, cancel and undo."""

import threading
from html import escape
from typing import TYPE_CHECKING

import ipywidgets

from histowidgets._threads import BackgroundThread
from histowidgets.errors import HistowidgetsError, PredictionCancelled
from histowidgets.widgets.live_prediction import LearnerAnswer, LivePrediction
from histowidgets.widgets.studio._job_row import JobRow
from histowidgets.widgets.studio._state import StudioState

if TYPE_CHECKING:  # it needs torch
    from histowidgets.prediction import Classifier

_INTRO = "Do 80 of 100 pixels with a probability of 0.8 have the predicted class? Strokes in the test area can tell."
#: Larger temperatures change something.
NOTHING_CHANGES = 1.005


class CalibrationPanel(ipywidgets.VBox):
    """Offers to calibrate the classifier that is shown; says how far its probabilities were off before and after.

    Parameters
    ----------
    state
        Has the project with the held-out strokes.
    live
        Has the classifier that is shown, which this panel can replace.
    """

    def __init__(self, state: StudioState, live: LivePrediction) -> None:
        self._state, self._live = state, live
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._replaced: tuple[Classifier, Classifier] | None = None  # before and after
        self.calibrate_button = ipywidgets.Button(
            description="Calibrate", tooltip="Scale probabilities by what held-out strokes tell"
        )
        self.cancel_button = ipywidgets.Button(
            description="Cancel", icon="stop", disabled=True, tooltip="Cancel; the classifier stays as it is"
        )
        self.undo_button = ipywidgets.Button(
            description="Undo calibration", icon="undo", tooltip="Show the probabilities as they were before"
        )
        self.calibrate_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self._stop.set())
        self.undo_button.on_click(lambda _: self.undo())
        self._row = JobRow(self.calibrate_button, self.cancel_button)
        undo_row = ipywidgets.HBox([self.undo_button])
        undo_row.add_class("hw-run-buttons")
        self._undo_row = undo_row
        self._status = ipywidgets.HTML()
        title = ipywidgets.HTML("<h4 class='hw-title'>Probabilities</h4>")
        super().__init__([title, self._row, self._status, undo_row])
        self.add_class("hw-section")
        self.add_class("hw-calibration")
        undo_row.layout.display = "none"
        self._say(_INTRO)

    @property
    def active(self) -> bool:
        """Whether a classifier is being calibrated."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Calibrate the classifier that is shown in the background; does nothing while one is being calibrated."""
        if self.active:
            return
        shown = self._live.best
        if shown is None:
            self._say("There is no classifier yet: paint at least two classes, and train.", "error")
            return
        if shown.prediction.pyramid:
            self._say("A saved prediction is shown, which stays as it is. Choose another one under Show.", "error")
            return
        if not shown.classifier.trained_on.get("held_out"):
            self._say(
                "The classifier that is shown learned from all strokes, so none is left to check it on. Train first: "
                "a run keeps some strokes apart as its test area.",
                "error",
            )
            return
        self._stop.clear()
        self._row.show_busy(True)
        self._say("Checking the probabilities…")
        self._thread = BackgroundThread(self._work, "calibration", (shown,), stop=self._stop.set)
        self._thread.start()

    def undo(self) -> None:
        """Show the classifier as it was before it was calibrated."""
        replaced, self._replaced = self._replaced, None
        self._undo_row.layout.display = "none"
        if replaced is None:
            return
        if self._live.take_back(*replaced):
            self._say("The probabilities are as before.")
        else:
            self._say("Another classifier is shown by now, which is not calibrated.")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is being calibrated; return whether that was reached before the timeout."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.active

    def close(self) -> None:
        """Cancel a calibration, and close the widgets."""
        self._stop.set()
        self.wait(10)
        super().close()

    # -- on the thread of a calibration -----------------------------------------------------------------

    def _work(self, shown: LearnerAnswer) -> None:
        try:
            self._end(*self._calibrated(shown))
        except PredictionCancelled:
            self._end("Cancelled; the classifier stays as it is.", "info")
        except (HistowidgetsError, OSError) as error:
            self._end(f"Not calibrated: {error}", "error")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            self._end(f"Not calibrated: {type(error).__name__}: {error}", "error")

    def _calibrated(self, shown: LearnerAnswer) -> tuple[str, str]:
        """Calibrate the classifier of an answer, show the result, and return what to say and its level."""
        from histowidgets.prediction import calibrate, measure_calibration

        snapshot, classifier = self._state.project.snapshot(), shown.classifier

        def follow(part: int) -> dict[str, object]:
            return {
                "progress": lambda done, total: self._row.show_share((part + done / total) / 4),
                "should_stop": self._stop.is_set,
            }

        before = measure_calibration(classifier, snapshot, **follow(0))  # type: ignore[arg-type]
        scaled = calibrate(classifier, snapshot, **follow(1))  # type: ignore[arg-type]
        ratio = float(scaled.scores["temperature"]) / float(classifier.scores.get("temperature", 1.0))
        on = f"on {before.pixels:,} pixels of the strokes in the test area"
        if ratio < NOTHING_CHANGES:
            return (
                f"Off by {100 * before.expected_error:.1f} % on average {on}. Softer ones would be no better.",
                "good",
            )
        after = measure_calibration(scaled, snapshot, **follow(2))  # type: ignore[arg-type]
        self._say("Predicting with the calibrated classifier…")
        if not self._live.use_scaled(classifier, scaled, ratio, self._stop.is_set):
            return "Another classifier is shown by now. Calibrate that one.", "info"
        self._replaced = classifier, scaled
        self._undo_row.layout.display = None
        return (
            f"Expected calibration error: {100 * before.expected_error:.1f} % before, "
            f"{100 * after.expected_error:.1f} % after, {on}, to which the temperature of {ratio:.2f} was fitted. "
            "It is saved and exported with the classifier.",
            "good",
        )

    def _end(self, words: str, level: str) -> None:
        self._row.show_busy(False)
        self._say(words, level)
        self._state.answered(words, level)

    def _say(self, words: str, level: str = "info") -> None:
        self._status.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{escape(words)}</p>"
