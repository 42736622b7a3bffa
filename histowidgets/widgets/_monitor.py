"""The monitor: what a run has learned so far, as two charts, a line of words, and a table."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from histowidgets.errors import WidgetError
from histowidgets.training import (
    BatchEnded,
    EpochEnded,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    StateChanged,
)
from histowidgets.widgets._bridge import RunBridge
from histowidgets.widgets._curves import EpochLog
from histowidgets.widgets._disclosure import Disclosure
from histowidgets.widgets._monitor_charts import ChartPair
from histowidgets.widgets._monitor_text import Progress, messages_html, status_html, table_html
from histowidgets.widgets._run_log import PlainRun
from histowidgets.widgets._style import style_widget
from histowidgets.widgets._tree import close_tree

# Calls a second at which the page is written to, whoever reports.
RATE_HZ = 5.0
# Runs that stay under the present one; more would hide it.
EARLIER_RUNS = 3
MESSAGES = 50


class LossMonitor(ipywidgets.VBox):
    """Losses and mIoU of a training, drawn while it runs.

    Parameters
    ----------
    run
        A `TrainingRun` to watch, or None to wait for `watch` or `add`.
    colors
        Class name to ``"#rrggbb"`` for the curves of single classes.

    Examples
    --------
    Beside a loop of one's own::

        monitor = hw.LossMonitor()
        display(monitor)
        for epoch in range(1, 51):
            ...
            monitor.add({"epoch": epoch, "train_loss": loss, "val_loss": val_loss})
    """

    def __init__(self, run: Any = None, *, colors: Mapping[str, str] | None = None) -> None:
        # Guards all below, and is held for every write to the page: events come on the bridge's thread,
        # clicks on a thread that depends on the kernel's version, `add` on the caller's.
        self._lock = threading.RLock()
        self._log = EpochLog()
        self._earlier: deque[EpochLog] = deque(maxlen=EARLIER_RUNS)
        self._progress = Progress()
        self._messages: deque[tuple[str, str]] = deque(maxlen=MESSAGES)
        self._colors = dict(colors or {})
        self._run: Any = None
        self._bridge: RunBridge | None = None
        self._flush: threading.Timer | None = None
        self._drawn_at = -1.0
        self._closed = False
        self._caption = self._about = ""
        self._build()
        super().__init__(
            [
                style_widget("panels"),
                self._status,
                self._stage,
                self._caption_line,
                self._table_fold,
                self._said_fold,
            ]
        )
        self.add_class("hw-monitor")
        self._draw()
        if run is not None:
            self.watch(run)

    def _build(self) -> None:
        self._status = ipywidgets.HTML()
        self._charts = ChartPair(self._draw)
        self._placeholder = ipywidgets.HTML()
        self._placeholder.add_class("hw-placeholder")
        # Charts and words lie in one cell of a grid, so that the first epoch moves nothing.
        self._stage = ipywidgets.Box([self._charts, self._placeholder])
        self._stage.add_class("hw-monitor-stage")
        self._caption_line = ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        self._table_fold = Disclosure(
            "Numbers", [self._table], tooltip="The numbers of the charts as a table", on_open=self._draw
        )
        self._said = ipywidgets.HTML()
        self._said_fold = Disclosure("Messages", [self._said], tooltip="What the run said", on_open=self._draw)

    # -- what people call -----------------------------------------------------------------------

    def watch(self, run: Any) -> None:
        """Show `run` from its first event on; what was shown before stays beneath it, faintly.

        Parameters
        ----------
        run
            A `TrainingRun`, or anything with ``subscribe(callback)`` that calls back with the same events or with
            one record an epoch; its ``events`` or ``history`` so far are shown first.

        Raises
        ------
        WidgetError
            `run` has no ``subscribe``, or the monitor is closed.
        """
        if not callable(getattr(run, "subscribe", None)):
            raise WidgetError(
                f"LossMonitor can watch a TrainingRun or anything with subscribe(callback), got {run!r}; "
                "for a loop of your own call monitor.add(record) after each epoch"
            )
        self._refuse_if_closed()
        self._end_bridge()
        with self._lock:
            self._start_log(keep=run is not self._run)
            self._run = run
            self._progress.state = getattr(run, "state", None)
            self._progress.epochs = getattr(getattr(run, "settings", None), "epochs", None)
            self._draw()
            log = self._log
        source = run if hasattr(run, "events") else PlainRun(run)
        self._bridge = RunBridge(source, partial(self._apply, log), RATE_HZ)

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
            self._log.add(record)
            self._progress.epoch = self._log.last_epoch
            wait = self._drawn_at + 1 / RATE_HZ - time.monotonic()
            if wait <= 0:
                self._draw()
            elif self._flush is None:
                # Without it the last records of a burst would never be drawn.
                self._flush = threading.Timer(wait, self._draw)
                self._flush.name = "histowidgets-monitor"
                self._flush.daemon = True
                self._flush.start()

    def clear(self) -> None:
        """Stop watching, and show nothing, earlier runs included."""
        self._end_bridge()
        with self._lock:
            self._run = None
            self._start_log(keep=False)
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
    def caption(self) -> str:
        """A line of plain text under the charts; while it is empty, the run's backbone and tiles stand there."""
        return self._caption

    @caption.setter
    def caption(self, text: str) -> None:
        with self._lock:
            self._caption = str(text)
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

    @property
    def log_scale(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return bool(self._charts.log_toggle.value)

    @log_scale.setter
    def log_scale(self, value: bool) -> None:
        self._charts.log_toggle.value = bool(value)

    @property
    def show_classes(self) -> bool:
        """Whether the IoU of each class is drawn."""
        return bool(self._charts.class_toggle.value)

    @show_classes.setter
    def show_classes(self, value: bool) -> None:
        self._charts.class_toggle.value = bool(value)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the numbers as HTML, which is all that is left where a saved notebook has no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        with self._lock:
            table = table_html(self._log.records, self._log.class_names(), self._log.best_epoch)
            bundle["text/html"] = status_html(self._progress) + table
        return bundle

    # -- taking events in -----------------------------------------------------------------------

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise WidgetError("this LossMonitor is closed; make a new one")

    def _end_bridge(self) -> None:
        # Outside the lock: closing waits for the bridge's thread, which may be waiting for the lock.
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.close()

    def _start_log(self, keep: bool) -> None:
        if keep and len(self._log):
            self._earlier.append(self._log)
        self._log = EpochLog()
        self._progress = Progress()
        self._about = ""
        self._messages.clear()

    def _apply(self, log: EpochLog, events: list[Any]) -> None:
        with self._lock:
            if log is not self._log or self._closed:
                return
            for event in events:
                try:
                    self._take(event)
                except WidgetError as error:
                    # One bad record must not cost the others; the run knows nothing of it.
                    self._messages.append(("warning", str(error)))
            self._draw()

    def _take(self, event: Any) -> None:
        progress = self._progress
        match event:
            case RunStarted():
                progress.epochs = event.epochs
                self._about = event.backbone
                if event.n_train_tiles:
                    self._about += f" · {event.n_train_tiles} training tiles, {event.n_validation_tiles} for validation"
            case BatchEnded():
                progress.epoch, progress.step, progress.steps = event.epoch, event.step, event.steps
                progress.seconds_left = event.seconds_left
            case EpochEnded():
                self._take_record(event.record, event.is_best)
            case StateChanged():
                progress.state = event.state
            case Message():
                self._messages.append((event.level, event.text))
            case RunFailed():
                progress.state, progress.reason = "failed", event.reason
                self._messages.append(("error", event.reason))
                if event.traceback:
                    self._messages.append(("traceback", event.traceback))
            case RunEnded():
                progress.state, progress.step = event.state, None
                if len(self._log):
                    progress.epoch = self._log.last_epoch
                self._log.mark_best(event.best_epoch)
            case Mapping():
                self._take_record(event, None)

    def _take_record(self, record: Mapping[str, Any], is_best: bool | None) -> None:
        self._log.add(record, is_best)
        self._progress.epoch, self._progress.step = self._log.last_epoch, None
        self._progress.seconds = (self._log.record_of(self._log.last_epoch) or {}).get("seconds")

    # -- drawing: the one writer of all that is shown -------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._flush = None
            self._drawn_at = time.monotonic()
            self._status.value = status_html(self._progress)
            self._caption_line.value = f'<div class="hw-muted">{escape(self._caption or self._about)}</div>'
            self._draw_stage()
            self._charts.draw(self._log, self._earlier, self._progress.epochs, self._colors)
            self._draw_folds()

    def _draw_stage(self) -> None:
        empty = not len(self._log) and not self._earlier
        self._charts.layout.visibility = "hidden" if empty else None
        self._placeholder.layout.display = None if empty else "none"
        waiting = self._progress.state in ("preparing", "running", "paused")
        words = "Waiting for the first epoch…" if waiting else "No run yet: press Train"
        if self._progress.state == "failed":
            words = "The run failed before its first epoch ended"
        self._placeholder.value = f"<p>{words}</p>"

    def _draw_folds(self) -> None:
        if self._table_fold.unfolded:
            self._table.value = table_html(self._log.records, self._log.class_names(), self._log.best_epoch)
        count = len(self._messages)
        self._said_fold.layout.display = None if count else "none"
        self._said_fold.title = f"Messages ({count})"
        if self._said_fold.unfolded:
            self._said.value = messages_html(self._messages)
