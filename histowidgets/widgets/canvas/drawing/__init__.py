"""What the kernel draws: image, prediction, annotations, as layers of pixels."""

from histowidgets.widgets.canvas.drawing._hatching import hatch_of, swatch_url
from histowidgets.widgets.canvas.drawing._layers import Layers
from histowidgets.widgets.canvas.drawing._renderer import Drawing
from histowidgets.widgets.canvas.drawing._resampling import power_of_two_downsample
from histowidgets.widgets.canvas.drawing._uncertainty import legend_html

__all__ = [
    "Drawing",
    "Layers",
    "hatch_of",
    "legend_html",
    "power_of_two_downsample",
    "swatch_url",
]
