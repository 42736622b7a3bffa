"""TIFF in all its forms, read in parts."""

import threading
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile

from histowidgets.errors import ImageOpenError, ImageSizeError, ImageValueError
from histowidgets.images import open_image
from histowidgets.images.readers import _tiff


def whole(image):
    return image.read(0, 0, image.width, image.height)


def noise(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)


@pytest.fixture
def lazy(monkeypatch):
    """Make even small files be read in parts."""
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0)


LAYOUTS = {
    "plain": {},
    "rgb tiles": {"tile": (32, 48), "compression": "zlib"},
    "lzw strips": {"rowsperstrip": 7, "compression": "lzw", "predictor": True},
    "planes": {"planarconfig": "separate", "tile": (16, 16), "compression": "zlib"},
    "plain planes": {"planarconfig": "separate"},
    "big endian": {"byteorder": ">"},
    "big tiff": {"bigtiff": True, "rowsperstrip": 5},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_layout_reads_the_same_in_parts(tmp_path, lazy, layout, dtype):
    pixels = noise(90, 110, 3, dtype=dtype)
    options = dict(LAYOUTS[layout])
    stored = np.moveaxis(pixels, -1, 0) if "planarconfig" in options else pixels
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **options)
    image = open_image(tmp_path / "a.tif")
    assert isinstance(image, _tiff.TiffImage)
    np.testing.assert_array_equal(whole(image), pixels)
    for x, y, w, h in [(0, 0, 1, 1), (31, 15, 50, 40), (109, 89, 1, 1), (5, 0, 100, 90)]:
        np.testing.assert_array_equal(image.read(x, y, w, h), pixels[y : y + h, x : x + w])


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("axes", ["CYX", "YXS", "YX"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_ome_tiff_of_any_axes(tmp_path, monkeypatch, axes, dtype, lazily):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 1 << 20)
    shape = {"CYX": (5, 60, 70), "YXS": (60, 70, 3), "YX": (60, 70)}[axes]
    pixels = noise(*shape, dtype=dtype)
    metadata = {"axes": axes, "PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm"}
    names = [f"marker {i}" for i in range(5)]
    if axes == "CYX":
        metadata["Channel"] = {"Name": names}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata, photometric="rgb" if axes == "YXS" else None)
    image = open_image(tmp_path / "a.ome.tif")
    expected = {"CYX": lambda: np.moveaxis(pixels, 0, -1), "YXS": lambda: pixels, "YX": lambda: pixels[..., None]}
    np.testing.assert_array_equal(whole(image), expected[axes]())
    assert image.name == "a"
    assert image.pixel_size_um == pytest.approx(0.25)
    if axes == "CYX":
        assert image.channel_names == tuple(names)


def test_what_is_given_goes_before_what_the_file_says(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(2, 60, 70), metadata={"axes": "CYX", "PhysicalSizeX": 0.5})
    image = open_image(tmp_path / "a.ome.tif", name="b", channel_names=["x", "y"], pixel_size_um=1.5)
    assert (image.name, image.channel_names, image.pixel_size_um) == ("b", ("x", "y"), 1.5)


def write_pyramid(path, pixels, subifds=True):
    with tifffile.TiffWriter(path, ome=subifds) as writer:
        options = {"tile": (64, 64), "compression": "zlib", "photometric": "rgb"}
        if subifds:
            writer.write(pixels, subifds=2, **options)
        else:
            writer.write(pixels, **options)
        for step in (2, 4):
            height, width = pixels.shape[0] // step, pixels.shape[1] // step
            level = pixels[: height * step, : width * step].astype(float)
            level = np.rint(level.reshape(height, step, width, step, 3).mean((1, 3))).astype(np.uint8)
            writer.write(level, subfiletype=1, **options)


@pytest.mark.parametrize("subifds", [True, False])
def test_pyramids_give_their_levels(tmp_path, subifds):
    pixels = noise(301, 407, 3)
    write_pyramid(tmp_path / "p.ome.tif", pixels, subifds)
    image = open_image(tmp_path / "p.ome.tif")
    assert image.downsamples == (1.0, 2.0, 4.0)
    flat = open_image(pixels)
    np.testing.assert_array_equal(whole(image), pixels)
    for step in (2, 4, 8):
        read, expected = image.read(0, 0, 407, 301, step), flat.read(0, 0, 407, 301, step)
        assert read.shape == expected.shape
        inner = (slice(0, 301 // step), slice(0, 407 // step))  # the stored level lacks the odd last pixels
        assert np.abs(read[inner].astype(int) - expected[inner]).max() <= 1
    # A region that does not begin on a pixel of the level, and a downsample between levels.
    for region, step in [((3, 5, 200, 120), 4), ((3, 5, 200, 120), 3), ((0, 0, 407, 301), 2.5)]:
        read, expected = image.read(*region, step), flat.read(*region, step)
        assert read.shape == expected.shape
        assert np.abs(read.astype(float) - expected).mean() < 30


def test_reading_at_a_level_reads_that_level_alone(tmp_path, monkeypatch):
    write_pyramid(tmp_path / "p.ome.tif", noise(512, 512, 3))
    image = open_image(tmp_path / "p.ome.tif")
    seen = []
    original = image._read_level
    monkeypatch.setattr(image, "_read_level", lambda level, *rest: (seen.append(level), original(level, *rest))[1])
    image.read(0, 0, 512, 512, 4)
    image.read(0, 0, 512, 512, 3)
    image.read(0, 0, 512, 512, 64)
    assert seen == [2, 1, 2]


@pytest.mark.parametrize("name", ["pyramid.ome.tif", "pyramid_generic.tif"])
def test_real_pyramids(shared_data, name):
    image = open_image(shared_data / "slide" / name)
    assert (image.width, image.height) == (2220, 2967)
    assert image.downsamples == (1.0, 2.0, 4.0, 8.0)
    assert image.pixel_size_um == pytest.approx(0.499)
    slide = open_image(shared_data / "slide" / "colon_20x.svs")
    for step in (1, 4, 6.3):
        a, b = image.read(600, 700, 512, 512, step), slide.read(600, 700, 512, 512, step)
        assert np.abs(a.astype(float) - b).mean() < 5  # JPEG twice over


def test_an_aperio_slide(shared_data):
    image = open_image(shared_data / "slide" / "colon_20x.svs")
    assert (image.width, image.height, image.channel_names) == (2220, 2967, ("Red", "Green", "Blue"))
    assert image.pixel_size_um == pytest.approx(0.499)
    red, green, blue = image.read(0, 0, 2220, 2967, 16).mean((0, 1))
    assert green < blue < red  # pink and purple, so the colours are in their places


@pytest.mark.parametrize(
    ("name", "size", "n_channels", "dtype", "pixel_size"),
    [
        ("hela_cells", (672, 512), 3, np.uint16, 0.05149),
        ("nuclei_tubulin", (226, 214), 2, np.uint16, None),
        ("cell_dna_mts_actin", (350, 350), 3, np.uint16, 0.13249),
        ("nuclei_various", (269, 253), 1, np.uint16, 0.2),
        ("saturated_plant_12bit", (512, 512), 1, np.uint16, 2.48592),
        ("imc_5ch_float32", (100, 100), 5, np.float32, None),
        ("nuclei_tubulin_labels", (226, 214), 1, np.uint8, None),
    ],
)
def test_microscope_files(shared_data, name, size, n_channels, dtype, pixel_size):
    path = next((shared_data / "uint16").glob(name + ".tif*"))
    image = open_image(path)
    assert (image.width, image.height) == size
    assert (len(image.channel_names), image.dtype) == (n_channels, dtype)
    assert image.pixel_size_um == (None if pixel_size is None else pytest.approx(pixel_size, rel=1e-3))
    stored = tifffile.imread(path)
    expected = np.moveaxis(stored, 0, -1) if stored.ndim == 3 and stored.shape[0] == n_channels else stored
    np.testing.assert_array_equal(whole(image), expected.reshape(*size[::-1], n_channels))


def test_an_array_saved_with_channels_last_and_unnamed_axes(tmp_path):
    pixels = noise(100, 120, 5)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif")), pixels)
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(pixels, -1, 0), photometric="minisblack")
    np.testing.assert_array_equal(whole(open_image(tmp_path / "b.tif")), pixels)


@pytest.mark.parametrize("lazily", [False, True])
def test_colour_spaces(tmp_path, monkeypatch, lazily):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 1 << 20)
    gray = noise(20, 30)
    tifffile.imwrite(tmp_path / "inverted.tif", gray, photometric="miniswhite")
    np.testing.assert_array_equal(whole(open_image(tmp_path / "inverted.tif"))[..., 0], 255 - gray)
    colormap = np.arange(768, dtype=np.uint16).reshape(3, 256) * 85
    tifffile.imwrite(tmp_path / "palette.tif", gray, photometric="palette", colormap=colormap)
    palette = open_image(tmp_path / "palette.tif")
    np.testing.assert_array_equal(whole(palette), (colormap >> 8).T[gray])
    clear = noise(20, 30, 4)
    clear[..., 3] = 0
    tifffile.imwrite(tmp_path / "clear.tif", clear, photometric="rgb", extrasamples=["unassalpha"])
    image = open_image(tmp_path / "clear.tif")
    assert image.channel_names == ("Red", "Green", "Blue")
    np.testing.assert_array_equal(whole(image), clear[..., :3])
    tifffile.imwrite(tmp_path / "four.tif", clear, photometric="rgb", extrasamples=["unspecified"])
    assert len(open_image(tmp_path / "four.tif").channel_names) == 4


def test_too_many_channels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "c.ome.tif", noise(65, 70, 80), metadata={"axes": "CYX"})
    with pytest.raises(ImageSizeError, match="65 channels"):
        open_image(tmp_path / "c.ome.tif")


def test_one_row_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "row.tif", noise(1, 80))
    with pytest.raises(ImageSizeError, match="80 x 1 pixels"):
        open_image(tmp_path / "row.tif")


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("layout", ["plain", "rgb tiles", "lzw strips"])
def test_a_file_cut_short_is_refused(tmp_path, monkeypatch, layout, share, lazily):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 1 << 30)
    tifffile.imwrite(tmp_path / "a.tif", noise(300, 300, 3), photometric="rgb", **LAYOUTS[layout])
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageOpenError, match="truncated"):
        open_image(tmp_path / "a.tif")


def test_only_a_tiff_header_is_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0")
    with pytest.raises(ImageOpenError, match="truncated"):
        open_image(tmp_path / "a.tif")


def test_a_damaged_tile_is_named_when_it_is_read(tmp_path, lazy):
    tifffile.imwrite(tmp_path / "a.tif", noise(128, 128), tile=(64, 64), compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[0].dataoffsets[3]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[offset : offset + 40] = bytes(40)
    (tmp_path / "a.tif").write_bytes(content)
    image = open_image(tmp_path / "a.tif")
    image.read(0, 0, 64, 64)
    with pytest.raises(ImageOpenError, match="cannot be decoded"):
        image.read(64, 64, 64, 64)


@pytest.mark.parametrize("lazily", [False, True])
def test_infinity_in_a_file_is_refused_at_the_latest_when_read(tmp_path, monkeypatch, lazily):
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if lazily else 1 << 20)
    pixels = np.zeros((60, 70), np.float32)
    pixels[40, 50] = np.inf
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(16, 16))
    if not lazily:
        with pytest.raises(ImageValueError, match=r"1 infinite value\(s\).*x=50, y=40"):
            open_image(tmp_path / "a.tif")
        return
    image = open_image(tmp_path / "a.tif")
    image.read(0, 0, 40, 30)
    with pytest.raises(ImageValueError, match=r"1 infinite value\(s\).*x=50, y=40"):
        image.read(35, 35, 20, 20)


def test_threads_read_parts_at_once(tmp_path, lazy):
    pixels = noise(400, 400, 3)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", tile=(64, 64), compression="zlib")
    image = open_image(tmp_path / "a.tif")
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(40):
            x, y = rng.integers(0, 300, 2)
            if not np.array_equal(image.read(int(x), int(y), 100, 100), pixels[y : y + 100, x : x + 100]):
                wrong.append((x, y))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_huge_file_is_opened_without_being_read(tmp_path):
    path = tmp_path / "huge.tif"
    tile = zlib.compress(bytes([7]) * 512 * 512)
    tifffile.imwrite(
        path,
        (tile for _ in range(79 * 79)),
        shape=(40_000, 40_000),
        dtype=np.uint8,
        tile=(512, 512),
        compression="zlib",
    )
    tracemalloc.start()
    image = open_image(path)
    assert (image.read(39_000, 39_000, 256, 256) == 7).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
