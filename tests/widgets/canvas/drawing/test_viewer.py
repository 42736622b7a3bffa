"""How images are shown: displays of channels, and that training sees none of it."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ImageError
from histowidgets.images import ChannelDisplay, Normalization, display_rgb
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


def _shown(canvas):
    return np.asarray(parts(canvas).renderer.static_picture(0.0, 0.0))


def test_the_display_is_set_for_one_image_and_changes_the_picture(canvas, project):
    before = _shown(canvas)
    assert canvas.display == RGB_DISPLAY
    brighter = [ChannelDisplay(one.color, 0.0, 128.0) for one in RGB_DISPLAY]
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
    assert canvas.display == RGB_DISPLAY


@pytest.mark.parametrize(
    "display",
    [
        [ChannelDisplay("#ff0000", 0, 1)],
        ["#ff0000"] * 3,
    ],
)
def test_a_display_that_is_none_is_refused(canvas, display):
    with pytest.raises(ImageError):
        canvas.set_display(display)
    assert canvas.display == RGB_DISPLAY


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


def test_the_canvas_shows_another_image_when_its_own_is_removed(canvas, project):
    canvas.show_image("five")
    project.remove_image("five")
    assert canvas.image_name == "rgb"
    project.undo()
    assert canvas.image_name == "rgb"
    project.annotate("rgb", hw.Stroke([(5, 5), (20, 20)]), "A")
    assert "1 annotation" in parts(canvas).frame.status.saved.value
