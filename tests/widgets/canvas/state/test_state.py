"""What a canvas shows and what its tools are set to, without a canvas."""

import numpy as np
import pytest
import traitlets

from histowidgets.annotations import Project, Rectangle
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError
from histowidgets.widgets.canvas.state import CanvasState


@pytest.fixture
def project():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(np.zeros((100, 200, 3), np.uint8), name="wide")
    project.add_image(np.zeros((50, 50, 3), np.uint8), name="small")
    return project


@pytest.fixture
def state(project):
    return CanvasState(project, None, 400, 300)


def test_the_first_image_is_in_view_as_a_whole(state):
    assert (state.image_name, state.class_name) == ("wide", "Epithelium")
    assert (state.view.x, state.view.y, state.view.zoom) == (100, 50, 2)


def test_image_and_view_change_through_methods_alone(state):
    for name, value in (("image_name", "small"), ("view", state.view), ("caption", "mine")):
        with pytest.raises(traitlets.TraitError, match="read-only"):
            setattr(state, name, value)
    state.look(state.view.look(10, 20, 4))
    state.resize(200, 100)
    assert (state.view.x, state.view.zoom, state.view.stage_width) == (10, 4, 200)
    state.show_image("small")
    assert state.image_name == "small"
    assert (state.view.image_width, state.view.stage_width) == (50, 200)
    with pytest.raises(ImageNameError, match="nowhere"):
        state.show_image("nowhere")


def test_what_cannot_be_is_refused_and_the_value_stays(state):
    for name, value, error in (
        ("class_name", "Nerve", ClassNameError),
        ("selection", ("nothing",), ProjectError),
        ("brush_width", float("nan"), traitlets.TraitError),
        ("wand_tolerance", 101, traitlets.TraitError),
        ("tool", "hammer", traitlets.TraitError),
    ):
        before = getattr(state, name)
        with pytest.raises(error):
            setattr(state, name, value)
        assert getattr(state, name) == before


def test_a_renamed_or_deleted_class_is_followed_in_its_place(state, project):
    state.class_name = "Stroma"
    state.follow_classes()
    project.rename_class("Stroma", "Fibres")
    state.follow_classes()
    assert state.class_name == "Fibres"
    project.delete_class("Fibres")
    state.follow_classes()
    assert state.class_name == "Epithelium"


def test_every_writable_value_is_restored(state, project):
    chosen = project.annotate("wide", Rectangle(1, 1, 20, 20), "Stroma")
    state.patterns, state.disagreement, state.overlay_on, state.pen_pressure = False, True, False, False
    state.brush_width, state.wand_tolerance, state.uncertainty_opacity = 33.0, 7.0, 0.5
    state.class_name, state.selection, state.clipboard = "Stroma", (chosen,), project.annotations("wide")
    state.draft = {"client": "page", "image_name": "wide", "points": b"", "corners": []}
    state.set_trait("caption", "of the run that is shown")
    again = CanvasState(project, None, 400, 300)
    again.restore(state)
    for name, trait in state.traits().items():
        assert (getattr(again, name) == getattr(state, name)) is (name != "caption"), name
        assert trait.read_only or getattr(again, name) == getattr(state, name)


def test_what_belongs_to_another_image_or_to_a_class_that_is_gone_is_not_restored(state, project):
    state.selection = (project.annotate("wide", Rectangle(1, 1, 20, 20), "Epithelium"),)
    state.draft = {"client": "page", "image_name": "wide", "points": b"", "corners": []}
    project.add_class("Lumen")
    state.class_name = "Lumen"
    project.delete_class("Lumen")
    other = CanvasState(project, "small", 400, 300)
    other.restore(state)
    assert (other.selection, other.draft, other.class_name) == ((), {}, "Epithelium")
    assert other.tool == "select"
