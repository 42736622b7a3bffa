"""Painting with ipycanvas' own mouse events, for pages on which the pointer layer cannot run."""

from collections.abc import Callable

import numpy as np

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.drawing import CanvasViewer, Layers
from histowidgets.widgets.canvas.editing import CanvasEditor
from histowidgets.widgets.canvas.state import CanvasState

ERASER_COLOR = "#e1e4e8"
PICK_DISTANCE = 4.0  # largest distance, in CSS pixels, between a click and the annotation that it picks
MIN_DRAG = 3.0  # CSS pixels; less is a click
TRAIL_WIDTH = 2.0  # width, in CSS pixels, of the line that follows the mouse while drawing


class MouseFallback:
    """Draws, erases and pans with mouse events that are sent to the kernel one by one.

    Lines and rectangles extend from where the button was pressed to where it was released; polygons follow the whole
    path. Where the pointer layer runs, it covers the canvas, so that no such events arrive.

    Parameters
    ----------
    layers
        The layers whose mouse events are handled.
    state, editor, viewer
        The state, editor and viewer that the events act on.
    say
        Called with a message for the user and its level, "info" or "error".
    """

    def __init__(
        self,
        layers: Layers,
        state: CanvasState,
        editor: CanvasEditor,
        viewer: CanvasViewer,
        say: Callable[[str, str], None],
    ) -> None:
        self._layers, self._state, self._editor, self._viewer, self._say = layers, state, editor, viewer, say
        self._points: list[tuple[float, float]] = []  # on the stage, CSS pixels
        self._uses: dict[str, Callable[[np.ndarray], None]] = {
            "pan": self._pan,
            "select": self._select,
            "wand": self._fill,
        }
        layers.canvas.on_mouse_down(self._press)
        layers.canvas.on_mouse_move(self._move)
        layers.canvas.on_mouse_up(self._release)
        layers.canvas.on_mouse_out(self._release)

    def _press(self, x: float, y: float) -> None:
        self._points = [(x / self._layers.scale, y / self._layers.scale)]

    def _move(self, x: float, y: float) -> None:
        if not self._points:
            return
        self._points.append((x / self._layers.scale, y / self._layers.scale))
        state = self._state
        if state.tool in self._uses:
            return
        color = ERASER_COLOR if state.tool == "eraser" else state.project.colors[state.class_name]
        width = state.brush_width * state.view.zoom if state.tool in ("brush", "eraser") else TRAIL_WIDTH
        scale = self._layers.scale
        self._viewer.sketch(np.array(self._points[-2:]) * scale, width * scale, color)

    def _release(self, x: float, y: float) -> None:
        points, self._points = self._points, []
        if not points:
            return
        path = np.array([self._state.view.to_image(*point) for point in points])
        try:
            self._uses.get(self._state.tool, self._draw)(path)
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")

    # Each method takes the path of the mouse in image pixels, ``(n, 2)``.

    def _pan(self, path: np.ndarray) -> None:
        view, (dx, dy) = self._state.view, (path[-1] - path[0]).tolist()
        self._viewer.look(view.look(view.x - dx, view.y - dy, view.zoom))

    def _select(self, path: np.ndarray) -> None:
        """Select the annotation where the button was pressed, and move it by the drag."""
        (x, y), (dx, dy), zoom = path[0].tolist(), (path[-1] - path[0]).tolist(), self._state.view.zoom
        if self._editor.pick(x, y, PICK_DISTANCE / zoom) and max(abs(dx), abs(dy)) * zoom >= MIN_DRAG:
            self._editor.move_selection(dx, dy)

    def _fill(self, path: np.ndarray) -> None:
        self._editor.fill_similar(*path[0].tolist())

    def _draw(self, path: np.ndarray) -> None:
        state = self._state
        if state.tool in ("line", "rectangle"):
            path = path[[0, -1]]
        try:
            self._editor.draw_points(state.tool, path, state.brush_width, state.class_name)
        except (HistowidgetsError, OSError):
            self._viewer.redraw()  # the sketch is still shown
            raise
