"""Painting with ipycanvas' mouse events, on a page without the pointer layer."""

import numpy as np
import pytest

from histowidgets.annotations import Project
from histowidgets.images import samples
from histowidgets.widgets import AnnotationCanvas
from tests.widgets.canvas.helpers import drag, message, parts


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
    top = parts(canvas).layers.canvas[2]
    for event in ("mouse_move", "mouse_up", "mouse_out"):
        top._handle_frontend_event(top, {"event": event, "x": 100, "y": 100}, [])
    drag(canvas, [(-90, -90), (-80, -80)])
    assert project.annotations("colon") == ()
    assert "outside" in message(canvas)
