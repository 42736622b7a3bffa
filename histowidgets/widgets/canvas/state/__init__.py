"""What a canvas shows and what its tools are set to: values and arithmetic, no widget."""

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
