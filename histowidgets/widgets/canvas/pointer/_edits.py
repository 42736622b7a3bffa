"""The edits that the page requests."""

import math
from collections.abc import Callable
from typing import Any

from histowidgets.errors import ShapeError
from histowidgets.images import Region
from histowidgets.widgets.canvas.editing import CanvasEditor
from histowidgets.widgets.canvas.pointer._messages import (
    Edit,
    Marquee,
    Move,
    Pick,
    Reclassify,
    ShapeMessage,
    StrokeMessage,
    WandMessage,
    parse_points,
    parse_stroke,
)
from histowidgets.widgets.canvas.state import CanvasState


class PageEdits:
    """Carries out each kind of edit with the editor.

    A drawing goes to the image that it was drawn on. An edit of the selection does nothing if another image is shown
    in the meantime.
    """

    def __init__(self, state: CanvasState, editor: CanvasEditor) -> None:
        self._state, self._editor = state, editor
        self._drawings: dict[str, Callable[[Any, Any], object]] = {
            "stroke": self._stroke,
            "shape": self._shape,
            "wand": self._wand,
            "undo": lambda *_: editor.undo(),
            "redo": lambda *_: editor.redo(),
            "fill": lambda message, _: editor.fill_ring(message.image_name),
        }
        self._selection_edits: dict[str, Callable[[Any], object]] = {
            "marquee": self._marquee,
            "move": self._move,
            "reclassify": self._reclassify,
            "delete": lambda _: editor.delete_selection(),
            "copy": lambda _: editor.copy(),
            "cut": lambda _: editor.cut(),
            "paste": lambda _: editor.paste(),
            "duplicate": lambda _: editor.duplicate(),
            "select-all": lambda _: editor.select_all(),
            "deselect": lambda _: editor.deselect(),
        }

    def do(self, message: Edit, buffers: Any) -> bool | None:
        """Carry out the edit of a message; return whether a pick selected something, or None for other edits.

        Raises
        ------
        HistowidgetsError, MessageError, OSError
            If the edit cannot be done; nothing is changed then.
        """
        draw = self._drawings.get(message.kind)
        if draw is not None:
            draw(message, buffers)
            return None
        is_current = message.image_name in (None, self._state.image_name)
        if message.kind == "pick":
            return is_current and self._pick(message)
        if is_current:
            self._selection_edits[message.kind](message)
        return None

    def _stroke(self, message: StrokeMessage, buffers: Any) -> None:
        points, width = parse_stroke(buffers, message.width)
        self._editor.draw_points(message.tool, points, width, message.class_name, message.image_name)

    def _shape(self, message: ShapeMessage, buffers: Any) -> None:
        points = parse_points(buffers)
        self._editor.draw_points(message.tool, points, message.width, message.class_name, message.image_name)

    def _wand(self, message: WandMessage, _: Any) -> None:
        if message.image_name not in (None, self._state.image_name):
            raise ShapeError("The image changed before the wand was done. Use the wand again.")
        view = self._state.view.look(*message.view)
        self._editor.fill_similar(message.x, message.y, message.class_name, message.tolerance, view)

    def _pick(self, message: Pick) -> bool:
        return self._editor.pick(message.x, message.y, message.tolerance, add=message.add)

    def _marquee(self, message: Marquee) -> None:
        right, bottom = message.x + message.width, message.y + message.height
        edges = math.floor(message.x), math.floor(message.y), math.ceil(right), math.ceil(bottom)
        self._editor.select_in(Region.from_edges(*edges), add=message.add)

    def _move(self, message: Move) -> None:
        self._editor.move_selection(message.dx, message.dy)

    def _reclassify(self, message: Reclassify) -> None:
        self._editor.choose_class(message.class_name)
