"""What the panels share: the image that is shown has one place, and the state holds no widget."""

from types import SimpleNamespace

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import histowidgets as hw
from histowidgets.errors import ImageNameError
from histowidgets.images import Region
from histowidgets.widgets.studio._state import StudioState


@pytest.fixture
def project():
    project = hw.Project(["A", "B"])
    for name in ("first", "second"):
        project.add_image(np.zeros((40, 60, 3), np.uint8), name=name)
    return project


def test_it_begins_with_the_first_image_as_a_whole_and_makes_no_widget(project):
    before = set(_instances)
    state = StudioState(project)
    assert state.view() == ("first", Region(0, 0, 60, 40))
    assert (tuple(state.selection), state.classifier, state.run, state.runs) == ((), None, None, [])
    assert set(_instances) == before


def test_a_place_is_shown_by_its_image_first_and_then_by_its_region(project):
    shown = []
    state = StudioState(
        project, show_region=lambda region: shown.append((state.image_name, region)), paint=shown.append
    )
    state.go_to(SimpleNamespace(image_name="second", region=Region(1, 2, 3, 4)))
    state.go_to(SimpleNamespace(image_name=None, region=Region(5, 6, 7, 8)))
    state.go_to(SimpleNamespace(image_name="first", region=None))
    state.paint_at(SimpleNamespace(image_name="second", region=None), "B")
    assert shown == [("second", Region(1, 2, 3, 4)), ("second", Region(5, 6, 7, 8)), "B"]
    assert state.image_name == "second"


def test_an_unknown_image_is_refused_and_the_shown_one_stays(project):
    state = StudioState(project)
    with pytest.raises(ImageNameError, match="no image 'third'; it has first, second"):
        state.image_name = "third"
    assert state.image_name == "first"


@pytest.mark.parametrize("widget", [hw.Studio, hw.SettingsForm, hw.widgets.ImageStrip, hw.widgets.NormalizationPreview])
def test_unknown_keywords_are_refused_by_name(widget, project):
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        widget(project, colour="red")
