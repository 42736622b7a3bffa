"""Pixels of the canvas, made without a page."""

import io

import numpy as np
import PIL.Image
import pytest

from histowidgets.annotations import UNLABELLED
from histowidgets.images import CachedReader, Region, open_image
from histowidgets.widgets.canvas.drawing._paint import DARK_RIM, FILL_ALPHA, LIGHT_RIM, painted_annotations
from histowidgets.widgets.canvas.drawing._resampling import (
    PNG_PIXELS,
    image_in_view,
    labels_in_view,
    power_of_two_downsample,
)
from histowidgets.widgets.canvas.state import View

COLORS = ["#e69f00", "#56b4e9"]


def decode(picture):
    return np.asarray(PIL.Image.open(io.BytesIO(picture.data)).convert("RGB"))


def same(pixels):
    return pixels


@pytest.mark.parametrize(("zoom", "step"), [(4, 1), (1, 1), (0.6, 1), (0.5, 2), (0.3, 2), (0.25, 4), (0.01, 64)])
def test_labels_are_read_no_coarser_than_they_are_drawn(zoom, step):
    assert power_of_two_downsample(zoom) == step


def test_an_annotation_is_its_colour_inside_a_light_and_a_dark_rim():
    labels = np.full((20, 30), UNLABELLED, np.uint8)
    labels[8:12, 10:20] = 1
    rgba = painted_annotations(labels, COLORS, 1).rgba
    assert tuple(rgba[9, 15]) == (0x56, 0xB4, 0xE9, FILL_ALPHA)
    assert tuple(rgba[7, 15]) == LIGHT_RIM
    assert tuple(rgba[6, 15]) == DARK_RIM
    assert tuple(rgba[5, 15]) == (0, 0, 0, 0)
    assert (painted_annotations(np.full((4, 4), UNLABELLED, np.uint8), COLORS, 1).rgba == 0).all()


def test_rims_are_as_wide_on_a_sharp_screen():
    labels = np.full((20, 30), UNLABELLED, np.uint8)
    labels[8:12, 10:20] = 0
    rgba = painted_annotations(labels, COLORS, 2).rgba
    assert [tuple(rgba[row, 15]) for row in (7, 6)] == [LIGHT_RIM] * 2
    assert [tuple(rgba[row, 15]) for row in (5, 4)] == [DARK_RIM] * 2


def test_two_classes_that_touch_keep_their_colours():
    labels = np.zeros((10, 10), np.uint8)
    labels[:, 5:] = 1
    rgba = painted_annotations(labels, COLORS, 1).rgba
    assert tuple(rgba[5, 3][:3]) == (0xE6, 0x9F, 0x00)
    assert tuple(rgba[5, 4]) == LIGHT_RIM
    assert tuple(rgba[5, 5][:3]) == (0x56, 0xB4, 0xE9)


@pytest.mark.parametrize(("zoom", "scale"), [(1, 1), (0.31, 1), (2.5, 1), (0.7, 2)])
def test_labels_drawn_in_pieces_are_those_drawn_at_once(zoom, scale):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 4, (400, 300)).astype(np.uint8)

    def read(region, step):
        return whole[region.y : region.bottom : step, region.x : region.right : step]

    view = View.fit(300, 400, 260, 240).look(150, 180, zoom)
    drawn = view.drawn_region(Region(0, 0, 300, 400), scale)
    together = labels_in_view(read, view, scale, drawn)
    piece = Region(drawn.x + 13, drawn.y + 7, min(31, drawn.width - 13), 22)
    inside = np.s_[7 : 7 + piece.height, 13 : 13 + piece.width]
    assert np.array_equal(labels_in_view(read, view, scale, piece), together[inside])


def test_zoomed_in_only_the_pixels_in_view_travel():
    image = open_image(np.random.default_rng(0).integers(0, 255, (600, 800, 3)).astype(np.uint8), name="noise")
    view = View.fit(800, 600, 400, 300).look(400, 300, 10)
    picture = image_in_view(CachedReader(image), view, 1, same)
    assert picture.format == "png"  # small, hence without loss
    region = view.region
    assert np.array_equal(decode(picture), image.read(*region))
    assert (picture.width, picture.height) == (region.width * 10, region.height * 10)
    assert (picture.x, picture.y) == pytest.approx(view.to_stage(region.x, region.y))


@pytest.mark.parametrize("scale", [1, 2])
def test_zoomed_out_no_more_pixels_travel_than_are_drawn(scale):
    ramp = np.repeat(np.linspace(0, 255, 2000).astype(np.uint8)[None, :, None], 1000, axis=0).repeat(3, axis=2)
    image = open_image(ramp, name="ramp")
    view = View.fit(2000, 1000, 400, 300)
    picture = image_in_view(CachedReader(image), view, scale, same)
    assert (picture.width, picture.height) == (400 * scale, 200 * scale)
    pixels = decode(picture)
    assert pixels.shape == (200 * scale, 400 * scale, 3)
    assert pixels.shape[0] * pixels.shape[1] > PNG_PIXELS
    assert picture.format == "jpeg"
    # The middle of the ramp is in the middle, and both ends are there.
    row = pixels[50, :, 0].astype(int)
    assert abs(row[200 * scale] - 127) <= 3
    assert row[0] <= 4
    assert row[-1] >= 251
