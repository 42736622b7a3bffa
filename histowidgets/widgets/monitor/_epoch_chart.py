"""A bqplot chart over epochs that sends only changes to the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import bqplot
import numpy as np

from histowidgets._ticks import Ticks
from histowidgets.widgets.common import close_tree
from histowidgets.widgets.monitor._run_curves import NO_CURVE, Curve, joined, positive, thin, trimmed
from histowidgets.widgets.monitor._styles import Style

# Text, grid, axes and the line of the best epoch take their colours from the theme (static/common/panels.css).
_MARGIN = {"top": 8, "bottom": 6, "left": 38, "right": 12}
_EPOCH_LABELS_HEIGHT = 30
# A grey that is visible on white and black; dashes still distinguish training from validation.
_EARLIER = "#8a8f98"


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")


def _set(widget: Any, **traits: Any) -> None:
    """Write the traits that differ in one message."""
    changed = {
        name: value
        for name, value in traits.items()
        if not (
            _same(np.asarray(getattr(widget, name)), value)
            if isinstance(value, np.ndarray)
            else getattr(widget, name) == value
        )
    }
    if not changed:
        return
    with widget.hold_sync():
        for name, value in changed.items():
            setattr(widget, name, value)


class EpochChart:
    """A chart of named lines over epochs, which marks the best epoch and shows earlier runs beneath.

    A thin line of the raw values lies beneath each smoothed line.

    Parameters
    ----------
    height
        Height in CSS pixels; it never changes, so that nothing on the page jumps.
    styles
        The lines in drawing order; `add_line` adds more.
    epoch_labels
        Whether the epoch axis shows its numbers and its name.
    """

    def __init__(self, height: int, styles: Mapping[str, Style], epoch_labels: bool) -> None:
        self._log = False
        self._x = bqplot.LinearScale(min=1, max=5, allow_padding=False)
        self._linear = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        self._logarithmic = bqplot.LogScale(min=0.1, max=1, allow_padding=False)
        self._unit = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        self._x_axis = bqplot.Axis(
            scale=self._x,
            label="epoch" if epoch_labels else "",
            label_offset="24px",
            tick_format="d",
            tick_style={} if epoch_labels else {"display": "none"},
            grid_lines="none",
        )
        y_axis = {"side": "left", "tick_format": "~g", "grid_lines": "solid"}
        self._linear_axis = bqplot.Axis(scale=self._linear, **y_axis)
        self._log_axis = bqplot.Axis(scale=self._logarithmic, **y_axis)
        self._beneath: dict[str, bqplot.Lines] = {}
        self._raw: dict[str, bqplot.Lines] = {}
        self._lines: dict[str, bqplot.Lines] = {}
        best = {"x": self._x, "y": self._unit}
        self._best_line = bqplot.Lines(
            scales=best, colors=["#2e9e5b"], line_style="dotted", stroke_width=1.5, visible=False
        )
        self._best_text = bqplot.Label(
            scales=best, colors=["#2e9e5b"], default_size=11, font_weight="normal", visible=False, y_offset=4
        )
        margin = dict(_MARGIN, bottom=_EPOCH_LABELS_HEIGHT + 6) if epoch_labels else _MARGIN
        self.figure = bqplot.Figure(
            axes=[self._x_axis, self._linear_axis],
            fig_margin=margin,
            animation_duration=0,
            display_toolbar=False,
            padding_y=0,
            layout={"width": "100%", "height": f"{height}px", "min_width": "0"},
        )
        self.figure.add_class("hw-chart")
        for name, style in styles.items():
            self.add_line(name, style, beneath=True)

    def add_line(self, name: str, style: Style, beneath: bool = False) -> None:
        """Add a line, or change its style; with `beneath`, also faint lines for earlier runs and for raw values."""
        if name in self._lines:
            _set(self._lines[name], colors=[style.color], line_style=style.dash, stroke_width=style.width)
            return
        scales = {"x": self._x, "y": self._logarithmic if self._log else self._linear}
        look = {"colors": [style.color], "line_style": style.dash, "marker_size": 16}
        self._lines[name] = bqplot.Lines(scales=scales, stroke_width=style.width, **look)
        if beneath:
            self._beneath[name] = bqplot.Lines(
                scales=scales, **{**look, "colors": [_EARLIER]}, stroke_width=1.25, opacities=[0.45]
            )
            self._raw[name] = bqplot.Lines(scales=scales, stroke_width=1.0, opacities=[0.35], **look)
        self.figure.marks = [
            *self._beneath.values(),
            *self._raw.values(),
            self._best_line,
            *self._lines.values(),
            self._best_text,
        ]

    @property
    def lines(self) -> Mapping[str, bqplot.Lines]:
        """The lines of the current run, by name."""
        return self._lines

    def set_log(self, log: bool) -> None:
        """Make the vertical axis logarithmic, or linear again."""
        if log == self._log:
            return
        self._log = log
        scale = self._logarithmic if log else self._linear
        for line in (*self._beneath.values(), *self._raw.values(), *self._lines.values()):
            line.scales = {"x": self._x, "y": scale}
        self.figure.axes = [self._x_axis, self._log_axis if log else self._linear_axis]

    def draw_axes(self, x: Ticks, y: Ticks) -> None:
        """Set the range of both axes and the numbers on them."""
        _set(self._x, min=x.low, max=x.high)
        _set(self._x_axis, tick_values=np.array(x.values))
        _set(self._logarithmic if self._log else self._linear, min=y.low, max=y.high)
        _set(self._log_axis if self._log else self._linear_axis, tick_values=np.array(y.values))

    def draw_lines(
        self,
        curves: Mapping[str, Curve],
        earlier: Mapping[str, Sequence[Curve]] | None = None,
        raw: Mapping[str, Curve] | None = None,
    ) -> None:
        """Show `curves` over their `raw` values and earlier runs; lines that are not named become empty."""
        for name, line in self._lines.items():
            self._draw_line(line, curves.get(name, NO_CURVE))
        for name, line in self._raw.items():
            self._draw_line(line, (raw or {}).get(name, NO_CURVE))
        for name, line in self._beneath.items():
            # Thinned before joining, since the gaps between runs must stay.
            self._draw_line(line, joined([thin(curve) for curve in (earlier or {}).get(name, ())]))

    def _draw_line(self, line: bqplot.Lines, curve: Curve) -> None:
        curve = thin(trimmed(positive(curve) if self._log else curve))
        # A single point is not visible as a line.
        marker = "circle" if np.isfinite(curve.y).sum() == 1 else None
        _set(line, x=curve.x, y=curve.y, marker=marker)

    def draw_best(self, epoch: float | None, text: str, x: Ticks) -> None:
        """Mark `epoch` by a dotted vertical line, with `text` on the side that has room."""
        if epoch is None:
            _set(self._best_line, visible=False)
            _set(self._best_text, visible=False)
            return
        _set(self._best_line, x=np.array([epoch, epoch]), y=np.array([0.0, 1.0]), visible=True)
        at_right = (epoch - x.low) / (x.high - x.low) > 0.5
        _set(
            self._best_text,
            x=np.array([epoch]),
            y=np.array([1.0]),
            text=np.array([text]),
            align="end" if at_right else "start",
            x_offset=-4 if at_right else 4,
            visible=bool(text),
        )

    def close(self) -> None:
        """Close the chart with its marks, axes and scales, including those of the hidden axis."""
        close_tree(self.figure)
        for axis in (self._linear_axis, self._log_axis):
            close_tree(axis)
