"""What stored samples mean: the values are those of an independent reader, or follow from the TIFF specification."""

import re
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tifffile

from histowidgets.errors import ImageOpenError
from histowidgets.images import open_image
from histowidgets.images.readers import _tiff
from histowidgets.images.readers._interpretation import MEANINGS
from tests.images.readers import raw_tiff

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["whole", "in parts"])
def reading(request, monkeypatch):
    """Read files whole, or in parts."""
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if request.param == "in parts" else 32 << 20)


def whole(image):
    return image.read(0, 0, image.width, image.height)


def noise(*shape, dtype=np.uint8, high=4000, seed=0):
    return np.random.default_rng(seed).integers(1, min(high, 250 if dtype == np.uint8 else high), shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("n_channels", [2, 4])
@pytest.mark.parametrize("order", ["last", "first"])
def test_channels_that_are_called_transparency_by_default_stay_channels(tmp_path, reading, dtype, n_channels, order):
    pixels = noise(70, 80, n_channels, dtype=dtype)
    stored = pixels if order == "last" else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", stored)
    image = open_image(tmp_path / "a.tif")
    assert image.channel_names == tuple(f"Channel {i + 1}" for i in range(n_channels))
    np.testing.assert_array_equal(whole(image), pixels)
    if n_channels == 2 and order == "last":
        return  # tifffile writes no such OME-TIFF
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, metadata={"axes": "YXC" if order == "last" else "CYX"})
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.ome.tif")), pixels)


def test_a_picture_cut_out_by_tifffile_is_laid_over_white(tmp_path, reading):
    pixels = noise(20, 30, 4)
    pixels[..., 3] = 255
    pixels[:8] = 0
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    image = open_image(tmp_path / "a.tif")
    assert image.channel_names == ("Red", "Green", "Blue")
    assert (whole(image)[:8] == 255).all()
    np.testing.assert_array_equal(whole(image)[8:], pixels[8:, :, :3])
    assert "laid over white" in " ".join(image.notes)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_transparency_that_is_the_same_everywhere_does_not_whiten(tmp_path, reading, dtype, share):
    pixels = noise(20, 30, 4, dtype=dtype)
    pixels[..., 3] = round(share * np.iinfo(dtype).max)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"], software="a camera", metadata=None
    )
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(whole(image), pixels[..., :3])
    assert ("left out" in " ".join(image.notes)) == (share < 1)
    clear = PIL.Image.fromarray(pixels.astype(np.uint8))
    clear.save(tmp_path / "a.png")
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.png")), pixels[..., :3].astype(np.uint8))
    np.testing.assert_array_equal(whole(open_image(clear)), pixels[..., :3].astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_soft_transparency_is_that_of_pillow(tmp_path, reading, mode, ending):
    n = len(mode)
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, n), np.uint8)
    picture = PIL.Image.fromarray(pixels, mode)
    picture.save(tmp_path / f"a.{ending}")
    over = PIL.Image.new("RGBA", picture.size, "white")
    over.alpha_composite(picture.convert("RGBA"))
    wanted = np.asarray(over.convert("RGB" if mode == "RGBA" else "L")).reshape(20, 30, n - 1)
    assert np.abs(whole(open_image(tmp_path / f"a.{ending}")).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_four_channels_of_any_writer_stay_channels(tmp_path, reading, dtype):
    pixels = np.random.default_rng(0).integers(0, 65536, (20, 30, 4)).astype(dtype)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"], "software": "a camera", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), pixels)


def test_multiplied_transparency_is_not_multiplied_again(tmp_path, reading):
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:] = (100, 50, 0, 128)
    pixels[0, 0] = (10, 20, 30, 255)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["assocalpha"], software="a camera", metadata=None
    )
    assert whole(open_image(tmp_path / "a.tif"))[5, 5].tolist() == [100 + 127, 50 + 127, 127]
    # Colours above the transparency cannot have been multiplied by it: a channel, as libvips marks all of them.
    pixels[..., 0] = 200
    tifffile.imwrite(
        tmp_path / "b.tif", pixels, photometric="rgb", extrasamples=["assocalpha"], software="a camera", metadata=None
    )
    np.testing.assert_array_equal(whole(open_image(tmp_path / "b.tif")), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_opaque_among_multiplied_transparency_stays_as_it_is(tmp_path, reading, dtype):
    largest = np.iinfo(dtype).max
    pixels = noise(20, 30, 4, dtype=dtype, high=largest)
    pixels[..., 3] = largest
    pixels[:8] = 0
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["assocalpha"], software="a camera", metadata=None
    )
    image = open_image(tmp_path / "a.tif")
    assert len(image.channel_names) == 3
    assert (whole(image)[:8] == largest).all()
    np.testing.assert_array_equal(whole(image)[8:], pixels[8:, :, :3])


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("white_is_zero", [True, False])
def test_gray_of_any_bits(tmp_path, reading, bits, white_is_zero):
    values = np.random.default_rng(bits).integers(0, 1 << bits, (9, 13))
    values[0, :2] = 0, (1 << bits) - 1
    data = values.astype("<u2").tobytes() if bits == 16 else raw_tiff.packed(values, bits)
    raw_tiff.write(tmp_path / "a.tif", data, 13, 9, bits=bits, photometric=0 if white_is_zero else 1)
    wanted = (1 << bits) - 1 - values if white_is_zero else values
    image = open_image(tmp_path / "a.tif")
    assert image.dtype == (np.uint8 if bits <= 8 else np.uint16)
    np.testing.assert_array_equal(whole(image)[..., 0], wanted * 255 if bits == 1 else wanted)


def test_white_is_zero_as_pillow_reads_it(tmp_path, reading):
    pixels = noise(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    with PIL.Image.open(tmp_path / "a.tif") as picture:
        np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif"))[..., 0], np.asarray(picture))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("eight_bit_colours", [True, False])
def test_palettes_come_out_as_their_colours(tmp_path, reading, bits, eight_bit_colours):
    rng = np.random.default_rng(bits)
    colormap = rng.integers(0, 256 if eight_bit_colours else 65536, (3, 1 << bits))
    colormap[0, 0] = 200 if eight_bit_colours else 51_400
    values = rng.integers(0, 1 << bits, (9, 13))
    tags = [(320, 3, tuple(colormap.ravel().tolist()))]
    raw_tiff.write(tmp_path / "a.tif", raw_tiff.packed(values, bits), 13, 9, bits=bits, photometric=3, tags=tags)
    wanted = (colormap if eight_bit_colours else colormap >> 8).T[values]
    image = open_image(tmp_path / "a.tif")
    assert (image.dtype, image.channel_names) == (np.uint8, ("Red", "Green", "Blue"))
    np.testing.assert_array_equal(whole(image), wanted)


def test_a_palette_of_16_bits(tmp_path, reading):
    colormap = np.random.default_rng(0).integers(0, 65536, (3, 65536)).astype(np.uint16)
    values = noise(20, 30, dtype=np.uint16, high=65535)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="palette", colormap=colormap, tile=(16, 16))
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), (colormap >> 8).T[values])


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_ycbcr_is_that_of_pillow(tmp_path, reading, compression):
    picture = PIL.Image.fromarray(noise(20, 30, 3)).convert("YCbCr")
    picture.save(tmp_path / "a.tif", compression=compression)
    wanted = np.asarray(picture.convert("RGB")).astype(int)
    image = open_image(tmp_path / "a.tif")
    assert np.abs(whole(image) - wanted).max() <= 2
    assert "YCbCr" in " ".join(image.notes)


@pytest.mark.parametrize(("h", "v"), [(2, 2), (2, 1), (1, 2), (4, 4), (4, 1)])
@pytest.mark.parametrize("compression", [1, 8])
def test_ycbcr_that_shares_colours(tmp_path, reading, h, v, compression):
    rng = np.random.default_rng(0)
    width, height = 13, 9
    across, down = -(-width // h), -(-height // v)
    y = rng.integers(60, 200, (down * v, across * h), np.uint8)
    chroma = rng.integers(110, 146, (down, across, 2), np.uint8)
    units = np.concatenate(
        [y.reshape(down, v, across, h).transpose(0, 2, 1, 3).reshape(down, across, h * v), chroma], 2
    )
    data = units.tobytes()
    tags = [(530, 3, (h, v))]
    raw_tiff.write(
        tmp_path / "a.tif", zlib.compress(data) if compression == 8 else data, width, height, samples=3, photometric=6,
        compression=compression, tags=tags,
    )  # fmt: skip
    full = np.dstack([y, chroma.repeat(v, 0).repeat(h, 1)])[:height, :width]
    wanted = np.asarray(PIL.Image.fromarray(full, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(whole(open_image(tmp_path / "a.tif")) - wanted).max() <= 2


def test_the_reference_of_ycbcr_counts(tmp_path, reading):
    # Studio range: black is 16, white 235.
    data = np.array([[[16, 128, 128], [235, 128, 128]]] * 2, np.uint8)
    pairs = [(16, 1), (235, 1), (128, 1), (240, 1), (128, 1), (240, 1)]
    raw_tiff.write(
        tmp_path / "a.tif", data.tobytes(), 2, 2, samples=3, photometric=6,
        tags=[(530, 3, (1, 1)), (532, 5, pairs)],
    )  # fmt: skip
    assert whole(open_image(tmp_path / "a.tif"))[0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_cmyk_is_that_of_pillow(tmp_path, reading, planar):
    pixels = noise(20, 30, 4)
    stored = pixels if planar == "contig" else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="separated", planarconfig=planar)
    wanted = np.asarray(PIL.Image.fromarray(pixels, "CMYK").convert("RGB")).astype(int)
    image = open_image(tmp_path / "a.tif")
    assert (image.channel_names, image.dtype) == (("Red", "Green", "Blue"), np.uint8)
    assert np.abs(whole(image) - wanted).max() <= 1


def test_other_inks_stay_channels(tmp_path, reading):
    pixels = noise(20, 30, 4)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="separated", extratags=[(332, "H", 1, 2, True)])
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(whole(image), pixels)
    assert "inks" in " ".join(image.notes)


@pytest.mark.parametrize("photometric", ["CIELAB", "ICCLAB"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lab_is_that_of_little_cms(tmp_path, reading, photometric, dtype):
    # Colours that sRGB has.
    rgb = PIL.Image.fromarray(np.random.default_rng(0).integers(20, 235, (20, 30, 3), np.uint8))
    lab, srgb = PIL.ImageCms.createProfile("LAB"), PIL.ImageCms.createProfile("sRGB")
    turned = np.asarray(PIL.ImageCms.profileToProfile(rgb, srgb, lab, outputMode="LAB")).astype(int)
    turned[..., 1:] ^= 128  # Pillow gives them signed; now 128 is neutral
    stored = turned.copy()
    if photometric == "CIELAB":
        stored[..., 1:] = (stored[..., 1:] - 128) % 256
    if dtype == np.uint16:
        stored = stored * 256
        if photometric == "CIELAB":
            stored[..., 0] = turned[..., 0] * 257
    tifffile.imwrite(tmp_path / "a.tif", stored.astype(dtype), photometric=photometric)
    image = open_image(tmp_path / "a.tif")
    assert image.dtype == dtype
    off = whole(image) / (257 if dtype == np.uint16 else 1) - np.asarray(rgb)
    assert np.abs(off).max() < 12  # of saturated colours, rounded to 8 bits in Lab
    assert np.abs(off).mean() < 1


def test_raw_camera_data_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30), photometric="cfa")
    with pytest.raises(ImageOpenError, match=r"raw data of a camera\. Develop it to RGB"):
        open_image(tmp_path / "a.tif")


def test_palettes_for_display_keep_the_measured_values(tmp_path, reading):
    pixels = noise(20, 30)
    colormap = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, colormap=colormap, photometric="palette")
    image = open_image(tmp_path / "a.tif")
    assert image.channel_names == ("Gray",)
    np.testing.assert_array_equal(whole(image)[..., 0], pixels)


def test_the_table_is_in_the_documentation():
    text = (ROOT / "docs/reference/file-formats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE)
    assert set(MEANINGS) <= set(rows)
