"""Which pixel sizes are believed, from every format, with both axes."""

import imagecodecs
import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from histowidgets.errors import ImageError
from histowidgets.images import open_image
from histowidgets.images.readers._pixel_size import checked_pixel_size

RGB = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


@pytest.mark.parametrize("side", [1e-3, 0.05, 0.25, 0.5, 10.0, 21.0, 100.0, 900.0])
def test_sizes_of_a_microscope_are_believed(side):
    assert checked_pixel_size(side, side) == ((side, side), ())


@pytest.mark.parametrize("side", [1e-9, 1e6, 1e-254, 0.0, -1.0, float("nan"), float("inf")])
def test_sizes_of_no_microscope_are_unknown_and_said(side):
    size = checked_pixel_size(side, side)
    assert size.yx_um is None
    assert "not that of a microscope" in size.notes[0]


@pytest.mark.parametrize("dpi", [72, 75, 96, 100, 150, 200, 300, 600, 1200])
def test_the_resolution_of_a_printer_is_unknown_in_any_unit(dpi):
    as_tag = checked_pixel_size(25_400 / dpi, 25_400 / dpi, is_resolution=True)
    assert as_tag.yx_um is None
    assert f"{dpi} dpi" in as_tag.notes[0]
    in_um = checked_pixel_size(round(25_400 / dpi, 3), round(25_400 / dpi, 3))
    assert in_um.yx_um is None
    assert f"print resolution ({dpi} dpi)" in in_um.notes[0]


def test_pixels_that_are_not_square():
    assert checked_pixel_size(0.5, 0.25).yx_um == (0.5, 0.25)
    assert "0.25 um wide, 0.5 um high" in checked_pixel_size(0.5, 0.25).notes[0]
    assert checked_pixel_size(0.2521, 0.2522) == ((0.2521, 0.2522), ())  # a maker's rounding
    assert checked_pixel_size(None, 0.25).yx_um == (0.25, 0.25)
    half = checked_pixel_size(1e9, 0.25)
    assert half.yx_um == (0.25, 0.25)
    assert "used for both" in half.notes[0]


def ome(path, y, x):
    metadata = {"axes": "YXS", "PhysicalSizeX": x, "PhysicalSizeY": y}
    tifffile.imwrite(path, RGB, photometric="rgb", ome=True, metadata=metadata)


def imagej(path, y, x):
    tifffile.imwrite(path, RGB[..., 0], imagej=True, resolution=(1 / x, 1 / y), metadata={"unit": "um"})


def resolution(path, y, x):
    tifffile.imwrite(path, RGB, photometric="rgb", resolution=(1e4 / x, 1e4 / y), resolutionunit="CENTIMETER")


def png(path, y, x):
    PIL.Image.fromarray(RGB).save(path, "PNG", dpi=(25_400 / x, 25_400 / y))


def ome_zarr(path, y, x):
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    group.create_array("0", shape=(40, 60), dtype=np.uint8, chunks=(40, 60))[...] = RGB[..., 0]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    moves = [{"type": "scale", "scale": [y, x]}]
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": moves}]}
    ]


@pytest.mark.parametrize(
    ("write", "name"),
    [(ome, "a.ome.tif"), (imagej, "a.tif"), (resolution, "a.tif"), (png, "a.png"), (ome_zarr, "a.zarr")],
)
def test_every_format_gives_both_sides(tmp_path, write, name):
    write(tmp_path / name, 0.5, 0.25)
    image = open_image(tmp_path / name)
    assert image.pixel_size_yx_um == pytest.approx((0.5, 0.25), rel=1e-3)
    assert image.pixel_size_um == pytest.approx(0.125**0.5, rel=1e-3)
    assert "not square" in " ".join(image.notes)
    assert "0.25 x 0.5 um/px" in repr(image)


@pytest.mark.parametrize(("write", "name"), [(ome, "a.ome.tif"), (imagej, "a.tif"), (ome_zarr, "a.zarr")])
@pytest.mark.parametrize("side", [1e-9, 1e6, 25_400 / 72])
def test_impossible_sizes_of_every_format_are_unknown_and_said(tmp_path, write, name, side):
    write(tmp_path / name, side, side)
    image = open_image(tmp_path / name)
    assert image.pixel_size_um is None
    assert "OME" in image.notes[0] or "ImageJ" in image.notes[0]
    assert open_image(tmp_path / name, pixel_size_um=0.5).pixel_size_um == 0.5


@pytest.mark.parametrize("dpi", [72, 96, 300])
def test_a_picture_for_a_printer(tmp_path, dpi):
    PIL.Image.fromarray(RGB).save(tmp_path / "a.jpg", dpi=(dpi, dpi))
    image = open_image(tmp_path / "a.jpg")
    assert image.pixel_size_um is None
    assert f"{dpi} dpi" in image.notes[0]


def test_the_resolution_of_a_jpeg_2000_that_means_nothing(tmp_path):
    content = imagecodecs.jpeg2k_encode(RGB, codecformat="jp2", reversible=True, level=0)
    # A box of a resolution of 1 x 10^-254 (its exponent), as some programs write.
    box = b"\0\0\0\x1ares \0\0\0\x12resc" + (1).to_bytes(2, "big") * 4 + b"\x7f\x7f"
    at = content.index(b"ihdr") + 18
    header = content.index(b"jp2h") - 4
    size = int.from_bytes(content[header : header + 4], "big") + len(box)
    (tmp_path / "a.jp2").write_bytes(
        content[:header] + size.to_bytes(4, "big") + content[header + 4 : at] + box + content[at:]
    )
    image = open_image(tmp_path / "a.jp2")
    assert image.pixel_size_um is None
    np.testing.assert_array_equal(image.read(0, 0, 60, 40), RGB)


@pytest.mark.parametrize(
    ("unit", "um"), [("in", 25_400), ("inch", 25_400), ("dm", 1e5), ("cm", 1e4), ("nm", 1e-3), ("µm", 1), ("Å", 1e-4)]
)
def test_units_of_ome_tiff(tmp_path, unit, um):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.25 / um, "PhysicalSizeY": 0.25 / um}
    metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.ones((20, 30), np.uint8), metadata=metadata)
    assert open_image(tmp_path / "a.ome.tif").pixel_size_um == pytest.approx(0.25)


@pytest.mark.parametrize(("unit", "per"), [("INCH", 101_600), ("CENTIMETER", 40_000), ("MILLIMETER", 4000)])
def test_units_of_a_resolution(tmp_path, unit, per):
    pixels = np.ones((20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, resolution=(per, per), resolutionunit=unit, metadata=None)
    assert open_image(tmp_path / "a.tif").pixel_size_um == pytest.approx(0.25)


def test_both_sides_can_be_given():
    image = open_image(RGB, pixel_size_um=(0.5, 0.25))
    assert (image.pixel_size_yx_um, image.pixel_size_um) == ((0.5, 0.25), 0.125**0.5)
    for wrong in [(0.5,), (0.5, 0), (0.5, 0.5, 0.5), "0.5"]:
        with pytest.raises(ImageError, match="the height and the width"):
            open_image(RGB, pixel_size_um=wrong)
