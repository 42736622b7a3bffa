"""The panel of display settings: opacity of the layers, and range and colour of the channels."""

import dataclasses
import traceback
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets
import numpy as np

from histowidgets.errors import HistowidgetsError
from histowidgets.images import ChannelDisplay, auto_contrast
from histowidgets.widgets.canvas._canvas import AnnotationCanvas
from histowidgets.widgets.canvas.controls import ChannelControls, ChannelHistogram, channel_histograms
from histowidgets.widgets.canvas.drawing import is_rgb
from histowidgets.widgets.common import LatestWorker, link_slider, observe

_SLIDERS = (
    ("prediction_opacity", "Prediction", "Opacity of the prediction; hold O to hide it"),
    ("uncertainty_opacity", "Uncertainty", "Opacity of the uncertainty: one minus the highest probability"),
    ("annotation_opacity", "Annotations", "Opacity of the annotations; hold A to hide them"),
)


class DisplayPanel(ipywidgets.VBox):
    """Shows and changes how a canvas displays layers and channels. Training is not affected.

    Parameters
    ----------
    canvas
        The canvas.
    log
        Called with the traceback of each unexpected error.
    asleep
        Whether to read no pixels until `wake` is called, for a panel that is not visible yet.
    """

    _closed = True  # until it is built: an object whose construction failed is also closed when it is collected

    def __init__(
        self,
        canvas: AnnotationCanvas,
        log: Callable[[str], None] = lambda text: None,
        *,
        asleep: bool = False,
    ) -> None:
        self._canvas, self._log, self._asleep = canvas, log, asleep
        self._histograms: dict[str, list[ChannelHistogram]] = {}
        self._ends: list[Callable[[], None]] = []
        self.controls = ChannelControls(self._changed)
        self.sliders = {name: self._slider(name, text, tip) for name, text, tip in _SLIDERS}
        self.patterns = self._checkbox(
            "patterns", "Hatch annotations", "Hatch annotations by class, in addition to their colour"
        )
        self.prediction_patterns = self._checkbox(
            "prediction_patterns", "Hatch prediction", "Hatch predictions by class, in addition to their colour"
        )
        reset = ipywidgets.Button(description="Reset", tooltip="Restore the default display of this image")
        reset.on_click(lambda _: canvas.set_display(None))
        self._copy = ipywidgets.Button(
            description="Copy to all images",
            tooltip="Apply this display to all images with the same number of channels",
        )
        self._copy.on_click(lambda _: self._copy_display())
        buttons = ipywidgets.HBox([reset, self._copy])
        buttons.add_class("hw-wrap")
        layers = ipywidgets.HTML("<h4 class='hw-title'>Layers</h4>")
        channels = ipywidgets.HTML("<h4 class='hw-title'>Channels <span>display only, not for training</span></h4>")
        hatching = ipywidgets.HBox([self.patterns, self.prediction_patterns])
        hatching.add_class("hw-hatching")
        self._said = ipywidgets.HTML()
        super().__init__([layers, *self.sliders.values(), hatching, channels, self.controls, buttons, self._said])
        self.add_class("hw-section")
        self.add_class("hw-display")
        self._worker = LatestWorker("histograms", self._measure, self._measured)
        self._closed = False
        self._ends.append(canvas.on_display(self._displayed))
        self._ends.append(observe(canvas, "image_name", lambda _: self.refresh()))
        self.refresh()

    def _checkbox(self, name: str, text: str, tip: str) -> ipywidgets.Checkbox:
        box = ipywidgets.Checkbox(
            value=getattr(self._canvas, name),
            description=text,
            indent=False,
            tooltip=tip,
            layout=ipywidgets.Layout(width="auto"),
        )
        self._ends.append(ipywidgets.link((box, "value"), (self._canvas, name)).unlink)
        return box

    def _slider(self, name: str, text: str, tip: str) -> ipywidgets.FloatSlider:
        slider = ipywidgets.FloatSlider(min=0, max=1, step=0.01, description=text, tooltip=tip, readout_format=".0%")
        self._ends.append(link_slider(slider, self._canvas, name))
        return slider

    # -- showing ----------------------------------------------------------------------------------

    def wake(self) -> None:
        """Read the histograms, now that the panel is visible."""
        if self._asleep:
            self._asleep = False
            self.refresh()

    def refresh(self) -> None:
        """Show the display of the current image; its histograms are computed on a thread."""
        name = self._canvas.image_name
        self._copy.layout.display = None if len(self._canvas.project.image_names) > 1 else "none"
        if not self._asleep:
            self._worker.request(name)

    def _displayed(self, name: str) -> None:
        if name == self._canvas.image_name and name in self._histograms:
            self._show(name)

    def _measure(self, name: str, is_stale: Callable[[], bool]) -> list[ChannelHistogram]:
        kept = self._histograms.get(name)
        if kept is not None:
            return kept
        image = self._canvas.project.image(name)
        return channel_histograms(image, is_rgb(image))

    def _measured(self, name: str, found: list[ChannelHistogram] | None, error: BaseException | None) -> None:
        if error is not None or found is None:
            known = isinstance(error, HistowidgetsError | OSError)
            self._notify(
                str(error) if known else f"The histograms could not be computed: {type(error).__name__}: {error}",
                "error",
            )
            if not known and error is not None:
                self._log("".join(traceback.format_exception(error)))
            return
        self._histograms[name] = found
        self._show(name)

    def _show(self, name: str) -> None:
        if name != self._canvas.image_name:
            return
        image, displays = self._canvas.project.image(name), self._canvas.display
        joint = is_rgb(image)
        names = ["Red, green, blue"] if joint else image.channel_names
        rows = [
            {
                "name": channel,
                "color": shown.color,
                "visible": shown.visible,
                "low": shown.low,
                "high": shown.high,
                "gamma": shown.gamma,
                "least": min(histogram.low, shown.low),
                "most": max(histogram.high, shown.high),
                "histogram": list(histogram.heights),
            }
            for channel, shown, histogram in zip(names, displays, self._histograms[name], strict=False)
        ]
        self.controls.show(name, rows, joint, bool(np.issubdtype(image.dtype, np.integer)))

    # -- changes ---------------------------------------------------------------------------

    def _changed(self, index: int, change: Mapping[str, Any]) -> None:
        name = self._canvas.image_name
        image, displays = self._canvas.project.image(name), list(self._canvas.display)
        places = range(len(displays)) if is_rgb(image) else [index]
        if change.get("auto"):
            low, high = self._histograms[name][index].auto
            change = {"low": low, "high": high, "gamma": 1.0}
            if not is_rgb(image):
                automatic = auto_contrast(image)[index]
                change = {"low": automatic.low, "high": automatic.high}
        try:
            for place in places:
                displays[place] = _with(displays[place], change)
            self._canvas.set_display(displays, name)
        except (HistowidgetsError, TypeError, ValueError) as error:
            self._notify(str(error), "error")

    def _notify(self, text: str, level: str) -> None:
        """Show a message under the buttons."""
        self._said.value = f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{escape(text)}</p>"

    def _copy_display(self) -> None:
        try:
            names = self._canvas.copy_display()
        except (HistowidgetsError, OSError) as error:
            self._notify(str(error), "error")
            return
        number = f"{len(names)} other image{'' if len(names) == 1 else 's'}"
        self._notify(f"Copied to {number}." if names else "No other image has these channels.", "info")

    def close(self) -> None:
        """Stop following the canvas, end the worker and close the widgets."""
        if self._closed:
            return
        self._closed = True
        for end in self._ends:
            end()
        self._worker.close()
        super().close()


def _with(display: ChannelDisplay, change: Mapping[str, Any]) -> ChannelDisplay:
    """Return a display with the changes from the page; the lower end stays at or below the upper end."""
    wanted: dict[str, Any] = {name: float(change[name]) for name in ("low", "high", "gamma") if name in change}
    if "visible" in change:
        wanted["visible"] = bool(change["visible"])
    if "color" in change:
        wanted["color"] = str(change["color"])
    low, high = sorted((wanted.get("low", display.low), wanted.get("high", display.high)))
    return dataclasses.replace(display, **{**wanted, "low": low, "high": high})
