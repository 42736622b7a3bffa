"""How images are shown: channels, opacities, hatching, uncertainty; and that training sees none of it."""

import types

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import PALETTE, UNLABELLED
from histowidgets.errors import ImageError
from histowidgets.images import ChannelDisplay, Normalization, display_rgb
from histowidgets.widgets.canvas._display_panel import DisplayPanel
from histowidgets.widgets.canvas.drawing._hatching import ink_color, pattern_tile, swatch_url
from histowidgets.widgets.canvas.drawing._paint import hatched, painted_classes
from histowidgets.widgets.canvas.drawing._renderer import AS_IT_IS
from histowidgets.widgets.canvas.drawing._uncertainty import STEPS, uncertainty_colors, uncertainty_steps


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


def _shown(canvas):
    return np.asarray(canvas._drawing.static_picture(0.0, 0.0))


def test_the_display_is_set_for_one_image_and_changes_the_picture(canvas, project):
    before = _shown(canvas)
    assert canvas.display == AS_IT_IS
    brighter = [ChannelDisplay(one.color, 0.0, 128.0) for one in AS_IT_IS]
    heard = []
    canvas.on_display(heard.append)
    canvas.set_display(brighter)
    assert heard == ["rgb"]
    assert _shown(canvas).mean() > before.mean() + 30
    canvas.show_image("five")
    assert len(canvas.display) == 5
    canvas.show_image("rgb")
    assert canvas.display == tuple(brighter)
    canvas.set_display(None)
    assert (_shown(canvas) == before).all()


def test_channels_can_be_off_and_a_display_is_copied_to_images_alike(canvas, project):
    canvas.show_image("five")
    only = [ChannelDisplay("#00ff00", 0, 4000, visible=(c == 2)) for c in range(5)]
    canvas.set_display(only)
    middle = _shown(canvas)[30:90, 40:120]
    assert middle[..., 1].max() > 200
    assert middle[..., [0, 2]].max() == 0
    assert canvas.copy_display() == ["five more"]
    canvas.show_image("five more")
    assert canvas.display[2].visible
    assert not canvas.display[1].visible
    canvas.show_image("rgb")
    assert canvas.display == AS_IT_IS


@pytest.mark.parametrize(
    "display",
    [
        [ChannelDisplay("#ff0000", 0, 1)],
        [ChannelDisplay("red", 0, 1)] * 3,
        [ChannelDisplay("#ff0000", 5, 1)] * 3,
        [ChannelDisplay("#ff0000", float("nan"), 1)] * 3,
        [ChannelDisplay("#ff0000", 0, 1, gamma=0)] * 3,
        ["#ff0000"] * 3,
    ],
)
def test_a_display_that_is_none_is_refused(canvas, display):
    with pytest.raises(ImageError):
        canvas.set_display(display)
    assert canvas.display == AS_IT_IS


def test_gamma_lightens_the_midtones_and_leaves_the_ends():
    pixels = np.array([[[0], [64], [255]]], np.uint8)
    plain = display_rgb(pixels, [ChannelDisplay("#FFFFFF", 0, 255)])
    light = display_rgb(pixels, [ChannelDisplay("#FFFFFF", 0, 255, gamma=2.0)])
    assert light[0, :, 0].tolist() == [0, 128, 255]
    assert plain[0, :, 0].tolist() == [0, 64, 255]


def test_the_display_never_reaches_what_is_trained_on(canvas, project):
    def trained_on():
        images = list(project.snapshot().images.values())[1:]
        normalization = Normalization().fitted(images)
        return normalization, normalization.apply(images[0].read(0, 0, 80, 60))

    before, tiles = trained_on()
    canvas.show_image("five")
    canvas.set_display([ChannelDisplay("#0000ff", 0, 1, visible=False, gamma=3.0)] * 5)
    canvas.copy_display()
    after, same = trained_on()
    assert before == after
    assert (tiles == same).all()


def test_an_image_of_16_bits_looks_right_by_default():
    ramp = np.linspace(800, 1200, 200).astype(np.uint16)  # a hundredth of what 16 bits can hold
    project = hw.Project(["A", "B"])
    project.add_image(np.tile(ramp, (150, 1))[..., None], name="dim")
    canvas = hw.AnnotationCanvas(project, width=200, height=150)
    shown = _shown(canvas)
    assert shown[75, 5].mean() < 20
    assert shown[75, 195].mean() > 235
    canvas.close()


# -- the panel -------------------------------------------------------------------------------------


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
    canvas.set_display([ChannelDisplay(one.color, 0.0, 128.0) for one in AS_IT_IS])
    canvas.show_image("five")
    assert panel.sliders["prediction_opacity"].value == slider
    assert panel.patterns.value != canvas.patterns
    assert panel.controls.rows == rows
    assert canvas._display_callbacks == []


# -- uncertainty and hatching -------------------------------------------------------------------------


def test_uncertainty_is_one_minus_the_likeliest_class_and_is_ordered_for_all_eyes():
    values = np.zeros((2, 1, 3), np.float16)
    values[:, 0] = [[1.0, 0.75, 0.5], [0.0, 0.25, 0.5]]
    prediction = types.SimpleNamespace(probability_map=types.SimpleNamespace(values=values))
    assert uncertainty_steps(prediction).tolist() == [[0, STEPS // 2, STEPS - 1]]
    light = uncertainty_colors() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) > 0).all()
    assert np.ptp(np.diff(light)) < 8, "even steps"


def test_hatching_tells_classes_apart_without_colour_and_fits_from_piece_to_piece():
    labels = np.full((40, 120), UNLABELLED, np.uint8)
    for index in range(6):
        labels[:, 20 * index : 20 * index + 20] = index
    colors = ["#888888"] * 6
    whole = hatched(painted_classes(labels, colors), labels, 0, 0, 1.0).rgba
    pieces = [whole[:, 20 * i : 20 * i + 20, 0].tobytes() for i in range(6)]
    assert len(set(pieces)) == 6
    right = hatched(painted_classes(labels[:, 50:], colors), labels[:, 50:], 50, 0, 1.0).rgba
    assert (right == whole[:, 50:]).all()
    blank = np.full((8, 8), UNLABELLED, np.uint8)
    assert (hatched(painted_classes(blank, colors), blank, 0, 0, 1.0).rgba == 0).all()
    assert len({swatch_url(index, "#888888") for index in range(8)}) == 8


def test_annotations_and_palette_are_hatched_until_somebody_does_not_want_that(canvas, project):
    project.annotate("rgb", hw.Rectangle(10, 10, 40, 40), "A")
    drawing = canvas._drawing
    inked = drawing._annotation_patch(drawing._drawn_image(1.0), 1.0)[0].rgba
    assert [entry["hatch"]["ink"] for entry in canvas._pointer.classes] == [ink_color("#E69F00"), ink_color("#56B4E9")]
    assert "url(" in canvas._frame.palette._style.value
    canvas.patterns = False
    plain = drawing._annotation_patch(drawing._drawn_image(1.0), 1.0)[0].rgba
    changed = (plain != inked).any(axis=-1)
    assert 0.05 < changed.mean() < 0.4
    assert (plain[..., 3] == inked[..., 3]).all()
    assert [entry["hatch"] for entry in canvas._pointer.classes] == [None, None]
    assert "url(" not in canvas._frame.palette._style.value


def test_the_default_palette_is_told_apart_without_hue_by_its_hatching():
    """Each pair of the first ten classes differs in lightness or in hatching; no two have the same tile."""
    tiles = [pattern_tile(index, 1.0) for index in range(len(PALETTE))]
    distinct = {(tile.shape, tile.tobytes()) for tile in tiles}
    assert len(distinct) == len(PALETTE)
    for color, tile in zip(PALETTE, tiles, strict=True):
        assert 0.1 < tile.mean() < 0.6
        light, ink = (
            np.array([int(one[i : i + 2], 16) for i in (1, 3, 5)]) @ (0.299, 0.587, 0.114)
            for one in (color, ink_color(color))
        )
        assert abs(light - ink) > 25, "lines are seen without their colour"


# -- an image that goes away while it is shown ------------------------------------------------------------


def test_the_canvas_shows_another_image_when_its_own_is_removed(canvas, project):
    canvas.show_image("five")
    project.remove_image("five")
    assert canvas.image_name == "rgb"
    project.undo()
    assert canvas.image_name == "rgb"
    project.annotate("rgb", hw.Stroke([(5, 5), (20, 20)]), "A")
    assert "1 annotation" in canvas._frame.status._saved.value
