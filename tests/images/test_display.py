"""Pictures for the eye."""

import numpy as np
import pytest

from histowidgets.errors import ImageError
from histowidgets.images import ChannelDisplay, auto_contrast, display_rgb, open_image, samples, thumbnail


def test_eight_bit_rgb_is_shown_unchanged():
    pixels = samples.colon_ihc().read(0, 0, 64, 64)
    np.testing.assert_array_equal(display_rgb(pixels), pixels)
    np.testing.assert_array_equal(display_rgb(pixels, auto_contrast(pixels)), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 5, 12])
def test_anything_becomes_a_picture(dtype, n_channels):
    pixels = (np.random.default_rng(0).random((20, 30, n_channels)) * 200).astype(dtype)
    shown = display_rgb(pixels)
    assert (shown.shape, shown.dtype) == ((20, 30, 3), np.uint8)
    assert shown.max() > 100


def test_a_nearly_black_image_is_seen():
    pixels = np.zeros((50, 50, 1), np.uint16) + 30
    pixels[10:20, 10:20] = 60
    shown = display_rgb(pixels)
    assert shown[15, 15].tolist() == [255, 255, 255]
    assert shown[0, 0].tolist() == [0, 0, 0]


def test_a_constant_image_is_shown():
    assert display_rgb(np.full((4, 4, 2), 7.5)).max() == 0


def test_channels_have_colours_and_can_be_off():
    pixels = np.full((2, 2, 2), 10.0)
    channels = [ChannelDisplay("#FF0000", 0, 10), ChannelDisplay("#0000FF", 0, 20)]
    assert display_rgb(pixels, channels)[0, 0].tolist() == [255, 0, 128]
    off = [channels[0], ChannelDisplay("#0000FF", 0, 20, visible=False)]
    assert display_rgb(pixels, off)[0, 0].tolist() == [255, 0, 0]


def test_a_contrast_of_other_channels_is_refused():
    with pytest.raises(ImageError, match=r"for 1 channel\(s\)"):
        display_rgb(np.zeros((2, 2, 2)), [ChannelDisplay("#FF0000", 0, 1)])


def test_regions_look_alike_under_the_contrast_of_the_image():
    image = open_image(np.random.default_rng(0).integers(0, 4000, (100, 100), np.uint16))
    contrast = auto_contrast(image)
    whole = display_rgb(image.read(0, 0, 100, 100), contrast)
    np.testing.assert_array_equal(display_rgb(image.read(20, 30, 10, 10), contrast), whole[30:40, 20:30])


@pytest.mark.parametrize("max_side", [64, 100, 512, 5000])
def test_a_thumbnail_fits(max_side):
    small = thumbnail(samples.retina(), max_side)
    assert max(small.shape[:2]) <= min(max_side, 1411)
    assert min(small.shape[:2]) > max_side / 3 or max_side > 1411


def test_real_channels_are_shown(shared_data):
    for path in sorted((shared_data / "uint16").iterdir()):
        shown = thumbnail(open_image(path))
        assert shown.std() > 5, path.name


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"color": "blurp"}, "'blurp'; write it as #RRGGBB"),
        ({"color": "red"}, "write it as #RRGGBB"),
        ({"color": "#12345"}, "write it as #RRGGBB"),
        ({"color": "#ff0000\n"}, "write it as #RRGGBB"),
        ({"color": 7}, "write it as #RRGGBB"),
        ({"low": 5}, "is 5 to 1; give two finite numbers, the lower one first"),
        ({"low": float("nan")}, "is nan to 1"),
        ({"high": float("inf")}, "is 0 to inf"),
        ({"high": "9"}, "is 0 to '9'"),
        ({"gamma": 0}, "gamma of a channel is 0; give a number above 0"),
        ({"gamma": None}, "gamma of a channel is None"),
    ],
)
def test_a_display_that_cannot_be_shown_is_refused_where_it_is_made(wrong, words):
    with pytest.raises(ImageError, match=words):
        ChannelDisplay(**{"color": "#FF0000", "low": 0, "high": 1, **wrong})
    assert ChannelDisplay("#ff0000", np.float32(0), np.uint16(9)).high == 9
