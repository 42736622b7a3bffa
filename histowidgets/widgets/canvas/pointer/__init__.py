"""Pointer and key events from the page, and the messages that carry them."""

from histowidgets.widgets.canvas.pointer._dispatcher import PointerMessages
from histowidgets.widgets.canvas.pointer._layer import PointerLayer
from histowidgets.widgets.canvas.pointer._mouse_fallback import PlainMouse

__all__ = [
    "PlainMouse",
    "PointerLayer",
    "PointerMessages",
]
