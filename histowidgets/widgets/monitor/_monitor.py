"""The monitor: what a run has learned so far, as charts, what they mean in words, and a table."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import ipywidgets

from histowidgets.advice import Action, Advice
from histowidgets.errors import WidgetError
from histowidgets.widgets.common import Disclosure, RunBridge, close_tree, style_widget
from histowidgets.widgets.monitor._charts import Charts, class_styles
from histowidgets.widgets.monitor._curves import EpochLog
from histowidgets.widgets.monitor._diagnosis_line import DiagnosisLine, OnAction
from histowidgets.widgets.monitor._files import WaysOut, csv_text
from histowidgets.widgets.monitor._held_out_list import held_out_html
from histowidgets.widgets.monitor._judge import Judge
from histowidgets.widgets.monitor._picture import save_picture
from histowidgets.widgets.monitor._plain_run import PlainRun
from histowidgets.widgets.monitor._reading import Reading
from histowidgets.widgets.monitor._switches import ChartSwitches
from histowidgets.widgets.monitor._text import messages_html, placeholder_html, status_html, table_html

# Calls a second at which the page is written to, whoever reports.
RATE_HZ = 5.0
# Runs that stay under the present one; more would hide it.
EARLIER_RUNS = 3


class LossMonitor(ChartSwitches, ipywidgets.VBox):
    """The curves of a training, drawn while it runs, and above them what they mean and what can be done about it.

    Parameters
    ----------
    run
        A `TrainingRun`, a run that was replayed, a `RunLog`, or anything that `watch` takes; None to wait for `watch`
        or `add`.
    colors
        Class name to ``"#rrggbb"`` for the curves of single classes.
    on_action
        Called as ``on_action(action, advice)``, on an unknown thread, when a button of a diagnosis was clicked.
        Without it only "stop" has a button, which calls ``run.stop(keep="best")``; changes of settings are words.

    Examples
    --------
    Beside a loop of one's own, in plain PyTorch for instance::

        run = hw.RunLog(epochs=50)
        display(hw.LossMonitor(run))
        with run:
            for epoch in range(50):
                ...
                run.epoch(train_loss=loss, val_loss=val_loss, learning_rate=rate)
    """

    def __init__(
        self,
        run: Any = None,
        *,
        colors: Mapping[str, str] | None = None,
        on_action: OnAction | None = None,
    ) -> None:
        # Guards all below, and is held for every write to the page: events come on the bridge's thread,
        # clicks on a thread that depends on the kernel's version, `add` on the caller's.
        self._lock = threading.RLock()
        self._reading = Reading()
        self._earlier: deque[EpochLog] = deque(maxlen=EARLIER_RUNS)
        self._colors = dict(colors or {})
        self._held_out: dict[str, int] = {}
        self._on_action = on_action
        self._run: Any = None
        self._bridge: RunBridge | None = None
        self._flush: threading.Timer | None = None
        self._drawn_at = -1.0
        self._judge = Judge()
        self._closed = self._brief = False
        self._caption = ""
        self._build()
        folds = [self._table_fold, self._said_fold]
        sheets = style_widget("common/panels", "monitor/style")
        self._below_status = [sheets, self._line, self._stage, self._scores, self._caption_line, *folds]
        super().__init__([self._status, *self._below_status])
        self.add_class("hw-monitor")
        self._draw()
        if run is not None:
            self.watch(run)

    def _build(self) -> None:
        self._status = ipywidgets.HTML()
        self._line = DiagnosisLine(self._usable, self._act)
        self._charts = Charts(self._draw)
        self._placeholder = ipywidgets.HTML()
        self._placeholder.add_class("hw-placeholder")
        # Charts and words lie in one cell of a grid, so that the first epoch moves nothing.
        self._stage = ipywidgets.Box([self._charts, self._placeholder])
        self._stage.add_class("hw-monitor-stage")
        self._scores = ipywidgets.HTML()
        self._caption_line = ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        ways_out = WaysOut(self.to_csv, self.to_png)
        self._table_fold = Disclosure(
            "Numbers", [ways_out, self._table], tooltip="The numbers of the charts as a table", on_open=self._draw
        )
        self._said = ipywidgets.HTML()
        self._said_fold = Disclosure("Messages", [self._said], tooltip="What the run said", on_open=self._draw)

    # -- what people call -----------------------------------------------------------------------

    def watch(self, run: Any) -> None:
        """Show `run` from its first event on; what was shown before stays beneath it, faintly.

        Parameters
        ----------
        run
            A `TrainingRun`, a `RunLog`, or anything with ``subscribe(callback)`` that calls back with the events of
            `histowidgets.training` or with one record an epoch; its ``events`` or ``history`` so far are shown first.

        Raises
        ------
        WidgetError
            `run` has no ``subscribe``, or the monitor is closed.
        """
        if not callable(getattr(run, "subscribe", None)):
            raise WidgetError(
                f"LossMonitor can watch a TrainingRun or anything with subscribe(callback), got {run!r}; "
                "for a loop of your own watch a hw.RunLog(), or call monitor.add(record) after each epoch"
            )
        self._refuse_if_closed()
        self._end_bridge()
        with self._lock:
            self._start_reading(keep=run is not self._run)
            self._run = run
            self._reading.progress.state = getattr(run, "state", None)
            self._reading.progress.epochs = getattr(getattr(run, "settings", None), "epochs", None)
            self._draw()
            reading = self._reading
        source = run if hasattr(run, "events") else PlainRun(run)
        self._bridge = RunBridge(source, partial(self._apply, reading), RATE_HZ)

    def add(self, record: Mapping[str, Any]) -> None:
        """Show one more epoch of any loop; returns at once and may be called as often as wanted.

        Parameters
        ----------
        record
            A dict with ``epoch`` (from 1), ``train_loss`` and, where known, ``val_loss``, ``train_miou``,
            ``val_miou``, ``val_iou`` (class name to IoU), ``learning_rate``. None, NaN and infinite values are fine.

        Raises
        ------
        WidgetError
            The record is no dict, or holds something that is no number, or the monitor is closed.
        """
        self._refuse_if_closed()
        with self._lock:
            self._reading.add(record)
            wait = self._drawn_at + 1 / RATE_HZ - time.monotonic()
            if wait <= 0:
                self._draw()
            else:
                # Without it the last records of a burst would never be drawn.
                self._draw_later(wait)

    def clear(self) -> None:
        """Stop watching, and show nothing, earlier runs included."""
        self._end_bridge()
        with self._lock:
            self._run = None
            self._start_reading(keep=False)
            self._earlier.clear()
            self._draw()

    def close(self) -> None:
        """Stop watching, and take the monitor off the page with all that it is made of."""
        self._end_bridge()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            timer, self._flush = self._flush, None
        if timer is not None:
            timer.cancel()
            timer.join(timeout=5)
        close_tree(self)
        self._charts.close_all()

    def to_csv(self, path: str | PathLike[str]) -> Path:
        """Write the records as a table: one row an epoch, ``iou_<class>`` for each class, empty where not measured."""
        path = Path(path).expanduser()
        with self._lock:
            path.write_text(csv_text(self._log), encoding="utf-8", newline="")
        return path

    def to_png(self, path: str | PathLike[str]) -> Path:
        """Write loss and mIoU as a picture of 1200 x 840 pixels on white; log axis and classes as they are switched."""
        path = Path(path).expanduser()
        with self._lock:
            names = self._log.class_names() if self.show_classes else []
            classes = {name: (style.color, style.dash) for name, style in class_styles(names, self._colors).items()}
            save_picture(path, self._log, classes, self.log_scale)
        return path

    @property
    def run(self) -> Any:
        """The run that is watched, or None."""
        return self._run

    @property
    def history(self) -> list[dict[str, Any]]:
        """The records that are shown, first epoch first."""
        with self._lock:
            return [dict(record) for record in self._log.records]

    @property
    def best_epoch(self) -> float | None:
        """The epoch that is marked as best, or None."""
        with self._lock:
            return self._log.best_epoch

    @property
    def diagnosis(self) -> list[Advice]:
        """What the curves mean, as shown above them: the most urgent first; empty while nothing can be said."""
        return list(self._line.found)

    @property
    def line(self) -> DiagnosisLine:
        """The words above the charts; see its ``idle``, ``restarts`` and ``offer_undo``."""
        return self._line

    def take_status(self) -> ipywidgets.HTML:
        """Return the line that says where the run is, to be shown elsewhere and no longer here."""
        self.children = self._below_status
        self._brief = True
        return self._status

    @property
    def caption(self) -> str:
        """A line of plain text under the charts; while it is empty, the run's backbone and tiles stand there."""
        return self._caption

    @caption.setter
    def caption(self, text: str) -> None:
        with self._lock:
            self._caption = str(text)
            self._draw()

    @property
    def held_out(self) -> dict[str, int]:
        """Class name to held-out strokes that the scores rest on: with them each score has a range. Empty: unknown."""
        return dict(self._held_out)

    @held_out.setter
    def held_out(self, strokes: Mapping[str, int]) -> None:
        with self._lock:
            self._held_out = dict(strokes)
            self._draw()

    @property
    def colors(self) -> dict[str, str]:
        """Class name to ``"#rrggbb"`` for the curves of single classes."""
        return dict(self._colors)

    @colors.setter
    def colors(self, colors: Mapping[str, str]) -> None:
        with self._lock:
            self._colors = dict(colors)
            self._draw()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the numbers as HTML, which is all that is left where a saved notebook has no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = self.still_html()
        return bundle

    def still_html(self) -> str:
        """Return the state of the run and its numbers as HTML that needs no kernel."""
        with self._lock:
            table = table_html(self._log.records, self._log.class_names(), self._log.best_epoch)
            return status_html(self._reading.progress) + table

    # -- clicks ---------------------------------------------------------------------------------

    def _usable(self, action: Action) -> bool:
        if action.kind == "stop":
            over = self._reading.over or not callable(getattr(self._run, "stop", None))
            return not over
        return self._on_action is not None and action.kind == "settings"

    def _act(self, action: Action, advice: Advice) -> None:
        if self._on_action is not None:
            self._on_action(action, advice)
        elif action.kind == "stop" and self._run is not None:
            self._run.stop(keep="best")

    # -- taking events in -----------------------------------------------------------------------

    @property
    def _log(self) -> EpochLog:
        return self._reading.log

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise WidgetError("this LossMonitor is closed; make a new one")

    def _end_bridge(self) -> None:
        # Outside the lock: closing waits for the bridge's thread, which may be waiting for the lock.
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.close()

    def _start_reading(self, keep: bool) -> None:
        if keep and len(self._log):
            self._earlier.append(self._log)
        self._reading = Reading()
        self._judge = Judge()
        self._line.show([])

    def _apply(self, reading: Reading, events: list[Any]) -> None:
        with self._lock:
            if reading is not self._reading or self._closed:
                return
            for event in events:
                reading.take(event)
            self._draw()

    # -- drawing: the one writer of all that is shown -------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._flush = None
            self._drawn_at = time.monotonic()
            self._status.value = status_html(self._reading.progress, self._brief)
            self._caption_line.value = f'<div class="hw-muted">{escape(self._caption or self._reading.about)}</div>'
            self._draw_stage()
            self._charts.draw(self._log, self._earlier, self._reading.progress.epochs, self._colors)
            self._scores.value = held_out_html(self._log.record_of(self._log.best_epoch), self._held_out)
            self._draw_folds()
            found = self._judge.judge(self._reading, self._run, self._held_out)
            if found is not None:
                self._line.show(found)
            due = self._judge.due_in(self._reading)
            if due is not None:
                self._draw_later(due)

    def _draw_later(self, seconds: float) -> None:
        if self._flush is None:
            self._flush = threading.Timer(seconds, self._draw)
            self._flush.name = "histowidgets-monitor"
            self._flush.daemon = True
            self._flush.start()

    def _draw_stage(self) -> None:
        empty = not len(self._log) and not self._earlier
        self._charts.layout.visibility = "hidden" if empty else None
        self._placeholder.layout.display = None if empty else "none"
        self._placeholder.value = placeholder_html(self._reading.progress.state)

    def _draw_folds(self) -> None:
        if self._table_fold.unfolded:
            self._table.value = table_html(self._log.records, self._log.class_names(), self._log.best_epoch)
        messages = self._reading.messages
        self._said_fold.layout.display = None if messages else "none"
        self._said_fold.title = f"Messages ({len(messages)})"
        if self._said_fold.unfolded:
            self._said.value = messages_html(messages)
