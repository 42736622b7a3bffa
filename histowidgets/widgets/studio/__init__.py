"""The studio: canvas, training, results and review on one page."""

from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._review_panel import ReviewPanel
from histowidgets.widgets.studio._studio import Studio

__all__ = [
    "ImageStrip",
    "ReviewPanel",
    "Studio",
]
