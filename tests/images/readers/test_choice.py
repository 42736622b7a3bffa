"""Files of several images and stacks: which is opened, that it is said, and how another is chosen."""

import json
import warnings

import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from histowidgets.errors import ImageChoiceWarning, ImageError
from histowidgets.images import open_image
from histowidgets.images.readers import _tiff


@pytest.fixture(autouse=True, params=["whole", "in parts"])
def reading(request, monkeypatch):
    """Read files whole, or in parts."""
    monkeypatch.setattr(_tiff, "EAGER_BYTES", 0 if request.param == "in parts" else 32 << 20)


def noise(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(1, 250, shape).astype(dtype)


def whole(image):
    return image.read(0, 0, image.width, image.height)


def opened(path, **given):
    """Open without a warning, and again in the same way by what the image says about itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = open_image(path, **given)
        np.testing.assert_array_equal(whole(open_image(path, **image.opened_with)), whole(image))
    return image


def several_ome(folder):
    images = {"overview": noise(20, 30, seed=1), "tumour": noise(40, 60, seed=2), "stroma": noise(40, 60, seed=3)}
    with tifffile.TiffWriter(folder / "a.ome.tif", ome=True) as tiff:
        for name, pixels in images.items():
            tiff.write(pixels, metadata={"axes": "YX", "Name": name}, photometric="minisblack")
    return folder / "a.ome.tif", images


def several_zarr(folder):
    images = {"0": noise(20, 30, seed=1), "1": noise(40, 60, seed=2), "2": noise(40, 60, seed=3)}
    root = zarr.open_group(str(folder / "a.zarr"), mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    for name, pixels in images.items():
        group = root.create_group(name)
        group.create_array("0", shape=pixels.shape, dtype=np.uint8, chunks=(16, 16))[...] = pixels
        axes = [{"name": axis, "type": "space"} for axis in "yx"]
        group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    return folder / "a.zarr", images


@pytest.mark.parametrize("write", [several_ome, several_zarr])
def test_several_images(tmp_path, write):
    path, images = write(tmp_path)
    names, pixels = list(images), list(images.values())
    with pytest.warns(ImageChoiceWarning, match=r"has 3 images: 0 .*30 x 20.*, 1 .*, 2 .*Image 1 is opened.*series="):
        image = open_image(path)
    np.testing.assert_array_equal(whole(image)[..., 0], pixels[1])
    assert image.opened_with == {"series": 1}
    assert "has 3 images" in image.notes[0]
    for number in range(3):
        np.testing.assert_array_equal(whole(opened(path, series=number))[..., 0], pixels[number])
        np.testing.assert_array_equal(whole(opened(path, series=names[number]))[..., 0], pixels[number])
    for wrong in (3, -1, "none", 1.5):
        with pytest.raises(ImageError, match=r"no image .*Its images are 0 .*30 x 20.*series="):
            open_image(path, series=wrong)


def test_a_name_that_two_images_have_is_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
        for size in (20, 40):
            tiff.write(noise(size, 30), metadata={"axes": "YX", "Name": "same"})
    with pytest.raises(ImageError, match="2 images named 'same'"):
        open_image(tmp_path / "a.ome.tif", series="same")


def test_pages_in_colour_are_images_of_their_own(tmp_path):
    pages = [noise(40, 60, 3, seed=seed) for seed in range(4)]
    pictures = [PIL.Image.fromarray(page) for page in pages]
    pictures[0].save(tmp_path / "a.tif", save_all=True, append_images=pictures[1:])
    with pytest.warns(ImageChoiceWarning, match="4 images"):
        image = open_image(tmp_path / "a.tif")
    assert image.channel_names == ("Red", "Green", "Blue")
    for number, page in enumerate(pages):
        np.testing.assert_array_equal(whole(opened(tmp_path / "a.tif", series=number)), page)


def test_pages_that_are_images_have_palettes_and_orientations_of_their_own(tmp_path):
    pixels, palette = noise(40, 50), noise(3, 256, dtype=np.uint16)
    palette = (palette.astype(np.uint16) << 8) | 1
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for number in range(3):
            turn = [(274, "H", 1, 3, True)] if number == 2 else []
            colormap = np.roll(palette, number, axis=0)
            tiff.write(pixels, photometric="palette", colormap=colormap, metadata=None, extratags=turn)
    for number in range(3):
        wanted = (np.roll(palette, number, axis=0) >> 8).T[pixels]
        wanted = wanted[::-1, ::-1] if number == 2 else wanted
        np.testing.assert_array_equal(whole(opened(tmp_path / "a.tif", series=number)), wanted)


def test_pages_of_other_sizes_and_kinds(tmp_path):
    gray, colour = noise(40, 60, dtype=np.uint16), noise(30, 50, 3)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(colour, photometric="rgb", metadata=None)
        tiff.write(gray, photometric="minisblack", metadata=None)
    with pytest.warns(ImageChoiceWarning, match="Image 1 is opened"):
        np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif"))[..., 0], gray)
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.tif", series=0)), colour)


def test_gray_pages_that_say_nothing_are_channels_without_colours(tmp_path):
    pages = [noise(40, 60, seed=seed) for seed in range(3)]
    pictures = [PIL.Image.fromarray(page) for page in pages]
    pictures[0].save(tmp_path / "a.tif", save_all=True, append_images=pictures[1:])
    image = opened(tmp_path / "a.tif")
    assert image.channel_names == ("Channel 1", "Channel 2", "Channel 3")
    np.testing.assert_array_equal(whole(image), np.dstack(pages))
    assert "3 pages are read as channels" in image.notes[0]
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.tif", plane=2))[..., 0], pages[2])


def test_more_gray_pages_than_channels_are_a_stack(tmp_path):
    stack = noise(70, 40, 90)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in stack:
            tiff.write(page, contiguous=False, metadata=None)
    with pytest.warns(ImageChoiceWarning, match="stack of 70 pages; page 0"):
        np.testing.assert_array_equal(whole(open_image(tmp_path / "a.tif"))[..., 0], stack[0])
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.tif", plane=69))[..., 0], stack[69])


def write_ome(folder, stack):
    tifffile.imwrite(folder / "a.ome.tif", stack, metadata={"axes": "TZCYX"}, photometric="minisblack")
    return folder / "a.ome.tif"


def write_imagej(folder, stack):
    tifffile.imwrite(folder / "a.tif", stack, imagej=True, metadata={"axes": "TZCYX"})
    return folder / "a.tif"


def write_shaped(folder, stack):
    tifffile.imwrite(folder / "a.tif", stack, metadata={"axes": "TZCYX"}, photometric="minisblack")
    return folder / "a.tif"


def write_truncated(folder, stack):
    tifffile.imwrite(folder / "a.tif", stack, imagej=True, metadata={"axes": "TZCYX"}, truncate=True)
    return folder / "a.tif"


def write_tiled(folder, stack):
    options = {"tile": (16, 16), "compression": "zlib", "photometric": "minisblack"}
    tifffile.imwrite(folder / "a.ome.tif", stack, metadata={"axes": "TZCYX"}, **options)
    return folder / "a.ome.tif"


def write_zarr(folder, stack):
    group = zarr.open_group(str(folder / "a.zarr"), mode="w", zarr_format=3)
    group.create_array("0", shape=stack.shape, dtype=stack.dtype, chunks=(1, 1, 1, 16, 16))[...] = stack
    axes = [{"name": axis, "type": "space"} for axis in "tczyx"]
    axes = [axes[0], axes[2], axes[1], *axes[3:]]  # t, z, c, y, x
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    return folder / "a.zarr"


STACKS = [write_ome, write_imagej, write_shaped, write_truncated, write_tiled, write_zarr]


@pytest.mark.parametrize("write", STACKS)
def test_planes_in_depth_and_time(tmp_path, write):
    stack = noise(3, 5, 2, 40, 50, dtype=np.uint16)
    path = write(tmp_path, stack)
    said = r"stack of 5 planes in depth \(z\) and 3 time points \(t\); z 2, t 0 \(counted from 0\) is .*plane=\(z, t\)"
    with pytest.warns(ImageChoiceWarning, match=said):
        image = open_image(path)
    np.testing.assert_array_equal(whole(image), np.moveaxis(stack[0, 2], 0, -1))
    assert image.opened_with == {"plane": (2, 0)}
    for z, t in [(0, 0), (4, 2), (1, 1)]:
        image = opened(path, plane=(z, t))
        np.testing.assert_array_equal(whole(image), np.moveaxis(stack[t, z], 0, -1))
        assert image.notes == ()
    for wrong in (2, (5, 0), (0, 3), (-1, 0), "1", (0, 0, 0)):
        with pytest.raises(ImageError, match=r"z 0 to 4, t 0 to 2"):
            open_image(path, plane=wrong)


@pytest.mark.parametrize(("axes", "plane"), [("ZYX", 3), ("ZYX", (3, 0)), ("TYX", 3), ("TYX", (0, 3)), ("ZYX", [3])])
def test_a_stack_along_one_axis_takes_a_number(tmp_path, axes, plane):
    stack = noise(5, 40, 50)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata={"axes": axes})
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.ome.tif", plane=plane))[..., 0], stack[3])


def test_numbers_of_numpy_choose_as_well(tmp_path):
    stack = noise(3, 5, 2, 40, 50, dtype=np.uint16)
    image = opened(write_ome(tmp_path, stack), series=np.int64(0), plane=(np.int64(3), np.uint8(1)))
    np.testing.assert_array_equal(whole(image), np.moveaxis(stack[1, 3], 0, -1))
    frames = [PIL.Image.fromarray(frame) for frame in noise(3, 40, 50, 3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert json.dumps(opened(tmp_path / "a.gif", series=np.int64(1)).opened_with) == '{"series": 1}'


def test_a_plane_that_was_never_written_is_named_with_the_file(tmp_path):
    stack = noise(4, 40, 50)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata={"axes": "ZYX"}, compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        xml = tiff.ome_metadata.replace('SizeZ="4"', 'SizeZ="40"')
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.encode())
    with pytest.raises(ImageError, match=r"a\.ome\.tif does not hold this plane: 36 of its 40 pages .* with plane="):
        opened(tmp_path / "a.ome.tif", plane=20)
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.ome.tif", plane=3))[..., 0], stack[3])


def test_a_stack_in_colour(tmp_path):
    stack = noise(4, 40, 50, 3)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata={"axes": "ZYXS"}, photometric="rgb")
    np.testing.assert_array_equal(whole(opened(tmp_path / "a.ome.tif", plane=1)), stack[1])


def test_an_image_that_is_no_stack_has_no_plane(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(40, 50))
    PIL.Image.fromarray(noise(40, 50)).save(tmp_path / "a.png")
    for path in (tmp_path / "a.tif", tmp_path / "a.png"):
        assert whole(opened(path, plane=0)).shape == whole(opened(path, plane=(0, 0), series=0)).shape == (40, 50, 1)
        with pytest.raises(ImageError, match="is not a stack, but plane 2"):
            open_image(path, plane=2)
        with pytest.raises(ImageError, match="no image 1"):
            open_image(path, series=1)


def test_levels_of_a_stack_are_of_the_same_plane(tmp_path):
    stack = noise(3, 64, 64)
    small = stack.reshape(3, 32, 2, 32, 2).mean((2, 4)).round().astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
        options = {"tile": (16, 16), "photometric": "minisblack"}
        tiff.write(stack, subifds=1, metadata={"axes": "ZYX"}, **options)
        tiff.write(small, subfiletype=1, **options)
    image = opened(tmp_path / "a.ome.tif", plane=2)
    assert image.downsamples == (1.0, 2.0)
    np.testing.assert_array_equal(image.read(0, 0, 64, 64, 2)[..., 0], small[2])


def test_a_set_of_files_is_read_from_all_of_them(tmp_path):
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'Type="uint8" SizeX="50" SizeY="40" SizeZ="1" SizeT="1" SizeC="2" DimensionOrder="XYCZT">'
        '<TiffData IFD="0" FirstC="0" PlaneCount="1"><UUID FileName="s0.ome.tif">urn:uuid:0</UUID></TiffData>'
        '<TiffData IFD="0" FirstC="1" PlaneCount="1"><UUID FileName="s1.ome.tif">urn:uuid:1</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    planes = noise(2, 40, 50)
    for number in range(2):
        options = {"compression": "zlib", "tile": (16, 16)}
        tifffile.imwrite(tmp_path / f"s{number}.ome.tif", planes[number], description=xml, metadata=None, **options)
    for number in range(2):
        np.testing.assert_array_equal(whole(opened(tmp_path / f"s{number}.ome.tif")), np.moveaxis(planes, 0, -1))
    (tmp_path / "s1.ome.tif").unlink()
    with pytest.raises(ImageError, match=r"s0\.ome\.tif is one file of a set: s1\.ome\.tif is not beside it"):
        open_image(tmp_path / "s0.ome.tif")
