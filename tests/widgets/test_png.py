"""Overlays as they travel: the same pixels, in fewer bytes."""

import io

import numpy as np
import PIL.Image
import pytest

from histowidgets.widgets._png import overlay_png


def pasted(png, shape):
    """Return what the page has after it has put the piece on an empty layer."""
    layer = np.zeros((*shape, 4), np.uint8)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(png.data)).convert("RGBA"))
    layer[png.y : png.y + pixels.shape[0], png.x : png.x + pixels.shape[1]] = pixels
    return layer


def blobs(n_colors, seed=0):
    rng = np.random.default_rng(seed)
    colors = np.append(rng.integers(0, 256, (n_colors, 3)), rng.integers(1, 256, (n_colors, 1)), 1).astype(np.uint8)
    rgba = np.zeros((120, 160, 4), np.uint8)
    for color in colors:
        y, x = rng.integers(10, 100), rng.integers(10, 140)
        rgba[y : y + 12, x : x + 9] = color
    return rgba


@pytest.mark.parametrize("n_colors", [1, 2, 5, 200, 400])
def test_the_page_gets_the_very_pixels(n_colors):
    rgba = blobs(n_colors)
    np.testing.assert_array_equal(pasted(overlay_png(rgba, 0, 0), rgba.shape[:2]), rgba)


def test_a_gradient_of_more_colours_than_a_palette_has_keeps_them_all():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[..., 0], rgba[..., 1], rgba[..., 3] = np.arange(64) * 4, (np.arange(64) * 4)[:, None], 128
    np.testing.assert_array_equal(pasted(overlay_png(rgba, 0, 0), (64, 64)), rgba)


def test_only_the_part_that_is_not_empty_travels_and_says_where_it_lies():
    rgba = np.zeros((300, 400, 4), np.uint8)
    rgba[50:60, 70:90] = (10, 20, 30, 255)
    png = overlay_png(rgba, 1000, 2000)
    assert (png.x, png.y) == (1070, 2050)
    assert PIL.Image.open(io.BytesIO(png.data)).size == (20, 10)


def test_nothing_travels_of_an_empty_overlay():
    assert overlay_png(np.zeros((8, 8, 4), np.uint8), 0, 0) is None


def test_a_palette_takes_fewer_bytes_than_full_colour():
    rgba = np.random.default_rng(0).choice(np.array([0, 0xFF0000FF, 0xFF00FF00], np.uint32), (200, 200))
    rgba = rgba.view(np.uint8).reshape(200, 200, 4)
    plain = io.BytesIO()
    PIL.Image.fromarray(rgba).save(plain, "PNG")
    assert len(overlay_png(rgba, 0, 0).data) < len(plain.getvalue()) / 2
