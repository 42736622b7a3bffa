"""The panel that starts, pauses and stops a run, and shows its scores and curves."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
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
from histowidgets.widgets.common import ActionButton, listen
from histowidgets.widgets.monitor import LossMonitor
from histowidgets.widgets.settings import SettingsForm, label, text_of
from histowidgets.widgets.studio._last_session import LastRun
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._unfinished_run import UnfinishedRunOffer

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Classifier
    from histowidgets.training import LoadedRun, TrainingRun

#: If only these settings changed, the next run continues from the weights of the last one.
_MORE_OF_THE_SAME = {"epochs", "max_seconds", "early_stopping_patience"}
ACTIVE = ("preparing", "running", "paused", "stopping")


EventCallback = Callable[[Any, Any], object]


def _button(text: str, icon: str, tip: str, style: str = "") -> ipywidgets.Button:
    return ipywidgets.Button(description=text, icon=icon, tooltip=tip, button_style=style)


class TrainPanel(ipywidgets.VBox):
    """Start runs of the project, and show the active one.

    Parameters
    ----------
    state
        Has the project; the panel updates its `run` and `runs`, and reports the messages of a run.
    form
        Where the settings of the next run come from, and where advice changes them.
    """

    def __init__(self, state: StudioState, form: SettingsForm) -> None:
        self._state, self._form = state, form
        self._event_callbacks: list[EventCallback] = []
        self._change_callbacks: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._starting = self._closing = False
        # What stands under the buttons is of an earlier run. It stays until the next one is running, since the chart
        # under it would move twice if the next one says the same.
        self._said_before = False
        self._successor: TrainPanel | None = None
        self._patched = 0
        self._shown_state = "idle"
        #: The settings change that `undo_patch` reverts, such as "learning rate 0.0001"; "" if there is none.
        self.patch_in_words = ""
        self.monitor = LossMonitor(colors=state.project.colors)
        self.monitor.on_events(self._apply)
        self.monitor.on_diagnosis(self._tell_change)
        self._unsubscribe = form.on_change(lambda settings: self._settings_changed())
        self._main = ActionButton(tooltip="Train a network on the annotations, in the background")
        self._stop = _button("Stop", "stop", "Stop the run now and keep its best epoch")
        self._more = ipywidgets.ToggleButton(description="⋯", tooltip="More ways to train")
        self._more.add_class("hw-dots")
        self._probe = _button("Try 5 epochs first", "", "A short run to check that the network learns at all")
        self._main.on_click(self._main_pressed)
        self._stop.on_click(lambda _: self._stop_keeping_best())
        self._probe.on_click(lambda _: self.probe_soon())
        self._more.observe(lambda _: self._show_state(self._shown_state), names="value")
        self._fresh = ipywidgets.Checkbox(
            value=False,
            description="Start with new weights",
            indent=False,
            tooltip="Train from scratch instead of continuing from the last run",
        )
        self._fresh.add_class("hw-fresh")
        row = ipywidgets.HBox([self._main, self._stop, self._more, self.monitor.take_status()])
        row.add_class("hw-run-row")
        self._more_row = ipywidgets.HBox([self._probe, self._fresh], layout={"display": "none"})
        self._more_row.add_class("hw-wrap")
        self._said = ipywidgets.HTML()
        self.unfinished = UnfinishedRunOffer(state.project, self._resume_soon)
        self.last_run = LastRun(state.project, self._wants_last_run, self.watch)
        super().__init__([row, self._more_row, self._said, self.monitor])
        self.add_class("hw-section")
        self._show_state("idle")

    # -- what the user does ------------------------------------------------------------------------

    def start_soon(self) -> None:
        """Start a run in the background; errors are shown under the button."""
        self._soon(lambda: self._begin(self._form.settings, self._fresh.value))

    def probe_soon(self) -> None:
        """Start a run of a few epochs with the settings of the form, to check that the network learns at all."""
        self._soon(lambda: self._begin(self._form.settings.probe(), self._fresh.value))

    def _resume_soon(self, unfinished: UnfinishedRun) -> None:
        self._soon(lambda: self.watch(resume_training(unfinished.folder, self._state.project)))

    def _wants_last_run(self) -> bool:
        """Return whether to show an earlier run: there is no run yet, and none can be resumed."""
        self.unfinished.wait()
        return self.run is None and self.unfinished.found is None and not self._starting and not self._closing

    def _soon(self, start: Callable[[], object]) -> None:
        with self._lock:
            if self._starting or self.active:
                return
            self._starting = True
        self._said_before = True
        self._show_state("preparing")
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
        if wrong is not None and not self._closing:
            # Reported last, since the button that it brings back must work at once.
            self._show_state("idle")
            self._say(wrong, "error")

    def _say(self, text: str, level: str = "info") -> None:
        """Show a message under the buttons until the next run is running."""
        self._said_before = False
        words = f"<p class='hw-quiet hw-said-here' data-level='{level}' role='status'>{escape(text)}</p>"
        self._said.value = words if text else ""
        if text:
            self._state.answered(text, level)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, on any thread, when the run or its diagnosis changes; return a function to unsubscribe."""
        return listen(self._change_callbacks, callback)

    def _tell_change(self) -> None:
        for callback in list(self._change_callbacks):
            callback()

    @property
    def findings(self) -> Sequence[Advice]:
        """The diagnoses of the run's curves, the most urgent first."""
        return self.monitor.diagnosis

    def start(self, settings: TrainingSettings, from_scratch: bool = False) -> "TrainingRun":
        """Start a run, and show it.

        Parameters
        ----------
        settings
            How to train.
        from_scratch
            Start with new weights instead of those of the last run.

        Raises
        ------
        TrainingDataError
            If there are too few annotations to train on.
        TrainingError
            If a run is active already, which would continue unseen with no way to stop it.
        """
        with self._lock:
            if self._starting or self.active:
                raise TrainingError(
                    "A run is active already, and only one can run at a time. Stop it with studio.run.stop() and "
                    "studio.run.wait(), or let it finish; then train again."
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
            raise TrainingError(
                "The run was not started because the studio was closed. Open the studio again, then train."
            )

    def watch(self, run: "TrainingRun | LoadedRun") -> None:
        """Show a run from its first event on, and make the buttons act on it."""
        with self._lock:
            successor, closing = self._successor, self._closing
        if successor is not None:
            successor.watch(run)
            return
        if closing:  # nothing would show or stop it
            run.stop()
            return
        with self._lock:
            self.unfinished.withdraw()
            self._state.run = run
            # The weights of earlier runs would fill the memory within hours; their curves do not.
            self._state.runs = [
                one.summary() if isinstance(one, Run) and one.is_over and one is not run else one
                for one in self._state.runs
            ]
            if run not in self._state.runs:
                self._state.runs.append(run)
        self.monitor.colors = self._state.project.colors
        # Without the lock: `watch` waits for the last events of the earlier run, whose handlers may need the lock.
        self.monitor.watch(run)

    def on_event(self, callback: "EventCallback") -> Callable[[], None]:
        """Call `callback(run, event)` for each event, on the monitor's thread; return a function to unsubscribe."""
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

    def _main_pressed(self, action: str) -> None:
        """Train, pause or resume, as the button said when it was pressed; nothing if that no longer applies."""
        run = self.run
        if action == "train" and not self.active:
            self.start_soon()
        elif action == "resume" and run is not None and run.state == "paused":
            run.resume()
        elif action == "pause" and run is not None and run.state == "running":
            run.pause()

    def _stop_keeping_best(self) -> None:
        if self.run is not None:
            self.run.stop(keep="best")

    # -- from a diagnosis ------------------------------------------------------------------------

    def can_follow(self, action: Action) -> bool:
        """Return whether this panel can carry out an action."""
        return self.active if action.kind == "stop" else action.kind == "settings"

    def follow(self, action: Action, advice: Advice) -> None:
        """Carry out the action of a diagnosis: stop the run, or change the settings and start the next run."""
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
            changes = ", ".join(f"{label(name).lower()} {text_of(value)}" for name, value in patch.items())
            self._offer_undo(changes)
            self._state.log(f"Restarted with {changes}.")
            self._said_before = True
            if self.active and self.run is not None:
                self.run.stop(keep="best")
                self.run.wait()
            # A longer run continues; other changes are compared fairly only from the same start.
            self._begin(self._form.settings, from_scratch=not set(patch) <= _MORE_OF_THE_SAME)

        self._report_failure(restart)

    def undo_patch(self) -> None:
        """Undo the last change of settings made by advice."""
        if self._form.can_undo(self._patched):
            self._form.undo_patch()
        self._offer_undo("")
        self._say("The settings were restored. The next run uses them.")

    @property
    def undo_patch_offered(self) -> bool:
        """Whether `undo_patch` would revert a settings change."""
        return bool(self.patch_in_words)

    def _offer_undo(self, changes: str) -> None:
        self.patch_in_words = changes
        self._tell_change()

    def _settings_changed(self) -> None:
        if self.undo_patch_offered and not self._form.can_undo(self._patched):
            self._offer_undo("")

    # -- from the run, on the monitor's thread ----------------------------------------------------

    def _apply(self, state: RunState, events: Sequence[Event]) -> None:
        run = self.monitor.run
        for event in events:
            if isinstance(event, RunStarted):
                self.monitor.held_out = (
                    {} if run.split is None else held_out_counts(self._state.project.snapshot(), run.split)
                )
            elif isinstance(event, StateChanged):
                self._show_state(event.state)
                if event.state == "running" and self._said_before:
                    self._say("")
            elif isinstance(event, Message):
                if event.level == "info":
                    self._state.log(event.text)
                else:
                    self._say(event.text, event.level)
            elif isinstance(event, RunFailed):
                self._show_state("idle")
                self._state.notify(f"The run failed: {event.reason}. The annotations are safe.", "error")
                self._state.log(event.traceback)
            elif isinstance(event, RunEnded):
                self._show_state("idle")
                if event.state != "failed" and run.classifier is None:
                    self._say("The run ended before it had any weights to keep.", "warning")
            for callback in list(self._event_callbacks):
                callback(run, event)
        self._tell_change()

    def _show_state(self, state: str) -> None:
        self._shown_state = state
        active = self._form.facts.busy = state in ACTIVE
        again = self.run is not None and self.run.classifier is not None
        words, icon, action = {"running": ("Pause", "pause", "pause"), "paused": ("Resume", "play", "resume")}.get(
            state, ("Train" if active or not again else "Train more", "play", "train")
        )
        self._probe.disabled = state in ("preparing", "stopping") or self._state.project.read_only
        self._main.show(
            description=words,
            icon=icon,
            action=action,
            button_style="" if state == "running" else "primary",
            disabled=self._probe.disabled,
        )
        self._stop.disabled = state not in ("running", "paused")
        # Hide buttons that do nothing now, to make room for the status of the run.
        self._stop.layout.display = None if active else "none"
        self._more.layout.display = "none" if active else None
        self._more_row.layout.display = None if self._more.value and not active else "none"
        self._fresh.layout.display = None if again else "none"
        self._tell_change()

    def hand_over(self, successor: "TrainPanel") -> None:
        """Hand the run, even one that is just starting, to another panel before this one is closed."""
        with self._lock:
            self._successor = successor
            starting, run = self._starting, self.run
            successor._starting = starting
        if run is not None:
            successor.watch(run)
        if starting:
            successor._show_state("preparing")

    def end_run(self) -> None:
        """Stop an active run, keeping its best epoch, and wait briefly; cancel one that is just starting."""
        self._closing = True
        run = self.run
        if run is not None and self.active:
            run.stop(keep="best")
            run.wait(timeout=10)

    def close(self) -> None:
        """Close the widgets; an active run continues."""
        self._closing = True
        self._unsubscribe()
        self.unfinished.wait(10)
        self.last_run.wait(10)
        self.monitor.close()
        super().close()
