"""The wand: what it finds, and what the canvas makes of it."""

import numpy as np
import pytest
import shapely
import traitlets

from histowidgets.annotations import Polygon, Project
from histowidgets.errors import ShapeError
from histowidgets.images import Region, samples
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.editing._wand import MAX_PIXELS, Wand, wand_downsample
from tests.widgets.canvas.helpers import Page, drag, drawn_edits, kinds, message, parts

PINK, BLUE, WHITE = (220, 150, 180), (80, 60, 140), (245, 245, 245)


def scene(rows=200, columns=300):
    """A blue disc of radius 50 about (120, 100), with a white hole of radius 15, on pink."""
    y, x = np.mgrid[:rows, :columns] + 0.5
    away = np.hypot(x - 120, y - 100)
    rgb = np.where((away < 50)[..., None], BLUE, PINK)
    return np.where((away < 15)[..., None], WHITE, rgb).astype(np.uint8)


def wand(rgb=None, region=None, downsample=1, image_size=None):
    rgb = scene() if rgb is None else rgb
    rows, columns = rgb.shape[:2]
    region = region or Region(0, 0, columns * downsample, rows * downsample)
    return Wand(rgb, region, downsample, image_size or (region.right, region.bottom))


@pytest.fixture
def project():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(scene(), name="disc")
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


def test_the_region_ends_where_the_colour_does_and_keeps_its_hole():
    found = wand().find(85, 100, 10, 0.5)
    assert found.area.area == pytest.approx(np.pi * (50**2 - 15**2), rel=0.03)
    assert len(found.area.interiors) == 1
    assert shapely.distance(found.area, shapely.Point(120, 100)) == pytest.approx(15, abs=1.5)
    assert found.area.bounds == pytest.approx((70, 50, 170, 150), abs=1)
    assert not found.is_cut
    assert isinstance(found.polygon, Polygon)
    assert len(found.polygon.holes) == 1


def test_more_tolerance_takes_more_and_all_of_it_at_100():
    areas = [wand().find(85, 100, tolerance, 0.5).area.area for tolerance in (5, 20, 60, 100)]
    assert areas == sorted(areas)
    assert areas[-1] == 300 * 200


def test_specks_are_filled_and_a_neighbour_that_only_touches_at_a_corner_is_not_taken():
    rgb = scene()
    rgb[95:98, 85:88] = WHITE
    found = wand(rgb).find(78, 100, 25, 0.5)
    assert len(found.area.interiors) == 1  # the hole in the middle
    board = np.full((40, 40, 3), WHITE, np.uint8)
    board[:20, :20] = board[20:, 20:] = BLUE
    corner = wand(board).find(5, 5, 8, 0.5).area
    assert corner.bounds == pytest.approx((0, 0, 20, 20), abs=1)


def test_a_piece_at_a_downsample_lies_where_it_is_in_the_image():
    rgb = scene()[::2, ::2]
    found = wand(rgb, Region(1000, 400, 300, 200), 2, (5000, 4000)).find(1085, 500, 10, 0.5)
    assert found.area.bounds == pytest.approx((1070, 450, 1170, 550), abs=2)
    assert not found.is_cut
    pink = wand(rgb, Region(1000, 400, 300, 200), 2, (5000, 4000)).find(1010, 410, 10, 0.5)
    assert pink.is_cut
    assert pink.area.bounds == (1000, 400, 1300, 600)


@pytest.mark.parametrize(
    ("corner", "is_cut"), [((0, 0), True), ((700, 800), False), ((700, 0), True), ((0, 800), True), ((300, 400), True)]
)
def test_only_an_edge_that_is_not_the_images_cuts(corner, is_cut):
    blank = np.full((200, 300, 3), WHITE, np.uint8)
    found = wand(blank, Region(*corner, 300, 200), 1, (1000, 1000))
    assert found.find(corner[0] + 5, corner[1] + 5, 5, 0.5).is_cut
    whole = wand(blank, Region(0, 0, 300, 200), 1, (300, 200)).find(5, 5, 5, 0.5)
    assert not whole.is_cut
    assert whole.area.area == 300 * 200


def test_a_single_pixel_and_noise_have_an_outline_of_few_points():
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    small = wand(noise).find(150, 150, 1, 0.5)
    assert small.area.area > 0
    large = wand(noise).find(150, 150, 22, 0.5)
    assert len(shapely.get_coordinates(large.area)) <= 10_000
    assert large.area.is_valid


def test_work_is_bounded_and_a_place_beside_the_picture_is_an_error():
    assert wand_downsample(Region(0, 0, 1000, 1000), 1) == 1
    region = Region(0, 0, 40_000, 30_000)
    downsample = wand_downsample(region, 16)
    assert region.width * region.height / downsample**2 <= MAX_PIXELS
    with pytest.raises(ShapeError, match="outside the image"):
        wand().find(-3, 20, 10, 0.5)


# -- on the canvas ---------------------------------------------------------------------------------


def test_python_fills_what_is_similar_in_one_step(canvas, project):
    canvas.fill_similar(85, 100, "Stroma")
    (annotation,) = project.annotations("disc")
    assert annotation.class_name == "Stroma"
    labels = project.label_map("disc")
    assert (labels[100, 85], labels[100, 120], labels[10, 10]) == (1, 255, 255)
    assert project.undo()
    canvas.wand_tolerance = 100
    canvas.fill_similar(85, 100)
    assert (project.label_map("disc") == 0).all()
    with pytest.raises(traitlets.TraitError):
        canvas.wand_tolerance = 0.5


def ask(page, kind, x=85, y=100, tolerance=10, view=(150, 100, 1), **more):
    content = {"kind": kind, "x": x, "y": y, "tolerance": tolerance, "view": list(view), **more}
    return (page.say if kind == "wand-preview" else page.edit)(content)


def test_the_page_gets_an_outline_and_then_the_annotation(canvas, page, project):
    answers = ask(page, "wand-preview", request=3)
    (answer,) = (answer for answer in answers if answer["kind"] == "wand")
    assert (answer["client"], answer["request"]) == ("page", 3)
    assert len(answer["rings"]) == 2
    assert project.annotations("disc") == ()
    answers = ask(page, "wand", class_name="Stroma", image_name="disc")
    assert drawn_edits(answers) == [["page", 1]]
    (annotation,) = project.annotations("disc")
    assert annotation.shape.points.ravel().tolist() == pytest.approx(answer["rings"][0], abs=0.01)
    assert annotation.class_name == "Stroma"
    assert page.edit({"kind": "undo"})
    assert project.annotations("disc") == ()


def test_nothing_beyond_the_view_is_filled_and_the_status_says_so(canvas, page, project):
    ask(page, "wand", x=20, y=20, view=(20, 20, 10), class_name="Stroma")
    (annotation,) = project.annotations("disc")
    assert annotation.shape.bounds == (0, 0, 58, 50)
    assert "edge of the view" in message(canvas)
    ask(page, "wand", class_name="Stroma")
    assert "edge of the view" not in message(canvas)


def test_a_wand_that_cannot_be_is_refused_and_a_preview_always_answered(canvas, page, project):
    answers = ask(page, "wand-preview", x=-50, request=1)
    assert [answer["rings"] for answer in answers if answer["kind"] == "wand"] == [[]]
    assert "refused" in kinds(ask(page, "wand", x=-50, class_name="Stroma"))
    assert "refused" in kinds(ask(page, "wand", class_name="Nerve"))
    assert "refused" in kinds(ask(page, "wand", class_name="Stroma", tolerance=0))
    canvas.show_image("colon")
    assert "refused" in kinds(ask(page, "wand", class_name="Stroma", image_name="disc"))
    assert project.count() == {"Epithelium": 0, "Stroma": 0}


def test_of_previews_that_wait_only_the_last_is_made(canvas, page, monkeypatch):
    made = []
    editor = parts(canvas).editor
    find = editor.find_similar
    monkeypatch.setattr(editor, "find_similar", lambda *values: made.append(values[2]) or find(*values))

    def meanwhile():
        for request, tolerance in enumerate((5, 10, 15), 1):
            ask(page, "wand-preview", tolerance=tolerance, request=request)

    parts(canvas).queue.submit(meanwhile)
    assert made == [15]


def test_the_slider_of_the_wand_takes_the_place_of_the_brushs(canvas, page):
    bar = parts(canvas).frame.bar
    assert (bar.brush.layout.display, bar.tolerance.layout.display) == (None, "none")
    page.say({"kind": "tool", "tool": "wand"})
    assert (bar.brush.layout.display, bar.tolerance.layout.display) == ("none", None)
    assert kinds(page.say({"kind": "tolerance", "tolerance": 31}))[-1] == "chosen"
    assert canvas.wand_tolerance == parts(canvas).pointer.wand_tolerance == bar.tolerance.value == 31
    bar.tolerance.value = 8
    assert canvas.wand_tolerance == 8


def test_the_plain_mouse_fills_too(canvas, project):
    drag(canvas, [(85, 100)], "wand")
    assert project.count("disc") == {"Epithelium": 1, "Stroma": 0}


def test_the_wand_sees_the_colours_of_the_display_and_another_image(canvas, project):
    canvas.fill_similar(85, 100)
    canvas.show_image("colon")
    canvas.fill_similar(256, 300)
    assert 0 < (project.label_map("colon") != 255).mean() < 0.9
