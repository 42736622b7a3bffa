"""The annotation canvas without a page: what it does with messages, mouse, threads and bad input."""

import threading

import ipywidgets
import numpy as np
import pytest
import traitlets
from ipycanvas.canvas import _CANVAS_MANAGER

from histowidgets.annotations import Project, Rectangle, Stroke
from histowidgets.errors import ClassNameError, ImageNameError, ShapeError
from histowidgets.images import Region, samples
from histowidgets.prediction import Prediction
from histowidgets.widgets import AnnotationCanvas


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


class Page:
    """A page as the kernel sees it: what it says, and the answers that come back."""

    def __init__(self, canvas, monkeypatch, client="page"):
        self.canvas, self.client, self.number, self.heard = canvas, client, 0, []
        monkeypatch.setattr(canvas._pointer, "send", lambda content, buffers=None: self.heard.append(content))

    def say(self, content, buffers=()):
        self.heard.clear()
        message = {"client": self.client, **content} if isinstance(content, dict) else content
        self.canvas._pointer._handle_custom_msg(message, list(buffers))
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


@pytest.fixture
def page(canvas, monkeypatch):
    return Page(canvas, monkeypatch)


def kinds(answers):
    return [answer["kind"] for answer in answers]


def drawn_edits(answers):
    return [edit for answer in answers if answer["kind"] == "drawn" for edit in answer["edits"]]


@pytest.fixture
def patches(canvas, monkeypatch):
    """Regions of the annotation patches that were sent."""
    sent = []
    draw = canvas._layers.draw

    def record(picture=None, prediction=None, annotations=None, **options):
        sent.append(None if annotations is None else annotations[1])
        draw(picture, prediction, annotations, **options)

    monkeypatch.setattr(canvas._layers, "draw", record)
    return sent


# -- what the page says -----------------------------------------------------------------------------


def test_a_page_that_missed_a_picture_gets_all_of_it_again(canvas, page):
    page.view(250, 250, 1.5)
    lengths = list(canvas._layers.pictures.values())
    assert kinds(page.say({"kind": "loaded", "pictures": lengths})) == []
    # The page was loaded anew while the last picture was under way: it has the one before.
    assert kinds(page.say({"kind": "loaded", "pictures": lengths[::-1]})) == ["drawn"]


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
        ([[np.nan, 1]], "Epithelium", "no numbers"),
        (np.ones((10**6, 2)), "Epithelium", "1000000 points"),
    ],
)
def test_a_stroke_that_cannot_be_is_refused_with_its_reason_in_red(canvas, page, project, points, class_name, words):
    answers = page.stroke(points, class_name)
    (refusal,) = (answer for answer in answers if answer["kind"] == "refused")
    assert refusal["edits"] == [["page", 1]]
    assert words in refusal["error"]
    assert words in canvas._frame.status._said.value
    assert "hw-error" in canvas._frame.status._said.value
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
    assert canvas._frame.bar.brush.value == 33
    assert canvas._pointer.class_index == 1


def test_hovering_says_what_is_there_and_is_always_answered(canvas, page):
    page.stroke([[100, 100], [150, 120]])
    assert kinds(page.say({"kind": "hover", "x": 100.4, "y": 100.2})) == ["hovered"]
    assert canvas._frame.status._place.value == "x 100 y 100 · painted Epithelium (1)"
    page.say({"kind": "hover", "x": -5, "y": 3})
    assert canvas._frame.status._place.value == ""
    assert kinds(page.say({"kind": "leave"})) == ["hovered"]


def test_a_sharper_screen_gets_as_many_pixels(canvas, page):
    page.say({"kind": "ready", "scale": 2})
    assert (canvas._layers.canvas.width, canvas._layers.canvas.height) == (1520, 1200)
    assert canvas._layers.canvas.layout.width == "760px"


# -- the mouse without the layer's script -----------------------------------------------------------------


def drag(canvas, points, tool=None):
    if tool:
        canvas.tool = tool
    places = [canvas.view.to_stage(*point) for point in points]
    top = canvas._layers.canvas[2]
    for event, place in (("mouse_down", places[0]), *(("mouse_move", p) for p in places[1:]), ("mouse_up", places[-1])):
        top._handle_frontend_event(top, {"event": event, "x": place[0], "y": place[1]}, [])


def test_the_plain_mouse_paints_erases_and_moves(canvas, project):
    canvas.class_name = "Stroma"
    drag(canvas, [(100, 100), (120, 110), (150, 120)])
    (annotation,) = project.annotations("colon")
    assert annotation.class_name == "Stroma"
    assert annotation.shape.points == pytest.approx(np.array([(100, 100), (120, 110), (150, 120)]))
    drag(canvas, [(120, 90), (120, 140)], "eraser")
    assert project.annotations("colon")[-1].class_name is None
    before = canvas.view
    drag(canvas, [(100, 100), (110, 100)], "pan")
    assert canvas.view.x == pytest.approx(before.x - 10)
    assert len(project.annotations("colon")) == 2


def test_the_plain_mouse_without_a_button_paints_nothing(canvas, project):
    top = canvas._layers.canvas[2]
    for event in ("mouse_move", "mouse_up", "mouse_out"):
        top._handle_frontend_event(top, {"event": event, "x": 100, "y": 100}, [])
    drag(canvas, [(-90, -90), (-80, -80)])
    assert project.annotations("colon") == ()
    assert "outside" in canvas._frame.status._said.value


# -- the project ----------------------------------------------------------------------------------------------


def test_an_edit_from_python_is_drawn_and_counted(canvas, page, project, patches):
    project.annotate("colon", Rectangle(10, 10, 20, 20), "Stroma")
    assert len(patches) == 1
    assert "1 annotation" in canvas._frame.status._saved.value
    assert not canvas._frame.tools.buttons["undo"].disabled
    assert canvas.undo()
    assert canvas._frame.tools.buttons["undo"].disabled


def test_classes_added_renamed_and_recoloured_are_shown(canvas, project):
    canvas.class_name = "Stroma"
    project.add_class("Lumen")
    project.recolor_class("Lumen", "#123456")
    project.rename_class("Stroma", "<b>Stroma</b>")
    assert [entry["name"] for entry in canvas._pointer.classes] == ["Epithelium", "<b>Stroma</b>", "Lumen"]
    assert canvas._pointer.classes[2]["color"].lower() == "#123456"
    assert canvas.class_name == "<b>Stroma</b>"
    chips = canvas._frame.palette.children[1:]
    assert [chip.description.split("  ")[0] for chip in chips] == ["Epithelium", "<b>Stroma</b>", "Lumen"]


def test_a_read_only_project_is_shown_and_refuses_the_brush(tmp_path, monkeypatch):
    first = Project(["Epithelium", "Stroma"], folder=tmp_path / "kept")
    first.add_image(samples.colon_ihc(), name="colon")
    second = Project.open(tmp_path / "kept")
    assert second.read_only
    canvas = AnnotationCanvas(second)
    page = Page(canvas, monkeypatch)
    answers = page.stroke([[10, 10], [20, 20]])
    assert "refused" in kinds(answers)
    assert "hw-error" in canvas._frame.status._said.value
    assert "read-only" in canvas._frame.status._saved.value
    assert canvas._frame.tools.buttons["undo"].disabled
    canvas.close()
    second.close()
    first.close()


def test_another_image_of_the_project(canvas, project, page):
    project.add_image(samples.colon_ihc().read(0, 0, 200, 100), name="small")
    canvas.show_image("small")
    assert canvas.image_name == "small"
    assert canvas._pointer.image_size == [200, 100]
    assert canvas.view.region == Region(0, 0, 200, 100)
    page.stroke([[10, 10], [20, 20]])
    assert len(project.annotations("small")) == 1
    assert project.annotations("colon") == ()
    with pytest.raises(ImageNameError, match="nowhere"):
        canvas.show_image("nowhere")
    assert canvas.image_name == "small"


def test_bad_arguments_have_named_errors(project, canvas):
    with pytest.raises(ImageNameError, match="no image"):
        AnnotationCanvas(Project(["A", "B"]))
    with pytest.raises(ImageNameError, match="nowhere"):
        AnnotationCanvas(project, "nowhere")
    with pytest.raises(ClassNameError, match="Nerve"):
        canvas.class_name = "Nerve"
    with pytest.raises(traitlets.TraitError, match="tool"):
        canvas.tool = "hammer"
    with pytest.raises(ShapeError, match="outside"):
        canvas.draw(Stroke([[-90, -90]], width=5), "Stroma")


def test_python_reaches_all_that_the_hand_does(canvas):
    canvas.go_to(Region(100, 100, 50, 50))
    assert canvas.view.region.contains(Region(100, 100, 50, 50))
    zoom = canvas.view.zoom
    canvas.zoom(2)
    assert canvas.view.zoom == pytest.approx(2 * zoom)
    canvas.fit()
    assert canvas.view.region == Region(0, 0, 512, 512)
    canvas.resize(400, 300)
    assert canvas._layers.canvas.width == 400
    assert canvas._frame.stage.layout.width == "400px"
    canvas.brush_width = 14.5
    assert canvas.brush_width == 14.5
    canvas.say("hello")
    assert "hello" in canvas._frame.status._said.value


# -- predictions, threads, and what stays -------------------------------------------------------------------------


WHOLE = Region(0, 0, 512, 512)


def make_prediction(project, name="colon", region=WHOLE):
    chances = np.zeros((region.height, region.width, 2), np.float32)
    chances[..., 1] = 0.75
    chances[..., 0] = 0.25
    return Prediction(chances, classes=project.classes, colors=project.colors, region=region, image_name=name)


def test_predictions_are_kept_by_image_and_taken_away_with_none(canvas, project):
    project.add_image(samples.colon_ihc().read(0, 0, 200, 100), name="small")
    thread = threading.Thread(target=canvas.show_prediction, args=(make_prediction(project), "Prediction: quick"))
    thread.start()
    thread.join()
    assert canvas._pointer.caption == "Prediction: quick"
    canvas.show_prediction(make_prediction(project, "small", Region(0, 0, 200, 100)), "Prediction: small")
    assert canvas._pointer.caption == "Prediction: quick"
    canvas.show_image("small")
    assert canvas._pointer.caption == "Prediction: small"
    canvas.overlay_on = False
    assert canvas._pointer.caption == ""
    canvas.overlay_on = True
    canvas.show_prediction(None)
    assert canvas._pointer.caption == ""
    canvas.show_image("colon")
    assert canvas._pointer.caption == "Prediction: quick"


def test_a_prediction_of_a_part_covers_that_part_alone(canvas, project):
    canvas.show_prediction(make_prediction(project, region=Region(100, 200, 50, 60)))
    paint, place = canvas._drawing._prediction_patch(Region(0, 0, 760, 600), 1.0)
    zoom = canvas.view.zoom
    assert (place.width, place.height) == (pytest.approx(50 * zoom, abs=1), pytest.approx(60 * zoom, abs=1))
    assert (place.x, place.y) == pytest.approx(canvas.view.to_stage(100, 200), abs=1)
    assert paint.numbers.shape == (place.height, place.width)
    assert canvas._drawing.describe(120, 230) == "x 120 y 230 · Stroma 0.75 · Epithelium 0.25"
    assert canvas._drawing.describe(20, 230) == "x 20 y 230"


def test_hands_threads_and_python_at_once_lose_no_stroke(canvas, project, monkeypatch):
    pages = [Page(canvas, monkeypatch, f"page{i}") for i in range(3)]
    prediction = make_prediction(project)

    def paint(page):
        for i in range(15):
            page.stroke([[10 + i, 10], [40 + i, 60]])

    def annotate():
        for i in range(15):
            project.annotate("colon", Rectangle(5 * i, 100, 4, 4), "Stroma")

    def predict():
        for i in range(10):
            canvas.show_prediction(prediction, f"epoch {i}")
            canvas.look(canvas.view.look(100 + i, 100, 1 + i / 10))

    threads = [threading.Thread(target=paint, args=(page,)) for page in pages]
    threads += [threading.Thread(target=annotate), threading.Thread(target=predict)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert project.count() == {"Epithelium": 45, "Stroma": 15}
    assert canvas._pointer.caption == "epoch 9"
    assert not _CANVAS_MANAGER._caching


def test_a_notebook_without_a_kernel_keeps_a_small_picture(canvas, project):
    canvas.patterns = False
    project.annotate("colon", Rectangle(100, 100, 200, 200), "Epithelium")
    bundle = canvas._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert 5_000 < len(bundle["text/html"]) <= 205_000
    picture = np.asarray(canvas._drawing.static_picture(0.4, 1.0))
    assert np.abs(picture[300, 380].astype(int) - (0xE6, 0x9F, 0x00)).max() <= 30
    project.add_image(np.zeros((40, 40, 3), np.uint8), name='"><script>alert(1)</script>')
    canvas.show_image('"><script>alert(1)</script>')
    assert "<script>" not in canvas._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("options", [{}, {"palette": False, "status": False}])
def test_closing_leaves_no_widget_and_no_subscription(project, options):
    from ipywidgets.widgets.widget import _instances

    AnnotationCanvas(project, **options).close()  # ipywidgets' own defaults are made once
    before = set(_instances)
    canvas = AnnotationCanvas(project, **options)
    assert isinstance(canvas, ipywidgets.Box)
    canvas.close()
    canvas.close()
    assert set(_instances) == before
    assert _CANVAS_MANAGER.comm is not None
    project.annotate("colon", Rectangle(1, 1, 5, 5), "Stroma")  # nobody is told


def test_a_16_bit_image_has_one_contrast_whatever_is_in_view(shared_data):
    from histowidgets.images import open_image

    path = next(path for path in sorted((shared_data / "uint16").rglob("*.tif*")) if "hela" in path.name)
    project = Project(["A", "B"])
    project.add_image(open_image(path), name="hela")
    canvas = AnnotationCanvas(project)
    whole = canvas._drawing._rgb(canvas._drawing.image.read(0, 0, 64, 64))
    part = canvas._drawing._rgb(canvas._drawing.image.read(0, 0, 8, 8))
    assert whole.dtype == np.uint8
    assert np.array_equal(whole[:8, :8], part)
    canvas.redraw()
    canvas.close()
