"""The studio: canvas, training, results and review on one page, and its panels."""

from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._studio import Studio

__all__ = [
    "ImageStrip",
    "Studio",
]
