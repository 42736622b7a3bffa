"""The studio: canvas, training, results and review on one page, and the panels that it is made of."""

from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._studio import Studio

__all__ = [
    "ImageStrip",
    "Studio",
]
