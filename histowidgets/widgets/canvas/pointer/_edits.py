"""Does the edits that the page asks for."""

import math
from typing import TYPE_CHECKING, Any

from histowidgets.errors import ShapeError
from histowidgets.images import Region
from histowidgets.widgets.canvas.editing import drawn_shape
from histowidgets.widgets.canvas.pointer._messages import (
    Edit,
    Marquee,
    Move,
    Pick,
    Reclassify,
    ShapeMessage,
    Step,
    StrokeMessage,
    WandMessage,
    parse_points,
    parse_stroke,
)

if TYPE_CHECKING:
    from histowidgets.widgets.canvas._canvas import AnnotationCanvas


def do_edit(canvas: "AnnotationCanvas", message: Edit, buffers: Any) -> bool:
    """Do what a message asks for.

    A drawing goes to the image that it was drawn on. What concerns the selection is void if another image is shown
    by now.

    Returns
    -------
    bool
        Whether a pick has selected something.

    Raises
    ------
    HistowidgetsError, MessageError, OSError
        If it cannot be done; nothing has changed then.
    """
    if isinstance(message, StrokeMessage):
        class_name = None if message.tool == "eraser" else message.class_name
        canvas.draw(drawn_shape(message.tool, *parse_stroke(buffers, message.width)), class_name, message.image_name)
    elif isinstance(message, ShapeMessage):
        shape = drawn_shape(message.tool, parse_points(buffers), message.width)
        canvas.draw(shape, message.class_name, message.image_name)
    elif isinstance(message, WandMessage):
        if message.image_name not in (None, canvas.image_name):
            raise ShapeError("Another image is shown by now; use the wand again.")
        view = canvas.view.look(*message.view)
        canvas.fill_similar(message.x, message.y, message.class_name, message.tolerance, view)
    elif isinstance(message, Step):
        (canvas.undo if message.kind == "undo" else canvas.redo)()
    elif message.image_name in (None, canvas.image_name):
        if isinstance(message, Pick):
            return canvas.pick(message.x, message.y, message.tolerance, add=message.add)
        _edit_selection(canvas, message)
    return False


def _edit_selection(canvas: "AnnotationCanvas", message: Edit) -> None:
    if isinstance(message, Marquee):
        right, bottom = message.x + message.width, message.y + message.height
        edges = math.floor(message.x), math.floor(message.y), math.ceil(right), math.ceil(bottom)
        canvas.select_in(Region.from_edges(*edges), add=message.add)
    elif isinstance(message, Move):
        canvas.move_selection(message.dx, message.dy)
    elif isinstance(message, Reclassify):
        canvas.choose_class(message.class_name)
    elif message.kind == "deselect":
        canvas.selection = ()
    else:
        steps = {
            "delete": canvas.delete_selection,
            "copy": canvas.copy,
            "cut": canvas.cut,
            "paste": canvas.paste,
            "duplicate": canvas.duplicate,
            "select-all": canvas.select_all,
        }
        steps[message.kind]()
