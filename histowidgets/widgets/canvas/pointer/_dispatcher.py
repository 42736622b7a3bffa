"""Does what the pointer layer asks, and answers every message."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas._viewport import View
from histowidgets.widgets.canvas.editing import rings_of
from histowidgets.widgets.canvas.pointer._edits import do_edit
from histowidgets.widgets.canvas.pointer._layer import PointerLayer
from histowidgets.widgets.canvas.pointer._messages import (
    EDIT_KINDS,
    Choice,
    ClassMessage,
    Draft,
    Edit,
    Hover,
    Inbox,
    Leave,
    Loaded,
    Message,
    MessageError,
    Pen,
    Pick,
    Ready,
    Short,
    ToleranceMessage,
    ToolMessage,
    ViewMessage,
    WandPreview,
    WidthMessage,
    parse_message,
    parse_points,
)
from histowidgets.widgets.common import SerialQueue

if TYPE_CHECKING:
    from histowidgets.widgets.canvas._canvas import AnnotationCanvas


class PointerMessages:
    """The kernel's end of the line to the page's pointer layer (`static/canvas/link.js` is the other).

    Messages come on whichever thread ipykernel likes. Edits are put in order, then done in the canvas' queue;
    an edit is answered once what it changed has been sent for drawing, with the view that was drawn.
    """

    def __init__(self, canvas: "AnnotationCanvas", pointer: PointerLayer, queue: SerialQueue) -> None:
        self._canvas, self._pointer, self._queue = canvas, pointer, queue
        self._inbox = Inbox()
        self._done: list[list[Any]] = []  # [client, number] of edits that are not answered yet
        self._wanted: ViewMessage | None = None
        self._wanted_preview: WandPreview | None = None
        self.answered_view: tuple[str, int] = ("", 0)
        self._drafts: dict[str, int] = {}  # client -> number of the last draft that it sent
        pointer.on_msg(self._heard)

    def tell_drawn(self, view: View) -> None:
        """Tell the page what all that was sent for drawing until now amounts to."""
        done, self._done = self._done, []
        client, number = self.answered_view
        self._pointer.send(
            {
                "kind": "drawn",
                "edits": done,
                "view": [view.x, view.y, view.zoom],
                "client": client,
                "number": number,
            }
        )

    def _heard(self, _: Any, content: Any, buffers: Any) -> None:
        try:
            message = parse_message(content)
        except MessageError as error:
            self._unreadable(content, error)
            return
        if isinstance(message, Edit):
            self._queue_edit(message.client, message.number, (message, buffers))
        elif isinstance(message, Hover | Leave):
            self._hover(message)
        elif isinstance(message, Draft):
            self._queue.submit(partial(self._keep_draft, message, buffers))
        else:
            self._do(message)

    def _unreadable(self, content: Any, error: MessageError) -> None:
        """Answer a message that cannot be read; one that has the number of an edit takes that edit's turn."""
        if isinstance(content, dict) and content.get("kind") in EDIT_KINDS:
            client, number = content.get("client"), content.get("number")
            if isinstance(client, str) and isinstance(number, int) and number >= 1:
                self._queue_edit(client, number, error)
                return
        self._canvas.say(str(error), "error")

    def _queue_edit(self, client: str, number: int, item: Any) -> None:
        ready = self._inbox.take(client, number, item)
        if ready is None:
            # The page sends what was not answered for a while again. What is still in the queue will be answered.
            if self._inbox.is_done(client, number):
                self._queue.submit(lambda: self._answer(client, number))
            return
        for own_number, each in ready:
            self._queue.submit(partial(self._edit, client, own_number, each))

    def _edit(self, client: str, number: int, item: Any) -> None:
        """Do one edit, within the queue. What it changed is drawn by a later job, the answer goes out after that."""
        if isinstance(item, MessageError):
            self._refuse(client, number, str(item))
            return
        message, buffers = item
        try:
            picked = do_edit(self._canvas, message, buffers)
        except (HistowidgetsError, MessageError, OSError) as error:
            self._refuse(client, number, str(error))
            return
        if isinstance(message, Pick):
            self._queue.submit(partial(self._tell_picked, client, number, picked))
        self._done.append([client, number])
        self._queue.submit(self._answer_rest)

    def _tell_picked(self, client: str, number: int, hit: bool) -> None:
        """Say whether something was there; a pen that is still down then drags it."""
        self._pointer.send({"kind": "picked", "client": client, "number": number, "hit": hit})

    def _answer(self, client: str, number: int) -> None:
        """Answer an edit that was done before, once more."""
        self._done.append([client, number])
        self._answer_rest()

    def _answer_rest(self) -> None:
        """Answer what changed nothing that is in view."""
        if self._done:
            self.tell_drawn(self._canvas.drawn_view)

    def _refuse(self, client: str, number: int, reason: str) -> None:
        self._pointer.send({"kind": "refused", "edits": [[client, number]], "error": reason})
        self._canvas.say(reason, "error")

    def _keep_draft(self, message: Draft, buffers: Any) -> None:
        """Keep the polygon that is open, for a page that is loaded anew and for other views of the canvas."""
        if message.number <= self._drafts.get(message.client, 0):
            return
        self._drafts[message.client] = message.number
        if message.image_name != self._canvas.image_name:
            return
        try:
            points = parse_points(buffers).astype(np.float32).tobytes() if message.corners else b""
        except MessageError as error:
            self._canvas.say(str(error), "error")
            return
        draft = message.model_dump(include={"client", "image_name"})
        corners = [corner for corner in message.corners if 8 * corner < len(points)]
        self._pointer.draft = {**draft, "points": points, "corners": corners}

    def _hover(self, message: Hover | Leave) -> None:
        text = ""
        try:
            if isinstance(message, Hover):
                text = spoken(self._canvas.hover(message.x, message.y))
        except (HistowidgetsError, OSError) as error:
            self._canvas.say(str(error), "error")
        finally:
            self._pointer.send({"kind": "hovered", "text": text})

    def _do(self, message: Message) -> None:
        if isinstance(message, Choice):
            self._choose(message)
        elif isinstance(message, ViewMessage):
            self._wanted = message
            self._queue.submit(self._look)
        elif isinstance(message, WandPreview):
            self._wanted_preview = message
            self._queue.submit(self._preview)
        elif isinstance(message, Pen):
            self._canvas.show_pen()
        elif isinstance(message, Short):
            self._canvas.say(
                f"A polygon needs at least 3 points; this one has {message.points}. Click on, or press Escape.", "error"
            )
        elif isinstance(message, Ready):
            self._canvas.use_scale(message.scale)
        elif isinstance(message, Loaded):
            self._canvas.check_pictures(message.pictures)
        else:
            self._canvas.redraw()

    def _choose(self, message: Choice) -> None:
        """Take what the hand chose; the answer goes out after the traits that follow from it."""
        canvas = self._canvas
        try:
            if isinstance(message, ToolMessage):
                canvas.tool = message.tool
            elif isinstance(message, ClassMessage):
                canvas.class_name = message.class_name
            elif isinstance(message, WidthMessage):
                canvas.brush_width = message.width
            elif isinstance(message, ToleranceMessage):
                canvas.wand_tolerance = message.tolerance
            elif message.kind == "overlay":
                canvas.overlay_on = message.on
            else:
                canvas.annotations_on = message.on
        except (HistowidgetsError, traitlets.TraitError) as error:
            canvas.say(str(error), "error")
        finally:
            self._queue.submit(partial(self._pointer.send, {"kind": "chosen", "client": message.client}))

    def _preview(self) -> None:
        """Show what the wand would take at the place that was asked for last."""
        message, self._wanted_preview = self._wanted_preview, None
        if message is None:
            return
        canvas = self._canvas
        rings: list[list[float]] = []
        try:
            view = canvas.view.look(*message.view)
            rings = rings_of(canvas.find_similar(message.x, message.y, message.tolerance, view).area)
        except (HistowidgetsError, OSError) as error:
            canvas.say(str(error), "error")
        finally:
            answer = {"kind": "wand", "client": message.client, "request": message.request, "rings": rings}
            self._pointer.send(answer)

    def _look(self) -> None:
        """Show the view that was asked for last; those asked for before it are void."""
        message, self._wanted = self._wanted, None
        if message is None:
            return
        self._canvas.look(self._canvas.view.look(message.x, message.y, message.zoom), (message.client, message.number))


def spoken(place: str) -> str:
    """Return what the line says of a place, such as ``x 120 y 80 · Stroma 0.93``, as a sentence to be read out."""
    at, *found = place.split(" · ")
    if not at:
        return "Beside the picture"
    return f"{at.replace(' y ', ', y ')}: {', '.join(found) or 'nothing painted'}"
