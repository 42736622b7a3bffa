"""Slides through OpenSlide."""

import json
import shutil
import sys

import numpy as np
import openslide
import pytest
import shapely
import tifffile

from histowidgets import Stroke, quick_classifier
from histowidgets.annotations import Project
from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images import DeferredImage, open_image, readers, thumbnail
from histowidgets.images.readers._slide import SlideImage, open_generic
from histowidgets.images.readers._tiff import TiffImage, open_tiff


def smooth(width, height):
    """Colours that change slowly, so that resampled levels can be told from wrong ones."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 256, y % 256, (x + y) // 2 % 256], -1).astype(np.uint8)


def write_aperio(path, full=(1000, 760), steps=(1, 4), dtype=np.uint8, size=0.25):
    """Write a slide as Aperio's scanners do: tiled, the levels one after the other, words in the description."""
    pixels = smooth(*full).astype(dtype)
    with tifffile.TiffWriter(path) as writer:
        for step in steps:
            level = pixels[: full[1] // step * step, : full[0] // step * step]
            rows, cols = level.shape[0] // step, level.shape[1] // step
            level = level.reshape(rows, step, cols, step, 3).mean((1, 3)).astype(dtype)
            writer.write(
                level,
                tile=(128, 128),
                photometric="rgb",
                compression="zlib",
                metadata=None,
                description=f"Aperio Image Library v10.0.51\r\n{cols}x{rows} (128x128)|AppMag = 40|MPP = {size}",
            )
    return pixels


def write_leica(path, scanned, corner=(256, 128), glass=(512, 384)):
    """Write a slide as Leica's scanners do: an overview of the glass, and a part of it that was scanned.

    Pixels are 500 nm; `corner` and `glass` are in pixels.
    """
    nm = 500

    def part(name, number, size, view, offset):
        return (
            f'<image name="{name}" uuid="urn:uuid:{name}"><creationDate>2020-01-01T00:00:00Z</creationDate>'
            f'<device model="m" version="1"/><pixels sizeX="{size[0]}" sizeY="{size[1]}"><dimension sizeX="{size[0]}" '
            f'sizeY="{size[1]}" r="0" ifd="{number}"/></pixels><view sizeX="{view[0] * nm}" sizeY="{view[1] * nm}" '
            f'offsetX="{offset[0] * nm}" offsetY="{offset[1] * nm}" spacingZ="0"/><scanSettings><objectiveSettings>'
            "<objective>20</objective></objectiveSettings><illuminationSettings><numericalAperture>0.4</numericalAperture>"
            "<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>"
        )

    size = scanned.shape[1::-1]
    xml = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01" uuid="urn:uuid:1">'
        f'<collection name="c" uuid="urn:uuid:2" sizeX="{glass[0] * nm}" sizeY="{glass[1] * nm}"><barcode>x</barcode>'
        + part("3", 0, (128, 96), glass, (0, 0)) + part("4", 1, size, size, corner) + "</collection></scn>"
    )  # fmt: skip
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        options = {"photometric": "rgb", "tile": (64, 64), "compression": "zlib", "metadata": None}
        writer.write(np.full((96, 128, 3), 200, np.uint8), description=xml, **options)
        writer.write(scanned, **options)


@pytest.fixture
def leica(tmp_path):
    write_leica(tmp_path / "a.scn", smooth(192, 128))
    return tmp_path / "a.scn"


def test_a_slide_of_which_a_part_was_scanned_is_that_part_as_in_qupath(leica):
    slide, image = openslide.OpenSlide(leica), open_image(leica)
    x, y, width, height = (int(slide.properties[f"openslide.bounds-{one}"]) for one in ("x", "y", "width", "height"))
    assert (image.width, image.height) == (width, height) == (192, 128)
    assert image.slide_origin == (x, y) == (256, 128)
    np.testing.assert_array_equal(image.read(0, 0, 192, 128), smooth(192, 128))
    for region in [(0, 0, 192, 128), (17, 30, 100, 50), (191, 127, 1, 1)]:
        theirs = np.asarray(slide.read_region((region[0] + x, region[1] + y), 0, region[2:]).convert("RGB"))
        np.testing.assert_array_equal(image.read(*region), theirs)
    assert "begins at x=256, y=128" in image.notes[0]
    assert image.opened_with == {}


def test_the_whole_glass_can_be_opened(leica):
    slide, image = openslide.OpenSlide(leica), open_image(leica, bounds=False)
    assert (image.width, image.height) == slide.dimensions == (512, 384)
    assert (image.slide_origin, image.opened_with, image.notes) == ((0, 0), {"bounds": False}, ())
    np.testing.assert_array_equal(image.read(256, 128, 192, 128), smooth(192, 128))
    assert (image.read(0, 0, 256, 128) == 255).all()


@pytest.mark.parametrize("bounds", [True, False])
def test_annotations_of_qupath_lie_where_they_were_drawn(leica, bounds, tmp_path):
    # QuPath counts from the corner of what was scanned.
    ring = [[40, 60], [70, 60], [70, 90], [40, 90], [40, 60]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    feature["properties"]["classification"] = {"name": "Gland"}
    (tmp_path / "q.geojson").write_text(json.dumps([feature]))
    project = Project(["Gland"])
    name = project.add_image(open_image(leica, bounds=bounds))
    project.import_geojson(name, tmp_path / "q.geojson")
    rows, columns = np.nonzero(project.label_map(name) == 0)
    x, y = (0, 0) if bounds else (256, 128)
    assert (columns.min() - x, columns.max() - x, rows.min() - y, rows.max() - y) == (40, 69, 60, 89)
    project.export_geojson(name, tmp_path / "back.geojson")
    back = json.loads((tmp_path / "back.geojson").read_text())["features"][0]["geometry"]["coordinates"][0]
    assert sorted(map(tuple, back)) == sorted(map(tuple, ring))


def test_a_project_with_the_whole_glass_keeps_it(leica):
    image = DeferredImage(leica, name="a", width=512, height=384, channel_names=("Red", "Green", "Blue"))
    np.testing.assert_array_equal(image.read(256, 128, 192, 128), smooth(192, 128))
    part = DeferredImage(leica, name="a", width=192, height=128, channel_names=("Red", "Green", "Blue"))
    np.testing.assert_array_equal(part.read(0, 0, 192, 128), smooth(192, 128))
    assert part.slide_origin == (256, 128)
    other = DeferredImage(leica, name="a", width=100, height=128, channel_names=("Red", "Green", "Blue"))
    with pytest.raises(ImageOpenError, match="was 100 x 128 before"):
        other.read(0, 0, 1, 1)


def test_a_slide_has_no_planes_and_its_other_images_are_chosen(tmp_path):
    write_aperio(tmp_path / "a.svs")
    with pytest.raises(ImageError, match="is not a stack"):
        open_image(tmp_path / "a.svs", plane=3)
    assert open_image(tmp_path / "a.svs", plane=0, series=0).width == 1000


@pytest.mark.parametrize(("size", "known"), [(0.25, 0.25), (1e-9, None), (352.778, None), (1e6, None)])
def test_a_pixel_size_that_is_none_is_unknown(tmp_path, size, known):
    write_aperio(tmp_path / "a.svs", size=size)
    image = open_image(tmp_path / "a.svs")
    assert image.pixel_size_um == known
    assert bool(image.notes) == (known is None)


def test_an_aperio_slide_reads_as_tifffile_reads_it(shared_data):
    path = shared_data / "slide" / "colon_20x.svs"
    slide, tiff = open_image(path), open_tiff(path)
    assert isinstance(slide, SlideImage)
    assert (slide.width, slide.height, slide.name) == (tiff.width, tiff.height, tiff.name) == (2220, 2967, "colon_20x")
    assert slide.pixel_size_um == tiff.pixel_size_um == pytest.approx(0.499)
    for region in [(0, 0, 2220, 2967), (700, 900, 301, 257), (2219, 2966, 1, 1)]:
        a, b = slide.read(*region), tiff.read(*region)
        assert a.shape == b.shape
        assert np.abs(a.astype(int) - b).max() <= 2  # the JPEG decoders of two libraries may round differently


def test_all_levels_of_a_slide(tmp_path):
    pixels = write_aperio(tmp_path / "a.svs", steps=(1, 4, 8))
    image = open_image(tmp_path / "a.svs")
    assert isinstance(image, SlideImage)
    assert (image.downsamples, image.pixel_size_um, image.dtype) == ((1.0, 4.0, 8.0), 0.25, np.uint8)
    np.testing.assert_array_equal(image.read(0, 0, 1000, 760), pixels)
    np.testing.assert_array_equal(image.read(123, 45, 67, 89), pixels[45:134, 123:190])
    for step in (2, 4, 8):
        wanted = pixels[80:240, 400:560].reshape(160 // step, step, 160 // step, step, 3).mean((1, 3))
        np.testing.assert_allclose(image.read(400, 80, 160, 160, step), wanted, atol=2)
    assert thumbnail(image, 256).shape == (190, 250, 3)


def test_a_slide_takes_the_name_and_size_given(tmp_path):
    write_aperio(tmp_path / "a.svs")
    image = open_image(tmp_path / "a.svs", name="b", channel_names=["x", "y", "z"], pixel_size_um=1.5)
    assert (image.name, image.channel_names, image.pixel_size_um) == ("b", ("x", "y", "z"), 1.5)
    assert image.source == str(tmp_path / "a.svs")


def test_a_slide_without_a_pixel_size_has_none(tmp_path):
    write_aperio(tmp_path / "a.svs", size="unknown")
    image = open_image(tmp_path / "a.svs")
    assert isinstance(image, SlideImage)
    assert image.pixel_size_um is None


def test_white_where_a_slide_was_not_scanned(tmp_path):
    write_aperio(tmp_path / "a.svs", steps=(1,))
    with tifffile.TiffFile(tmp_path / "a.svs", mode="r+b") as tiff:
        counts = list(tiff.pages[0].databytecounts)
        counts[0] = 0  # this is how scanners leave a tile out
        tiff.pages[0].tags["TileByteCounts"].overwrite(counts)
    image = open_image(tmp_path / "a.svs")
    assert isinstance(image, SlideImage)
    assert (image.read(0, 0, 128, 128) == 255).all()
    np.testing.assert_array_equal(image.read(128, 0, 128, 128), smooth(1000, 760)[:128, 128:256])


def test_a_slide_of_16_bits_keeps_them(tmp_path):
    pixels = write_aperio(tmp_path / "a.svs", steps=(1,), dtype=np.uint16)
    image = open_image(tmp_path / "a.svs")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image.read(0, 0, 1000, 760), pixels)


def test_a_generic_pyramid_keeps_its_dtype_through_tifffile(tmp_path):
    pixels = smooth(600, 400).astype(np.uint16) * 200
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(pixels, tile=(128, 128), photometric="rgb", metadata=None)
        writer.write(pixels[::2, ::2], tile=(128, 128), photometric="rgb", metadata=None, subfiletype=1)
    image = open_image(tmp_path / "a.tif")
    assert isinstance(image, TiffImage)
    assert image.dtype == np.uint16
    assert open_generic(tmp_path / "a.tif") is None  # and OpenSlide is not asked to turn it into 8 bits


def test_a_tiled_tiff_that_tifffile_refuses_is_read_by_openslide(tmp_path, monkeypatch):
    pixels = smooth(600, 400)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(128, 128), photometric="rgb", metadata=None)

    def refuse(path, *given):
        raise ImageOpenError("a compression of no library")

    monkeypatch.setattr("histowidgets.images.readers.open_tiff", refuse)
    image = open_image(tmp_path / "a.tif")
    assert isinstance(image, SlideImage)
    np.testing.assert_array_equal(image.read(0, 0, 600, 400), pixels)
    tifffile.imwrite(tmp_path / "b.tif", pixels[..., 0])
    with pytest.raises(ImageOpenError, match="a compression of no library"):
        open_image(tmp_path / "b.tif")


def test_a_damaged_tile_is_named_and_the_rest_still_reads(tmp_path):
    path = tmp_path / "a.svs"
    pixels = write_aperio(path, steps=(1,))
    with tifffile.TiffFile(path) as tiff:
        offset, count = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = b"\0" * count
    path.write_bytes(data)
    image = open_image(path)
    for _ in range(2):
        with pytest.raises(ImageOpenError, match=r"A part of a\.svs cannot be read"):
            image.read(0, 0, 64, 64)
        np.testing.assert_array_equal(image.read(512, 256, 64, 64), pixels[256:320, 512:576])


def test_a_slide_cut_short_is_refused(shared_data, tmp_path):
    whole = (shared_data / "slide" / "colon_20x.svs").read_bytes()
    (tmp_path / "cut.svs").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageOpenError, match="truncated"):
        open_image(tmp_path / "cut.svs").read(0, 0, 2220, 2967)


@pytest.mark.parametrize("ending", ["mrxs", "vms"])
def test_a_slide_without_the_files_beside_it(tmp_path, ending):
    (tmp_path / f"a.{ending}").write_bytes(b"\xff\xd8\xff\xe0 the picture that stands for the slide")
    with pytest.raises(ImageOpenError, match=rf"a\.{ending} cannot be read: .* copy them too"):
        open_image(tmp_path / f"a.{ending}")


@pytest.mark.parametrize("ending", ["svs", "ndpi", "scn", "bif", "svslide", "czi", "dcm"])
def test_what_is_no_slide_is_refused_by_name(tmp_path, ending):
    (tmp_path / f"a.{ending}").write_bytes(b"no slide at all")
    with pytest.raises(ImageOpenError, match=rf"a\.{ending} (is not a supported image|is, by its name,)"):
        open_image(tmp_path / f"a.{ending}")


def test_without_openslide_tiffs_are_read_all_the_same(shared_data, tmp_path, monkeypatch):
    """Its C library may be missing on a platform that has no wheel of it."""
    for name in ("open_slide", "open_generic"):  # loaded by an earlier test
        monkeypatch.delitem(vars(readers), name, raising=False)
    monkeypatch.delattr("histowidgets.images.readers._slide")
    monkeypatch.delitem(sys.modules, "histowidgets.images.readers._slide")
    monkeypatch.setitem(sys.modules, "openslide", None)
    assert open_image(shared_data / "slide" / "colon_20x.svs").width == 2220
    (tmp_path / "a.mrxs").write_bytes(b"a picture")
    with pytest.raises(ImageOpenError, match=r"a\.mrxs cannot be read: OpenSlide cannot be loaded .* Install"):
        open_image(tmp_path / "a.mrxs")


def test_many_threads_read_a_slide_at_once(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    pixels = write_aperio(tmp_path / "a.svs", steps=(1,))
    image = open_image(tmp_path / "a.svs")
    corners = [(x, y) for x in range(0, 900, 90) for y in range(0, 700, 90)]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda c: image.read(*c, 60, 60), corners))
    for (x, y), part in zip(corners, parts, strict=True):
        np.testing.assert_array_equal(part, pixels[y : y + 60, x : x + 60])


def test_a_slide_without_its_ending_is_still_a_slide(shared_data, tmp_path):
    shutil.copy(shared_data / "slide" / "colon_20x.svs", tmp_path / "renamed.tif")
    assert isinstance(open_image(tmp_path / "renamed.tif"), SlideImage)


@pytest.mark.parametrize("to_disk", [False, True])
def test_objects_of_a_whole_slide_lie_where_qupath_counts_from(leica, to_disk, tmp_path):
    whole = open_image(leica, bounds=False)
    assert whole.bounds_offset == (256, 128)
    project = Project(["Left", "Right"])
    name = project.add_image(whole)
    for x, class_name in ((300, "Left"), (400, "Right")):
        project.annotate(name, Stroke([(x, 140), (x + 10, 250)], 10), class_name)
    classifier = quick_classifier(project)
    if to_disk:
        found = classifier.predict_to(whole, tmp_path / "p.zarr", region=(256, 128, 192, 128))
    else:
        found = classifier.predict(whole, (256, 128, 192, 128))
    found.save_geojson(tmp_path / "a.geojson")
    objects = shapely.union_all(
        [
            shapely.geometry.shape(one["geometry"])
            for one in json.loads((tmp_path / "a.geojson").read_text())["features"]
        ]
    )
    assert objects.bounds == (0, 0, 192, 128)
