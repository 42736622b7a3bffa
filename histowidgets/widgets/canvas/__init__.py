"""The annotation canvas and the panel of its display settings."""

from histowidgets.widgets.canvas._canvas import AnnotationCanvas
from histowidgets.widgets.canvas._display_panel import DisplayPanel

__all__ = [
    "AnnotationCanvas",
    "DisplayPanel",
]
