"""Reading regions at a downsample, and past an edge."""

import threading

import numpy as np
import pytest

from histowidgets.errors import RegionError
from histowidgets.images import Region, open_image, read_padded, samples, scaled_shape
from histowidgets.images import _image as image_module


def block_means(pixels, step):
    """The definition of the area mean, pixel by pixel."""
    rows, cols = scaled_shape(pixels.shape[1], pixels.shape[0], step)
    out = np.empty((rows, cols, pixels.shape[2]))
    for i in range(rows):
        for j in range(cols):
            out[i, j] = pixels[i * step : (i + 1) * step, j * step : (j + 1) * step].mean((0, 1))
    return out


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 255, (50, 71, 3), np.uint8)


def test_a_region_is_read_as_it_is(pixels):
    np.testing.assert_array_equal(open_image(pixels).read(10, 20, 30, 5), pixels[20:25, 10:40])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("n_channels", [1, 3, 5])
@pytest.mark.parametrize("step", [2, 3, 8])
def test_downsampling_is_the_area_mean(dtype, n_channels, step):
    pixels = (np.random.default_rng(1).random((50, 71, n_channels)) * 250).astype(dtype)
    read = open_image(pixels, channel_names=["c"] * n_channels).read(5, 3, 60, 40, step)
    expected = block_means(pixels[3:43, 5:65].astype(float), step)
    assert read.dtype == dtype
    assert read.shape == expected.shape
    # Pillow divides 8-bit sums in fixed point, so that a third can be rounded the wrong way.
    tolerance = {np.uint8: 0.67, np.uint16: 0.501}.get(dtype, 1e-3)
    assert np.abs(read - expected).max() <= tolerance


@pytest.mark.parametrize("downsample", [1, 1.5, 2, 2.7, 7, 16, 100])
def test_r60_the_size_is_rounded_up(pixels, downsample):
    read = open_image(pixels).read(0, 0, 71, 50, downsample)
    assert read.shape == (int(np.ceil(50 / downsample)), int(np.ceil(71 / downsample)), 3)


def test_a_fractional_downsample_weighs_shared_pixels():
    pixels = np.array([[0.0, 10.0, 20.0], [0.0, 10.0, 20.0], [0.0, 10.0, 20.0]])
    read = open_image(pixels).read(0, 0, 3, 3, 1.5)
    np.testing.assert_allclose(read[..., 0], [[10 / 3, 50 / 3]] * 2)


def test_bands_change_nothing(pixels, monkeypatch):
    whole = open_image(pixels).read(3, 5, 60, 40, 4)
    uneven = open_image(pixels).read(3, 5, 60, 40, 3.3)
    monkeypatch.setattr(image_module, "BAND_PIXELS", 500)
    np.testing.assert_array_equal(open_image(pixels).read(3, 5, 60, 40, 4), whole)
    np.testing.assert_array_equal(open_image(pixels).read(3, 5, 60, 40, 3.3), uneven)


def test_r49_tiles_read_the_same_as_the_whole(pixels):
    image = open_image(pixels)
    for step in (1, 2, 4):
        whole = image.read(0, 0, 71, 50, step)
        tile = image.read(16, 8, 24, 16, step)
        np.testing.assert_array_equal(tile, whole[8 // step : 24 // step, 16 // step : 40 // step])


@pytest.mark.parametrize(
    "region", [(-1, 0, 5, 5), (0, -1, 5, 5), (70, 0, 2, 5), (0, 46, 5, 5), (0, 0, 0, 5), (0, 0, 5, -1)]
)
def test_a_region_outside_is_refused(pixels, region):
    with pytest.raises(RegionError, match="71 x 50 pixels"):
        open_image(pixels).read(*region)


def test_fractions_of_pixels_are_refused(pixels):
    with pytest.raises(RegionError, match="whole numbers"):
        open_image(pixels).read(0.5, 0, 5, 5)


@pytest.mark.parametrize("downsample", [0, 0.5, -2, np.nan, np.inf])
def test_a_bad_downsample_is_refused(pixels, downsample):
    with pytest.raises(RegionError, match="at least 1"):
        open_image(pixels).read(0, 0, 5, 5, downsample)


def test_many_threads_read_the_same():
    image = samples.colon_ihc()
    expected = image.read(0, 0, 512, 512, 2)
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(image.read(0, 0, 512, 512, 2), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- regions ---


def test_region_arithmetic():
    a, b = Region(0, 0, 10, 10), Region(5, 8, 10, 10)
    assert a.intersect(b) == Region(5, 8, 5, 2)
    assert a.intersect(Region(10, 0, 5, 5)) is None
    assert a.union(b) == Region(0, 0, 15, 18)
    assert a.contains(Region(2, 2, 8, 8))
    assert not a.contains(b)
    assert (b.right, b.bottom, b.area) == (15, 18, 100)
    assert a.expanded(2) == Region(-2, -2, 14, 14)


# --- past an edge ---


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("corner", [(-16, -8), (50, 30), (-4, 40), (20, 12)])
def test_past_the_edge_is_the_mirror_image(pixels, step, corner):
    image = open_image(pixels)
    region = Region(*corner, 32, 24)
    read = read_padded(image, region, step)
    assert read.shape == (24 // step, 32 // step, 3)
    inside = region.intersect(image.region)
    expected = image.read(*inside, step)
    top, left = (inside.y - region.y) // step, (inside.x - region.x) // step
    rows, cols = expected.shape[:2]
    np.testing.assert_array_equal(read[top : top + rows, left : left + cols], expected)
    if left > 0 and cols > left:
        np.testing.assert_array_equal(read[:, left - 1], read[:, left + 1])
    if top > 0 and rows > top:
        np.testing.assert_array_equal(read[top - 1], read[top + 1])


def test_b10_nothing_outside_the_allowed_part_is_read(pixels):
    allowed = Region(10, 10, 20, 20)
    poisoned = pixels.copy()
    poisoned[:] = 255
    poisoned[10:30, 10:30] = pixels[10:30, 10:30] % 200
    for step in (1, 2, 3, 4, 8):
        for corner in ((0, 0), (3, 7), (20, 20), (9, 11), (-20, -5)):
            read = read_padded(open_image(poisoned), Region(*corner, 32, 32), step, within=allowed)
            assert read.shape[:2] == scaled_shape(32, 32, step)
            assert read.max() < 200


def test_a_sliver_inside_fills_the_whole_tile(pixels):
    read = read_padded(open_image(pixels), Region(70, 49, 64, 64), 4)
    np.testing.assert_array_equal(read, np.broadcast_to(pixels[49, 70], (16, 16, 3)))


def test_a_region_wholly_outside_is_refused(pixels):
    with pytest.raises(RegionError, match="shares no pixel"):
        read_padded(open_image(pixels), Region(100, 100, 10, 10))


# --- samples ---


def test_samples_need_no_network():
    assert samples.colon_ihc().read(0, 0, 512, 512).shape == (512, 512, 3)
    assert (samples.retina().width, samples.retina().height) == (1411, 1411)
    assert samples.cell().channel_names == ("Gray",)
