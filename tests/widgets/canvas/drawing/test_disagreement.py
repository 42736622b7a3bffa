"""Strokes coloured by how far the prediction contradicts them."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.canvas.drawing._disagreement import contradiction, painted_contradiction
from tests.widgets.canvas.helpers import parts


def prediction(right=0.9, region=(0, 0, 40, 20), name="image"):
    """The left half is class B with `right`, the rest class A."""
    region = Region(*region)
    of_b = np.full((region.height, region.width), 1 - right, np.float32)
    of_b[:, : region.width // 2] = right
    # The classes stand in another order than in the project.
    both = np.stack([of_b, 1 - of_b], axis=-1)
    return Prediction(both, classes=["B", "A"], colors=["#0072B2", "#E69F00"], region=region, image_name=name)


def test_n6_only_labelled_pixels_that_were_predicted_count_whatever_the_order_of_classes():
    labels = np.full((2, 4), 255, np.uint8)
    labels[0] = [0, 1, 0, 1]  # A, B, A, B
    found = contradiction(prediction(), ["A", "B"], labels, np.array([3, 4]), np.array([2, 3, 30, 90]))
    assert found[0] == pytest.approx([0.9, 0.1, 0.1, np.nan], abs=1e-3, nan_ok=True)
    assert np.isnan(found[1]).all()


def test_n6_a_contradicted_stroke_is_red_and_opaque_and_one_that_is_agreed_with_is_pale():
    labels = np.array([[0, 0, 0, 255]], np.uint8)
    rgba = painted_contradiction(labels, np.array([[0.02, 0.98, np.nan, np.nan]], np.float32)).rgba
    pale, red, unknown, nothing = rgba[0].tolist()
    assert pale[3] < 100 < red[3]
    assert red[0] > 2 * max(red[1:3])
    assert unknown[0] == unknown[1] == unknown[2]
    assert nothing[3] == 0


@pytest.fixture
def canvas():
    project = hw.Project(["A", "B"])
    name = project.add_image(np.full((20, 40, 3), 200, np.uint8), name="image")
    project.annotate(name, hw.Rectangle(2, 2, 10, 16), "A")
    project.annotate(name, hw.Rectangle(26, 2, 10, 16), "A")
    canvas = AnnotationCanvas(project)
    yield canvas
    canvas.close()


def test_n6_the_canvas_shows_it_and_goes_back_to_the_colours_of_the_classes(canvas):
    def colours():
        drawing = parts(canvas).renderer
        rgba = drawing._annotation_patch(drawing._drawn_image(drawing.scale), drawing.scale)[0].rgba
        middle = rgba[rgba.shape[0] // 2]
        return middle[int(0.17 * rgba.shape[1])].tolist(), middle[int(0.77 * rgba.shape[1])].tolist()

    plain = colours()
    assert plain[0] == plain[1]
    canvas.show_prediction(prediction())
    canvas.disagreement = True
    wrong, right = colours()
    assert wrong[3] > 200 > right[3]
    canvas.disagreement = False
    assert colours() == plain
