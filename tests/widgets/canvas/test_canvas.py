"""The annotation canvas without a page: the project it shows, predictions, threads and bad input."""

import dataclasses
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
from histowidgets.widgets.canvas import DisplayPanel
from tests.widgets.canvas.helpers import Page, kinds, message, parts


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


# -- the project ----------------------------------------------------------------------------------------------


def test_an_edit_from_python_is_drawn_and_counted(canvas, page, project, patches):
    project.annotate("colon", Rectangle(10, 10, 20, 20), "Stroma")
    assert len(patches) == 1
    assert "1 annotation" in parts(canvas).frame.status.saved.value
    assert not parts(canvas).frame.tools.buttons["undo"].disabled
    assert canvas.undo()
    assert parts(canvas).frame.tools.buttons["undo"].disabled


def test_classes_added_renamed_and_recoloured_are_shown(canvas, project):
    canvas.class_name = "Stroma"
    project.add_class("Lumen")
    project.recolor_class("Lumen", "#123456")
    project.rename_class("Stroma", "<b>Stroma</b>")
    assert [entry["name"] for entry in parts(canvas).pointer.classes] == ["Epithelium", "<b>Stroma</b>", "Lumen"]
    assert parts(canvas).pointer.classes[2]["color"].lower() == "#123456"
    assert canvas.class_name == "<b>Stroma</b>"
    chips = parts(canvas).frame.palette.children[1:]
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
    assert message(canvas).startswith("Error: ")
    assert "read-only" in parts(canvas).frame.status.saved.value
    assert parts(canvas).frame.tools.buttons["undo"].disabled
    canvas.close()
    second.close()
    first.close()


def test_another_image_of_the_project(canvas, project, page):
    project.add_image(samples.colon_ihc().read(0, 0, 200, 100), name="small")
    canvas.show_image("small")
    assert canvas.image_name == "small"
    assert parts(canvas).pointer.image_size == [200, 100]
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


def test_unknown_keywords_are_refused(project, canvas):
    with pytest.raises(TypeError, match="unexpected keyword argument 'tool'"):
        AnnotationCanvas(project, tool="eraser")
    with pytest.raises(TypeError, match="unexpected keyword argument 'opacity'"):
        DisplayPanel(canvas, opacity=0.5)


def test_traits_are_observed_and_linked_on_the_canvas_whoever_sets_them(canvas, page):
    heard, box = [], ipywidgets.FloatText(canvas.brush_width)
    canvas.observe(lambda change: heard.append((change["owner"], change["name"], change["new"])), ["tool", "selection"])
    ipywidgets.link((box, "value"), (canvas, "brush_width"))
    page.say({"kind": "tool", "tool": "eraser"})
    canvas.tool = "line"
    page.say({"kind": "width", "width": 31})
    assert heard == [(canvas, "tool", "eraser"), (canvas, "tool", "line")]
    assert box.value == canvas.brush_width == parts(canvas).state.brush_width == 31
    box.value = 12
    assert parts(canvas).pointer.brush_width == 12
    with pytest.raises(traitlets.TraitError, match="read-only"):
        canvas.image_name = "colon"


def test_internals_are_no_public_names_of_the_canvas():
    box = set(dir(ipywidgets.VBox))
    public = {name for name in dir(AnnotationCanvas) if not name.startswith("_")} - box
    assert public == {
        "annotation_opacity", "annotations_on", "brush_width", "caption", "choose_class", "class_name", "copy",
        "copy_display", "cut", "delete_selection", "disagreement", "display", "draw", "duplicate", "fill_ring",
        "fill_similar", "find_similar", "fit", "go_to", "image_name", "look", "mark", "move_selection", "on_display",
        "on_view", "others_hidden", "overlay_on", "paste", "patterns", "pen_pressure", "pick", "prediction_opacity",
        "prediction_patterns", "put_in_eye_menu", "redo", "redraw", "resize", "resume", "say", "select_all",
        "select_in", "selected_annotations", "selection", "set_display", "show_cross", "show_held_out", "show_image",
        "show_outlines", "show_prediction", "still_html", "tool", "uncertainty_opacity", "undo", "view",
        "wand_tolerance", "zoom",
    }  # fmt: skip


def test_a_canvas_resumes_what_an_earlier_one_showed(canvas, project):
    project.add_image(samples.colon_ihc().read(0, 0, 200, 100), name="small")
    chosen = project.annotate("small", Rectangle(10, 10, 20, 20), "Stroma")
    canvas.resize(500, 400)
    canvas.show_image("small")
    canvas.set_display([dataclasses.replace(one, high=99.0) for one in canvas.display])
    canvas.look(canvas.view.look(30, 40, 3))
    canvas.selection, canvas.class_name, canvas.patterns = (chosen,), "Stroma", True
    canvas.copy()
    canvas.close()
    later = AnnotationCanvas(project)
    later.resume(canvas)
    assert (later.image_name, later.view, later.display) == ("small", canvas.view, canvas.display)
    assert parts(later).renderer.view == canvas.view
    assert (later.selection, later.tool, later.class_name, later.patterns) == ((chosen,), "select", "Stroma", True)
    assert len(parts(later).pointer.selected) == parts(later).pointer.copied == 1
    later.close()


def test_python_can_do_what_the_pointer_does(canvas):
    canvas.go_to(Region(100, 100, 50, 50))
    assert canvas.view.region.contains(Region(100, 100, 50, 50))
    zoom = canvas.view.zoom
    canvas.zoom(2)
    assert canvas.view.zoom == pytest.approx(2 * zoom)
    canvas.fit()
    assert canvas.view.region == Region(0, 0, 512, 512)
    canvas.resize(400, 300)
    assert parts(canvas).layers.canvas.width == 400
    assert parts(canvas).frame.stage.layout.width == "400px"
    canvas.brush_width = 14.5
    assert canvas.brush_width == 14.5
    canvas.say("hello")
    assert "hello" in message(canvas)


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
    assert parts(canvas).pointer.caption == "Prediction: quick"
    canvas.show_prediction(make_prediction(project, "small", Region(0, 0, 200, 100)), "Prediction: small")
    assert parts(canvas).pointer.caption == "Prediction: quick"
    canvas.show_image("small")
    assert parts(canvas).pointer.caption == "Prediction: small"
    canvas.overlay_on = False
    assert parts(canvas).pointer.caption == ""
    canvas.overlay_on = True
    canvas.show_prediction(None)
    assert parts(canvas).pointer.caption == ""
    canvas.show_image("colon")
    assert parts(canvas).pointer.caption == "Prediction: quick"


def test_a_prediction_of_a_part_covers_that_part_alone(canvas, project):
    canvas.show_prediction(make_prediction(project, region=Region(100, 200, 50, 60)))
    paint, place = parts(canvas).renderer._prediction_patch(Region(0, 0, 760, 600), 1.0)
    zoom = canvas.view.zoom
    assert (place.width, place.height) == (pytest.approx(50 * zoom, abs=1), pytest.approx(60 * zoom, abs=1))
    assert (place.x, place.y) == pytest.approx(canvas.view.to_stage(100, 200), abs=1)
    assert paint.numbers.shape == (place.height, place.width)
    assert parts(canvas).renderer.describe(120, 230) == "x 120 y 230 · predicted Stroma 75%"
    assert parts(canvas).renderer.describe(20, 230) == "x 20 y 230"


def test_what_is_hidden_is_not_told_in_words(canvas, project):
    canvas.show_prediction(make_prediction(project))
    canvas.draw(Rectangle(100, 200, 50, 60), "Stroma")
    told = parts(canvas).renderer.describe(120, 230)
    assert "painted Stroma" in told
    assert "predicted" in told
    canvas.overlay_on = False
    assert parts(canvas).renderer.describe(120, 230) == "x 120 y 230 · painted Stroma"
    canvas.annotations_on = False
    assert parts(canvas).renderer.describe(120, 230) == "x 120 y 230"


def test_a_cross_marks_a_pixel_until_another_image_is_shown(canvas, project):
    project.add_image(np.zeros((64, 64, 3), np.uint8), name="small")
    canvas.show_cross((12, 34))
    assert parts(canvas).pointer.cross == [12, 34]
    canvas.show_cross(None)
    assert parts(canvas).pointer.cross == []
    canvas.show_cross((12, 34))
    canvas.show_image("small")
    assert parts(canvas).pointer.cross == []


def test_pages_threads_and_python_at_once_lose_no_stroke(canvas, project, monkeypatch):
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
    assert parts(canvas).pointer.caption == "epoch 9"
    assert not _CANVAS_MANAGER._caching


def test_a_notebook_without_a_kernel_keeps_a_small_picture(canvas, project):
    canvas.patterns = False
    project.annotate("colon", Rectangle(100, 100, 200, 200), "Epithelium")
    bundle = canvas._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert 5_000 < len(bundle["text/html"]) <= 205_000
    picture = np.asarray(parts(canvas).renderer.static_picture(0.4, 1.0))
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
    whole = parts(canvas).renderer._rgb(parts(canvas).renderer.image.read(0, 0, 64, 64))
    part = parts(canvas).renderer._rgb(parts(canvas).renderer.image.read(0, 0, 8, 8))
    assert whole.dtype == np.uint8
    assert np.array_equal(whole[:8, :8], part)
    canvas.redraw()
    canvas.close()
