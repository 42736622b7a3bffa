"""Images as they would be with pixels of another size."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ImageSizeError
from histowidgets.images import Region, ResampledImage, at_pixel_size
from histowidgets.images._image import Image

SIZE = 0.25


def ramp(height=120, width=150, dtype=np.float32):
    """A plane whose value is 2 x + y at the centre of each pixel."""
    y, x = np.mgrid[:height, :width]
    return hw.open_image((2 * (x + 0.5) + (y + 0.5)).astype(dtype), name="ramp", pixel_size_um=SIZE)


def expected(x, y, width, height, step):
    """The plane where pixels of a step lie."""
    row, column = np.mgrid[y : y + height, x : x + width]
    return 2 * (column + 0.5) * step + (row + 0.5) * step


@pytest.mark.parametrize("um", [0.1, 0.2, 0.3, 0.5, 0.61, 1.0, 1.7])
def test_a_plane_stays_the_same_plane(um):
    image = ramp()
    seen = at_pixel_size(image, um)
    step = um / SIZE
    assert seen.pixel_size_um == um
    assert (seen.width, seen.height) == (int(np.ceil(150 / step)), int(np.ceil(120 / step)))
    found = seen.read(3, 4, 16, 12)[..., 0]
    np.testing.assert_allclose(found, expected(3, 4, 16, 12, step), atol=0.35)
    coarse = seen.read(2, 4, 16, 12, 2)[..., 0]
    np.testing.assert_allclose(coarse, expected(1, 2, 8, 6, 2 * step), atol=0.35)


@pytest.mark.parametrize("um", [0.13, 0.5, 0.77])
def test_a_pixel_does_not_depend_on_what_is_read_with_it(um):
    rng = np.random.default_rng(0)
    image = hw.open_image(rng.integers(0, 256, (90, 130, 3)).astype(np.uint8), pixel_size_um=SIZE)
    seen = at_pixel_size(image, um)
    whole = seen.read(*seen.region)
    part = Region(7, 5, seen.width // 2, seen.height // 2)
    np.testing.assert_array_equal(seen.read(*part), whole[part.y : part.bottom, part.x : part.right])


def test_twice_the_size_is_the_mean_of_four_pixels_bit_for_bit():
    image = ramp(121, 151, np.uint16)
    for um in (0.5, 0.502):  # the second is as good as twice the size
        seen = at_pixel_size(image, um)
        np.testing.assert_array_equal(seen.read(*seen.region), image.read(*image.region, 2))


def test_pixels_that_are_not_square_become_square():
    image = hw.open_image(np.repeat(ramp().read(0, 0, 150, 120), 2, axis=1), pixel_size_um=(0.25, 0.125))
    assert image.pixel_size_um == pytest.approx((0.25 * 0.125) ** 0.5)
    seen = at_pixel_size(image, 0.25)
    assert (seen.width, seen.height) == (150, 120)
    np.testing.assert_array_equal(seen.read(*seen.region), ramp().read(0, 0, 150, 120))


def test_within_ten_percent_or_unknown_it_is_the_image_itself():
    image = ramp()
    for um in (None, 0.25, 0.2275, 0.2749):
        assert at_pixel_size(image, um) is image
    for um in (0.227, 0.276):
        assert isinstance(at_pixel_size(image, um), ResampledImage)
    unknown = hw.open_image(np.zeros((9, 9), np.uint8))
    assert at_pixel_size(unknown, 0.25) is unknown


def test_it_is_the_same_object_each_time():
    image = ramp()
    assert at_pixel_size(image, 0.5) is at_pixel_size(image, 0.5)


@pytest.mark.parametrize("um", [0.25 / 100, 0.25 * 100, 4.1])
def test_sizes_that_are_too_far_apart_are_refused(um):
    with pytest.raises(ImageSizeError, match="times apart, more than 16"):
        at_pixel_size(ramp(), um)


@pytest.mark.parametrize("um", [0.1, 0.5, 0.77])
def test_regions_lie_around_and_inside(um):
    image = ramp()
    seen, region = at_pixel_size(image, um), Region(31, 22, 50, 41)
    step = um / SIZE
    around, inside = seen.around(region), seen.inside(region)
    assert around.x * step <= region.x < (around.x + 1) * step
    assert (around.right - 1) * step < region.right <= around.right * step
    assert inside.x * step >= region.x
    assert inside.right * step <= region.right
    assert around.contains(inside)
    assert inside.width >= around.width - 2 - 2 * max(1, round(1 / step))
    assert seen.inside(image.region) == seen.region


def test_of_a_pyramid_the_level_that_fits_is_read():
    levels = []

    class Pyramid(Image):
        def _read_level(self, level, x, y, width, height):
            levels.append((level, width, height))
            return np.full((height, width, 1), 7, np.uint8)

    sizes = [(4096, 4096), (1024, 1024), (256, 256)]
    image = Pyramid(
        name="p", width=4096, height=4096, dtype=np.uint8, channel_names=["A"], pixel_size_um=0.25, level_sizes=sizes
    )
    seen = at_pixel_size(image, 1.13)
    assert (seen.read(100, 100, 200, 200) == 7).all()
    assert {level for level, _, _ in levels} == {1}
    assert max(width for _, width, _ in levels) < 240
