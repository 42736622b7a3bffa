"""The panel that compares runs or settings, and cross-validates, in the background."""

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from histowidgets._threads import BackgroundThread
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.training import TrainingSettings, compare_runs
from histowidgets.widgets.common import Disclosure, close_tree, style_widget
from histowidgets.widgets.monitor import cross_validation_html
from histowidgets.widgets.settings import SettingsForm
from histowidgets.widgets.studio._state import StudioState

FOLDS = 5
_RUNS, _FOLDS = "runs", "folds"


class TrialsPanel(ipywidgets.VBox):
    """Compare settings, and estimate how well they do on other tissue.

    Parameters
    ----------
    state
        Has the runs so far, and the project, of which a snapshot is taken when a trial starts. Nothing is written to
        its folder.
    form
        Has the settings to try.
    """

    def __init__(self, state: StudioState, form: SettingsForm) -> None:
        self._state, self._form = state, form
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        presets = [(f"these settings against the preset {name}", name) for name in TrainingSettings.preset_names()]
        self._what = ipywidgets.Dropdown(
            options=[("the runs so far", _RUNS), (f"{FOLDS} folds of these settings", _FOLDS), *presets],
            description="Try",
            tooltip="What to compare: runs, settings on one split and seed, or folds that hold out every label once",
        )
        self._start = ipywidgets.Button(description="Compare", tooltip="Train as needed and show the scores")
        self._end = ipywidgets.Button(description="Stop", tooltip="Stop after this batch", disabled=True)
        self._start.on_click(lambda _: self.start())
        self._end.on_click(lambda _: self._stop.set())
        row = ipywidgets.HBox([self._what, self._start, self._end])
        row.add_class("hw-trials-row")
        self._status = ipywidgets.HTML()
        self._result = ipywidgets.HTML()
        body = ipywidgets.VBox([row, self._status, self._result])
        fold = Disclosure("Compare and cross-validate", [body], tooltip="Runs side by side, presets, folds")
        super().__init__([style_widget("trials/style"), fold])
        self.add_class("hw-trials")

    def start(self, what: str | None = None) -> None:
        """Start a trial in the background; does nothing while one is active.

        Parameters
        ----------
        what
            "runs", "folds" or the name of a preset; by default the choice on the page.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        chosen = str(self._what.value if what is None else what)
        self._stop.clear()
        self._start.disabled, self._end.disabled = True, False
        self._say("Preparing…")
        self._thread = BackgroundThread(self._work, "trial", (chosen,), stop=self._stop.set)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no trial is active; return whether that was reached before the timeout."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def close(self) -> None:
        """End an active trial, and close the widgets."""
        self._stop.set()
        self.wait(10)
        close_tree(self)

    def _work(self, chosen: str) -> None:
        try:
            html = self._tried(chosen)
        except HistowidgetsError as error:
            self._say(f"Nothing to compare: {error}")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            self._say(f"The comparison failed: {type(error).__name__}: {error}")
        else:
            self._result.value = html
            self._say("Stopped. The finished part is shown." if self._stop.is_set() else "")
        finally:
            self._start.disabled, self._end.disabled = False, True

    def _tried(self, chosen: str) -> str:
        if chosen == _RUNS:
            runs = {f"run {n}": run for n, run in enumerate(self._state.runs, 1)}
            if not runs:
                raise TrainingError("press Train first; then train again with other settings.")
            return _boxed(compare_runs(runs).to_html())
        settings = self._form.settings
        if chosen == _FOLDS:
            from histowidgets.training import cross_validate

            result = cross_validate(self._state.project, settings, FOLDS, self._progress("Fold"), self._stop.is_set)
            if not result.folds:
                raise TrainingError("no fold was finished.")
            return cross_validation_html(result)
        from histowidgets.training import compare_settings

        both = {"these settings": settings, chosen: TrainingSettings.preset(chosen)}
        found = compare_settings(
            self._state.project, both, progress=self._progress("Training"), should_stop=self._stop.is_set
        )
        if not found.rows:
            raise TrainingError("no training was finished.")
        return _boxed(found.to_html())

    def _progress(self, word: str) -> Callable[[int, int, Any], None]:
        return lambda number, count, record: self._say(f"{word} {number} of {count}, epoch {record['epoch']}…")

    def _say(self, words: str) -> None:
        self._status.value = f"<p class='hw-quiet' role='status'>{escape(words)}&nbsp;</p>"


def _boxed(table: str) -> str:
    return f'<div class="hw-trials-box" tabindex="0" role="region" aria-label="Comparison">{table}</div>'
