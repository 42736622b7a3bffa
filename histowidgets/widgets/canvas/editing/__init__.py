"""Editing annotations: drawing shapes, filling with the wand, and changing a selection."""

from histowidgets.widgets.canvas.editing._editor import CanvasEditor
from histowidgets.widgets.canvas.editing._outlines import rings_of
from histowidgets.widgets.canvas.editing._wand import WandRegion

__all__ = [
    "CanvasEditor",
    "WandRegion",
    "rings_of",
]
