"""Toolbar, palette, status line and channel controls around the canvas."""

from histowidgets.widgets.canvas.controls._channel_controls import ChannelControls
from histowidgets.widgets.canvas.controls._frame import CanvasFrame
from histowidgets.widgets.canvas.controls._histogram import ChannelHistogram, channel_histograms

__all__ = [
    "CanvasFrame",
    "ChannelControls",
    "ChannelHistogram",
    "channel_histograms",
]
