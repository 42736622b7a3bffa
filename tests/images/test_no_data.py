"""NaN and the values that stand for it: said, and left out of averages, statistics, numbers and pictures."""

import numpy as np
import pytest
import tifffile
import zarr

from histowidgets.errors import ImageError, ImageValueError
from histowidgets.images import Normalization, auto_contrast, display_rgb, measure_statistics, open_image, thumbnail
from histowidgets.images.readers import _tiff

VALUES = np.random.default_rng(0).normal(100, 20, (80, 90, 2))


def with_holes(value, dtype=np.float32):
    pixels = VALUES.astype(dtype)
    pixels[10:30, 20:40] = value
    return pixels


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize(
    ("value", "dtype"), [(np.nan, np.float32), (np.nan, np.float64), (-9999, np.float32), (-9999, np.int16)]
)
def test_it_is_recognized_and_said(tmp_path, monkeypatch, lazily, value, dtype):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 32 << 20)
    pixels = with_holes(value, dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", tile=(16, 16))
    for image in (open_image(pixels), open_image(tmp_path / "a.tif")):
        read = image.read(0, 0, 90, 80)
        assert np.isnan(read[10:30, 20:40]).all()
        assert np.isnan(read).sum() == 800
        np.testing.assert_array_equal(read[30:], pixels[30:])
        assert "5.6% of the pixels have no data" in image.notes[0]
        assert ("-9999" if value == -9999 else "NaN") in image.notes[0]


def test_the_value_that_the_file_declares(tmp_path):
    pixels = with_holes(-3.0)
    tags = [(42113, "s", 0, "-3", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", extratags=tags)
    image = open_image(tmp_path / "a.tif")
    assert np.isnan(image.read(0, 0, 90, 80)).sum() == 800


def test_what_an_array_masks_is_no_data():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8)
    image = open_image(np.ma.masked_array(pixels, mask=pixels > 200))
    np.testing.assert_array_equal(image.read(0, 0, 30, 20)[..., 0], np.where(pixels > 200, np.nan, pixels))
    assert "have no data (NaN)" in image.notes[0]
    assert open_image(np.ma.masked_array(pixels)).dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_measurements_near_minus_9999_are_kept(dtype):
    pixels = np.linspace(-10_000, 10_000, 40 * 50).reshape(40, 50).round().astype(dtype)
    pixels[0, 1] = -9999
    image = open_image(pixels)
    assert (image.notes, image.no_data) == ((), None)
    np.testing.assert_array_equal(image.read(0, 0, 50, 40)[..., 0], pixels)


def test_small_whole_numbers_are_no_problem(tmp_path):
    pixels = np.arange(-100, 100, dtype=np.int8).reshape(10, 20)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    tifffile.imwrite(tmp_path / "b.tif", pixels, extratags=[(42113, "s", 0, "-3.4e38", True)])
    for image in (open_image(pixels), open_image(tmp_path / "a.tif"), open_image(tmp_path / "b.tif")):
        np.testing.assert_array_equal(image.read(0, 0, 20, 10)[..., 0], pixels)
        assert image.notes == ()


@pytest.mark.parametrize("declared", ["-3.4028234663852886e+38", "1e40", "nan", "none", ""])
def test_what_else_a_file_declares(tmp_path, declared):
    pixels = VALUES[..., 0].astype(np.float32)
    pixels[3, 4] = -3.4028234663852886e38
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=[(42113, "s", 0, declared, True)])
    read = open_image(tmp_path / "a.tif").read(0, 0, 90, 80)
    assert np.isnan(read).sum() == (declared == "-3.4028234663852886e+38")


def test_unsigned_numbers_have_none():
    pixels = np.zeros((40, 50), np.uint16)
    assert open_image(pixels).notes == ()


def test_an_image_of_nothing_else_is_refused():
    with pytest.raises(ImageValueError, match="no data at all"):
        open_image(np.full((40, 50), np.nan, np.float32))
    with pytest.raises(ImageValueError, match="no data at all"):
        open_image(np.full((40, 50), -9999, np.float32))


@pytest.mark.parametrize("value", [np.nan, -9999])
@pytest.mark.parametrize("downsample", [2, 3, 4, 2.5, 7.3])
def test_averages_leave_it_out(value, downsample):
    image, full = open_image(with_holes(value)), open_image(VALUES.astype(np.float32))
    read = image.read(0, 0, 90, 80, downsample)
    assert np.nanmin(read) >= VALUES.min() - 1e-3  # -9999 has not been mixed in
    if downsample == 2:
        assert np.isnan(read).sum() == 200
        np.testing.assert_allclose(read[15:], full.read(0, 0, 90, 80, 2)[15:], rtol=1e-6)
    if downsample == 4:
        # A block of which half is there is the mean of that half.
        wanted = VALUES[8:10, 20:24].mean((0, 1))
        np.testing.assert_allclose(read[2, 5], wanted, rtol=1e-5)
    inner = read[
        int(12 / downsample) + 1 : int(28 / downsample) - 1, int(22 / downsample) + 1 : int(38 / downsample) - 1
    ]
    assert np.isnan(inner).all()


@pytest.mark.parametrize("value", [np.nan, -9999])
def test_statistics_leave_it_out(value):
    there = np.ones(VALUES.shape[:2], bool)
    there[10:30, 20:40] = False
    kept = VALUES.astype(np.float32)[there]
    found = measure_statistics([open_image(with_holes(value))])
    assert found.n_pixels == 80 * 90 - 400
    for channel in range(2):
        one = found.channels[channel]
        assert (one.minimum, one.maximum) == (kept[:, channel].min(), kept[:, channel].max())
        assert one.mean == pytest.approx(kept[:, channel].mean())
        assert one.p1 == pytest.approx(np.percentile(kept[:, channel], 1), rel=1e-6)
    assert found.joint.mean == pytest.approx(kept.mean())


def test_a_channel_without_data_is_named():
    pixels = VALUES.astype(np.float32)
    pixels[..., 1] = np.nan
    with pytest.raises(ImageError, match="no data in Channel 2"):
        measure_statistics([open_image(pixels)])


@pytest.mark.parametrize(
    ("strategy", "fill"), [("percentile_99", 0), ("min_max", 0), ("z_score", 0.5), ("fixed_range", 0)]
)
def test_normalized_it_is_background(strategy, fill):
    image = open_image(with_holes(-9999))
    normalized = Normalization(strategy).fitted(image).apply(image.read(0, 0, 90, 80))
    assert np.isfinite(normalized).all()
    assert (normalized[10:30, 20:40] == fill).all()
    assert normalized[40:].std() > 0.01


def test_it_is_shown_black():
    image = open_image(with_holes(-9999))
    shown = auto_contrast(image)
    assert shown[0].low > 0
    picture = display_rgb(image.read(0, 0, 90, 80), shown)
    assert (picture[10:30, 20:40] == 0).all()
    assert picture[40:].mean() > 50
    assert (thumbnail(image)[12:28, 22:38] == 0).all()


def test_in_an_ome_zarr(tmp_path):
    pixels = np.moveaxis(with_holes(-9999), -1, 0)
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    group.create_array("0", shape=pixels.shape, chunks=(1, 32, 32), dtype=pixels.dtype)[...] = pixels
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    image = open_image(tmp_path / "a.zarr")
    assert image.no_data == -9999
    assert np.isnan(image.read(0, 0, 90, 80)).sum() == 800
    assert "5.6% of the pixels have no data (-9999)" in image.notes[0]
