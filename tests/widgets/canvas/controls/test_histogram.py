"""Histograms of channels."""

import numpy as np
import pytest

from histowidgets.images import open_image
from histowidgets.widgets.canvas.controls import channel_histograms


def test_each_channel_has_a_histogram_of_its_range_and_8_bits_have_the_whole_one():
    pixels = np.zeros((20, 30, 2), np.uint16)
    pixels[..., 0], pixels[:10, :, 1] = 700, 40
    first, second = channel_histograms(open_image(pixels, name="two"), joint=False)
    assert (first.low, first.high) == (700, 701)
    assert (second.low, second.high, second.heights[0], second.heights[-1]) == (0, 40, 1, 1)
    (joint,) = channel_histograms(open_image(np.full((20, 30, 3), 9, np.uint8), name="rgb"), joint=True)
    assert (joint.low, joint.high, max(joint.heights)) == (0, 255, 1)
    assert joint.auto == (9, 9)


def test_heights_are_square_roots():
    pixels = np.zeros((10, 10, 1), np.float32)
    pixels[:2, :8] = 1
    (found,) = channel_histograms(open_image(pixels, name="one"), joint=False)
    assert found.heights[0] == 1
    assert found.heights[-1] == pytest.approx(np.sqrt(16 / 84), abs=1e-3)
