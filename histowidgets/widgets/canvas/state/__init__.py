"""The state of a canvas and its tools: values and arithmetic, without widgets."""

from histowidgets.widgets.canvas.state._state import MAX_BRUSH_WIDTH, MAX_TOLERANCE, TOOLS, CanvasState, Tool
from histowidgets.widgets.canvas.state._viewport import View

__all__ = [
    "MAX_BRUSH_WIDTH",
    "MAX_TOLERANCE",
    "TOOLS",
    "CanvasState",
    "Tool",
    "View",
]
