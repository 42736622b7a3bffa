"""What the canvas does with the messages of a page, and what it answers."""

from typing import get_args

import numpy as np
import pytest
from ipycanvas.canvas import _CANVAS_MANAGER

from histowidgets.annotations import Project, Stroke
from histowidgets.images import samples
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.pointer._dispatcher import sentence
from histowidgets.widgets.canvas.pointer._messages import Message
from tests.widgets.canvas.helpers import Page, drawn_edits, kinds, message, parts, said


@pytest.fixture
def project():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(samples.colon_ihc(), name="colon")
    return project


@pytest.fixture
def canvas(project):
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


@pytest.fixture
def page(canvas, monkeypatch):
    return Page(canvas, monkeypatch)


@pytest.fixture
def patches(canvas, monkeypatch):
    """Regions of the annotation patches that were sent."""
    sent = []
    draw = parts(canvas).layers.draw

    def record(picture=None, prediction=None, annotations=None, **options):
        sent.append(None if annotations is None else annotations[1])
        draw(picture, prediction, annotations, **options)

    monkeypatch.setattr(parts(canvas).layers, "draw", record)
    return sent


def test_a_page_that_missed_a_picture_gets_all_of_it_again(canvas, page):
    page.view(250, 250, 1.5)
    lengths = list(parts(canvas).layers.pictures.values())
    assert kinds(page.say({"kind": "loaded", "pictures": lengths})) == []
    # The page was loaded anew while the last picture was under way: it has the one before.
    assert kinds(page.say({"kind": "loaded", "pictures": lengths[::-1]})) == ["drawn"]


def test_a_page_that_was_slower_than_the_kernel_is_sent_the_state_again_without_the_script(canvas, page, monkeypatch):
    pointer, sent = parts(canvas).pointer, {}
    monkeypatch.setattr(pointer, "_send", lambda message, buffers=None: sent.update(message["state"]))
    page.say({"kind": "loaded", "pictures": list(parts(canvas).layers.pictures.values())})
    view = canvas.view
    assert sent["view"] == [view.x, view.y, view.zoom]
    assert sent["is_drawn"] is pointer.is_drawn
    assert {"stage", "image_size", "classes", "tool"} <= set(sent)
    assert "_esm" not in sent


def test_a_stroke_is_one_annotation_and_is_answered_after_it_was_drawn(canvas, page, project, patches):
    answers = page.stroke([[100, 100], [150, 120]])
    (annotation,) = project.annotations("colon")
    assert annotation.class_name == "Epithelium"
    assert annotation.shape == Stroke([[100, 100], [150, 120]], width=8.0)
    assert drawn_edits(answers) == [["page", 1]]
    assert len(patches) == 1


def test_only_the_changed_rectangle_travels_after_a_stroke(canvas, page, patches):
    page.stroke([[100, 100], [150, 120]])
    zoom = canvas.view.zoom
    assert patches[-1].width <= (50 + 8) * zoom + 10
    assert patches[-1].height <= (20 + 8) * zoom + 10
    page.edit({"kind": "undo"})
    assert patches[-1].width <= (50 + 8) * zoom + 10


def test_another_opacity_sends_no_pixels(canvas, page, monkeypatch):
    page.stroke([[100, 100], [150, 120]])
    sizes = []
    monkeypatch.setattr(
        type(_CANVAS_MANAGER), "send", lambda self, content, buffers: sizes.append(sum(map(len, buffers)))
    )
    canvas.annotation_opacity = 0.5
    canvas.prediction_opacity = 0.2
    assert len(sizes) == 2
    assert max(sizes) < 2000


def test_undo_and_redo_from_the_page(page, project):
    page.stroke([[100, 100], [150, 120]])
    assert drawn_edits(page.edit({"kind": "undo"})) == [["page", 2]]
    assert project.annotations("colon") == ()
    assert drawn_edits(page.edit({"kind": "redo"})) == [["page", 3]]
    assert len(project.annotations("colon")) == 1
    answers = page.edit({"kind": "redo"})
    assert drawn_edits(answers) == [["page", 4]]
    assert any("Nothing to redo" in answer.get("text", "") for answer in answers)


def test_the_eraser_leaves_the_pixels_unlabelled(page, project):
    page.stroke([[100, 100], [150, 100]])
    page.stroke([[120, 90], [120, 110]], tool="eraser")
    assert project.label_map("colon")[100, 120] == 255
    assert project.label_map("colon")[100, 140] == 0


def test_a_stroke_that_is_sent_again_is_drawn_once_and_answered_again(page, project):
    page.stroke([[100, 100], [150, 120]])
    page.number -= 1
    assert drawn_edits(page.stroke([[100, 100], [150, 120]])) == [["page", 1]]
    assert len(project.annotations("colon")) == 1


def test_strokes_that_overtake_each_other_keep_their_order(page, project):
    page.number = 1
    assert page.stroke([[10, 10], [20, 20]], "Stroma") == []
    page.number = 0
    answers = page.stroke([[10, 10], [20, 20]], "Epithelium")
    assert drawn_edits(answers) == [["page", 1], ["page", 2]]
    assert [annotation.class_name for annotation in project.annotations("colon")] == ["Epithelium", "Stroma"]


@pytest.mark.parametrize(
    ("points", "class_name", "words"),
    [
        ([[-500, -500], [-490, -480]], "Epithelium", "outside"),
        ([[10, 10], [20, 20]], "Nerve", "Nerve"),
        ([[np.nan, 1]], "Epithelium", "not finite numbers"),
        (np.ones((10**6, 2)), "Epithelium", "1000000 points"),
    ],
)
def test_a_stroke_that_cannot_be_is_refused_with_its_reason_in_red(canvas, page, project, points, class_name, words):
    answers = page.stroke(points, class_name)
    (refusal,) = (answer for answer in answers if answer["kind"] == "refused")
    assert refusal["edits"] == [["page", 1]]
    assert words in refusal["error"]
    assert words in message(canvas)
    assert message(canvas).startswith("Error: ")
    assert project.annotations("colon") == ()
    # The next one is drawn.
    assert drawn_edits(page.stroke([[10, 10], [20, 20]])) == [["page", 2]]


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "stroke",
        {},
        {"kind": "stroke"},
        {"kind": "stroke", "number": "one"},
        {"kind": "undo", "number": -3},
        {"kind": "hover", "x": None, "y": 1},
        {"kind": "view", "number": 1, "x": float("nan"), "y": 0, "zoom": 1},
        {"kind": "class", "class_name": "Nerve"},
        {"kind": "tool", "tool": "hammer"},
        {"kind": "width", "width": 1e9},
        {"kind": "ready", "scale": -1},
    ],
)
def test_a_hostile_message_is_answered_and_changes_nothing(canvas, page, project, content):
    before = canvas.view, canvas.tool, canvas.class_name, canvas.brush_width
    assert page.say(content)
    assert (canvas.view, canvas.tool, canvas.class_name, canvas.brush_width) == before
    assert project.annotations("colon") == ()


def test_a_view_is_kept_within_the_image_and_answered_with_what_was_drawn(canvas, page):
    answers = page.view(-1000, 100, 1e6, number=7)
    assert canvas.view.x == 0
    assert canvas.view.zoom == 40
    (answer,) = (answer for answer in answers if answer["kind"] == "drawn")
    assert answer["view"] == [0, 100, 40]
    assert (answer["client"], answer["number"]) == ("page", 7)


def test_tool_class_and_width_chosen_in_the_page_are_the_canvas_own(canvas, page):
    assert kinds(page.say({"kind": "tool", "tool": "eraser"})) == ["chosen"]
    page.say({"kind": "class", "class_name": "Stroma"})
    page.say({"kind": "width", "width": 33.0})
    assert (canvas.tool, canvas.class_name, canvas.brush_width) == ("eraser", "Stroma", 33.0)
    assert parts(canvas).frame.bar.brush.value == 33
    assert parts(canvas).pointer.class_index == 1


def test_hovering_says_what_is_there_and_is_always_answered(canvas, page):
    page.stroke([[100, 100], [150, 120]])
    assert kinds(page.say({"kind": "hover", "x": 100.4, "y": 100.2})) == ["hovered"]
    assert said(parts(canvas).frame.status.place) == "x 100 y 100 · painted Epithelium"
    page.say({"kind": "hover", "x": -5, "y": 3})
    assert said(parts(canvas).frame.status.place) == ""
    assert kinds(page.say({"kind": "leave"})) == ["hovered"]


def test_a_sharper_screen_gets_as_many_pixels(canvas, page):
    page.say({"kind": "ready", "scale": 2})
    assert (parts(canvas).layers.canvas.width, parts(canvas).layers.canvas.height) == (1520, 1200)
    assert parts(canvas).layers.canvas.layout.width == "760px"


def test_a_place_is_read_out_as_a_sentence():
    assert sentence("x 120 y 80 · predicted Stroma 93%") == "x 120, y 80: predicted Stroma 93%"
    read_out = sentence("x 1 y 2 · painted Lumen · predicted Stroma 93%")
    assert read_out == "x 1, y 2: painted Lumen, predicted Stroma 93%"
    assert sentence("x 1 y 2") == "x 1, y 2: nothing painted"
    assert sentence("") == "Outside the image"


def test_every_kind_of_message_has_a_handler(canvas):
    known = {kind for model in get_args(Message) for kind in get_args(model.model_fields["kind"].annotation)}
    assert set(canvas._dispatcher._handlers) == known
