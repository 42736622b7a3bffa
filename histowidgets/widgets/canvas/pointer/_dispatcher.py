"""Dispatch the messages of the pointer layer, and answer them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import traitlets

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.drawing import CanvasViewer
from histowidgets.widgets.canvas.editing import CanvasEditor, rings_of
from histowidgets.widgets.canvas.pointer._edits import PageEdits
from histowidgets.widgets.canvas.pointer._inbox import Inbox
from histowidgets.widgets.canvas.pointer._layer import PointerLayer
from histowidgets.widgets.canvas.pointer._messages import (
    EDIT_KINDS,
    Choice,
    Draft,
    Edit,
    Hover,
    Leave,
    Loaded,
    MessageError,
    Pen,
    Ready,
    Redraw,
    Short,
    ViewMessage,
    WandPreview,
    parse_message,
    parse_points,
)
from histowidgets.widgets.canvas.state import CanvasState, View
from histowidgets.widgets.common import SerialQueue

# Kind of message -> the trait of the state that it sets, and the field with the value.
_CHOICES = {
    "tool": ("tool", "tool"),
    "class": ("class_name", "class_name"),
    "width": ("brush_width", "width"),
    "tolerance": ("wand_tolerance", "tolerance"),
    "overlay": ("overlay_on", "on"),
    "annotations": ("annotations_on", "on"),
}


class PointerDispatcher:
    """The kernel's end of the connection to the pointer layer; the page's end is `static/canvas/link.js`.

    Messages arrive on whichever thread ipykernel chooses. Edits are put in order and done inside the queue. An edit
    is answered, with the view that was drawn, once its changes have been sent for drawing.

    Parameters
    ----------
    pointer
        The layer whose messages are handled.
    state, editor, viewer
        The state, editor and viewer that the messages act on.
    queue
        The queue of the canvas.
    say
        Called with a message for the user and its level, "info" or "error".
    """

    def __init__(
        self,
        pointer: PointerLayer,
        state: CanvasState,
        editor: CanvasEditor,
        viewer: CanvasViewer,
        queue: SerialQueue,
        say: Callable[[str, str], None],
    ) -> None:
        self._pointer, self._state, self._editor, self._viewer = pointer, state, editor, viewer
        self._queue, self._say = queue, say
        self._edits = PageEdits(state, editor)
        self._inbox = Inbox()
        self._done: list[list[Any]] = []  # [client, number] of edits that are not answered yet
        self._wanted_view: ViewMessage | None = None
        self._wanted_preview: WandPreview | None = None
        self._answered_view: tuple[str, int] = ("", 0)
        self._drafts: dict[str, int] = {}  # client -> number of the last draft that it sent
        self._handlers: dict[str, Callable[[Any, Any], None]] = {
            **dict.fromkeys(EDIT_KINDS, self._receive_edit),
            **dict.fromkeys(_CHOICES, self._choose),
            "ready": self._use_scale,
            "loaded": self._check_pictures,
            "redraw": self._redraw,
            "view": self._receive_view,
            "wand-preview": self._receive_preview,
            "draft": self._receive_draft,
            "short": self._explain_short,
            "pen": self._note_pen,
            "hover": self._hover,
            "leave": self._leave,
        }
        viewer.on_drawn(self._tell_drawn)
        pointer.on_msg(self._receive)

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        try:
            message = parse_message(content)
        except MessageError as error:
            self._reject(content, error)
            return
        self._handlers[message.kind](message, buffers)

    def _reject(self, content: Any, error: MessageError) -> None:
        """Answer an invalid message; if it has the number of an edit, it takes that edit's turn."""
        if isinstance(content, dict) and content.get("kind") in EDIT_KINDS:
            client, number = content.get("client"), content.get("number")
            if isinstance(client, str) and isinstance(number, int) and number >= 1:
                self._queue_edit(client, number, partial(self._refuse, client, number, str(error)))
                return
        self._say(str(error), "error")

    # -- edits ------------------------------------------------------------------------------------

    def _receive_edit(self, message: Edit, buffers: Any) -> None:
        self._queue_edit(message.client, message.number, partial(self._edit, message, buffers))

    def _queue_edit(self, client: str, number: int, job: Callable[[], None]) -> None:
        ready = self._inbox.take(client, number, job)
        if ready is None:
            # The page resends edits that were not answered for a while. Those still in the queue will be answered.
            if self._inbox.is_done(client, number):
                self._queue.submit(partial(self._answer_again, client, number))
            return
        for _, each in ready:
            self._queue.submit(each)

    def _edit(self, message: Edit, buffers: Any) -> None:
        """Do one edit inside the queue. A later job draws its changes, after which it is answered."""
        client, number = message.client, message.number
        try:
            picked = self._edits.do(message, buffers)
        except (HistowidgetsError, MessageError, OSError) as error:
            self._refuse(client, number, str(error))
            return
        if picked is not None:
            self._queue.submit(partial(self._tell_picked, client, number, picked))
        self._done.append([client, number])
        self._queue.submit(self._answer_rest)

    def _tell_picked(self, client: str, number: int, hit: bool) -> None:
        """Tell the page whether a pick found something for the pointer, if still down, to drag."""
        self._pointer.send({"kind": "picked", "client": client, "number": number, "hit": hit})

    def _answer_again(self, client: str, number: int) -> None:
        self._done.append([client, number])
        self._answer_rest()

    def _answer_rest(self) -> None:
        """Answer edits that changed nothing in view."""
        if self._done:
            self._tell_drawn(self._viewer.drawn_view)

    def _refuse(self, client: str, number: int, reason: str) -> None:
        self._pointer.send({"kind": "refused", "edits": [[client, number]], "error": reason})
        self._say(reason, "error")

    def _tell_drawn(self, view: View) -> None:
        """Tell the page which edits and which view the drawing sent so far contains."""
        done, self._done = self._done, []
        client, number = self._answered_view
        place = [view.x, view.y, view.zoom]
        self._pointer.view, self._pointer.is_drawn = place, True
        self._pointer.send({"kind": "drawn", "edits": done, "view": place, "client": client, "number": number})

    # -- choices ----------------------------------------------------------------------------------

    def _choose(self, message: Choice, _: Any) -> None:
        """Set a trait to the choice made on the page; the answer is sent after the traits that depend on it."""
        name, field = _CHOICES[message.kind]
        try:
            setattr(self._state, name, getattr(message, field))
        except (HistowidgetsError, traitlets.TraitError) as error:
            self._say(str(error), "error")
        finally:
            self._queue.submit(partial(self._pointer.send, {"kind": "chosen", "client": message.client}))

    # -- views: of those waiting, only the last is shown --------------------------------------------

    def _receive_view(self, message: ViewMessage, _: Any) -> None:
        self._wanted_view = message
        self._queue.submit(self._look)

    def _look(self) -> None:
        message, self._wanted_view = self._wanted_view, None
        if message is not None:
            view = self._state.view.look(message.x, message.y, message.zoom)
            self._viewer.look(view, partial(self._answer_view, message.client, message.number))

    def _answer_view(self, client: str, number: int) -> None:
        self._answered_view = client, number

    # -- wand previews: of those waiting, only the last is computed ---------------------------------

    def _receive_preview(self, message: WandPreview, _: Any) -> None:
        self._wanted_preview = message
        self._queue.submit(self._preview)

    def _preview(self) -> None:
        """Show what the wand would find at the place requested last."""
        message, self._wanted_preview = self._wanted_preview, None
        if message is None:
            return
        rings: list[list[float]] = []
        try:
            view = self._state.view.look(*message.view)
            rings = rings_of(self._editor.find_similar(message.x, message.y, message.tolerance, view).area)
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")
        finally:
            answer = {"kind": "wand", "client": message.client, "request": message.request, "rings": rings}
            self._pointer.send(answer)

    # -- open polygons ----------------------------------------------------------------------------

    def _receive_draft(self, message: Draft, buffers: Any) -> None:
        self._queue.submit(partial(self._keep_draft, message, buffers))

    def _keep_draft(self, message: Draft, buffers: Any) -> None:
        """Store the open polygon for other views of the canvas and for a reload of the page."""
        if message.number <= self._drafts.get(message.client, 0):
            return
        self._drafts[message.client] = message.number
        if message.image_name != self._state.image_name:
            return
        try:
            points = parse_points(buffers).astype(np.float32).tobytes() if message.corners else b""
        except MessageError as error:
            self._say(str(error), "error")
            return
        draft = message.model_dump(include={"client", "image_name"})
        corners = [corner for corner in message.corners if 8 * corner < len(points)]
        self._state.draft = {**draft, "points": points, "corners": corners}

    def _explain_short(self, message: Short, _: Any) -> None:
        self._say(
            f"A polygon needs at least 3 points; this one has {message.points}. Add more points, or press Escape.",
            "error",
        )

    # -- the pointer ------------------------------------------------------------------------------

    def _hover(self, message: Hover, _: Any) -> None:
        text = ""
        try:
            place = self._viewer.describe(message.x, message.y)
            self._state.set_trait("hovered", place)
            text = sentence(place)
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")
        finally:
            self._pointer.send({"kind": "hovered", "text": text})

    def _leave(self, _: Leave, __: Any) -> None:
        self._pointer.send({"kind": "hovered", "text": ""})

    def _note_pen(self, _: Pen, __: Any) -> None:
        self._state.set_trait("has_pen", True)

    # -- the page ---------------------------------------------------------------------------------

    def _use_scale(self, message: Ready, _: Any) -> None:
        self._viewer.use_scale(message.scale)

    def _check_pictures(self, message: Loaded, _: Any) -> None:
        """Send a page that was just loaded what it may have missed while it made its widgets."""
        self._queue.submit(self._pointer.send_again)
        self._viewer.check_pictures(message.pictures)

    def _redraw(self, _: Redraw, __: Any) -> None:
        self._viewer.redraw()


def sentence(place: str) -> str:
    """Return a place such as ``x 120 y 80 · predicted Stroma 93%`` as a sentence for a screen reader."""
    at, *found = place.split(" · ")
    if not at:
        return "Outside the image"
    return f"{at.replace(' y ', ', y ')}: {', '.join(found) or 'nothing painted'}"
