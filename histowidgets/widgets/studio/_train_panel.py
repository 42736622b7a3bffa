"""Train, pause, stop; the live curves, and what they mean."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets._threads import BackgroundThread
from histowidgets.advice import Action, Advice, held_out_counts
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.training import (
    Event,
    Message,
    Run,
    RunEnded,
    RunFailed,
    RunStarted,
    RunState,
    StateChanged,
    TrainingSettings,
    UnfinishedRun,
    resume_training,
)
from histowidgets.widgets.common import listen
from histowidgets.widgets.monitor import LossMonitor
from histowidgets.widgets.settings import SettingsForm, label, text_of
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._unfinished_run_line import UnfinishedRunLine

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Classifier
    from histowidgets.training import TrainingRun

_IDLE = "Paint at least two classes, then press Train. You can keep painting meanwhile."
#: After changes of these settings alone the next run continues from the weights of the last one.
_MORE_OF_THE_SAME = {"epochs", "max_seconds", "early_stopping_patience"}
#: With fewer epochs, a slow or poor run cannot be diagnosed.
FEW_EPOCHS = 10
ACTIVE = ("preparing", "running", "paused", "stopping")


EventCallback = Callable[[Any, Any], object]


def _button(text: str, icon: str, tip: str, style: str = "") -> ipywidgets.Button:
    return ipywidgets.Button(description=text, icon=icon, tooltip=tip, button_style=style)


class TrainPanel(ipywidgets.VBox):
    """Start runs of the project, and show the active one.

    Parameters
    ----------
    state
        Has the project; the panel keeps its `run` and `runs`, and reports what a run says.
    form
        Where the settings of the next run come from, and where advice changes them.
    """

    def __init__(self, state: StudioState, form: SettingsForm) -> None:
        self._state, self._form = state, form
        self._event_callbacks: list[EventCallback] = []
        self._lock = threading.RLock()
        self._starting = False
        self._closing = False
        self._successor: TrainPanel | None = None
        self._patched = 0
        self.monitor = LossMonitor(colors=state.project.colors, on_action=self._follow)
        self.monitor.line.idle = _IDLE
        self.monitor.line.restarts = True
        self.monitor.on_events(self._apply)
        self._unsubscribe = form.on_change(lambda settings: self._settings_changed())
        self._train = _button("Train", "play", "Train a network on the annotations (in the background)", "primary")
        self._pause = _button("Pause", "pause", "Pause after this batch, or resume")
        self._stop = _button("Stop, keep best", "stop", "End the run now and keep its best epoch")
        self._train.on_click(lambda _: self.start_soon())
        self._pause.on_click(lambda _: self._pause_or_resume())
        self._stop.on_click(lambda _: self._stop_keeping_best())
        self._fresh = ipywidgets.Checkbox(
            value=False,
            description="New weights",
            indent=False,
            tooltip="Start again with new weights instead of those of the last run",
        )
        self._fresh.add_class("hw-fresh")
        row = ipywidgets.HBox([self._train, self._pause, self._stop, self._fresh, self.monitor.take_status()])
        row.add_class("hw-run-row")
        self.unfinished = UnfinishedRunLine(state.project, self._resume_soon)
        super().__init__([row, self.unfinished, self.monitor])
        self.add_class("hw-section")
        self._show_state("idle")

    # -- what the user does ------------------------------------------------------------------------

    def start_soon(self) -> None:
        """Start a run in the background; an error is reported in the notice."""
        self._soon(lambda: self._begin(self._form.settings, self._fresh.value))

    def probe_soon(self) -> None:
        """Start a run of a few epochs with the settings of the form, to see whether it learns at all."""
        self._soon(lambda: self._begin(self._form.settings.probe(), self._fresh.value))

    def _resume_soon(self, unfinished: UnfinishedRun) -> None:
        self._soon(lambda: self.watch(resume_training(unfinished.folder, self._state.project)))

    def _soon(self, start: Callable[[], object]) -> None:
        with self._lock:
            if self._starting or self.active:
                return
            self._starting = True
        self._show_state("preparing")
        self._state.notify("Preparing the run…")
        work = partial(self._report_failure, start)
        BackgroundThread(work, "start").start()

    def _report_failure(self, start: Callable[[], object]) -> None:
        wrong = None
        try:
            start()
        except HistowidgetsError as error:
            wrong = str(error)
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            wrong = f"The run could not start: {type(error).__name__}: {error}"
        with self._lock:
            self._starting = False
            panel = self._successor or self
        panel._started(wrong)

    def _started(self, wrong: str | None) -> None:
        with self._lock:
            self._starting = False
        if (
            wrong is not None and not self._closing
        ):  # reported last: the button that comes back with it must work at once
            self._show_state("idle")
            self._state.notify(wrong, "error")

    def start(self, settings: TrainingSettings, from_scratch: bool = False) -> "TrainingRun":
        """Start a run, and show it.

        Parameters
        ----------
        settings
            How to train.
        from_scratch
            Begin with new weights, not with those of the last run.

        Raises
        ------
        TrainingDataError
            If there are too few annotations to learn from.
        TrainingError
            If a run is active already: it would continue unseen, and nothing could stop it.
        """
        with self._lock:
            if self._starting or self.active:
                raise TrainingError(
                    "A run is active already, and there can be only one. End it with studio.run.stop() and "
                    "studio.run.wait(), or let it finish, and then train again."
                )
            self._starting = True
        try:
            return self._begin(settings, from_scratch)
        finally:
            with self._lock:
                self._starting = False

    def _begin(self, settings: TrainingSettings, from_scratch: bool) -> "TrainingRun":
        from histowidgets.training import start_training

        self._require_open()
        last = self.run
        before: Classifier | None = None if from_scratch or last is None else last.classifier
        run = start_training(
            self._state.project,
            settings,
            continue_from=before,
            split=None if last is None else last.split,
        )
        self.watch(run)
        return run

    def _require_open(self) -> None:
        if self._closing:
            raise TrainingError("The studio was closed before the run had started, so it was not started.")

    def watch(self, run: "TrainingRun") -> None:
        """Show a run from its first event on, and let the buttons act on it."""
        with self._lock:
            successor, closing = self._successor, self._closing
        if successor is not None:
            successor.watch(run)
            return
        if closing:  # nothing would show it, nor stop it
            run.stop()
            return
        with self._lock:
            self.unfinished.hide()
            self._state.run = run
            # The weights of earlier runs would fill the memory over an afternoon; their curves do not.
            self._state.runs = [
                one.summary() if isinstance(one, Run) and one.is_over and one is not run else one
                for one in self._state.runs
            ]
            if run not in self._state.runs:
                self._state.runs.append(run)
        self.monitor.colors = self._state.project.colors
        self.monitor.line.idle = "Watching the curves: what they mean is shown here after a few epochs."
        # Without the lock: it waits for the last events of the run before, which may need it.
        self.monitor.watch(run)

    def on_event(self, callback: "EventCallback") -> Callable[[], None]:
        """Call `callback` with the run and each of its events, from the monitor's thread; returns what ends that."""
        return listen(self._event_callbacks, callback)

    @property
    def run(self) -> "TrainingRun | None":
        """The run that is active, or the last one."""
        run: TrainingRun | None = self._state.run
        return run

    @property
    def active(self) -> bool:
        """Whether a run is preparing, running, paused or stopping."""
        return self.run is not None and self.run.state in ACTIVE

    def _pause_or_resume(self) -> None:
        run = self.run
        if run is not None:
            if run.state == "paused":
                run.resume()
            else:
                run.pause()

    def _stop_keeping_best(self) -> None:
        if self.run is not None:
            self.run.stop(keep="best")

    # -- from a diagnosis ------------------------------------------------------------------------

    def _follow(self, action: Action, advice: Advice) -> None:
        """Follow a button of a diagnosis: end the run, or change the settings and start the next one."""
        if action.kind == "stop":
            self._stop_keeping_best()
            return
        with self._lock:
            if self._starting or not action.patch:
                return
            self._starting = True
        work = partial(self._restart, dict(action.patch))
        BackgroundThread(work, "restart").start()

    def _restart(self, patch: dict[str, Any]) -> None:
        def restart() -> None:
            self._patched = self._form.patch(patch)
            self.monitor.line.offer_undo(self._undo_patch)
            changes = ", ".join(f"{label(name).lower()} {text_of(value)}" for name, value in patch.items())
            self._state.notify(f"The next run starts with {changes}.")
            if self.active and self.run is not None:
                self.run.stop(keep="best")
                self.run.wait()
            # A longer run continues; any other change is judged best from the same start.
            self._begin(self._form.settings, from_scratch=not set(patch) <= _MORE_OF_THE_SAME)

        self._report_failure(restart)

    def _undo_patch(self) -> None:
        if self._form.can_undo(self._patched):
            self._form.undo_patch()
        self._state.notify("The settings are as they were before the advice. Press Train to use them.")

    def _settings_changed(self) -> None:
        if not self._form.can_undo(self._patched):
            self.monitor.line.offer_undo(None)

    # -- from the run, on the monitor's thread ----------------------------------------------------

    def _apply(self, state: RunState, events: Sequence[Event]) -> None:
        run = self.monitor.run
        for event in events:
            if isinstance(event, RunStarted):
                self.monitor.held_out = (
                    {} if run.split is None else held_out_counts(self._state.project.snapshot(), run.split)
                )
                self._state.notify("Training. You can keep painting: the next run learns from it.")
            elif isinstance(event, StateChanged):
                self._show_state(event.state)
            elif isinstance(event, Message):
                self._state.log(event.text)
                if event.level != "info":
                    self._state.notify(event.text, event.level)
            elif isinstance(event, RunFailed):
                self._show_state("idle")
                self._state.notify(f"The run failed: {event.reason}. The annotations are safe.", "error")
                self._state.log(event.traceback)
            elif isinstance(event, RunEnded):
                self._ended(run, event)
            for callback in list(self._event_callbacks):
                callback(run, event)

    def _ended(self, run: "TrainingRun", event: RunEnded) -> None:
        self._show_state("idle")
        if run is self.run:
            self.monitor.line.idle = self._nothing_found(run)
        if event.state == "failed":
            return  # the reason is shown already
        if run.classifier is None:
            self._state.notify("The run ended without keeping anything.", "warning")
            return
        kept = f"epoch {event.best_epoch}" if event.best_epoch else "the last epoch"
        self._state.notify(
            f"Done: {kept} is kept. Correct a place and continue training, or save the classifier.", "good"
        )

    def _nothing_found(self, run: "TrainingRun") -> str:
        """Return what it means that a run has ended without any finding."""
        if len(run.history) < FEW_EPOCHS:
            return "The run ended after too few epochs to judge the curves; nothing speaks against training longer."
        return "Nothing is wrong with the curves. Look where the prediction is wrong, and paint there."

    def _show_state(self, state: str) -> None:
        active = self._form.facts.busy = state in ACTIVE
        self._train.disabled = active
        self._pause.disabled = self._stop.disabled = state not in ("running", "paused")
        paused = state == "paused"
        self._pause.description, self._pause.icon = ("Resume", "play") if paused else ("Pause", "pause")
        again = self.run is not None and self.run.classifier is not None
        self._train.description = "Continue" if again else "Train"
        # Buttons that do nothing now take no room: the status of the run stands beside the others.
        for button, useful in (
            (self._train, not active),
            (self._pause, active),
            (self._stop, active),
            (self._fresh, again and not active),
        ):
            button.layout.display = None if useful else "none"
        if active:
            self.monitor.line.offer()
        else:
            self.monitor.line.offer(
                "Try 5 epochs first", "A short run, to see whether it learns at all", self.probe_soon
            )

    def hand_over(self, successor: "TrainPanel") -> None:
        """Have another panel show the run, also one that is just starting; this panel is about to be closed."""
        with self._lock:
            self._successor = successor
            starting, run = self._starting, self.run
            successor._starting = starting
        if run is not None:
            successor.watch(run)
        if starting:
            successor._show_state("preparing")

    def end_run(self) -> None:
        """End an active run, keeping its best epoch, and wait a little for that; do not begin one that is starting."""
        self._closing = True
        run = self.run
        if run is not None and self.active:
            run.stop(keep="best")
            run.wait(timeout=10)

    def close(self) -> None:
        """Close the widgets; an active run continues."""
        self._unsubscribe()
        self.unfinished.wait(10)
        self.monitor.close()
        super().close()
