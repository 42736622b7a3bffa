"""Files that are whole, but of a kind that cannot be read: what they are, and what to do."""

import shutil
import struct

import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from histowidgets.errors import ImageOpenError
from histowidgets.images import open_image
from tests.images.readers import raw_tiff

CONTENTS = {
    "plain.dcm": (bytes(128) + b"DICM" + bytes(400), "is DICOM", "QuPath"),
    "dual.dcm": (struct.pack("<4sI", b"II*\0", 0) + bytes(120) + b"DICM" + bytes(400), "is DICOM", "QuPath"),
    "dual.tif": (struct.pack("<4sI", b"II*\0", 0) + bytes(120) + b"DICM" + bytes(400), "is DICOM", "QuPath"),
    "a.czi": (b"ZISRAWFILE" + bytes(90), "is a CZI of Zeiss", "QuPath"),
    "named.czi": (b"\x07vendor" * 99, "is, by its name, a CZI of Zeiss", "QuPath"),
    "a.bin": (b"ZISRAWFILE" + bytes(90), "is a CZI of Zeiss", "QuPath"),
    "a.lif": (b"p\0\0\0\x10\0\0\0*" + bytes(90), "a LIF of Leica", "bioformats2raw"),
    "a.nd2": (b"\xda\xce\xbe\x0a" + bytes(90), "an ND2 of Nikon", "bioformats2raw"),
    "a.vsi": (b"\x07vendor" * 99, "an image of Olympus", "Bio-Formats"),
    "a.oib": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(90), "an image of Zeiss (ZVI) or Olympus (OIB)", "QuPath"),
    "a.ims": (b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5", "h5py"),
    "a.isyntax": (b"<DataObject" + bytes(90), "iSyntax", "QuPath"),
    "a.nii": (bytes(400), "NIfTI", "nibabel"),
    "a.npy": (b"\x93NUMPY" + bytes(90), "an array of NumPy", "numpy.load"),
    "a.heic": (b"\0\0\0\x18ftypheic" + bytes(90), "HEIC", "PNG or JPEG"),
    "a.zip": (b"PK\x03\x04" + bytes(90), "a ZIP archive", "Unpack"),
    "a.tif.gz": (b"\x1f\x8b\x08" + bytes(90), "compressed", "Unpack"),
    "a.pdf": (b"%PDF-1.7" + bytes(90), "a PDF", "PNG or TIFF"),
    "a.jpg": (b"<!DOCTYPE html><html>" + bytes(90), "a web page", "downloaded"),
    "a.svs": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_it_is_and_what_to_do(tmp_path, name):
    content, what, advice = CONTENTS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageOpenError) as caught:
        open_image(tmp_path / name)
    said = str(caught.value)
    assert what in said
    assert advice in said
    assert name in said
    assert "copy it again" not in said


def test_a_slide_of_several_files_without_the_others(tmp_path):
    PIL.Image.new("RGB", (60, 40)).save(tmp_path / "slide.mrxs", "JPEG")
    with pytest.raises(ImageOpenError, match="in a folder of the same name, slide"):
        open_image(tmp_path / "slide.mrxs")


def test_a_zipped_ome_zarr_is_read(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (2, 60, 80), np.uint8)
    group = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="w", zarr_format=2)
    group.create_array("0", shape=pixels.shape, chunks=(2, 32, 32), dtype=pixels.dtype)[...] = pixels
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    shutil.make_archive(str(tmp_path / "whole"), "zip", tmp_path / "a.ome.zarr")
    shutil.make_archive(str(tmp_path / "folder"), "zip", tmp_path, "a.ome.zarr")
    (tmp_path / "whole.zip").rename(tmp_path / "whole.ozx")
    for name in ("whole.ozx", "folder.zip"):
        image = open_image(tmp_path / name)
        np.testing.assert_array_equal(image.read(0, 0, 80, 60), np.moveaxis(pixels, 0, -1))


@pytest.mark.parametrize("missing", ["SizeC", "DimensionOrder", "SizeX", "everything"])
def test_ome_xml_that_lacks_something_is_left_out(tmp_path, missing):
    attributes = {"DimensionOrder": "XYCZT", "SizeX": 80, "SizeY": 60, "SizeZ": 1, "SizeT": 1, "SizeC": 3}
    given = " ".join(f'{name}="{value}"' for name, value in attributes.items() if missing not in (name, "everything"))
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" Type="uint8" {given}><TiffData/></Pixels></Image></OME>'
    )
    pages = np.random.default_rng(0).integers(0, 255, (3, 60, 80), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as tiff:
        for number, page in enumerate(pages):
            tiff.write(page, description=None if number else xml, metadata=None)
    image = open_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(image.read(0, 0, 80, 60), np.moveaxis(pages, 0, -1))
    assert "The OME-XML cannot be interpreted" in image.notes[0]


def test_ome_xml_that_is_cut_short_is_said(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8)
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        xml = tiff.ome_metadata
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml[: len(xml) // 2].encode())
    image = open_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(image.read(0, 0, 80, 60)[..., 0], pixels)
    assert image.pixel_size_um is None
    assert "The OME-XML cannot be interpreted (it is truncated)" in image.notes[0]


@pytest.mark.parametrize("compression", [34676, 65000, 12345])
def test_a_compression_that_is_unknown_is_no_damage(tmp_path, compression):
    raw_tiff.write(tmp_path / "a.tif", bytes(300), 20, 15, compression=compression)
    with pytest.raises(ImageOpenError, match=r"is intact but not supported: .*compression .* Convert it to OME-TIFF"):
        open_image(tmp_path / "a.tif")


def test_a_file_name_that_is_not_utf8(tmp_path):
    import os

    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    for ending in ("tif", "png"):
        odd = os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfc\xdfe." + ending.encode())
        try:
            os.link(tmp_path / f"a.{ending}", odd)
        except OSError:
            pytest.skip("no such names on this system")
        np.testing.assert_array_equal(open_image(odd).read(0, 0, 50, 40), pixels)
