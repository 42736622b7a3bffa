"""The panel that writes a report: a button, with progress and time left, that can be cancelled."""

import threading
import time
from html import escape
from pathlib import Path

import ipywidgets

from histowidgets._durations import clock
from histowidgets._threads import BackgroundThread
from histowidgets.errors import HistowidgetsError, ReportCancelled
from histowidgets.widgets.live_prediction import LivePrediction
from histowidgets.widgets.studio._job_row import JobRow
from histowidgets.widgets.studio._state import StudioState

FILE = "report.html"
#: Least seconds between two progress reports.
SECONDS_BETWEEN = 0.2


class ReportPanel(ipywidgets.VBox):
    """Write what the project contains and what came of it as one HTML file into the studio's folder.

    Parameters
    ----------
    state
        Has the project, the runs, and the folder.
    live
        Has the classifier that is shown.
    """

    def __init__(self, state: StudioState, live: LivePrediction) -> None:
        self._state, self._live = state, live
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._told = 0.0
        self.write_button = ipywidgets.Button(
            description="Report",
            icon="file-text-o",
            tooltip="Images, curves, scores, predictions and a methods paragraph as one HTML file",
        )
        self.cancel_button = ipywidgets.Button(
            description="Cancel", icon="stop", disabled=True, tooltip="Cancel the report; nothing is written"
        )
        self.write_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self._stop.set())
        self._row = JobRow(self.write_button, self.cancel_button)
        self._status = ipywidgets.HTML()
        title = ipywidgets.HTML("<h4 class='hw-title'>Report</h4>")
        super().__init__([title, self._row, self._status])
        self.add_class("hw-section")
        self.add_class("hw-report")
        self._say("One HTML file with a methods paragraph, and a notebook that replays the training.")

    @property
    def active(self) -> bool:
        """Whether a report is being written."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start writing the report in the background; does nothing while one is being written."""
        if self.active:
            return
        self._stop.clear()
        self._told = 0.0
        self._row.show_busy(True)
        self._say("Preparing…")
        run, best = self._state.run, self._live.best
        classifier = None if best is None else best.classifier
        self._thread = BackgroundThread(self._work, "report", (run, classifier), stop=self._stop.set)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no report is being written; return whether that was reached before the timeout."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.active

    def close(self) -> None:
        """Cancel a report that is being written, and close the widgets."""
        self._stop.set()
        self.wait(10)
        super().close()

    def _work(self, run: object, classifier: object) -> None:
        from histowidgets.reporting import report  # loads torch, which may take seconds

        try:
            path = report(
                self._state.project,
                self._target(),
                run=run if getattr(run, "is_over", False) else None,  # type: ignore[arg-type]
                classifier=classifier,  # type: ignore[arg-type]
                progress=self._progress,
                should_stop=self._stop.is_set,
            )
        except ReportCancelled as cancelled:
            self._end(str(cancelled), "info")
        except (HistowidgetsError, OSError) as error:
            self._end(f"Not written: {error}", "error")
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
            self._end(f"Not written: {type(error).__name__}: {error}", "error")
        else:
            notebook = path.with_suffix(".ipynb")
            replays = f" {notebook.name} beside it replays the training." if notebook.exists() else ""
            self._end(f"Saved {path}.{replays} Open it in a browser.", "good")

    def _target(self) -> Path:
        return self._state.folder / FILE

    def _progress(self, done: int, total: int, step: str, seconds_left: float | None) -> None:
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN and done < total:
            return
        self._told = now
        self._row.show_share(done / total)
        left = "" if seconds_left is None else f" · {clock(seconds_left)} left"
        if done < total:
            self._say(f"Step {done + 1} of {total}: {step}{left}")

    def _end(self, words: str, level: str) -> None:
        self._row.show_busy(False)
        self._say(words, level)
        self._state.answered(words, level)

    def _say(self, words: str, level: str = "info") -> None:
        self._status.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{escape(words)}</p>"
