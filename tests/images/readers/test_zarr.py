"""OME-Zarr of both versions, read in parts."""

import json

import numcodecs
import numpy as np
import pytest
import zarr

from histowidgets.errors import ImageError, ImageOpenError, ImageSizeError
from histowidgets.images import auto_contrast, open_image, thumbnail
from histowidgets.images.readers import _zarr
from histowidgets.images.readers._zarr import ZarrImage

UNITS = {"x": "micrometer", "y": "micrometer", "z": "micrometer", "t": "second"}
TYPES = {"t": "time", "c": "channel"}


def noise(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(1, 250, shape).astype(dtype)


def halved(pixels):
    return pixels[..., ::2, ::2]


def write(
    path,
    pixels,
    axes="cyx",
    version="0.5",
    levels=2,
    size=0.5,
    units=UNITS,
    chunk=64,
    shard=None,
    codec="auto",
    **extra,
):
    """Write a pyramid as the specification has it; level n has every 2**n-th pixel."""
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if version == "0.5" else 2)
    datasets, level = [], pixels
    for n in range(levels):
        chunks = [min(chunk, s) if a in "yx" else 1 for a, s in zip(axes, level.shape, strict=True)]
        shards = None if shard is None else [shard if a in "yx" else 1 for a in axes]
        data = np.ascontiguousarray(level)
        group.create_array(f"s{n}", data=data, chunks=chunks, shards=shards, compressors=codec)
        scale = [size * 2**n if a in "yx" else 1.0 for a in axes]
        datasets.append({"path": f"s{n}", "coordinateTransformations": [{"type": "scale", "scale": scale}]})
        level = halved(level)
    described = [
        {"name": a, "type": TYPES.get(a, "space")} | ({"unit": units[a]} if units.get(a) else {}) for a in axes
    ]
    ome = {"multiscales": [{"version": version, "axes": described, "datasets": datasets}], **extra}
    group.attrs.update({"ome": {"version": version, **ome}} if version == "0.5" else ome)
    return path


def attributes_file(path, version):
    return path / ("zarr.json" if version == "0.5" else ".zattrs")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "czyx", "cyx", "zyx", "yx"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_order_of_axes_reads_the_same(tmp_path, version, axes, dtype):
    shape = {"t": 1, "c": 4, "z": 1, "y": 150, "x": 201}
    pixels = noise(*[shape[a] for a in axes], dtype=dtype)
    image = open_image(write(tmp_path / "a.ome.zarr", pixels, axes, version))
    wanted = np.moveaxis(pixels.reshape(4 if "c" in axes else 1, 150, 201), 0, -1)
    assert isinstance(image, ZarrImage)
    assert (image.name, image.width, image.height, image.dtype) == ("a", 201, 150, dtype)
    assert (image.pixel_size_um, image.downsamples) == (0.5, (1.0, 2.0))
    assert image.source == str(tmp_path / "a.ome.zarr")
    for x, y, w, h in [(0, 0, 201, 150), (0, 0, 1, 1), (200, 149, 1, 1), (60, 63, 70, 3), (3, 5, 190, 140)]:
        np.testing.assert_array_equal(image.read(x, y, w, h), wanted[y : y + h, x : x + w])
    np.testing.assert_array_equal(image.read(64, 32, 80, 100, 2), wanted[32:132:2, 64:144:2])


def test_blocks_of_several_chunks_and_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(_zarr, "_BLOCK_SIDE", 70)
    pixels = noise(2, 500, 600)
    image = open_image(write(tmp_path / "a.zarr", pixels, chunk=32))
    for _ in range(2):
        got = image.read(31, 33, 500, 400)
        np.testing.assert_array_equal(got, np.moveaxis(pixels[:, 33:433, 31:531], 0, -1))
        got[:] = 0  # the caller's to change: what is kept stays as it is


def test_opening_reads_no_pixels_and_a_region_only_its_own(tmp_path, monkeypatch):
    read, real = [], _zarr._Level.read
    monkeypatch.setattr(_zarr._Level, "read", lambda self, *place: read.append(place) or real(self, *place))
    image = open_image(write(tmp_path / "a.zarr", noise(1, 1024, 1024), levels=1))
    assert read == []
    image.read(300, 600, 100, 100)
    image.read(310, 610, 100, 100)
    assert read == [(256, 512)]


def test_a_chunk_that_is_not_stored_is_the_fill_value(tmp_path):
    pixels = noise(1, 512, 512)
    pixels[:, :256, :256] = 0
    for version in ("0.4", "0.5"):
        image = open_image(write(tmp_path / f"{version}.zarr", pixels, version=version, chunk=256))
        np.testing.assert_array_equal(image.read(0, 0, 512, 512), np.moveaxis(pixels, 0, -1))


def test_shards(tmp_path):
    pixels = noise(1, 256, 256)
    image = open_image(write(tmp_path / "a.zarr", pixels, levels=1, chunk=32, shard=128))
    np.testing.assert_array_equal(image.read(0, 0, 256, 256), np.moveaxis(pixels, 0, -1))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_names_and_colours_of_channels(tmp_path, version):
    channels = [{"label": "DAPI", "color": "0000ff"}, {"label": "", "color": "00FF00"}, {"color": "FFFFFF"}]
    image = open_image(write(tmp_path / "a.zarr", noise(3, 50, 60), version=version, omero={"channels": channels}))
    assert image.channel_names == ("DAPI", "Channel 2", "Channel 3")
    assert image.channel_colors == ("#0000FF", "#00FF00", "#FFFFFF")
    assert [c.color for c in auto_contrast(image)] == ["#0000FF", "#00FF00", "#FFFFFF"]
    blue = open_image(
        write(tmp_path / "b.zarr", noise(1, 50, 60), omero={"channels": [{"label": "DAPI", "color": "0000FF"}]})
    )
    picture = thumbnail(blue)
    assert picture[..., 2].any()
    assert not picture[..., :2].any()


@pytest.mark.parametrize(
    "omero", [{}, {"channels": []}, {"channels": [{"label": "x", "color": "red"}]}, {"channels": [1, 2, 3]}, "none"]
)
def test_omero_that_does_not_fit_is_left_out(tmp_path, omero):
    image = open_image(write(tmp_path / "a.zarr", noise(3, 50, 60), omero=omero))
    assert image.channel_names == ("Red", "Green", "Blue")
    assert image.channel_colors is None


def test_red_green_and_blue_of_8_bits_are_shown_as_they_are(tmp_path):
    channels = [{"label": n, "color": c} for n, c in zip("RGB", ("FF0000", "00FF00", "0000FF"), strict=True)]
    pixels = noise(3, 50, 60)
    image = open_image(write(tmp_path / "a.zarr", pixels, omero={"channels": channels}))
    np.testing.assert_array_equal(thumbnail(image), np.moveaxis(pixels, 0, -1))


def test_what_is_given_counts_more_than_the_file(tmp_path):
    path = write(tmp_path / "a.zarr", noise(2, 50, 60), omero={"channels": [{"label": "a"}, {"label": "b"}]})
    image = open_image(path, name="n", channel_names=["x", "y"], pixel_size_um=2)
    assert (image.name, image.channel_names, image.pixel_size_um) == ("n", ("x", "y"), 2.0)
    with pytest.raises(ImageSizeError, match=r"2 channel\(s\), but 3"):
        open_image(path, channel_names=["x", "y", "z"])


@pytest.mark.parametrize(
    ("unit", "um"), [("nanometer", 5e-4), ("millimeter", 500.0), ("mm", 500.0), (None, None), ("parsec", None)]
)
def test_pixel_size_in_any_unit(tmp_path, unit, um):
    image = open_image(write(tmp_path / "a.zarr", noise(1, 50, 60), units={"x": unit}))
    assert image.pixel_size_um == (um if um is None else pytest.approx(um))


def test_the_scale_of_the_whole_pyramid_counts(tmp_path):
    path = write(tmp_path / "a.zarr", noise(1, 50, 60), version="0.4")
    values = json.loads((path / ".zattrs").read_text())
    values["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [1, 3, 3]}]
    (path / ".zattrs").write_text(json.dumps(values))
    assert open_image(path).pixel_size_um == pytest.approx(1.5)


def test_levels_whose_sizes_are_no_whole_fractions(tmp_path):
    y, x = np.mgrid[:301, :401]
    image = open_image(write(tmp_path / "a.zarr", ((x + y) % 256)[None].astype(np.uint8) // 4, levels=3))
    assert image.downsamples == (1.0, 2.0, 4.0)
    assert image.read(0, 0, 401, 301, 4).shape == (76, 101, 1)
    assert image.read(0, 0, 401, 301, 3.3).shape == (92, 122, 1)


def test_too_many_channels_are_refused(tmp_path):
    with pytest.raises(ImageSizeError, match="has 65 channels"):
        open_image(write(tmp_path / "a.zarr", noise(65, 10, 10), levels=1))


def test_what_bioformats2raw_writes(tmp_path):
    pixels = noise(1, 3, 1, 50, 60)
    root = zarr.open_group(str(tmp_path / "slide.zarr"), mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    write(tmp_path / "slide.zarr" / "0", pixels, "tczyx", "0.4")
    image = open_image(tmp_path / "slide.zarr")
    assert image.name == "slide"
    np.testing.assert_array_equal(image.read(0, 0, 60, 50), np.moveaxis(pixels[0, :, 0], 0, -1))


def test_a_plate_is_refused(tmp_path):
    root = zarr.open_group(str(tmp_path / "plate.zarr"), mode="w")
    root.attrs["ome"] = {"version": "0.5", "plate": {"wells": []}}
    with pytest.raises(ImageOpenError, match=r"plate\.zarr is a plate of many images"):
        open_image(tmp_path / "plate.zarr")


def test_a_zarr_that_is_no_ome_zarr_is_refused(tmp_path):
    zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
    with pytest.raises(ImageOpenError, match=r"g\.zarr is a Zarr folder without an OME-Zarr image"):
        open_image(tmp_path / "g.zarr")
    zarr.save_array(str(tmp_path / "a.zarr"), noise(20, 20))
    with pytest.raises(ImageOpenError, match=r"a\.zarr is a plain Zarr array of shape \(20, 20\).*zarr\.open_array"):
        open_image(tmp_path / "a.zarr")
    write(tmp_path / "image.zarr", noise(50, 60), "yx")
    level = next(path for path in (tmp_path / "image.zarr").iterdir() if path.is_dir())
    with pytest.raises(ImageOpenError, match=r"is one level of the OME-Zarr .*image\.zarr\. Open that"):
        open_image(level)
    (tmp_path / "e.zarr").mkdir()
    with pytest.raises(ImageOpenError, match=r"e\.zarr cannot be read as OME-Zarr"):
        open_image(tmp_path / "e.zarr")
    with pytest.raises(ImageOpenError, match="is a folder"):
        open_image(tmp_path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("keep", [0, 0.5, 0.95])
def test_metadata_cut_short(tmp_path, version, keep):
    path = write(tmp_path / "a.zarr", noise(2, 50, 60), version=version)
    file = attributes_file(path, version)
    text = file.read_text()
    file.write_text(text[: int(len(text) * keep)])
    with pytest.raises(ImageOpenError, match=r"a\.zarr"):
        open_image(path)


def _set(path, keys, value):
    def change(ome):
        for key in keys[:-1]:
            ome = ome[key]
        if value is None:
            del ome[keys[-1]]
        else:
            ome[keys[-1]] = value

    values = json.loads((path / ".zattrs").read_text())
    change(values)
    (path / ".zattrs").write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["multiscales"], {"a": 1}),
        (["multiscales"], 3),
        (["multiscales", 0], "x"),
        (["multiscales", 0, "datasets"], None),
        (["multiscales", 0, "datasets"], []),
        (["multiscales", 0, "datasets", 0, "path"], None),
        (["multiscales", 0, "datasets", 0, "path"], "elsewhere"),
        (["multiscales", 0, "datasets", 0, "path"], ""),
        (["multiscales", 0, "datasets", 0, "path"], "../.."),
        (["multiscales", 0, "datasets", 0, "coordinateTransformations"], [{"type": "scale", "scale": [1]}]),
        (["multiscales", 0, "datasets", 0, "coordinateTransformations"], [{"type": "scale", "scale": "big"}]),
        (["multiscales", 0, "axes"], None),
        (["multiscales", 0, "axes"], ["c", "y"]),
        (["multiscales", 0, "axes"], ["x", "y", "x"]),
        (["multiscales", 0, "axes"], ["y", "x"]),
        (["multiscales", 0, "axes"], [{}, {}, {}]),
        (["multiscales", 0, "datasets", 0, "path"], "s1"),
    ],
)
def test_damaged_descriptions(tmp_path, keys, value):
    path = write(tmp_path / "a.zarr", noise(2, 50, 60), version="0.4")
    _set(path, keys, value)
    if value == "s1":  # the small level alone, twice, is an image, if not the one that was meant
        assert open_image(path).width == 30
        return
    with pytest.raises(ImageOpenError, match=r"a\.zarr"):
        open_image(path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_store_that_was_not_copied_whole(tmp_path, version):
    import shutil

    path = write(tmp_path / "a.zarr", noise(2, 50, 60), version=version)
    for entry in (path / "s0").iterdir():
        if entry.name not in ("zarr.json", ".zarray", ".zattrs"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    with pytest.raises(ImageOpenError, match=r"a\.zarr has no pixels"):
        open_image(path)
    shutil.rmtree(path / "s0")
    with pytest.raises(ImageOpenError, match=r"a\.zarr cannot be read as OME-Zarr.*s0"):
        open_image(path)


@pytest.mark.parametrize(
    ("version", "codec"),
    [
        ("0.4", numcodecs.Blosc()),
        ("0.4", numcodecs.Zstd()),
        ("0.4", numcodecs.GZip()),
        ("0.4", numcodecs.LZ4()),
        ("0.4", None),
        ("0.5", zarr.codecs.BloscCodec()),
        ("0.5", zarr.codecs.ZstdCodec()),
        ("0.5", zarr.codecs.GzipCodec()),
        ("0.5", None),
    ],
)
@pytest.mark.parametrize("keep", [0, 0.0001, 0.5, 0.9999])
def test_a_chunk_cut_short_is_named_when_it_is_read(tmp_path, version, codec, keep):
    pixels = noise(1, 256, 256)
    path = write(tmp_path / "a.zarr", pixels, version=version, chunk=256, levels=2, codec=codec)
    chunks = [f for f in (path / "s0").rglob("*") if f.is_file() and f.name not in _zarr._METADATA_FILES]
    assert len(chunks) == 1
    data = chunks[0].read_bytes()
    chunks[0].write_bytes(data[: int(len(data) * keep)])
    image = open_image(path)
    with pytest.raises(ImageOpenError, match=r"A part of .*a\.zarr \(level 0, near x=0, y=0 of it\) cannot be read"):
        image.read(0, 0, 10, 10)
    np.testing.assert_array_equal(image.read(0, 0, 256, 256, 2)[..., 0], halved(pixels[0]))


def test_levels_that_do_not_belong_together(tmp_path):
    path = write(tmp_path / "a.zarr", noise(2, 50, 60), version="0.4")
    group = zarr.open_group(str(path), mode="r+")
    group.create_array("s1", data=noise(2, 25, 30, dtype=np.uint16), overwrite=True)
    with pytest.raises(ImageOpenError, match=r"levels of .*a\.zarr differ"):
        open_image(path)
    group.create_array("s1", data=noise(2, 99, 30), overwrite=True)
    with pytest.raises(ImageOpenError, match=r"level of .*a\.zarr is larger"):
        open_image(path)


def test_numbers_that_are_none_are_refused(tmp_path):
    path = write(tmp_path / "a.zarr", noise(1, 50, 60).astype(np.complex64), levels=1)
    with pytest.raises(ImageError, match="pixels of type complex64"):
        open_image(path)
