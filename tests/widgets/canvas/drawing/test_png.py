"""Overlays as they travel: the same pixels, in fewer bytes."""

import io

import numpy as np
import PIL.Image
import pytest

from histowidgets.annotations import UNLABELLED
from histowidgets.widgets.canvas.drawing._hatching import ink_color
from histowidgets.widgets.canvas.drawing._paint import Paint, hatched, painted_annotations, painted_classes
from histowidgets.widgets.canvas.drawing._png import overlay_png


def pasted(png, shape):
    """Return what the page has after it has put the piece on an empty layer."""
    layer = np.zeros((*shape, 4), np.uint8)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(png.data)).convert("RGBA"))
    layer[png.y : png.y + pixels.shape[0], png.x : png.x + pixels.shape[1]] = pixels
    return layer


def blobs(n_colors, seed=0, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    colors = np.append(rng.integers(0, 256, (n_colors, 3)), rng.integers(1, 256, (n_colors, 1)), 1)
    numbers = np.zeros((120, 160), dtype)
    for number in range(1, n_colors + 1):
        y, x = rng.integers(10, 100), rng.integers(10, 140)
        numbers[y : y + 12, x : x + 9] = number
    return Paint(numbers, np.concatenate([np.zeros((1, 4)), colors]).astype(np.uint8))


@pytest.mark.parametrize(
    ("n_colors", "dtype"), [(1, np.uint8), (2, np.uint8), (20, np.uint8), (255, np.uint8), (400, np.uint16)]
)
def test_the_page_gets_the_very_pixels(n_colors, dtype):
    paint = blobs(n_colors, dtype=dtype)
    np.testing.assert_array_equal(pasted(overlay_png(paint, 0, 0), paint.numbers.shape), paint.rgba)


@pytest.mark.parametrize("n_classes", [3, 126, 127, 254])
def test_as_many_classes_as_there_may_be_keep_their_colours_and_their_lines(n_classes):
    colors = [f"#{40 + index % 180:02x}{index % 251:02x}80" for index in range(n_classes)]
    labels = np.repeat(np.arange(n_classes, dtype=np.uint8)[None], 24, 0).repeat(16, 1)
    paint = painted_classes(labels, colors)
    flat = paint.rgba
    assert ["#{:02x}{:02x}{:02x}".format(*pixel[:3]) for pixel in flat[0, ::16]] == colors
    lined = hatched(paint, labels, 0, 0, 1.0).rgba
    changed = (lined != flat).any(-1).reshape(24, n_classes, 16)
    assert changed.any((0, 2)).all()
    drawn = {"#{:02x}{:02x}{:02x}".format(*pixel[:3]) for pixel in lined[changed.reshape(24, -1)]}
    assert drawn <= {ink_color(color) for color in colors}
    np.testing.assert_array_equal(pasted(overlay_png(paint, 0, 0), labels.shape), lined)


def test_only_the_part_that_is_not_empty_travels_and_says_where_it_lies():
    paint = Paint(np.zeros((300, 400), np.uint8), np.array([[0, 0, 0, 0], [10, 20, 30, 255]], np.uint8))
    paint.numbers[50:60, 70:90] = 1
    png = overlay_png(paint, 1000, 2000)
    assert (png.x, png.y) == (1070, 2050)
    assert PIL.Image.open(io.BytesIO(png.data)).size == (20, 10)


def test_nothing_travels_of_an_empty_overlay():
    assert overlay_png(painted_classes(np.full((8, 8), UNLABELLED, np.uint8), ["#112233"]), 0, 0) is None


def test_a_palette_takes_fewer_bytes_than_full_colour():
    labels = np.random.default_rng(0).integers(0, 3, (20, 20)).astype(np.uint8).repeat(20, 0).repeat(20, 1)
    labels[labels == 2] = UNLABELLED
    paint = hatched(painted_annotations(labels, ["#ff0000", "#00ff00"], 1.0), labels, 0, 0, 1.0)
    plain = io.BytesIO()
    PIL.Image.fromarray(paint.rgba).save(plain, "PNG", compress_level=1)
    assert len(overlay_png(paint, 0, 0).data) < len(plain.getvalue()) / 2
