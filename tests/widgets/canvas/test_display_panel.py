"""The panel of layers and channels of a canvas."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.images import ChannelDisplay
from histowidgets.widgets.canvas import DisplayPanel
from histowidgets.widgets.canvas.drawing._channel_display import RGB_DISPLAY
from tests.widgets.canvas.helpers import parts


@pytest.fixture
def project():
    rng = np.random.default_rng(0)
    project = hw.Project(["A", "B"])
    project.add_image(rng.integers(0, 255, (60, 80, 3), np.uint8), name="rgb")
    project.add_image(rng.integers(100, 4000, (60, 80, 5)).astype(np.uint16), name="five")
    project.add_image(rng.integers(100, 4000, (60, 80, 5)).astype(np.uint16), name="five more")
    return project


@pytest.fixture
def canvas(project):
    canvas = hw.AnnotationCanvas(project, width=160, height=120)
    yield canvas
    canvas.close()


def _page(panel, index, change):
    panel.controls._handle_custom_msg({"image": panel.controls.image_name, "index": index, "change": change}, [])


def test_the_panel_shows_the_channels_and_changes_them(canvas):
    canvas.show_image("five")
    panel = DisplayPanel(canvas)
    assert panel._worker.idle.wait(10)
    assert [row["name"] for row in panel.controls.rows] == list(canvas.project.image("five").channel_names)
    assert panel.controls.rows[0]["most"] > 3000
    assert max(panel.controls.rows[0]["histogram"]) == 1.0
    _page(panel, 1, {"low": 500.0, "color": "#123456"})
    assert (canvas.display[1].low, canvas.display[1].color) == (500.0, "#123456")
    assert canvas.display[0].low != 500.0
    assert panel.controls.rows[1]["low"] == 500.0
    _page(panel, 1, {"low": 3000.0, "high": 1000.0})
    assert canvas.display[1].low <= canvas.display[1].high
    _page(panel, 1, {"auto": True})
    assert canvas.display[1].low < 300
    # A message that was on its way when another image came is not for that one.
    panel.controls._handle_custom_msg({"image": "rgb", "index": 0, "change": {"low": 7.0}}, [])
    assert canvas.display[0].low != 7.0
    panel.close()


def test_an_rgb_image_has_one_range_for_all_three_and_nothing_is_read_before_somebody_looks(canvas):
    panel = DisplayPanel(canvas, asleep=True)
    assert panel._worker.idle.wait(10)
    assert panel.controls.rows == []
    panel.wake()
    assert panel._worker.idle.wait(10)
    assert panel.controls.joint
    assert len(panel.controls.rows) == 1
    _page(panel, 0, {"high": 100.0, "gamma": 2.0})
    assert [(one.high, one.gamma, one.color) for one in canvas.display] == [
        (100.0, 2.0, color) for color in ("#FF0000", "#00FF00", "#0000FF")
    ]
    panel.close()


def test_sliders_and_canvas_agree(canvas):
    panel = DisplayPanel(canvas)
    panel.sliders["uncertainty_opacity"].value = 0.5
    assert canvas.uncertainty_opacity == 0.5
    canvas.prediction_opacity = 0.25
    assert panel.sliders["prediction_opacity"].value == 0.25
    panel.patterns.value = True
    assert canvas.patterns
    panel.close()


def test_a_panel_that_is_closed_follows_the_canvas_no_more(canvas):
    panel = DisplayPanel(canvas)
    assert panel._worker.idle.wait(10)
    slider, rows = panel.sliders["prediction_opacity"].value, panel.controls.rows
    panel.close()
    canvas.prediction_opacity, canvas.patterns = slider / 2, not canvas.patterns
    canvas.set_display([ChannelDisplay(one.color, 0.0, 128.0) for one in RGB_DISPLAY])
    canvas.show_image("five")
    assert panel.sliders["prediction_opacity"].value == slider
    assert panel.patterns.value != canvas.patterns
    assert panel.controls.rows == rows
    assert parts(canvas).viewer._display_callbacks == []
