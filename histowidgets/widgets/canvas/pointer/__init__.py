"""Pointer and key events: the layer on the page, its messages, and their handling."""

from histowidgets.widgets.canvas.pointer._dispatcher import PointerDispatcher
from histowidgets.widgets.canvas.pointer._layer import PointerLayer
from histowidgets.widgets.canvas.pointer._mouse_fallback import MouseFallback

__all__ = [
    "MouseFallback",
    "PointerDispatcher",
    "PointerLayer",
]
