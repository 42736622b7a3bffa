"""A canvas without a page: what its page would say, and a look at its parts."""

import re
from typing import NamedTuple

import numpy as np

from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.controls import CanvasFrame
from histowidgets.widgets.canvas.drawing import CanvasViewer, Layers, Renderer
from histowidgets.widgets.canvas.editing import CanvasEditor
from histowidgets.widgets.canvas.pointer import PointerLayer
from histowidgets.widgets.canvas.state import CanvasState
from histowidgets.widgets.common import SerialQueue


class Parts(NamedTuple):
    state: CanvasState
    queue: SerialQueue
    layers: Layers
    renderer: Renderer
    viewer: CanvasViewer
    editor: CanvasEditor
    pointer: PointerLayer
    frame: CanvasFrame


def parts(canvas: AnnotationCanvas) -> Parts:
    """Return what a canvas is made of; tests know it from here alone."""
    return Parts(*(getattr(canvas, f"_{name}") for name in Parts._fields))


def message(canvas):
    """Return what the status line says; an error begins with "Error: "."""
    return said(parts(canvas).frame.status.message)


def said(line):
    """Return the text of a part of the status line; an error begins with "Error: "."""
    found = re.search(r'<div class="(.*?)" title=".*?">(.*)</div>', line.value)
    if found is None:
        return ""
    style, text = found.groups()
    return f"Error: {text}" if style == "hw-error" else text


class Page:
    """A page as the kernel sees it: what it says, and the answers that come back."""

    def __init__(self, canvas, monkeypatch, client="page"):
        self.pointer, self.client, self.number, self.heard = parts(canvas).pointer, client, 0, []
        monkeypatch.setattr(self.pointer, "send", lambda content, buffers=None: self.heard.append(content))

    def say(self, content, buffers=()):
        self.heard.clear()
        message = {"client": self.client, **content} if isinstance(content, dict) else content
        self.pointer._handle_custom_msg(message, list(buffers))
        return list(self.heard)

    def edit(self, content, buffers=()):
        self.number += 1
        return self.say({"number": self.number, **content}, buffers)

    def stroke(self, points, class_name="Epithelium", tool="brush", width=8.0):
        buffer = np.asarray(points, np.float32).tobytes()
        content = {"kind": "stroke", "tool": tool, "class_name": class_name, "width": width}
        return self.edit(content, [buffer])

    def view(self, x, y, zoom, number=1):
        return self.say({"kind": "view", "number": number, "x": x, "y": y, "zoom": zoom})


def kinds(answers):
    return [answer["kind"] for answer in answers]


def drawn_edits(answers):
    return [edit for answer in answers if answer["kind"] == "drawn" for edit in answer["edits"]]


def drag(canvas, points, tool=None):
    """Drag through image points with ipycanvas' mouse, as on a page without the pointer layer."""
    if tool:
        canvas.tool = tool
    places = [canvas.view.to_stage(*point) for point in points]
    top = parts(canvas).layers.canvas[2]
    for event, place in (("mouse_down", places[0]), *(("mouse_move", p) for p in places[1:]), ("mouse_up", places[-1])):
        top._handle_frontend_event(top, {"event": event, "x": place[0], "y": place[1]}, [])
