"""The controls around the picture set the state and follow it."""

import numpy as np
import pytest

from histowidgets.annotations import Project
from histowidgets.images import ArrayImage, samples
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.state import TOOLS
from tests.widgets.canvas.helpers import parts


@pytest.fixture
def canvas():
    project = Project(["Epithelium", "Stroma"])
    project.add_image(samples.colon_ihc(), name="colon")
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


def test_every_tool_has_a_button_that_is_marked_while_it_is_in_use(canvas):
    buttons = parts(canvas).frame.tools.buttons
    for tool in TOOLS:
        buttons[tool].click()
        assert canvas.tool == tool
        assert [name for name, button in buttons.items() if "hw-on" in button._dom_classes] == [tool]


def test_buttons_zoom_about_the_middle_and_fit(canvas):
    buttons, whole = parts(canvas).frame.tools.buttons, canvas.view
    buttons["zoom-in"].click()
    assert canvas.view.zoom == pytest.approx(1.25 * whole.zoom)
    assert (canvas.view.x, canvas.view.y) == (whole.x, whole.y)
    buttons["zoom-out"].click()
    assert canvas.view.zoom == pytest.approx(whole.zoom)
    buttons["zoom-in"].click()
    buttons["fit"].click()
    assert canvas.view == whole


def test_sliders_and_state_agree_and_the_zoom_is_written_out(canvas):
    frame = parts(canvas).frame
    bar, (prediction, annotations) = frame.bar, frame.eye_panel.children
    prediction.value = 0.75
    assert canvas.prediction_opacity == 0.75
    canvas.annotation_opacity = 0.25
    assert annotations.value == 0.25
    assert frame.eye_panel.layout.display == "none"
    bar.eye.value = True
    assert frame.eye_panel.layout.display is None
    canvas.look(canvas.view.look(100, 100, 2))
    assert bar.zoom.value.startswith("200%")


def test_the_legend_is_shown_only_with_an_uncertainty(canvas):
    stage = parts(canvas).frame.stage
    canvas.uncertainty_opacity = 0.5
    assert len(stage.children) == 2, "there is no prediction"


def test_how_a_file_was_read_is_said_when_its_image_is_shown():
    pixels = np.zeros((60, 80, 3), np.uint8)
    noted = ArrayImage(
        pixels, "noted", pixel_size_um=(0.5, 0.25), notes=["Plane 2 of 5 <is> opened.", "Turned by 180°."]
    )
    project = Project(["Tumor"])
    project.add_image(ArrayImage(pixels, "plain"))
    project.add_image(noted)
    canvas = AnnotationCanvas(project)
    frame = parts(canvas).frame
    assert "note" not in frame.status.saved.value
    canvas.show_image("noted")
    assert "Plane 2 of 5 &lt;is&gt; opened. Turned by 180°." in frame.status.message.value
    assert "Plane 2 of 5 &lt;is&gt; opened.\nTurned by 180°." in frame.status.saved.value  # the tooltip
    assert "2 notes</div>" in frame.status.saved.value
    assert "0.25 x 0.5 µm/px" in frame.bar.zoom.value
    assert parts(canvas).pointer.pixel_size == 0.25  # the scale bar lies from left to right
    canvas.show_image("plain")
    assert "note" not in frame.status.saved.value
    canvas.close()
