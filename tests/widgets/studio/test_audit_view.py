"""What the studio shows while a point is judged, and what it restores."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import AuditPoint

HIDDEN = {"overlay_on": False, "annotations_on": False, "tool": "pan"}


@pytest.fixture
def studio():
    rng = np.random.default_rng(0)
    images = [hw.open_image(rng.integers(0, 255, (300, 400, 3)).astype(np.uint8), name=name) for name in ("a", "b")]
    studio = hw.Studio(images, classes=["Dark", "Bright"], fresh=True)
    yield studio
    studio.close()


def shown(studio):
    return {name: getattr(studio.canvas, name) for name in HIDDEN}


def point(index, image_name, x, y):
    return AuditPoint(index, image_name, x, y, "Dark")


def test_a_point_is_in_the_middle_with_everything_hidden_and_all_comes_back(studio):
    canvas = studio.canvas
    canvas.annotations_on, canvas.tool = False, "eraser"
    before = shown(studio)
    studio._audit_view.show(point(0, "b", 40, 250))
    assert shown(studio) == HIDDEN
    assert canvas.image_name == "b"
    assert (canvas.view.x, canvas.view.y) == (40.5, 250.5)
    assert canvas._pointer.cross == [40, 250]
    assert 150 < canvas.view.stage_height / canvas.view.zoom < 600, "its surroundings are visible"
    canvas.zoom(2)
    zoom = canvas.view.zoom
    studio._audit_view.show(point(1, "a", 399, 0))
    assert (canvas.image_name, canvas.view.x, canvas.view.y, canvas.view.zoom) == ("a", 399.5, 0.5, zoom)
    studio._audit_view.show(None)
    assert shown(studio) == before
    assert canvas._pointer.cross == []


def test_neither_keys_nor_buttons_show_what_is_hidden_or_paint(studio):
    studio._audit_view.show(point(0, "a", 10, 10))
    for name, value in {"overlay_on": True, "annotations_on": True, "tool": "brush"}.items():
        setattr(studio.canvas, name, value)
    assert shown(studio) == HIDDEN
    studio._audit_view.show(None)
    studio.canvas.tool = "line"
    assert studio.canvas.tool == "line"


def test_a_cell_that_is_run_again_during_an_audit_shows_everything(studio):
    studio._audit._show_point(point(0, "a", 10, 10))
    studio._audit._shown = point(0, "a", 10, 10)
    again = hw.Studio(studio.project)
    assert shown(again)["overlay_on"]
    assert shown(again)["annotations_on"]
    again.close()


def test_the_prediction_that_is_shown_is_audited_with_its_options(studio):
    assert studio._shown_options() == {}
    project = studio.project
    for y in (40, 120, 200):
        project.annotate("a", hw.Stroke([(20, y), (120, y)], width=8), "Dark")
        project.annotate("a", hw.Stroke([(260, y), (380, y)], width=8), "Bright")
    assert studio._live.quick.idle.wait(60)
    best = studio._live.best
    assert studio._shown_options() == ({"tta": True} if best.scope == "8 views" else {})
