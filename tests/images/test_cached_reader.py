"""What a view reads again and again, kept."""

import numpy as np
import pytest

from histowidgets.errors import RegionError
from histowidgets.images import CachedReader, Region, open_image


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return open_image(rng.integers(0, 60_000, (417, 533, 2)).astype(np.uint16))


@pytest.mark.parametrize("downsample", [1, 2, 4])
def test_it_reads_what_the_image_reads_up_to_the_edges(image, downsample):
    reader = CachedReader(image)
    for x, y, right, bottom in [(0, 0, 533, 417), (4, 8, 300, 292), (260, 128, 533, 417), (528, 412, 533, 417)]:
        region = Region.from_edges(x, y, right, bottom)
        np.testing.assert_array_equal(reader.read(region, downsample), image.read(*region, downsample=downsample))


def test_a_step_aside_reads_only_what_is_new(image, monkeypatch):
    reader, reads = CachedReader(image), []
    read = image.read
    monkeypatch.setattr(image, "read", lambda *place, **how: reads.append(place) or read(*place, **how))
    reader.read(Region(0, 0, 256, 256))
    assert len(reads) == 4
    reader.read(Region(100, 0, 256, 256))
    assert len(reads) == 6
    reader.read(Region(0, 0, 356, 256))
    assert len(reads) == 6


def test_what_it_gave_may_be_changed_without_changing_what_it_keeps(image):
    reader = CachedReader(image)
    first = reader.read(Region(0, 0, 128, 128))
    first[:] = 0
    np.testing.assert_array_equal(reader.read(Region(0, 0, 128, 128)), image.read(0, 0, 128, 128))


def test_it_keeps_no_more_than_it_may(image):
    reader = CachedReader(image, most_bytes=200_000)
    reader.read(image.region)
    assert reader._cache.nbytes <= 200_000


def test_a_region_off_the_grid_or_the_image_is_refused(image):
    reader = CachedReader(image)
    with pytest.raises(RegionError, match="multiple of the downsample 2"):
        reader.read(Region(3, 0, 10, 10), 2)
    with pytest.raises(RegionError, match="not inside the image of 533 x 417"):
        reader.read(Region(520, 0, 20, 10))
