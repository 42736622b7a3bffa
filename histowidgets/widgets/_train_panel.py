"""Train, pause, stop; the live curves, and what they mean."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.advice import diagnose
from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.training import (
    EpochEnded,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    StateChanged,
    TrainingSettings,
)
from histowidgets.widgets._advice_line import AdviceLine
from histowidgets.widgets._bridge import RunBridge
from histowidgets.widgets._form import SettingsForm
from histowidgets.widgets._monitor import LossMonitor

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Classifier
    from histowidgets.training import TrainingRun

Notify = Callable[[str, str], None]
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
        Called with the run and one of its events, from the bridge's thread.
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
        self._bridge: RunBridge | None = None
        self._starting = False
        self.run: TrainingRun | None = None
        self.monitor = LossMonitor(colors=project.colors)
        self.advice = AdviceLine(
            "Paint at least two classes, then press Train. You can go on painting meanwhile.",
            on_apply=form.patch,
            on_undo=form.undo_patch,
            on_stop=self._stop_keeping_best,
        )
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
        self._fresh.layout.visibility = "hidden"
        row = ipywidgets.HBox([self._train, self._pause, self._stop])
        row.add_class("hw-run-buttons")
        super().__init__([row, self._fresh, self.advice, self.monitor])
        self.add_class("hw-section")
        self._show_state("idle")

    # -- from the person ------------------------------------------------------------------------

    def start_soon(self) -> None:
        """Start a run without holding the caller; what is wrong is said in the notice."""
        with self._lock:
            if self._starting or self.active:
                return
            self._starting = True
        self._show_state("preparing")
        self._notify("Preparing the run…", "info")
        threading.Thread(target=self._start_or_say, name="histowidgets-start", daemon=True).start()

    def _start_or_say(self) -> None:
        try:
            self.start(self._form.settings, afresh=self._fresh.value)
        except HistowidgetsError as error:
            self._show_state("idle")
            self._notify(str(error), "error")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the person must see it
            self._show_state("idle")
            self._notify(f"The run could not start: {type(error).__name__}: {error}", "error")
        finally:
            with self._lock:
                self._starting = False

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
        """
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
            if self._bridge is not None:
                self._bridge.close()
            self.run = run
            self.monitor.watch(run)
            self.monitor.colors = self._project.colors
            self.advice.idle = "Watching the curves: what they mean is said here after a few epochs."
            self._bridge = RunBridge(run, lambda events: self._apply(run, events))

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

    # -- from the run, on the bridge's thread -----------------------------------------------------

    def _apply(self, run: "TrainingRun", events: list[Any]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
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
        if any(isinstance(event, EpochEnded) for event in events):
            found = diagnose(
                run.history, run.settings, steps_per_epoch=run.steps_per_epoch, n_train_tiles=run.n_train_tiles
            )
            self.advice.show(found[0] if found else None)

    def _ended(self, run: "TrainingRun", event: RunEnded) -> None:
        self._show_state("idle")
        if self.advice.advice is None:
            self.advice.idle = "The curves show no known pattern, or are too short to judge."
        if event.state == "failed":
            return  # the reason stands there already
        if run.classifier is None:
            self._notify("The run ended without keeping anything.", "warning")
            return
        kept = f"epoch {event.best_epoch}" if event.best_epoch else "the last epoch"
        self._notify(f"Done: {kept} is kept. Correct a place and train on, or save the classifier.", "good")

    def _show_state(self, state: str) -> None:
        active = state in ACTIVE
        self._train.disabled = active
        self._pause.disabled = state not in ("running", "paused")
        self._stop.disabled = state not in ("running", "paused")
        paused = state == "paused"
        self._pause.description, self._pause.icon = ("Resume", "play") if paused else ("Pause", "pause")
        again = self.run is not None and self.run.classifier is not None
        self._train.description = "Train on" if again else "Train"
        self._fresh.layout.visibility = "visible" if again and not active else "hidden"

    def close(self, stop_run: bool = True) -> None:
        """Close the widgets; with `stop_run`, end a run that is on first, keeping its best epoch."""
        if stop_run and self.run is not None and self.active:
            self.run.stop(keep="best")
            self.run.wait(timeout=10)
        if self._bridge is not None:
            self._bridge.close()
        self.monitor.close()
        super().close()
