"""Edits of the annotations: shapes, the wand, selection."""

from histowidgets.widgets.canvas.editing._outlines import rings_of
from histowidgets.widgets.canvas.editing._shape_factory import drawn_shape
from histowidgets.widgets.canvas.editing._wand_edits import CanvasWand

__all__ = [
    "CanvasWand",
    "drawn_shape",
    "rings_of",
]
