"""Messages and traits that a hostile or broken page may send: none gets an unexpected error out of a widget."""

import contextlib
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets import AnnotationCanvas, SettingsForm
from histowidgets.widgets.canvas.pointer._messages import (
    EDIT_KINDS,
    MessageError,
    parse_message,
    parse_points,
    parse_stroke,
)
from tests.faults.conftest import halves
from tests.fuzz.case import a_case
from tests.fuzz.conftest import CALM, MANY
from tests.fuzz.damage import JUNK

KINDS = [*EDIT_KINDS, "ready", "loaded", "redraw", "wand-preview", "view", "tool", "class", "width", "tolerance",
         "overlay", "short", "pen", "hover", "leave", "exec"]  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-5, 200), st.floats(-200, 400), st.sampled_from([1e7, -1e7, 1e308, math.inf, math.nan, 10**30, 1e-300])
)
VALUES = {
    "client": st.sampled_from(["a", "b", "", "x" * 40]),
    "number": st.one_of(st.integers(1, 6), NUMBERS),
    "image_name": st.sampled_from(["halves", "other", "../x", None]),
    "class_name": st.sampled_from(["A", "B", "none", "<script>"]),
    "tool": st.sampled_from(["brush", "eraser", "line", "rectangle", "polygon", "pan", "select", "wand", "hammer"]),
    "view": st.lists(NUMBERS, min_size=2, max_size=4),
    "add": st.booleans(),
    "on": st.booleans(),
    "request": st.integers(0, 5),
    "points": st.integers(0, 4),
    "pictures": st.lists(NUMBERS, max_size=9),
    **dict.fromkeys(("width", "x", "y", "dx", "dy", "height", "tolerance", "zoom", "scale"), NUMBERS),
}


@st.composite
def messages(draw):
    """A message with some fields of the right kind, some missing, some junk."""
    kind = draw(st.sampled_from(KINDS))
    fields = {name: draw(values) for name, values in VALUES.items() if draw(st.integers(0, 3))}
    try:  # mostly only what the message takes: else all are refused alike
        from histowidgets.widgets.canvas.pointer import _messages

        models = {k: m for m in _messages._Message.__subclasses__() + _subclasses() for k in _kinds(m)}
        if kind in models and draw(st.integers(0, 9)):
            fields = {n: draw(VALUES[n]) for n in models[kind].model_fields if n in VALUES}
    except KeyError:
        pass
    if draw(st.integers(0, 6)) == 0:
        fields[draw(st.sampled_from(sorted(VALUES)))] = draw(JUNK)
    return {"kind": kind, **fields}


def _subclasses():
    from histowidgets.widgets.canvas.pointer import _messages

    found, todo = [], [_messages._Message]
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        found.append(one)
    return found


def _kinds(model):
    from typing import get_args

    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field is not None else ()


BUFFERS = st.one_of(
    st.lists(st.binary(max_size=90), max_size=3),
    st.lists(st.lists(st.floats(-50, 150, width=32), min_size=2, max_size=16).map(
        lambda values: np.array(values[: len(values) // 2 * 2], np.float32).tobytes()), min_size=1, max_size=2),
)  # fmt: skip


@settings(**CALM)
@given(content=st.one_of(messages(), JUNK), buffers=BUFFERS, width=st.floats(0.1, 100))
def test_a_message_is_parsed_or_refused_by_name(content, buffers, width):
    with a_case("messages, parsed"):
        for parse in (
            lambda: parse_message(content),
            lambda: parse_points(buffers),
            lambda: parse_stroke(buffers, width),
        ):
            with contextlib.suppress(MessageError):
                parse()


@pytest.mark.parametrize("pair", ["0000817f00000000", "0000c07f00000000", "0000807f00000000", "00000000ffff7f7f"])
def test_points_that_are_no_numbers_are_refused_without_a_warning(pair):
    """A signalling NaN, which the fuzzer found to warn; a quiet one; infinity; and a number beyond all images."""
    with pytest.raises(MessageError, match="coordinates that are not finite numbers"):
        parse_points([bytes.fromhex(pair)])


@pytest.fixture
def canvas():
    project = Project(["A", "B"])
    project.add_image(halves())
    project.add_image(halves(name="other"))
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


@settings(**CALM)
@given(some=st.lists(st.tuples(messages(), BUFFERS), min_size=1, max_size=4))
def test_the_canvas_takes_any_message_from_end_to_end(canvas, some):
    project = canvas.project
    for content, buffers in some:
        heard = []
        canvas._pointer.send = lambda content, buffers=None, heard=heard: heard.append(json.dumps(content))
        # The callbacks themselves: ipywidgets would log what they raise, and the test would not see it.
        with a_case("messages to the canvas"):
            for callback in canvas._pointer._msg_callbacks.callbacks:
                callback(canvas._pointer, content, [memoryview(b) for b in buffers])
    assert project.classes == ["A", "B"]
    assert project.image_names == ["halves", "other"]
    if sum(project.count().values()) > 40:
        for name in project.image_names:
            for one in project.annotations(name):
                project.remove(one.id)


TRAITS = ["class_name", "tool", "brush_width", "wand_tolerance", "overlay_on", "image_name", "selection"]


@settings(**{**CALM, "max_examples": MANY // 3})
@given(name=st.sampled_from(TRAITS), value=st.one_of(JUNK, NUMBERS, st.text(max_size=5)))
def test_a_trait_that_is_set_to_junk_is_refused_and_stays(canvas, name, value):
    # The last is traitlets' own, of 10**400 as a float.
    with a_case("traits of the canvas"), contextlib.suppress(HistowidgetsError, TraitError, OverflowError):
        setattr(canvas, name, value)
    assert math.isfinite(canvas.brush_width)
    assert math.isfinite(canvas.wand_tolerance)
    assert canvas.image_name in ("halves", "other")
    assert canvas.class_name in ("A", "B")


@pytest.fixture
def listeners(canvas):
    """The other widgets that hear custom messages."""
    from histowidgets.widgets.canvas._display_panel import DisplayPanel
    from histowidgets.widgets.studio._class_panel import ClassPanel
    from histowidgets.widgets.studio._image_strip import ImageStrip
    from histowidgets.widgets.studio._review_panel import ReviewPanel
    from histowidgets.widgets.studio._state import StudioState

    project = canvas.project
    classes, display = ClassPanel(StudioState(project)), DisplayPanel(canvas)
    review = ReviewPanel(StudioState(project))
    strip, form = ImageStrip(project, lambda *words: None), SettingsForm(project=project)
    yield {
        "classes": classes.classes, "channels": display.controls, "strip": strip, "form": form, "review": review,
    }  # fmt: skip
    for widget in (classes, display, review, strip, form):
        widget.close()


WORDS = st.sampled_from(
    ["add", "rename", "recolor", "merge", "delete", "show", "thumbnails", "role", "remove", "hints", "upload",
     "receive", "open", "seen", "tiles", "enter",
     "preset", "undo", "freeze", "balance", "review", "relabel", "right", "file"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["A", "B", "halves", "other", "../../x", "~nobody/x", "a\0b", "\ud800", "#123456",
     "epochs", "cpu"]
)  # fmt: skip
ANY = st.one_of(TEXTS, JUNK, st.dictionaries(TEXTS, st.one_of(JUNK, TEXTS), max_size=2))
FIELDS = ["name", "to", "into", "color", "index", "image", "change", "path", "first", "size", "names", "role", "entry",
          "groups", "seed", "tile", "right", "seen", "file"]  # fmt: skip


@settings(**CALM)
@given(
    who=st.sampled_from(["classes", "channels", "strip", "form", "review"]),
    content=st.one_of(
        JUNK,
        st.builds(
            lambda kind, fields: {"kind": kind, **fields},
            st.one_of(WORDS, JUNK),
            st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4),
        ),
    ),
    buffers=BUFFERS,
)
def test_the_other_widgets_take_any_message(listeners, canvas, who, content, buffers):
    with a_case("messages to other widgets"):
        for callback in listeners[who]._msg_callbacks.callbacks:
            callback(listeners[who], content, [memoryview(b) for b in buffers])
    project = canvas.project
    while project.undo():  # whatever it was, it is one step each
        pass
    assert project.classes == ["A", "B"]
