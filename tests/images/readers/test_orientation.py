"""Pictures are turned as their files say, as Pillow turns them, and in parts as whole."""

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tifffile

from histowidgets.images import open_image
from histowidgets.images.readers import _tiff
from histowidgets.images.readers._orientation import Orientation

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


def turned(orientation):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    picture = PIL.Image.fromarray(PIXELS)
    picture.getexif().update(exif)
    return np.asarray(PIL.ImageOps.exif_transpose(picture))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("lazily", [True, False])
def test_tiff(tmp_path, monkeypatch, orientation, lazily):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 32 << 20)
    tifffile.imwrite(
        tmp_path / "a.tif", PIXELS, photometric="rgb", tile=(16, 32), compression="zlib",
        extratags=[(274, "H", 1, orientation, True)],
    )  # fmt: skip
    wanted = turned(orientation)
    image = open_image(tmp_path / "a.tif")
    assert (image.height, image.width) == wanted.shape[:2]
    np.testing.assert_array_equal(image.read(0, 0, image.width, image.height), wanted)
    np.testing.assert_array_equal(image.read(7, 5, 20, 30), wanted[5:35, 7:27])
    halves = wanted.reshape(wanted.shape[0] // 2, 2, wanted.shape[1] // 2, 2, 3).mean((1, 3))
    assert np.abs(image.read(0, 0, image.width, image.height, 2) - halves).max() <= 0.75
    assert bool(image.notes) == (orientation > 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
def test_exif(tmp_path, orientation, ending):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    PIL.Image.fromarray(PIXELS).save(tmp_path / f"a.{ending}", exif=exif, lossless=True)
    image = open_image(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(image.read(0, 0, image.width, image.height), turned(orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_pillow_image_that_is_not_turned_yet(tmp_path, orientation):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    PIL.Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    with PIL.Image.open(tmp_path / "a.png") as picture:
        image = open_image(picture)
    np.testing.assert_array_equal(image.read(0, 0, image.width, image.height), turned(orientation))
    assert bool(image.notes) == (orientation > 1)


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_sides_of_pixels_are_turned_and_said_as_they_are_shown(tmp_path, ending):
    if ending == "tif":
        tifffile.imwrite(
            tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, resolution=(20000, 10000),
            resolutionunit="CENTIMETER", extratags=[(274, "H", 1, 6, True)],
        )  # fmt: skip
    else:
        exif = PIL.Image.Exif()
        exif[274] = 6
        PIL.Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif, dpi=(50800, 25400))
    image = open_image(tmp_path / f"a.{ending}")
    assert image.pixel_size_yx_um == pytest.approx((0.5, 1.0), rel=1e-3)
    assert "1 um wide, 0.5 um high" in " ".join(image.notes)


def test_a_photograph(tmp_path):
    exif = PIL.Image.Exif()
    exif[274] = 6
    PIL.Image.fromarray(PIXELS).save(tmp_path / "a.jpg", exif=exif)
    assert (open_image(tmp_path / "a.jpg").width, open_image(tmp_path / "a.jpg").height) == (40, 60)


def test_pyramids_are_turned_at_every_level(tmp_path):
    small = PIXELS.reshape(20, 2, 30, 2, 3).mean((1, 3)).round().astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        options = {"photometric": "rgb", "tile": (16, 16), "extratags": [(274, "H", 1, 6, True)], "metadata": None}
        tiff.write(PIXELS, **options)
        tiff.write(small, subfiletype=1, **options)
    image = open_image(tmp_path / "a.tif")
    assert image.downsamples == (1.0, 2.0)
    np.testing.assert_array_equal(image.read(0, 0, 40, 60, 2), np.rot90(small, -1))


def test_pixels_that_are_not_square_are_turned_too(tmp_path):
    tags = {"extratags": [(274, "H", 1, 6, True)], "resolution": (40_000, 20_000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", **tags)
    # 0.25 um wide and 0.5 um high as stored.
    assert open_image(tmp_path / "a.tif").pixel_size_yx_um == pytest.approx((0.25, 0.5))


@pytest.mark.parametrize("value", [0, 9, "6", None, 2.0])
def test_other_values_turn_nothing(value):
    assert Orientation(value).apply(PIXELS) is PIXELS
