"""A training that runs on its own thread."""

import threading
import traceback

from histowidgets._threads import BackgroundThread
from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.images import Normalization
from histowidgets.prediction import Classifier, NetworkModel, PixelModel
from histowidgets.training._events import Event, RunFailed, State, StateChanged
from histowidgets.training.data import TrainingRequest
from histowidgets.training.loop import (
    fitted_normalization,
    keep_freed_memory,
    lower_thread_priority,
    make_control,
    run_loop,
)
from histowidgets.training.runs._active import register
from histowidgets.training.runs._base import Run
from histowidgets.training.runs._classifier import make_classifier
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import BestWeights

_BEFORE_STOPPING = ("preparing", "running", "paused")


class TrainingRun(Run):
    """A training, from `start_training`.

    If the process ends, the run ends after its current step; with a project folder it can be resumed later. See `Run`
    for the other attributes.

    Attributes
    ----------
    split : Split
        The held-out regions for validation.
    """

    def __init__(self, request: TrainingRequest) -> None:
        super().__init__(request.run_id, request.settings, make_control())
        self.split: Split = request.split
        self._request = request
        self._normalization: Normalization | None = None
        self._made: tuple[BestWeights, Classifier] | None = None
        self._making = threading.Lock()
        self._thread = BackgroundThread(self._work, f"training-{self.id}", stop=self.leave)

    @property
    def settings(self) -> TrainingSettings:
        """The settings that the run was started with."""
        return self._request.settings

    @property
    def snapshot(self) -> ProjectSnapshot:
        """The images and annotations that it is trained on."""
        return self._request.snapshot

    @property
    def classifier(self) -> Classifier | None:
        """The best classifier so far; None before the first epoch ends, and after ``stop(keep="nothing")``.

        It has its own copy of the weights, which further training does not change, and the history up to now. The
        classifier is cached until the next epoch, and its weights until the next better one.
        """
        kept = self._control.kept
        if kept is None or self._normalization is None:
            return None
        with self._making:
            made, history = self._made, list(self.history)
            if made is None or made[0] is not kept:
                model: PixelModel = NetworkModel(kept.network, owned=True)
            elif len(made[1].history) == len(history):
                return made[1]
            else:
                model = made[1].model
            classifier = make_classifier(self._request, self._normalization, model, kept.scores(), history)
            self._made = (kept, classifier)
            return classifier

    def wait(self, timeout: float | None = None) -> State:
        """Wait until the run is over, for at most `timeout` seconds; return the state.

        Raises
        ------
        TrainingError
            Called on the run's own thread, such as in a subscriber, it would wait for itself.
        """
        if self._thread is threading.current_thread():
            raise TrainingError(
                "A subscriber of a run is waiting for the end of this run, which is waiting for the subscriber. Wait "
                "on another thread, or react to the event RunEnded."
            )
        state = super().wait(timeout)
        if self.is_over:
            self._thread.join(timeout)
        return state

    def start(self) -> None:
        """Start the thread; called by `start_training`."""
        register(self)
        self._thread.start()

    def _work(self) -> None:
        """Prepare, train, and emit the end of the run; the body of the thread."""
        lower_thread_priority()
        state: State = "failed"
        try:
            self._emit_unless_stopping(StateChanged("preparing"))
            for message in self._request.messages:
                self._emit(message)
            self._normalization = fitted_normalization(self._request)
            with keep_freed_memory():
                run_loop(self._request, self._normalization, self._emit_unless_stopping, self._control)
            state = "finished" if self._control.keep is None else "stopped"
        except Exception as error:  # noqa: BLE001 - thread boundary: the user must see any error
            if self._control.leaving:  # Python then refuses new threads and processes, and the run can be resumed
                state = "stopped"
                return
            self.error = error
            reason = str(error) if isinstance(error, HistowidgetsError) else f"{type(error).__name__}: {error}"
            self._emit(RunFailed(reason, traceback.format_exc()))
        finally:
            kept = self._control.kept
            self._end(state, kept.record["epoch"] if kept is not None and kept.record is not None else None)

    def _emit_unless_stopping(self, event: Event) -> None:
        """Emit an event, but keep the state "stopping", of which the loop may not know yet."""
        early = isinstance(event, StateChanged) and event.state in _BEFORE_STOPPING
        self._emit(event, when=lambda: not (early and self.state == "stopping"))
