"""Painting with ipycanvas' own mouse events, for pages on which the pointer layer's script cannot run."""

from typing import TYPE_CHECKING

import numpy as np

from histowidgets.widgets._layers import Layers

if TYPE_CHECKING:
    from histowidgets.widgets._canvas import AnnotationCanvas

ERASER_COLOR = "#e1e4e8"


class PlainMouse:
    """Paints, erases and moves the picture from mouse events that travel to the kernel one by one.

    Where the pointer layer runs it lies over the canvas, and none of these events comes.
    """

    def __init__(self, canvas: "AnnotationCanvas", layers: Layers) -> None:
        self._canvas, self._layers = canvas, layers
        self._points: list[tuple[float, float]] = []  # on the stage, CSS pixels
        shown = layers.canvas
        shown.on_mouse_down(self.down)
        shown.on_mouse_move(self.move)
        shown.on_mouse_up(self.up)
        shown.on_mouse_out(self.up)

    def down(self, x: float, y: float) -> None:
        """Begin at a point of the canvas, in drawn pixels."""
        self._points = [(x / self._layers.scale, y / self._layers.scale)]

    def move(self, x: float, y: float) -> None:
        """Go on to a point while the button is held."""
        if not self._points:
            return
        self._points.append((x / self._layers.scale, y / self._layers.scale))
        canvas = self._canvas
        if canvas.tool != "pan":
            color = ERASER_COLOR if canvas.tool == "eraser" else canvas.project.colors[canvas.class_name]
            width = canvas.brush_width * canvas.view.zoom * self._layers.scale
            canvas.sketch(np.array(self._points[-2:]) * self._layers.scale, width, color)

    def up(self, x: float, y: float) -> None:
        """End: the stroke becomes an annotation, or the picture moves."""
        points, self._points = self._points, []
        if not points:
            return
        canvas, view = self._canvas, self._canvas.view
        if canvas.tool == "pan":
            (x0, y0), (x1, y1) = points[0], points[-1]
            canvas.look(view.look(view.x - (x1 - x0) / view.zoom, view.y - (y1 - y0) / view.zoom, view.zoom))
        elif not canvas.try_paint(np.array([view.to_image(*point) for point in points])):
            canvas.redraw()  # the sketch is still there
