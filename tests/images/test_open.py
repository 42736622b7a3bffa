"""Opening arrays and pictures, and refusing what cannot be used."""

import re

import numpy as np
import PIL.Image
import pytest
import tifffile

from histowidgets.errors import ImageError, ImageOpenError, ImageSizeError, ImageValueError, RegionError
from histowidgets.images import ArrayImage, open_image


def ramp(*shape, dtype=np.uint8):
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "size", "n_channels"),
    [
        ((40, 60), (60, 40), 1),
        ((40, 60, 3), (60, 40), 3),
        ((3, 40, 60), (60, 40), 3),
        ((5, 100, 100), (100, 100), 5),
        ((100, 100, 5), (100, 100), 5),
        ((64, 70, 80), (80, 70), 64),
        ((70, 80, 64), (80, 70), 64),
        ((64, 64, 3), (64, 64), 3),
        ((3, 64, 64), (64, 64), 3),
        ((1, 40, 60), (60, 40), 1),
        ((40, 60, 1), (60, 40), 1),
        ((1, 40, 60, 3), (60, 40), 3),
    ],
)
def test_channels_first_and_last_are_told_apart(shape, size, n_channels):
    image = open_image(ramp(*shape))
    assert (image.width, image.height) == size
    assert len(image.channel_names) == n_channels


def test_channels_first_gives_the_same_pixels_as_channels_last():
    pixels = ramp(40, 60, 5)
    first, last = open_image(np.moveaxis(pixels, -1, 0)), open_image(pixels)
    np.testing.assert_array_equal(first.read(3, 4, 20, 10), last.read(3, 4, 20, 10))


def test_channel_names_settle_which_axis_is_meant():
    pixels = ramp(10, 30, 12)
    assert open_image(pixels).width == 12  # ten channels are fewer than twelve
    assert open_image(pixels, channel_names=[f"c{i}" for i in range(12)]).width == 30


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_dtypes_are_kept(dtype):
    pixels = ramp(20, 30, 2, dtype=dtype)
    image = open_image(pixels)
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read(0, 0, 30, 20), pixels)


def test_other_numbers_keep_their_values():
    assert open_image(np.eye(4, dtype=bool)).read(0, 0, 4, 4)[..., 0].tolist()[0] == [255, 0, 0, 0]
    signed = np.array([[-5, 7], [1, 2]], np.int16)
    assert open_image(signed).read(0, 0, 2, 2)[..., 0].tolist() == signed.tolist()
    wide = np.array([[2**31, 7], [1, 2]], np.int64)
    assert open_image(wide).read(0, 0, 2, 2)[..., 0].tolist() == wide.tolist()
    swapped = ramp(4, 4, dtype=np.dtype(">u2"))
    assert open_image(swapped).dtype == np.uint16


def test_an_image_does_not_follow_its_array():
    pixels = ramp(20, 30)
    image = open_image(pixels)
    pixels[:] = 0
    assert image.read(1, 0, 1, 1).item() == 1
    image.read(0, 0, 30, 20)[:] = 0
    assert image.read(1, 0, 1, 1).item() == 1


def test_names_and_pixel_size():
    image = open_image(ramp(20, 30, 2), name="mine", channel_names=["DAPI", "CD3"], pixel_size_um=0.5)
    assert (image.name, image.channel_names, image.pixel_size_um) == ("mine", ("DAPI", "CD3"), 0.5)
    assert image.source is None
    assert image.downsamples == (1.0,)
    assert open_image(image) is image
    assert open_image(ramp(20, 30, 3)).channel_names == ("Red", "Green", "Blue")
    assert open_image(ramp(20, 30)).channel_names == ("Gray",)


def test_an_open_image_is_not_renamed():
    with pytest.raises(ImageError, match="cannot change"):
        open_image(open_image(ramp(20, 30)), name="other")


@pytest.mark.parametrize("pixel_size", [0, -1, True, np.nan, np.inf, "half", [0.5]])
def test_a_bad_pixel_size_is_refused(pixel_size):
    with pytest.raises(ImageError, match="pixel size"):
        open_image(ramp(20, 30), pixel_size_um=pixel_size)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 50, 3), (50, 1, 3), (1, 1)])
def test_an_image_of_one_row_is_refused(shape):
    with pytest.raises(ImageSizeError, match="each side must have at least 2"):
        open_image(ramp(*shape))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((100, 200, 300), "at most 64"),
        ((65, 70, 80), "at most 64"),
        ((10,), "shape"),
        ((4, 5, 40, 60), "one plane of a stack"),
        ((0, 5), "each side"),
    ],
)
def test_wrong_shapes_are_refused(shape, message):
    with pytest.raises(ImageSizeError, match=message):
        open_image(np.zeros(shape, np.uint8))


def test_wrong_number_of_channel_names_is_refused():
    with pytest.raises(ImageSizeError, match=r"has 3 channel\(s\), but 2"):
        open_image(ramp(20, 30, 3), channel_names=["a", "b"])


TEXT = np.array([["a", "b"], ["c", "d"]])


@pytest.mark.parametrize("array", [TEXT.astype(object), TEXT, np.ones((2, 2), complex)])
def test_arrays_of_no_numbers_are_refused(array):
    with pytest.raises(ImageError, match="has pixels of type"):
        open_image(array)


def test_what_is_no_image_at_all_is_refused():
    with pytest.raises(ImageError, match="cannot be made from a int"):
        open_image(3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinity_is_refused_with_its_place(dtype):
    pixels = np.zeros((20, 30, 2), dtype)
    pixels[7, 3, 1], pixels[9, 9, 0] = -np.inf, np.inf
    with pytest.raises(ImageValueError, match=r"2 infinite value\(s\).*x=3, y=7, channel 2"):
        open_image(pixels)


@pytest.mark.parametrize(
    "options", [{"name": 3}, {"name": " "}, {"channel_names": "abc"}, {"channel_names": 5}, {"channel_names": ["a"]}]
)
def test_names_that_are_none_are_refused(options):
    with pytest.raises(ImageError, match="name"):
        open_image(ramp(40, 60, 3), **options)


@pytest.mark.parametrize("downsample", ["2", None, [2]])
def test_a_downsample_that_is_no_number_is_refused(downsample):
    with pytest.raises(RegionError, match="at least 1"):
        open_image(ramp(40, 60, 3)).read(0, 0, 10, 10, downsample)


def test_a_picture_of_pillows_opens():
    pixels = ramp(40, 60, 3)
    assert (open_image(PIL.Image.fromarray(pixels)).read(0, 0, 60, 40) == pixels).all()
    palette = PIL.Image.new("P", (60, 40), 1)
    palette.putpalette([0, 0, 0, 250, 10, 20])
    assert open_image(palette, name="p").read(5, 5, 1, 1).tolist() == [[[250, 10, 20]]]


@pytest.mark.parametrize("shape", [(2, 60, 3), (3, 60, 3), (2, 5, 3), (60, 2, 3), (2, 60)])
def test_a_picture_of_few_rows_is_no_channels_first(tmp_path, shape):
    pixels = ramp(*shape)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb" if len(shape) == 3 else "minisblack")
    for given in (tmp_path / "a.png", tmp_path / "a.tif", PIL.Image.fromarray(pixels)):
        image = open_image(given)
        assert (image.height, image.width) == shape[:2]
        np.testing.assert_array_equal(image.read(0, 0, image.width, image.height), pixels.reshape(*shape[:2], -1))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ImageOpenError, match="There is no file"):
        open_image(tmp_path / "none.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageOpenError, match="is a folder"):
        open_image(tmp_path)


@pytest.mark.parametrize("name", ["text.png", "text.tif", "text"])
def test_a_file_that_is_no_image_is_refused(tmp_path, name):
    (tmp_path / name).write_text("Dear diary, today I painted glands.")
    with pytest.raises(ImageOpenError, match=re.escape("is not a supported image")):
        open_image(tmp_path / name)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageOpenError, match="is empty"):
        open_image(tmp_path / "empty.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
def test_a_picture_cut_short_is_refused(tmp_path, ending):
    path = tmp_path / f"whole.{ending}"
    PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 90, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageOpenError, match="truncated or damaged"):
        open_image(path)


@pytest.mark.parametrize("ending", ["png", "bmp"])
def test_pictures_come_back_exactly(tmp_path, ending):
    pixels = ramp(40, 60, 3)
    path = tmp_path / f"a.b.{ending}"
    PIL.Image.fromarray(pixels).save(path)
    image = open_image(str(path))
    assert image.name == "a.b"
    assert image.source == str(path)
    np.testing.assert_array_equal(image.read(0, 0, 60, 40), pixels)


def test_jpeg_opens(tmp_path):
    PIL.Image.new("RGB", (60, 40), (200, 30, 90)).save(tmp_path / "a.jpg", quality=95)
    image = open_image(tmp_path / "a.jpg")
    assert abs(image.read(30, 20, 1, 1).ravel().astype(int) - [200, 30, 90]).max() < 4


def test_gray_stays_gray_and_palette_becomes_rgb(tmp_path):
    gray = ramp(40, 60)
    PIL.Image.fromarray(gray).save(tmp_path / "gray.png")
    assert open_image(tmp_path / "gray.png").channel_names == ("Gray",)
    palette = PIL.Image.new("P", (60, 40), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "palette.png")
    image = open_image(tmp_path / "palette.png")
    assert image.read(5, 5, 1, 1).ravel().tolist() == [10, 20, 30]


def test_one_bit_becomes_0_and_255(tmp_path):
    PIL.Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "bits.png")
    assert np.unique(open_image(tmp_path / "bits.png").read(0, 0, 8, 8)).tolist() == [0, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_is_laid_over_white(tmp_path, dtype):
    import imagecodecs

    full = np.iinfo(dtype).max
    pixels = np.zeros((8, 8, 4), dtype)
    pixels[:4, :, 3] = full  # opaque black above, clear below
    (tmp_path / "clear.png").write_bytes(imagecodecs.png_encode(pixels))
    image = open_image(tmp_path / "clear.png")
    assert image.dtype == dtype
    assert len(image.channel_names) == 3
    assert np.unique(image.read(0, 0, 8, 4)).tolist() == [0]
    assert np.unique(image.read(0, 4, 8, 4)).tolist() == [full]


def test_gray_with_transparency_stays_one_channel(tmp_path):
    PIL.Image.new("LA", (8, 8), (100, 255)).save(tmp_path / "la.png")
    image = open_image(tmp_path / "la.png")
    assert image.channel_names == ("Gray",)
    assert image.read(0, 0, 1, 1).item() == 100


def test_sixteen_bit_pictures_keep_sixteen_bits(tmp_path):
    import imagecodecs

    gray = np.array([[0, 300], [40000, 65535]], np.uint16)
    PIL.Image.fromarray(gray).save(tmp_path / "gray16.png")
    image = open_image(tmp_path / "gray16.png")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image.read(0, 0, 2, 2)[..., 0], gray)
    colour = np.random.default_rng(0).integers(0, 65535, (6, 7, 3), np.uint16)
    (tmp_path / "colour16.png").write_bytes(imagecodecs.png_encode(colour))
    np.testing.assert_array_equal(open_image(tmp_path / "colour16.png").read(0, 0, 7, 6), colour)


def test_a_picture_of_too_many_pixels_names_its_size(tmp_path, monkeypatch):
    PIL.Image.new("RGB", (60, 40)).save(tmp_path / "large.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageOpenError, match=r"2400 pixels.*pyramidal OME-TIFF"):
        open_image(tmp_path / "large.png")


def test_a_printers_resolution_is_no_pixel_size(tmp_path):
    picture = PIL.Image.new("RGB", (60, 40))
    picture.save(tmp_path / "print.png", dpi=(300, 300))
    picture.save(tmp_path / "scope.png", dpi=(50_800, 50_800))
    assert open_image(tmp_path / "print.png").pixel_size_um is None
    assert open_image(tmp_path / "scope.png").pixel_size_um == pytest.approx(0.5, rel=1e-3)


def test_repr_says_what_it_is():
    assert repr(ArrayImage(ramp(20, 30), "x", pixel_size_um=0.5)) == "<ArrayImage 'x': 30 x 20, 1 x uint8, 0.5 um/px>"


def test_real_pictures_open(shared_data):
    gland = open_image(shared_data / "glands" / "images" / "train_1.png")
    assert (gland.width, gland.height, len(gland.channel_names)) == (775, 522, 3)
    nuclei = open_image(shared_data / "fluorescence" / "images" / "fluo_000.png")
    assert (nuclei.width, nuclei.height, nuclei.channel_names) == (696, 520, ("Gray",))
