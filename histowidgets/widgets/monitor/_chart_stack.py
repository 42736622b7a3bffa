"""The chart of the monitor, loss or score, with its legend and switches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np

from histowidgets._ticks import IOU_TICKS, Ticks, epoch_ticks, linear_ticks, log_ticks
from histowidgets.widgets.monitor._epoch_chart import EpochChart
from histowidgets.widgets.monitor._html import legend_html
from histowidgets.widgets.monitor._run_curves import SMOOTHING, Curve, RunCurves, smoothed
from histowidgets.widgets.monitor._styles import RATE, TRAIN, VALIDATION, Style, class_styles

HEIGHT = 190
RATE_HEIGHT = 80

# Line name to the columns of a record, for the loss chart and the score chart.
_COLUMNS = {"train": ("train_loss", "train_miou"), "validation": ("val_loss", "val_miou")}


class ChartStack(ipywidgets.VBox):
    """The chart of the loss or the score (mIoU, optionally the IoU of each class), optionally with the learning rate.

    Parameters
    ----------
    redraw
        Called when a switch was pressed, on a thread that depends on the kernel.
    """

    def __init__(self, redraw: Callable[[], None]) -> None:
        self._redraw = redraw
        self.score_toggle = self._switch("Score", "Show the score of each epoch (mIoU) instead of the loss")
        self.more_toggle = self._switch(
            "⋯", "More: scale, classes, smoothing, earlier runs, learning rate, numbers, files"
        )
        self.more_toggle.add_class("hw-dots")
        self.log_toggle = self._switch("log", "Logarithmic loss axis, which shows small changes late in a run")
        self.class_toggle = self._switch("classes", "Show the score of each class (IoU)")
        self.rate_toggle = self._switch("learning rate", "Show the learning rate of each epoch")
        self.earlier_toggle = self._switch("earlier runs", "Show the runs before this one in grey", True)
        self.smoothing = ipywidgets.Dropdown(
            options=list(SMOOTHING),
            description="smooth",
            tooltip="Average each curve over the previous epochs; the raw values stay as a thin line",
        )
        self.smoothing.observe(lambda change: redraw(), names="value")
        styles = {"train": TRAIN, "validation": VALIDATION}
        self.loss = EpochChart(HEIGHT, styles, epoch_labels=True)
        self.score = EpochChart(HEIGHT, styles, epoch_labels=True)
        self.rate = EpochChart(RATE_HEIGHT, {"rate": RATE}, epoch_labels=False)
        self.rate.set_log(True)
        self._loss_legend, self._score_legend, self._rate_legend = (ipywidgets.HTML() for _ in range(3))
        self._class_legend = ipywidgets.HTML(layout={"display": "none"})
        self._rate_box = ipywidgets.VBox([_head(self._rate_legend), self.rate.figure], layout={"display": "none"})
        self._switches = ipywidgets.HBox(
            [self.log_toggle, self.class_toggle, self.rate_toggle, self.earlier_toggle, self.smoothing]
        )
        self._switches.add_class("hw-switches")
        super().__init__(
            [
                _head(self._loss_legend, self._score_legend, self.score_toggle, self.more_toggle),
                self._switches,
                self.loss.figure,
                self.score.figure,
                self._class_legend,
                self._rate_box,
            ]
        )
        self.add_class("hw-charts")

    def _switch(self, words: str, tip: str, value: bool = False) -> ipywidgets.ToggleButton:
        switch = ipywidgets.ToggleButton(value=value, description=words, tooltip=tip)
        switch.add_class("hw-small")
        switch.observe(lambda change: self._redraw(), names="value")
        return switch

    def draw(
        self,
        run: RunCurves,
        earlier: Sequence[RunCurves],
        total_epochs: float | None,
        colors: Mapping[str, str],
    ) -> None:
        """Show a run over earlier runs; only changes are sent to the page."""
        self.earlier_toggle.disabled = not earlier
        self._show_parts()
        earlier = earlier if self.earlier_toggle.value else ()
        x = _epoch_axis([run, *earlier], total_epochs)
        styles = class_styles(run.class_names(), colors)
        best = run.best_epoch
        for column, chart in enumerate((self.loss, self.score)):
            raw = {name: run.curve(columns[column]) for name, columns in _COLUMNS.items()}
            before = {name: [one.curve(columns[column]) for one in earlier] for name, columns in _COLUMNS.items()}
            curves = self._smoothed(raw)
            if chart is self.loss:
                chart.set_log(self.log_toggle.value)
                chart.draw_axes(x, self._loss_axis([*raw.values(), *before["train"], *before["validation"]]))
            else:
                chart.draw_axes(x, IOU_TICKS)
                curves.update(self._smoothed(self._class_curves(run, styles)))
            chart.draw_best(best, "" if best is None else f"kept: {best:g}", x)
            chart.draw_lines(curves, before, raw if self._memory else None)
        self._draw_rate(run, earlier, x)
        self._draw_legends(run, styles)

    def _show_parts(self) -> None:
        score = self.score_toggle.value
        for part, is_shown in (
            (self.loss.figure, not score),
            (self._loss_legend, not score),
            (self.score.figure, score),
            (self._score_legend, score),
            (self._switches, self.more_toggle.value),
            (self.log_toggle, not score),
            (self.class_toggle, score),
        ):
            part.layout.display = None if is_shown else "none"

    @property
    def _memory(self) -> float:
        return SMOOTHING[self.smoothing.value]

    def _smoothed(self, curves: Mapping[str, Curve]) -> dict[str, Curve]:
        return {name: smoothed(curve, self._memory) for name, curve in curves.items()}

    def _draw_rate(self, run: RunCurves, earlier: Sequence[RunCurves], x: Ticks) -> None:
        self._rate_box.layout.display = None if self.rate_toggle.value else "none"
        if not self.rate_toggle.value:
            return
        curve, before = run.curve("learning_rate"), [one.curve("learning_rate") for one in earlier]
        self.rate.draw_axes(x, log_ticks(np.concatenate([one.y for one in (curve, *before)]), most=3))
        self.rate.draw_best(run.best_epoch, "", x)
        self.rate.draw_lines({"rate": curve}, {"rate": before})

    def _loss_axis(self, curves: Sequence[Curve]) -> Ticks:
        values = np.concatenate([curve.y for curve in curves])
        return log_ticks(values) if self.log_toggle.value else linear_ticks(values)

    def _class_curves(self, run: RunCurves, styles: Mapping[str, Style]) -> dict[str, Curve]:
        if not self.class_toggle.value:
            return {}
        curves = {}
        for name, style in styles.items():
            line = f"class {name}"
            self.score.add_line(line, style)
            curves[line] = run.curve("val_iou", name)
        return curves

    def _draw_legends(self, run: RunCurves, styles: Mapping[str, Style]) -> None:
        last: Mapping[str, Any] = run.record_of(run.last_epoch) or {}
        for column, (html, title) in enumerate(((self._loss_legend, "Loss"), (self._score_legend, "Score"))):
            html.value = legend_html(
                title,
                [
                    (name, style, last.get(_COLUMNS[name][column]))
                    for name, style in (("train", TRAIN), ("validation", VALIDATION))
                ],
            )
        self._rate_legend.value = legend_html("Learning rate", [("decoder", RATE, last.get("learning_rate"))])
        shows_classes = self.score_toggle.value and self.class_toggle.value and styles
        self._class_legend.layout.display = None if shows_classes else "none"
        self._class_legend.value = legend_html(
            "IoU", [(name, style, last.get("val_iou", {}).get(name)) for name, style in styles.items()]
        )

    def close_all(self) -> None:
        """Close the charts with all widgets that bqplot made for them."""
        for chart in (self.loss, self.score, self.rate):
            chart.close()


def _epoch_axis(runs: Sequence[RunCurves], total: float | None) -> Ticks:
    shown = [run for run in runs if len(run)]
    first = min((run.first_epoch for run in shown), default=1.0)
    last = max((run.last_epoch for run in shown), default=1.0)
    # An earlier, longer run must fit as well.
    return epoch_ticks(first, last, None if total is None else max(total, last))


def _head(*parts: ipywidgets.DOMWidget) -> ipywidgets.HBox:
    row = ipywidgets.HBox(parts)
    row.add_class("hw-chart-head")
    return row
