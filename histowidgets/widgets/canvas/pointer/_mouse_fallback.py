"""Painting with ipycanvas' own mouse events, for pages on which the pointer layer's script cannot run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.drawing import Layers
from histowidgets.widgets.canvas.editing import drawn_shape

if TYPE_CHECKING:
    from histowidgets.widgets.canvas._canvas import AnnotationCanvas

ERASER_COLOR = "#e1e4e8"
NEAR = 4.0  # CSS pixels between a click and what it means
LEAST_DRAG = 3.0  # CSS pixels; less is a click
TRAIL_WIDTH = 2.0  # CSS pixels; where the hand went while it drew a shape


class PlainMouse:
    """Draws, erases and moves the picture from mouse events that travel to the kernel one by one.

    Lines and rectangles go from where the button went down to where it came up, polygons all along the way.
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
        if canvas.tool not in ("pan", "select", "wand"):
            color = ERASER_COLOR if canvas.tool == "eraser" else canvas.project.colors[canvas.class_name]
            thick = canvas.brush_width * canvas.view.zoom if canvas.tool in ("brush", "eraser") else TRAIL_WIDTH
            width = thick * self._layers.scale
            canvas.sketch(np.array(self._points[-2:]) * self._layers.scale, width, color)

    def up(self, x: float, y: float) -> None:
        """End: what was drawn becomes an annotation, or the picture moves."""
        points, self._points = self._points, []
        if not points:
            return
        canvas, view = self._canvas, self._canvas.view
        (x0, y0), (x1, y1) = points[0], points[-1]
        dx, dy = (x1 - x0) / view.zoom, (y1 - y0) / view.zoom
        if canvas.tool == "pan":
            canvas.look(view.look(view.x - dx, view.y - dy, view.zoom))
        elif canvas.tool == "select":
            self._try(self._select, view.to_image(x0, y0), dx, dy)
        elif canvas.tool == "wand":
            self._try(canvas.fill_similar, *view.to_image(x0, y0))
        else:
            self._draw(np.array([view.to_image(*point) for point in points]))

    def _select(self, at: tuple[float, float], dx: float, dy: float) -> None:
        """Select what is at an image point, and move it as far as it was dragged."""
        canvas = self._canvas
        if canvas.pick(*at, NEAR / canvas.view.zoom) and max(abs(dx), abs(dy)) * canvas.view.zoom >= LEAST_DRAG:
            canvas.move_selection(dx, dy)

    def _try(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            act(*arguments)
        except (HistowidgetsError, OSError) as error:
            self._canvas.say(str(error), "error")

    def _draw(self, points: np.ndarray) -> None:
        """Make what the tool makes of points in image pixels; say so if that cannot be."""
        canvas = self._canvas
        if canvas.tool in ("line", "rectangle"):
            points = points[[0, -1]]
        try:
            shape = drawn_shape(canvas.tool, points, canvas.brush_width)
            canvas.draw(shape, None if canvas.tool == "eraser" else canvas.class_name)
        except (HistowidgetsError, OSError) as error:
            canvas.say(str(error), "error")
            canvas.redraw()  # the sketch is still there
