"""Pictures of more than 8 bits, and others that Pillow would change."""

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from histowidgets.errors import ImageChoiceWarning, ImageOpenError
from histowidgets.images import open_image

DEEP = np.random.default_rng(0).integers(0, 4096, (40, 60, 3)).astype(np.uint16)


def whole(image):
    return image.read(0, 0, image.width, image.height)


@pytest.mark.parametrize("n_channels", [1, 3, 4])
@pytest.mark.parametrize("codec", ["jp2", "j2k"])
def test_jpeg_2000_of_16_bits(tmp_path, n_channels, codec):
    pixels = np.dstack([DEEP, DEEP[..., 0]])[..., :n_channels]
    stored = pixels[..., 0] if n_channels == 1 else pixels
    content = imagecodecs.jpeg2k_encode(stored, codecformat=codec, reversible=True, level=0)
    (tmp_path / f"a.{codec}").write_bytes(content)
    image = open_image(tmp_path / f"a.{codec}")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(whole(image), pixels)


def test_jpeg_2000_of_8_bits(tmp_path):
    pixels = (DEEP >> 4).astype(np.uint8)
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", reversible=True, level=0))
    image = open_image(tmp_path / "a.jp2")
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(whole(image), pixels)


@pytest.mark.parametrize("largest", [256, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_pgm_and_ppm_keep_their_values(tmp_path, kind, largest):
    pixels = DEEP[..., :1] if kind in ("P2", "P5") else DEEP
    pixels = np.minimum(pixels, largest)
    header = f"{kind}\n# a comment\n60 40\n{largest}\n".encode()
    body = pixels.astype(">u2").tobytes() if kind in ("P5", "P6") else " ".join(map(str, pixels.ravel())).encode()
    (tmp_path / "a.ppm").write_bytes(header + body)
    image = open_image(tmp_path / "a.ppm")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(whole(image), pixels)
    (tmp_path / "a.ppm").write_bytes((header + body)[: len(header + body) // 2])
    with pytest.raises(ImageOpenError, match="truncated or damaged"):
        open_image(tmp_path / "a.ppm")


@pytest.mark.parametrize("n_channels", [2, 3, 4])
def test_png_of_16_bits(tmp_path, n_channels):
    pixels = np.dstack([DEEP, DEEP[..., 0]])[..., :n_channels].copy()
    if n_channels in (2, 4):
        pixels[..., -1] = 65535
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    image = open_image(tmp_path / "a.png")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(whole(image), pixels if n_channels == 3 else pixels[..., :-1])


def test_a_transparent_gray_of_a_png_of_16_bits(tmp_path):
    gray = DEEP[..., 0]
    PIL.Image.fromarray(gray).save(tmp_path / "a.png", transparency=int(gray[0, 0]))
    image = open_image(tmp_path / "a.png")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(whole(image)[..., 0], np.where(gray == gray[0, 0], 65535, gray))


def test_a_pillow_image_of_gray_multiplied_by_its_transparency():
    picture = PIL.Image.new("LA", (4, 4), (200, 128))
    picture.putpixel((1, 1), (90, 255))
    pixels = whole(open_image(picture.convert("La")))
    assert abs(int(pixels[0, 0, 0]) - round(200 * 128 / 255 + 127)) <= 1
    assert pixels[1, 1].tolist() == [90]


def test_jpeg_of_12_bits(tmp_path):
    smooth = np.add.outer(np.arange(64) * 20, np.arange(64) * 20).astype(np.uint16)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg8_encode(smooth, level=100, bitspersample=12))
    image = open_image(tmp_path / "a.jpg")
    assert image.dtype == np.uint16
    assert np.abs(whole(image)[..., 0].astype(int) - smooth).max() < 20


def test_a_jpeg_of_cmyk_is_that_of_pillow(tmp_path):
    picture = PIL.Image.fromarray((DEEP >> 4).astype(np.uint8)).convert("CMYK")
    picture.save(tmp_path / "a.jpg", quality=100)
    with PIL.Image.open(tmp_path / "a.jpg") as read:
        np.testing.assert_array_equal(whole(open_image(tmp_path / "a.jpg")), np.asarray(read.convert("RGB")))


def test_pictures_of_a_film_are_chosen(tmp_path):
    frames = [PIL.Image.new("L", (30, 20), value) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(ImageChoiceWarning, match="has 2 images"):
        assert whole(open_image(tmp_path / "a.gif"))[0, 0, 0] == 10
    again = open_image(tmp_path / "a.gif", series=1)
    assert again.opened_with == {"series": 1}
    assert whole(again)[0, 0, 0] == 200
