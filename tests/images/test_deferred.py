"""Images that are opened when they are first used."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from histowidgets.errors import ImageError, ImageOpenError, ImageSizeError, RegionError
from histowidgets.images import DeferredImage, _deferred, open_image, thumbnail

PIXELS = np.random.default_rng(0).integers(0, 60_000, (40, 50, 2)).astype(np.uint16)


@pytest.fixture
def path(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", np.moveaxis(PIXELS, -1, 0), metadata={"axes": "CYX"})
    return tmp_path / "a.ome.tif"


@pytest.fixture
def opened(monkeypatch):
    """Count the openings."""
    paths, real = [], _deferred.open_image
    monkeypatch.setattr(_deferred, "open_image", lambda path, **given: paths.append(path) or real(path, **given))
    return paths


def defer(path, width=50, height=40, names=("a", "b"), **more):
    return DeferredImage(path, name="n", width=width, height=height, channel_names=names, **more)


def test_it_is_opened_once_and_only_for_its_pixels(path, opened):
    image = defer(path, pixel_size_um=0.5)
    assert (image.name, image.width, image.height, image.pixel_size_um) == ("n", 50, 40, 0.5)
    assert (image.channel_names, image.source, image.region.area) == (("a", "b"), str(path), 2000)
    assert "not opened yet" in repr(image)
    assert opened == []
    np.testing.assert_array_equal(image.read(3, 4, 20, 10), PIXELS[4:14, 3:23])
    assert (image.dtype, image.downsamples, image.channel_colors) == (np.uint16, (1.0,), None)
    assert thumbnail(image, 20).shape == (14, 17, 3)
    assert "0.5 um/px" in repr(image)
    assert opened == [path]


def test_many_threads_open_it_once(path, opened):
    image = defer(path)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: image.read(0, 0, 50, 40), range(16)))
    assert all((part == PIXELS).all() for part in parts)
    assert len(opened) == 1


def test_a_missing_file_is_named_at_each_use_until_it_is_back(path):
    away = path.with_name("away")
    path.rename(away)
    image = defer(path, advice="Ring the archive.")
    for use in (lambda: image.read(0, 0, 5, 5), lambda: image.dtype, lambda: image.downsamples):
        with pytest.raises(ImageOpenError, match=r"image 'n' cannot be used: There is no file .*a\.ome\.tif.*Ring"):
            use()
    assert image.width == 50
    away.rename(path)
    np.testing.assert_array_equal(image.read(0, 0, 50, 40), PIXELS)


def test_another_file_of_that_name_is_refused(path):
    wanted = r"a\.ome\.tif is 50 x 40 pixels, but was 51 x 40.*Restore the original file"
    with pytest.raises(ImageOpenError, match=wanted):
        defer(path, width=51).read(0, 0, 5, 5)
    with pytest.raises(ImageSizeError, match=r"'n' cannot be used: .* had a, b, c when it was added.*import_geojson"):
        defer(path, names=("a", "b", "c")).read(0, 0, 5, 5)


def test_a_region_outside_is_refused(path):
    with pytest.raises(RegionError, match="is not inside image 'n'"):
        defer(path).read(40, 0, 11, 5)


def test_what_can_be_no_image_is_refused_at_once(path):
    with pytest.raises(ImageSizeError, match="each side must have at least"):
        defer(path, width=0)
    with pytest.raises(ImageSizeError, match="has 0 channels"):
        defer(path, names=())
    with pytest.raises(ImageError, match="pixel size"):
        defer(path, pixel_size_um=-1)


def test_the_same_image_and_plane_of_a_file_are_opened(tmp_path):
    stacks = np.random.default_rng(0).integers(0, 250, (2, 4, 30, 40)).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as tiff:
        for stack in stacks:
            tiff.write(stack, metadata={"axes": "ZYX"}, photometric="minisblack")
    opened = open_image(tmp_path / "s.ome.tif", series=1, plane=3)
    again = defer(tmp_path / "s.ome.tif", 40, 30, ("Gray",), opened_with=opened.opened_with)
    np.testing.assert_array_equal(again.read(0, 0, 40, 30)[..., 0], stacks[1, 3])
    assert again.notes == opened.notes == ()


def test_notes_are_there_once_it_is_opened(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((30, 40), np.uint8), photometric="miniswhite", resolution=(72, 72))
    image = defer(tmp_path / "a.tif", 40, 30, ("Gray",))
    assert image.notes == ()
    image.read(0, 0, 1, 1)
    assert "72 dpi" in image.notes[0]


def test_pixels_that_are_not_square(path):
    image = defer(path, pixel_size_um=(0.5, 0.25))
    assert (image.pixel_size_yx_um, image.pixel_size_um) == ((0.5, 0.25), 0.125**0.5)
    image.read(0, 0, 1, 1)
    assert "0.25 x 0.5 um/px" in repr(image)
