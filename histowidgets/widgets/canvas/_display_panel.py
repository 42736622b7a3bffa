"""How the picture is shown: layers and their opacity, channels and their range. Training never sees any of it."""

import dataclasses
import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np

from histowidgets.errors import HistowidgetsError
from histowidgets.images import ChannelDisplay, Image, auto_contrast
from histowidgets.widgets.canvas._canvas import AnnotationCanvas
from histowidgets.widgets.canvas.controls import ChannelControls
from histowidgets.widgets.common import LatestWorker, link_slider, observe

BINS = 64
#: Longest side, in pixels, of the overview that the histograms are of.
OVERVIEW_SIDE = 512
# Of an RGB image, what "auto" makes black and white.
AUTO_PERCENTILES = (1.0, 99.8)
_SLIDERS = (
    ("prediction_opacity", "Prediction", "Opacity of the prediction; hold O to look beneath it"),
    ("uncertainty_opacity", "Uncertainty", "Opacity of the uncertainty: one minus the highest probability"),
    ("annotation_opacity", "Annotations", "Opacity of the annotations; hold A to look beneath them"),
)


@dataclass(frozen=True)
class ChannelHistogram:
    """Heights from 0 to 1 of the values from `least` to `most`, in the image's units."""

    least: float
    most: float
    heights: tuple[float, ...]
    auto: tuple[float, float]


def channel_histograms(image: Image, joint: bool) -> list[ChannelHistogram]:
    """Return the histogram of each channel of an overview, or one of all channels together."""
    downsample = max(1, math.ceil(max(image.width, image.height) / OVERVIEW_SIDE))
    pixels = image.read(0, 0, image.width, image.height, downsample)
    planes = [pixels] if joint else [pixels[..., c] for c in range(pixels.shape[-1])]
    return [_histogram(plane) for plane in planes]


def _histogram(values: np.ndarray) -> ChannelHistogram:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    if finite.size == 0:
        finite = np.zeros(1, values.dtype)
    least, most = float(finite.min()), float(finite.max())
    if values.dtype == np.uint8:
        least, most = 0.0, 255.0
    if most <= least:
        most = least + 1
    counts, _ = np.histogram(finite, BINS, (least, most))
    # The background of a fluorescence image would hide all else: heights are roots.
    heights = np.sqrt(counts / max(1, counts.max()))
    low, high = np.percentile(finite, AUTO_PERCENTILES)
    return ChannelHistogram(least, most, tuple(np.round(heights, 3).tolist()), (float(low), float(high)))


class DisplayPanel(ipywidgets.VBox):
    """Layers and channels of a canvas.

    Parameters
    ----------
    canvas
        Whose display is shown and changed.
    notify
        Called with a text and a level.
    log
        Called with the traceback of an error that is nobody's input.
    asleep
        Read no pixels before `wake` is called, as on a tab that nobody has opened.
    """

    def __init__(
        self,
        canvas: AnnotationCanvas,
        notify: Callable[[str, str], None] = lambda text, level: None,
        log: Callable[[str], None] = lambda text: None,
        *,
        asleep: bool = False,
    ) -> None:
        self._canvas, self._notify, self._log, self._asleep = canvas, notify, log, asleep
        self._histograms: dict[str, list[ChannelHistogram]] = {}
        self._ends: list[Callable[[], None]] = []
        self.controls = ChannelControls(self._changed)
        self.sliders = {name: self._slider(name, text, tip) for name, text, tip in _SLIDERS}
        self.patterns = self._checkbox("patterns", "Hatch annotations", "Give each class a hatching beside its colour")
        self.prediction_patterns = self._checkbox(
            "prediction_patterns", "Hatch prediction", "Give each predicted class its hatching too"
        )
        reset = ipywidgets.Button(description="Reset", tooltip="Show this image as at first")
        reset.on_click(lambda _: canvas.set_display(None))
        self._copy = ipywidgets.Button(
            description="Copy to all images", tooltip="Show all images with as many channels like this one"
        )
        self._copy.on_click(lambda _: self._copy_display())
        buttons = ipywidgets.HBox([reset, self._copy])
        buttons.add_class("hw-wrap")
        layers = ipywidgets.HTML("<h4 class='hw-title'>Layers</h4>")
        channels = ipywidgets.HTML("<h4 class='hw-title'>Channels <span>for the eye only, not for training</span></h4>")
        hatching = ipywidgets.HBox([self.patterns, self.prediction_patterns])
        hatching.add_class("hw-hatching")
        super().__init__([layers, *self.sliders.values(), hatching, channels, self.controls, buttons])
        self.add_class("hw-section")
        self.add_class("hw-display")
        self._worker = LatestWorker("histograms", self._measure, self._measured)
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

    # -- what is shown ----------------------------------------------------------------------------------

    def wake(self) -> None:
        """Read what the histograms need, now that somebody looks."""
        if self._asleep:
            self._asleep = False
            self.refresh()

    def refresh(self) -> None:
        """Show the display of the image that is shown; its histograms follow from a thread."""
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
        return channel_histograms(image, _is_rgb(image))

    def _measured(self, name: str, found: list[ChannelHistogram] | None, error: BaseException | None) -> None:
        if error is not None or found is None:
            known = isinstance(error, HistowidgetsError | OSError)
            self._notify(str(error) if known else f"No histograms: {type(error).__name__}: {error}", "error")
            if not known and error is not None:
                self._log("".join(traceback.format_exception(error)))
            return
        self._histograms[name] = found
        self._show(name)

    def _show(self, name: str) -> None:
        if name != self._canvas.image_name:
            return
        image, displays = self._canvas.project.image(name), self._canvas.display
        joint = _is_rgb(image)
        names = ["Red, green, blue"] if joint else image.channel_names
        rows = [
            {
                "name": channel,
                "color": shown.color,
                "visible": shown.visible,
                "low": shown.low,
                "high": shown.high,
                "gamma": shown.gamma,
                "least": min(histogram.least, shown.low),
                "most": max(histogram.most, shown.high),
                "histogram": list(histogram.heights),
            }
            for channel, shown, histogram in zip(names, displays, self._histograms[name], strict=False)
        ]
        self.controls.show(name, rows, joint, bool(np.issubdtype(image.dtype, np.integer)))

    # -- what the person wants ---------------------------------------------------------------------------

    def _changed(self, index: int, change: Mapping[str, Any]) -> None:
        name = self._canvas.image_name
        image, displays = self._canvas.project.image(name), list(self._canvas.display)
        places = range(len(displays)) if _is_rgb(image) else [index]
        if change.get("auto"):
            low, high = self._histograms[name][index].auto
            change = {"low": low, "high": high, "gamma": 1.0}
            if not _is_rgb(image):
                automatic = auto_contrast(image)[index]
                change = {"low": automatic.low, "high": automatic.high}
        try:
            for place in places:
                displays[place] = _with(displays[place], change)
            self._canvas.set_display(displays, name)
        except (HistowidgetsError, TypeError, ValueError) as error:
            self._notify(str(error), "error")

    def _copy_display(self) -> None:
        try:
            names = self._canvas.copy_display()
        except (HistowidgetsError, OSError) as error:
            self._notify(str(error), "error")
            return
        number = f"{len(names)} other image{'' if len(names) == 1 else 's'}"
        self._notify(f"Shown like this one: {number}." if names else "No other image has these channels.", "info")

    def close(self) -> None:
        """Stop following the canvas, end the worker and close the widgets."""
        for end in self._ends:
            end()
        self._worker.close()
        super().close()


def _is_rgb(image: Image) -> bool:
    return image.dtype == np.uint8 and len(image.channel_names) == 3 and image.channel_colors in (None, _RGB)


_RGB = ("#FF0000", "#00FF00", "#0000FF")


def _with(display: ChannelDisplay, change: Mapping[str, Any]) -> ChannelDisplay:
    """Return a display with what the page wants to be otherwise; the lower end stays below the upper one."""
    wanted: dict[str, Any] = {name: float(change[name]) for name in ("low", "high", "gamma") if name in change}
    if "visible" in change:
        wanted["visible"] = bool(change["visible"])
    if "color" in change:
        wanted["color"] = str(change["color"])
    fresh = dataclasses.replace(display, **wanted)
    return fresh if fresh.low <= fresh.high else dataclasses.replace(fresh, low=fresh.high, high=fresh.low)
