"""The layers of pixels that the kernel draws: image, prediction, uncertainty and annotations."""

from histowidgets.widgets.canvas.drawing._channel_display import is_rgb
from histowidgets.widgets.canvas.drawing._hatching import hatch_of, swatch_url
from histowidgets.widgets.canvas.drawing._layers import Layers
from histowidgets.widgets.canvas.drawing._outlines import OutlinedObject
from histowidgets.widgets.canvas.drawing._renderer import Renderer
from histowidgets.widgets.canvas.drawing._resampling import power_of_two_downsample
from histowidgets.widgets.canvas.drawing._uncertainty import legend_html
from histowidgets.widgets.canvas.drawing._viewer import CanvasViewer

__all__ = [
    "CanvasViewer",
    "Layers",
    "OutlinedObject",
    "Renderer",
    "hatch_of",
    "is_rgb",
    "legend_html",
    "power_of_two_downsample",
    "swatch_url",
]
