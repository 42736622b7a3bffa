"""The monitor: the curves of a run as charts, their diagnosis in words, and a table."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import ipywidgets
import PIL.Image

from histowidgets._threads import BackgroundTimer
from histowidgets.advice import Action, Advice
from histowidgets.errors import TrainingError, WidgetError
from histowidgets.training import EpochEnded, Event, Run, RunState, TrainingSettings, parse_epoch_record
from histowidgets.widgets.common import (
    Disclosure,
    RunBridge,
    StaticOutput,
    close_tree,
    listen,
    static_html,
    style_widget,
)
from histowidgets.widgets.monitor._chart_picture import draw_picture
from histowidgets.widgets.monitor._chart_stack import ChartStack
from histowidgets.widgets.monitor._diagnoser import Diagnoser
from histowidgets.widgets.monitor._diagnosis_line import DiagnosisLine, OnAction
from histowidgets.widgets.monitor._downloads import DownloadButtons, csv_text
from histowidgets.widgets.monitor._foreign_run import ForeignRun
from histowidgets.widgets.monitor._held_out_list import held_out_html
from histowidgets.widgets.monitor._html import (
    about_text,
    kept_text,
    message_list,
    messages_html,
    placeholder_html,
    status_html,
    table_html,
)
from histowidgets.widgets.monitor._run_curves import SMOOTHING, RunCurves
from histowidgets.widgets.monitor._styles import class_styles

Listener = Callable[[RunState, Sequence[Event]], None]

log = logging.getLogger("histowidgets")

# Updates of the page per second.
RATE_HZ = 5.0
# Least epochs before curves are drawn during a run.
FIRST_DRAWN = 3
# Most earlier runs shown beneath the current one; more would hide it.
EARLIER_RUNS = 3


def _switch(name: str, doc: str) -> Any:
    """Make a property from a switch of the charts."""

    def get(monitor: "LossMonitor") -> bool:
        return bool(getattr(monitor._charts, name).value)

    def set_to(monitor: "LossMonitor", value: bool) -> None:
        getattr(monitor._charts, name).value = bool(value)

    return property(get, set_to, doc=doc)


class LossMonitor(ipywidgets.VBox):
    """The curves of a run, drawn while it trains, with their diagnosis and suggested actions above them.

    Parameters
    ----------
    run
        A `TrainingRun`, a replayed run, a `RunLog`, or anything else that `watch` accepts; None to wait for `watch`
        or `add`.
    colors
        Class name to ``"#rrggbb"`` for the curves of the classes.
    on_action
        Called as ``on_action(action, advice)`` when a button of a diagnosis was clicked, on a thread that depends on
        the kernel. Without it, only "stop" has a button, which calls ``run.stop(keep="best")``; changes of settings
        are shown as text.

    Examples
    --------
    With a training loop of your own, for instance in plain PyTorch::

        run = hw.RunLog(epochs=50)
        display(hw.LossMonitor(run))
        with run:
            for epoch in range(50):
                ...
                run.epoch(train_loss=loss, val_loss=val_loss, learning_rate=rate)
    """

    _closed = True  # until it is built: Python also closes a widget whose construction failed

    def __init__(
        self,
        run: Any = None,
        *,
        colors: Mapping[str, str] | None = None,
        on_action: OnAction | None = None,
    ) -> None:
        # Guards all attributes below, and is held for every write to the page: events come on the bridge's thread,
        # clicks on a thread that depends on the kernel, `add` on the caller's.
        self._lock = threading.RLock()
        self._run_state = RunState()
        self._curves = RunCurves(self._run_state)
        self._earlier: deque[RunCurves] = deque(maxlen=EARLIER_RUNS)
        self._listeners: list[Listener] = []
        self._diagnosis_callbacks: list[Callable[[], None]] = []
        self._colors = dict(colors or {})
        self._held_out: dict[str, int] = {}
        self._on_action = on_action
        self._run: Any = None
        self._bridge: RunBridge | None = None
        self._flush: BackgroundTimer | None = None
        self._drawn_at = -1.0
        self._diagnoser = Diagnoser()
        self._closed = self._brief = False
        self._caption = ""
        self._static_output = StaticOutput("LossMonitor", self.still_html, "chart")
        self._build()
        self._sheets = style_widget("common/panels", "common/still", "monitor/style")
        self._folds = [self._caption_line, self._table_fold, self._message_fold]
        top = [self._sheets, self._status_row, self._line]
        super().__init__([*top, self._stage, self._kept_line, self._scores, *self._folds])
        self.add_class("hw-monitor")
        self._draw()
        if run is not None:
            self.watch(run)

    def _build(self) -> None:
        self._status = ipywidgets.HTML()
        self._pause = self._run_button("Pause", "pause", "Pause after this batch, or resume", self._pause_or_resume)
        self._stop = self._run_button("Stop", "stop", "Stop the run now and keep its best epoch", self._stop_run)
        self._status_row = ipywidgets.HBox([self._status, self._pause, self._stop])
        self._status_row.add_class("hw-status-row")
        self._kept_line = ipywidgets.HTML()
        self._line = DiagnosisLine(self._usable, self._act)
        self._charts = ChartStack(self._draw)
        self._placeholder = ipywidgets.HTML()
        self._placeholder.add_class("hw-placeholder")
        # Charts and placeholder share one grid cell, so that the first epoch moves nothing.
        self._stage = ipywidgets.Box([self._charts, self._placeholder])
        self._stage.add_class("hw-monitor-stage")
        self._scores = ipywidgets.HTML()
        self._caption_line = ipywidgets.HTML()
        self._table = ipywidgets.HTML()
        downloads = DownloadButtons(self.to_csv, self.to_png)
        self._table_fold = Disclosure(
            "Numbers", [downloads, self._table], tooltip="The numbers of the charts as a table", on_open=self._draw
        )
        self._message_html = ipywidgets.HTML()
        self._message_fold = Disclosure(
            "Messages", [self._message_html], tooltip="The messages of the run", on_open=self._draw
        )

    def _run_button(self, words: str, icon: str, tip: str, act: Callable[[], None]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=words, icon=icon, tooltip=tip, layout={"display": "none"})
        button.add_class("hw-small")
        button.on_click(lambda _: act())
        return button

    # -- showing runs ---------------------------------------------------------------------------

    def watch(self, run: Any) -> None:
        """Show a run from its first event on; the previous run stays faintly beneath it.

        Parameters
        ----------
        run
            A `TrainingRun`, a `RunLog`, or anything with ``subscribe(callback)`` that calls back with the events of
            `histowidgets.training` or with a record per epoch; its past ``events`` or ``history`` are shown first.

        Raises
        ------
        WidgetError
            If `run` has no ``subscribe``, or the monitor is closed.
        """
        if not callable(getattr(run, "subscribe", None)):
            raise WidgetError(
                f"LossMonitor can watch a TrainingRun or anything with subscribe(callback), not {run!r}; "
                "for a loop of your own, watch a hw.RunLog() or call monitor.add(record) after each epoch."
            )
        self._refuse_if_closed()
        self._end_bridge()
        with self._lock:
            settings = getattr(run, "settings", None)
            state = RunState(
                # Settings of another library are unknown.
                settings=settings if isinstance(settings, TrainingSettings) else None,
                state=getattr(run, "state", None),
                epochs=getattr(settings, "epochs", None),
            )
            self._show(state, keep=run is not self._run)
            self._run = run
            self._draw()
        source = run if isinstance(run, Run) else ForeignRun(run)
        self._bridge = RunBridge(source, partial(self._apply, state), RATE_HZ)

    def add(self, record: Mapping[str, Any]) -> None:
        """Show the next epoch of any training loop; returns at once and may be called often.

        Parameters
        ----------
        record
            A dict with ``epoch`` (from 1), ``train_loss`` and, if known, ``val_loss``, ``train_miou``,
            ``val_miou``, ``val_iou`` (class name to IoU), ``learning_rate``. None, NaN and infinite values are allowed.

        Raises
        ------
        WidgetError
            If the record is not a dict or has a value that is not a number, or the monitor is closed.
        """
        self._refuse_if_closed()
        with self._lock:
            state = self._run_state
            try:
                event = EpochEnded(parse_epoch_record(record, state.next_epoch), is_best=False)
            except TrainingError as error:
                raise WidgetError(str(error)) from error
            state.apply(event)
            wait = self._drawn_at + 1 / RATE_HZ - time.monotonic()
            if wait <= 0:
                self._draw()
            else:
                # Otherwise the last records of a burst would never be drawn.
                self._draw_later(wait)
        self._call_listeners(state, [event])

    def on_events(self, callback: Listener) -> Callable[[], None]:
        """Call ``callback(state, events)`` after the monitor has shown new events of its run.

        This lets other widgets follow the run without reading its events on another thread. Calls come in the order of
        the events, in batches, at most five times a second, on the monitor's thread (on the caller's thread for `add`)
        and without the monitor's lock. Errors in the callback are logged.

        Parameters
        ----------
        callback : callable
            `state` is the `RunState` after `events`, to be read only during the call. After `watch` has returned, there
            are no more calls for the previous run.

        Returns
        -------
        callable
            Call it to unsubscribe.
        """
        return listen(self._listeners, callback)

    def on_diagnosis(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each new diagnosis of the curves; return a function to unsubscribe.

        It is called on any thread, and must not wait for a thread that uses the monitor.
        """
        return listen(self._diagnosis_callbacks, callback)

    def clear(self) -> None:
        """Stop watching, and clear the charts, including earlier runs."""
        self._end_bridge()
        with self._lock:
            self._run = None
            self._show(RunState(), keep=False)
            self._earlier.clear()
            self._draw()

    def close(self) -> None:
        """Stop watching, and close the monitor with all its widgets."""
        if self._closed:
            return
        self._end_bridge()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            timer, self._flush = self._flush, None
        self._static_output.close()
        if timer is not None:
            timer.cancel()
            timer.join(timeout=5)
        close_tree(self)
        for part in (self._status_row, self._line):  # no longer among the children after `take_status`
            close_tree(part)
        self._charts.close_all()

    def to_csv(self, path: str | PathLike[str]) -> Path:
        """Write the records as CSV: a row per epoch, a column ``iou_<class>`` per class, empty if not measured."""
        path = Path(path).expanduser()
        with self._lock:
            path.write_text(csv_text(self._curves), encoding="utf-8", newline="")
        return path

    def to_png(self, path: str | PathLike[str]) -> Path:
        """Write loss and mIoU as a PNG of 1200 x 840 pixels on white, with log axis and classes as switched on."""
        path = Path(path).expanduser()
        with self._lock:
            picture = self._picture()
        picture.save(path, "PNG")
        return path

    def _picture(self) -> PIL.Image.Image:
        names = self._curves.class_names() if self.show_classes else []
        return draw_picture(self._curves, class_styles(names, self._colors), self.log_scale)

    # -- what is shown --------------------------------------------------------------------------

    log_scale = _switch("log_toggle", "Whether the loss axis is logarithmic.")
    show_score = _switch("score_toggle", "Whether the score (mIoU) is drawn instead of the loss.")
    show_classes = _switch("class_toggle", "Whether the IoU of each class is drawn.")

    @property
    def smoothing(self) -> str:
        """How much the curves are averaged over the previous epochs: "none", "light" or "strong"."""
        return str(self._charts.smoothing.value)

    @smoothing.setter
    def smoothing(self, value: str) -> None:
        if value not in SMOOTHING:
            raise WidgetError(f"smoothing is {value!r}; use {', '.join(map(repr, SMOOTHING))}")
        self._charts.smoothing.value = value

    @property
    def run(self) -> Any:
        """The run that is watched, or None."""
        return self._run

    @property
    def history(self) -> list[dict[str, Any]]:
        """The records shown, in the order of epochs."""
        with self._lock:
            return [dict(record) for record in self._curves.records]

    @property
    def best_epoch(self) -> float | None:
        """The epoch marked as best, or None."""
        with self._lock:
            return self._curves.best_epoch

    @property
    def diagnosis(self) -> list[Advice]:
        """The diagnoses shown above the curves, the most urgent first; empty if there are none yet."""
        return list(self._line.found)

    @property
    def line(self) -> DiagnosisLine:
        """The line of text above the charts; see its ``idle``, ``restarts`` and ``offer_undo``."""
        return self._line

    def take_status(self) -> ipywidgets.HTML:
        """Return the status line for display elsewhere; scores, chart and folds remain here."""
        self.children = [self._sheets, self._scores, self._stage, self._kept_line, *self._folds]
        self._brief = True
        self._draw()
        return self._status

    @property
    def caption(self) -> str:
        """A line of plain text under the charts; if empty, the backbone and the tiles of the run are shown."""
        return self._caption

    @caption.setter
    def caption(self, text: str) -> None:
        with self._lock:
            self._caption = str(text)
            self._draw()

    @property
    def held_out(self) -> dict[str, int]:
        """Class name to number of held-out strokes, from which each score gets its range; empty if unknown."""
        return dict(self._held_out)

    @held_out.setter
    def held_out(self, strokes: Mapping[str, int]) -> None:
        with self._lock:
            self._held_out = dict(strokes)
            self._draw()

    @property
    def colors(self) -> dict[str, str]:
        """Class name to ``"#rrggbb"`` for the curves of the classes."""
        return dict(self._colors)

    @colors.setter
    def colors(self, colors: Mapping[str, str]) -> None:
        with self._lock:
            self._colors = dict(colors)
            self._draw()

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._static_output.show(super()._repr_mimebundle_(**kwargs))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the picture, for programs that show one output only and cannot show the widget."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = self.still_html()
        return bundle

    def still_html(self) -> str:
        """Return the state of the run, its curves and its numbers as HTML that needs no kernel."""
        with self._lock:
            status, numbers = status_html(self._run_state), self._numbers_html()
            if not len(self._curves):
                return status
            picture = self._picture()
        return f"{status}{static_html(picture, 'Loss and mIoU of each epoch; the numbers are in the table')}{numbers}"

    # -- clicks ---------------------------------------------------------------------------------

    def _usable(self, action: Action) -> bool:
        if action.kind == "stop":
            over = self._run_state.ended or not callable(getattr(self._run, "stop", None))
            return not over
        return self._on_action is not None and action.kind == "settings"

    def _act(self, action: Action, advice: Advice) -> None:
        if self._on_action is not None:
            self._on_action(action, advice)
        elif action.kind == "stop" and self._run is not None:
            self._run.stop(keep="best")

    def _stop_run(self) -> None:
        if self._run is not None:
            self._run.stop(keep="best")

    def _pause_or_resume(self) -> None:
        if self._run is not None:
            (self._run.resume if self._run_state.state == "paused" else self._run.pause)()

    def _show_run_buttons(self) -> None:
        """Show the buttons that the run supports; runs of other loops may lack the methods."""
        active = self._run_state.state in ("running", "paused") and not self._run_state.ended
        paused = self._run_state.state == "paused"
        self._pause.description, self._pause.icon = ("Resume", "play") if paused else ("Pause", "pause")
        for button, method in ((self._pause, "pause"), (self._stop, "stop")):
            button.layout.display = None if active and callable(getattr(self._run, method, None)) else "none"

    # -- events ---------------------------------------------------------------------------------

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise WidgetError("This LossMonitor is closed. Make a new one.")

    def _end_bridge(self) -> None:
        # Outside the lock, since closing waits for the bridge's thread, which may be waiting for the lock.
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.close()

    def _show(self, state: RunState, keep: bool) -> None:
        """Show another state; `keep` leaves the curves of the previous one beneath it."""
        if keep and len(self._curves):
            self._earlier.append(self._curves)
        self._run_state = state
        self._curves = RunCurves(state)
        self._diagnoser = Diagnoser()
        self._line.show([])

    def _apply(self, state: RunState, events: list[Event]) -> None:
        with self._lock:
            if state is not self._run_state or self._closed:
                return
            for event in events:
                state.apply(event)
            self._draw()
        self._call_listeners(state, events)

    def _call_listeners(self, state: RunState, events: Sequence[Event]) -> None:
        # Without the lock, since a listener may wait for a thread that waits for the lock.
        for callback in list(self._listeners):
            try:
                callback(state, events)
            except Exception:
                # The boundary to other widgets: the monitor must keep working.
                log.exception("A listener of the monitor failed")

    # -- drawing: the only code that changes what is shown --------------------------------------

    def _draw(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._flush = None
            self._drawn_at = time.monotonic()
            self._status.value = status_html(self._run_state, self._brief)
            self._caption_line.value = (
                f'<div class="hw-muted">{escape(self._caption or about_text(self._run_state))}</div>'
            )
            self._show_run_buttons()
            self._kept_line.value = f'<div class="hw-kept-line">{escape(kept_text(self._run_state))}</div>'
            self._draw_stage()
            self._charts.draw(self._curves, self._earlier, self._run_state.epochs, self._colors)
            names = tuple(self._colors) if self._brief else ()
            self._scores.value = held_out_html(self._curves.record_of(self._curves.best_epoch), self._held_out, names)
            self._draw_folds()
            found = self._diagnoser.diagnose(self._run_state, self._held_out)
            if found is not None:
                self._line.show(found)
            told = list(self._diagnosis_callbacks) if found is not None else []
            self._static_output.changed()
            due = self._diagnoser.due_in(self._run_state)
            if due is not None:
                self._draw_later(due)
        for callback in told:  # the lock may be held, so callbacks must not wait for this monitor
            callback()

    def _numbers_html(self) -> str:
        return table_html(self._curves.records, self._curves.class_names(), self._curves.best_epoch)

    def _draw_later(self, seconds: float) -> None:
        if self._flush is None:
            self._flush = BackgroundTimer(seconds, self._draw, "monitor")
            self._flush.start()

    def _draw_stage(self) -> None:
        empty = len(self._curves) < FIRST_DRAWN and not self._earlier and not self._run_state.is_over
        self._charts.layout.visibility = "hidden" if empty else None
        self._placeholder.layout.display = None if empty else "none"
        self._placeholder.value = placeholder_html(self._run_state.state)

    def _draw_folds(self) -> None:
        self._table_fold.layout.display = None if self._charts.more_toggle.value else "none"
        if self._table_fold.unfolded:
            self._table.value = self._numbers_html()
        messages = message_list(self._run_state)
        self._message_fold.layout.display = None if messages else "none"
        self._message_fold.title = f"Messages ({len(messages)})"
        if self._message_fold.unfolded:
            self._message_html.value = messages_html(messages)
