"""Train, pause, stop; the live curves, and what they mean."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.advice import Action, Advice, held_out_counts
from histowidgets.annotations import Project
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
from histowidgets.widgets.monitor import LossMonitor
from histowidgets.widgets.settings import SettingsForm, label, text_of
from histowidgets.widgets.studio._unfinished_line import UnfinishedLine

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Classifier
    from histowidgets.training import TrainingRun

_IDLE = "Paint at least two classes, then press Train. You can go on painting meanwhile."
Notify = Callable[[str, str], None]
# Changes after which the next run goes on from the weights of the last one.
_MORE_OF_THE_SAME = {"epochs", "max_seconds", "early_stopping_patience"}
# Before this many, the diagnoses of a slow or poor run cannot be told.
FEW_EPOCHS = 10
ACTIVE = ("preparing", "running", "paused", "stopping")


def _button(text: str, icon: str, tip: str, style: str = "") -> ipywidgets.Button:
    return ipywidgets.Button(description=text, icon=icon, tooltip=tip, button_style=style)


class TrainPanel(ipywidgets.VBox):
    """Starts runs of one project, and shows the one that is on.

    Parameters
    ----------
    project
        What is annotated.
    form
        Where the settings of the next run come from, and where advice changes them.
    notify
        Called with a text and a level; errors of the run reach the person through it.
    log
        Called with a text that belongs in the log, tracebacks too.
    on_event
        Called with the run and one of its events, from the monitor's thread.
    """

    def __init__(
        self,
        project: Project,
        form: SettingsForm,
        notify: Notify,
        log: Callable[[str], None],
        on_event: "Callable[[TrainingRun, Any], None]",
    ) -> None:
        self._project, self._form, self._notify, self._log, self._on_event = project, form, notify, log, on_event
        self._lock = threading.RLock()
        self._starting = False
        self._patched = 0
        self.run: TrainingRun | None = None
        self.runs: list[Any] = []  # all so far; those before the last one without their weights
        self.monitor = LossMonitor(colors=project.colors, on_action=self._follow)
        self.monitor.line.idle = _IDLE
        self.monitor.line.restarts = True
        self.monitor.on_events(self._apply)
        self._unsubscribe = form.on_change(lambda settings: self._settings_changed())
        self._train = _button("Train", "play", "Train a network on the annotations (in the background)", "primary")
        self._pause = _button("Pause", "pause", "Pause after this batch, or go on")
        self._stop = _button("Stop, keep best", "stop", "End the run now and keep its best epoch")
        self._train.on_click(lambda _: self.start_soon())
        self._pause.on_click(lambda _: self._pause_or_resume())
        self._stop.on_click(lambda _: self._stop_keeping_best())
        self._fresh = ipywidgets.Checkbox(
            value=False,
            description="Start afresh",
            indent=False,
            tooltip="Forget what the last run learned, instead of training on from it",
        )
        self._fresh.add_class("hw-fresh")
        row = ipywidgets.HBox([self._train, self._pause, self._stop, self._fresh, self.monitor.take_status()])
        row.add_class("hw-run-row")
        self.unfinished = UnfinishedLine(project, self._resume_soon)
        super().__init__([row, self.unfinished, self.monitor])
        self.add_class("hw-section")
        self._show_state("idle")

    # -- from the person ------------------------------------------------------------------------

    def start_soon(self) -> None:
        """Start a run without holding the caller; what is wrong is said in the notice."""
        self._soon(lambda: self._begin(self._form.settings, self._fresh.value))

    def probe_soon(self) -> None:
        """Start a run of a few epochs with the settings of the form, to see whether it learns at all (row N13)."""
        self._soon(lambda: self._begin(self._form.settings.probe(), self._fresh.value))

    def _resume_soon(self, broken: UnfinishedRun) -> None:
        self._soon(lambda: self.watch(resume_training(broken.folder, self._project)))

    def _soon(self, start: Callable[[], object]) -> None:
        with self._lock:
            if self._starting or self.active:
                return
            self._starting = True
        self._show_state("preparing")
        self._notify("Preparing the run…", "info")
        work = partial(self._say_what_fails, start)
        threading.Thread(target=work, name="histowidgets-start", daemon=True).start()

    def _say_what_fails(self, start: Callable[[], object]) -> None:
        wrong = None
        try:
            start()
        except HistowidgetsError as error:
            wrong = str(error)
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the person must see it
            wrong = f"The run could not start: {type(error).__name__}: {error}"
        with self._lock:
            self._starting = False
        if wrong is not None:  # said last: the button that comes back with it must not be pressed in vain
            self._show_state("idle")
            self._notify(wrong, "error")

    def start(self, settings: TrainingSettings, afresh: bool = False) -> "TrainingRun":
        """Start a run, and show it.

        Parameters
        ----------
        settings
            How to train.
        afresh
            Begin with new weights, not with those of the last run.

        Raises
        ------
        TrainingDataError
            If there are too few annotations to learn from.
        TrainingError
            If a run is on already: it would go on unseen, and nothing could stop it.
        """
        with self._lock:
            if self._starting or self.active:
                raise TrainingError(
                    "A run is on already, and there is one at a time. End it with studio.run.stop() and "
                    "studio.run.wait(), or let it end, and train again then."
                )
            self._starting = True
        try:
            return self._begin(settings, afresh)
        finally:
            with self._lock:
                self._starting = False

    def _begin(self, settings: TrainingSettings, afresh: bool) -> "TrainingRun":
        from histowidgets.training import start_training

        last = self.run
        before: Classifier | None = None if afresh or last is None else last.classifier
        run = start_training(
            self._project,
            settings,
            continue_from=before,
            split=None if last is None else last.split,
        )
        self.watch(run)
        return run

    def watch(self, run: "TrainingRun") -> None:
        """Show a run, from its first event on, and let the buttons act on it."""
        with self._lock:
            self.unfinished.hide()
            self.run = run
            # The weights of earlier runs would add up over an afternoon; their curves do not.
            self.runs = [
                one.summary() if isinstance(one, Run) and one.is_over and one is not run else one for one in self.runs
            ]
            if run not in self.runs:
                self.runs.append(run)
        self.monitor.colors = self._project.colors
        self.monitor.line.idle = "Watching the curves: what they mean is said here after a few epochs."
        # Without the lock: it waits for the last events of the run before, which may need it.
        self.monitor.watch(run)

    @property
    def active(self) -> bool:
        """Whether a run is on, paused or about to end."""
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
        """Do what a button of a diagnosis says: end the run, or change the settings and start the next one."""
        if action.kind == "stop":
            self._stop_keeping_best()
            return
        with self._lock:
            if self._starting or not action.patch:
                return
            self._starting = True
        work = partial(self._restart_or_say, dict(action.patch))
        threading.Thread(target=work, name="histowidgets-restart", daemon=True).start()

    def _restart_or_say(self, patch: dict[str, Any]) -> None:
        def restart() -> None:
            self._patched = self._form.patch(patch)
            self.monitor.line.offer_undo(self._undo_patch)
            changes = ", ".join(f"{label(name).lower()} {text_of(value)}" for name, value in patch.items())
            self._notify(f"The next run starts with {changes}.", "info")
            if self.active and self.run is not None:
                self.run.stop(keep="best")
                self.run.wait()
            # Longer means on; any other change is judged best from the same start.
            self._begin(self._form.settings, afresh=not set(patch) <= _MORE_OF_THE_SAME)

        self._say_what_fails(restart)

    def _undo_patch(self) -> None:
        if self._form.can_undo(self._patched):
            self._form.undo_patch()
        self._notify("The settings are as they were before the advice. Press Train to use them.", "info")

    def _settings_changed(self) -> None:
        if not self._form.can_undo(self._patched):
            self.monitor.line.offer_undo(None)

    # -- from the run, on the monitor's thread ----------------------------------------------------

    def _apply(self, state: RunState, events: Sequence[Event]) -> None:
        run = self.monitor.run
        for event in events:
            if isinstance(event, RunStarted):
                self.monitor.held_out = (
                    {} if run.split is None else held_out_counts(self._project.snapshot(), run.split)
                )
                self._notify("Training. Go on painting: the next run learns from it.", "info")
            elif isinstance(event, StateChanged):
                self._show_state(event.state)
            elif isinstance(event, Message):
                self._log(event.text)
                if event.level != "info":
                    self._notify(event.text, event.level)
            elif isinstance(event, RunFailed):
                self._show_state("idle")
                self._notify(f"The run failed: {event.reason}. The annotations are safe.", "error")
                self._log(event.traceback)
            elif isinstance(event, RunEnded):
                self._ended(run, event)
            self._on_event(run, event)

    def _ended(self, run: "TrainingRun", event: RunEnded) -> None:
        self._show_state("idle")
        if run is self.run:
            self.monitor.line.idle = self._nothing_found(run)
        if event.state == "failed":
            return  # the reason stands there already
        if run.classifier is None:
            self._notify("The run ended without keeping anything.", "warning")
            return
        kept = f"epoch {event.best_epoch}" if event.best_epoch else "the last epoch"
        self._notify(f"Done: {kept} is kept. Correct a place and train on, or save the classifier.", "good")

    def _nothing_found(self, run: "TrainingRun") -> str:
        """Say, of a run that has ended and in which no pattern was found, what that means."""
        epochs = len(run.history)
        if epochs < FEW_EPOCHS:
            return f"{epochs} epochs are too few to judge the curves; nothing speaks against training on."
        return "Nothing is wrong with the curves. Look where the prediction is wrong, and paint there."

    def _show_state(self, state: str) -> None:
        active = self._form.facts.busy = state in ACTIVE
        self._train.disabled = active
        self._pause.disabled = self._stop.disabled = state not in ("running", "paused")
        paused = state == "paused"
        self._pause.description, self._pause.icon = ("Resume", "play") if paused else ("Pause", "pause")
        again = self.run is not None and self.run.classifier is not None
        self._train.description = "Train on" if again else "Train"
        # What cannot be done now takes no room: beside the buttons stands where the run is.
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

    def close(self, stop_run: bool = True) -> None:
        """Close the widgets; with `stop_run`, end a run that is on first, keeping its best epoch."""
        if stop_run and self.run is not None and self.active:
            self.run.stop(keep="best")
            self.run.wait(timeout=10)
        self._unsubscribe()
        self.unfinished.wait(10)
        self.monitor.close()
        super().close()
