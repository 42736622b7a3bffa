"""PNG label maps out and in."""

import json
import struct
import time
import zlib

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
import shapely

from histowidgets.annotations import Project, Rectangle, Stroke
from histowidgets.annotations.io import _label_png
from histowidgets.annotations.project import _exchange
from histowidgets.annotations.raster._trace import find_areas, trace
from histowidgets.errors import ClassNameError, ImageNameError, LabelPngError, ReadOnlyError, UnknownClassError
from tests.annotations.conftest import CLASSES, blank, random_stroke


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.png"


def painted(project, seed=0, n=25):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        project.annotate("blank", random_stroke(rng), str(rng.choice(CLASSES)))
    project.erase("blank", random_stroke(rng))
    return project


def empty(classes=CLASSES, width=120, height=90):
    project = Project(classes)
    project.add_image(blank(width, height))
    return project


def save(path, pixels, mode=None, palette=None, **options):
    image = PIL.Image.fromarray(np.asarray(pixels, np.uint8))
    if mode:
        image = image.convert(mode)
    if palette is not None:
        image.putpalette(palette)
    image.save(path, format="PNG", **options)


def small(values):
    """A project whose image is as large as these labels."""
    values = np.asarray(values, np.uint8)
    return empty(width=values.shape[1], height=values.shape[0]), values


# --- tracing ---


@pytest.mark.parametrize("seed", range(30))
def test_any_labels_become_valid_polygons_that_paint_them(path, seed):
    """Noise has islands of one pixel, holes, pixels that touch at a corner, and all of these nested."""
    rng = np.random.default_rng(seed)
    shares = [[0.25] * 4, [0.6, 0.2, 0, 0.2], [0.35, 0, 0, 0.65]][seed % 3]
    project, labels = small(rng.choice([0, 1, 2, 255], (rng.integers(2, 16), rng.integers(2, 16)), p=shares))
    areas = find_areas(labels, 255)
    polygons = list(trace(areas))
    assert len(polygons) == areas.count
    for _, _, polygon in polygons:
        area = shapely.Polygon(polygon.points, polygon.holes)
        assert area.is_valid, shapely.is_valid_reason(area)
    save(path, labels)
    count = project.import_label_png("blank", path, classes=dict(enumerate(CLASSES)))
    assert count == areas.count
    np.testing.assert_array_equal(project.label_map("blank"), labels)


def test_a_hole_and_a_corner_are_traced_as_a_person_would():
    labels = np.full((6, 6), 255, np.uint8)
    labels[1:5, 1:5] = 0
    labels[2, 2] = labels[3, 3] = 255  # two holes that touch at a corner
    labels[0, 0] = 0  # an island that touches at a corner
    (_, _, island), (_, _, square) = trace(find_areas(labels, 255))
    assert shapely.Polygon(island.points).equals(shapely.box(0, 0, 1, 1))
    assert shapely.Polygon(square.points).equals(shapely.box(1, 1, 5, 5))
    assert sorted(shapely.Polygon(hole).bounds for hole in square.holes) == [(2, 2, 3, 3), (3, 3, 4, 4)]
    assert len(square.points) == 4


# --- what comes out goes in again ---


@pytest.mark.parametrize("downsample", [1, 2, 3, 7, 2.5])
def test_what_comes_out_goes_in_again_unchanged(project, path, downsample):
    painted(project).export_label_png("blank", path, downsample)
    labels = project.label_map("blank", downsample)
    other = empty()
    other.annotate("blank", Rectangle(0, 0, 50, 50), "Lumen")
    before = other.annotations("blank")
    assert other.import_label_png("blank", path) > 3
    np.testing.assert_array_equal(other.label_map("blank", downsample), labels)
    if downsample in (2, 3):
        whole = labels.repeat(downsample, 0).repeat(downsample, 1)[:90, :120]
        np.testing.assert_array_equal(other.label_map("blank"), whole)
    again = path.with_name("again.png")
    other.export_label_png("blank", again, downsample)
    assert again.read_bytes() == path.read_bytes()
    assert other.undo()
    assert other.annotations("blank") == before


def test_it_goes_into_its_own_project_unchanged(project, path):
    painted(project).export_label_png("blank", path)
    labels = project.label_map("blank")
    for _ in range(2):
        project.import_label_png("blank", path)
        np.testing.assert_array_equal(project.label_map("blank"), labels)


def test_the_file_is_a_palette_png_in_the_colours_of_the_classes(project, path):
    project.annotate("blank", Rectangle(10, 10, 20, 20), "Gland")
    project.rename_class("Lumen", "Lumen é <b>")
    project.export_label_png("blank", path)
    with PIL.Image.open(path) as image:
        assert (image.mode, image.size) == ("P", (120, 90))
        np.testing.assert_array_equal(np.array(image), project.label_map("blank"))
        rgba = np.array(image.convert("RGBA"))
        text = json.loads(image.text["histowidgets"])
    assert rgba[15, 15].tolist() == [0x56, 0xB4, 0xE9, 255]
    assert rgba[5, 5, 3] == 0
    assert [c["name"] for c in text["classes"]] == ["Stroma", "Gland", "Lumen é <b>"]
    assert text["classes"][1]["color"] == "#56B4E9"


def test_nothing_drawn_comes_back_as_nothing(project, path):
    project.export_label_png("blank", path)
    other = empty()
    assert other.import_label_png("blank", path) == 0
    assert not other.can_undo
    other.annotate("blank", Rectangle(10, 10, 20, 20), "Gland")
    assert other.import_label_png("blank", path) == 0
    assert (other.label_map("blank") == 255).all()


def test_2048_x_2048_takes_a_few_seconds(path):
    from scipy import ndimage

    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(2048, 2048)), 10)
    labels = np.select([noise > 0.01, noise < -0.02], [1, 0], 255).astype(np.uint8)
    project = empty(CLASSES, 2048, 2048)
    save(path, labels)
    started = time.process_time()
    assert project.import_label_png("blank", path, classes={0: "Stroma", 1: "Gland"}) > 300
    assert time.process_time() - started < 15  # about 2 s of a calm machine
    np.testing.assert_array_equal(project.label_map("blank"), labels)


def test_it_survives_reopening_and_is_refused_to_a_reader(tmp_path, path):
    project = Project(CLASSES, tmp_path / "project")
    project.add_image(blank())
    painted(project).export_label_png("blank", path, 3)
    project.import_label_png("blank", path)
    labels = project.label_map("blank")
    reader = Project.open(tmp_path / "project")
    with pytest.raises(ReadOnlyError):
        reader.import_label_png("blank", path)
    project.close()
    again = Project.open(tmp_path / "project")
    np.testing.assert_array_equal(again.label_map("blank"), labels)
    again.close()


# --- classes ---


def test_names_go_before_indices(project, path):
    painted(project).export_label_png("blank", path)
    other = empty(["Lumen", "Nerve", "Gland", "Stroma"])
    other.import_label_png("blank", path)
    labels = project.label_map("blank")
    wanted = np.full(256, 255, np.uint8)
    wanted[:3] = [3, 2, 0]
    np.testing.assert_array_equal(other.label_map("blank"), wanted[labels])


def test_unknown_classes_are_an_error_or_added_or_left_out(project, path):
    project.recolor_class("Gland", "#123456")
    painted(project).export_label_png("blank", path)
    labels = project.label_map("blank")
    other = empty(["Stroma", "Nerve"])
    with pytest.raises(UnknownClassError, match=r"'Gland', 'Lumen'.*'Stroma', 'Nerve'"):
        other.import_label_png("blank", path)
    assert not other.can_undo
    other.import_label_png("blank", path, unknown_classes="skip")
    np.testing.assert_array_equal(other.label_map("blank"), np.where(labels == 0, 0, 255))
    other.undo()
    other.import_label_png("blank", path, unknown_classes="add")
    assert other.classes == ["Stroma", "Nerve", "Gland", "Lumen"]
    assert other.colors["Gland"] == "#123456"
    assert (other.label_map("blank") == 2).sum() == (labels == 1).sum()
    other.undo()
    assert other.classes == ["Stroma", "Nerve"]
    with pytest.raises(LabelPngError, match="choose"):
        other.import_label_png("blank", path, unknown_classes="maybe")


# --- files of other programs ---


def test_grey_values_are_indices_if_there_are_as_many(path):
    project, labels = small([[0, 1, 2], [255, 1, 1], [2, 2, 0]])
    save(path, labels)
    with pytest.warns(UserWarning, match="0 as 'Stroma', 1 as 'Gland', 2 as 'Lumen'"):
        project.import_label_png("blank", path)
    np.testing.assert_array_equal(project.label_map("blank"), labels)


@pytest.mark.parametrize("values", [[[0, 1], [1, 0]], [[0, 1], [2, 3]], [[1, 2], [3, 1]], [[0, 128], [255, 255]]])
def test_other_values_need_classes(path, values):
    project, labels = small(values)
    save(path, labels)
    with pytest.raises(LabelPngError, match=r"value\(s\) .* the project has 3 classes.*classes="):
        project.import_label_png("blank", path)


def test_values_get_the_classes_that_are_said(path):
    project, labels = small([[0, 100, 200], [100, 100, 7], [0, 255, 7]])
    save(path, labels)
    with pytest.raises(LabelPngError, match=r"value\(s\) 7.*classes= names no class"):
        project.import_label_png("blank", path, classes={0: None, 100: "Gland", 200: "Stroma"})
    project.import_label_png("blank", path, classes={0: None, 100: "Gland", 200: "Stroma", 7: "Gland"})
    assert project.label_map("blank").tolist() == [[255, 1, 0], [1, 1, 1], [255, 255, 1]]
    project.import_label_png("blank", path, unknown_classes="skip", classes={255: "Lumen", 200: "Nerve"})
    assert project.label_map("blank").tolist() == [[255] * 3, [255] * 3, [255, 2, 255]]
    for bad in ({256: "Gland"}, {"a": "Gland"}, {1: 3}, ["Gland"]):
        with pytest.raises(LabelPngError, match="classes"):
            project.import_label_png("blank", path, classes=bad)
    with pytest.raises(ClassNameError, match="not blank"):
        project.import_label_png("blank", path, unknown_classes="add", classes={0: " ", 100: None, 200: None, 7: None})


def test_a_mask_of_black_and_white_is_read(path):
    project, labels = small([[0, 255, 255], [0, 0, 255]])
    save(path, labels)
    assert project.import_label_png("blank", path, classes={0: None, 255: "Gland"}) == 1
    np.testing.assert_array_equal(project.label_map("blank"), np.where(labels == 255, 1, 255))
    project.import_label_png("blank", path, classes={0: "Gland", 255: "Gland"})
    assert (project.label_map("blank") == 1).all()
    assert len(project.annotations("blank")) == 3  # one of before, an eraser, and one area of both values


def test_a_small_palette_is_read_with_its_colours(path):
    project, labels = small([[0, 1, 2, 3], [3, 2, 1, 0]])
    palette = [0, 0, 0, 255, 0, 0, 0, 255, 0, 18, 52, 86]
    save(path, labels, palette=palette, bits=2)
    assert path.read_bytes()[24] == 2
    project.import_label_png("blank", path, unknown_classes="add", classes={0: None, 1: "Gland", 2: "Nerve", 3: "Fat"})
    assert project.label_map("blank").tolist() == [[255, 1, 3, 4], [4, 3, 1, 255]]
    assert (project.colors["Nerve"], project.colors["Fat"]) == ("#00FF00", "#123456")


@pytest.mark.parametrize(("width", "height", "factor"), [(120, 90, 1), (60, 45, 2), (35, 18, 7), (1, 1, 100)])
def test_a_factor_of_the_size_is_found(path, width, height, factor):
    labels = np.random.default_rng(1).choice([0, 1, 2, 255], (height, width)).astype(np.uint8)
    labels.flat[:3] = [0, 1, 2][: labels.size]
    project = empty(width=width * factor - (factor > 1), height=height * factor - (factor > 1))
    save(path, labels)
    project.import_label_png("blank", path, classes=dict(enumerate(CLASSES)))
    np.testing.assert_array_equal(project.label_map("blank", factor), labels)


# --- what is refused ---


@pytest.mark.parametrize("size", [(121, 90), (120, 91), (90, 120), (60, 46), (59, 45), (240, 180)])
def test_another_size_is_refused_with_both_sizes(project, path, size):
    save(path, np.zeros(size[::-1]))
    with pytest.raises(LabelPngError, match=f"{size[0]} x {size[1]} pixels, the image 120 x 90"):
        project.import_label_png("blank", path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pictures_are_no_labels(project, path, mode):
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, len(mode)), dtype=np.uint8)
    PIL.Image.fromarray(noise, mode).save(path)
    with pytest.raises(LabelPngError, match=r"colours .*Export it as labels, not as a picture"):
        project.import_label_png("blank", path)


def bomb(width, height, body=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [50_000, 2**31 - 1, 2**32 - 1, 0])
def test_a_bomb_is_refused_before_decoding(project, path, side, monkeypatch):
    monkeypatch.setattr(PIL.Image, "open", lambda *_, **__: pytest.fail("decoded"))
    path.write_bytes(bomb(side, side))
    with pytest.raises(LabelPngError, match=f"{side} x {side} pixels"):
        project.import_label_png("blank", path)
    monkeypatch.setattr(_label_png, "MAX_PIXELS", 120 * 90 - 1)
    path.write_bytes(bomb(120, 90))
    with pytest.raises(LabelPngError, match="120 x 90 pixels; at most 10,799 are supported"):
        project.import_label_png("blank", path)
    with pytest.raises(LabelPngError, match=r"label map of 'blank' has 120 x 90"):
        project.export_label_png("blank", path)
    project.export_label_png("blank", path, downsample=2)


def test_too_many_areas_are_refused(project, path, monkeypatch):
    monkeypatch.setattr(_exchange, "MOST_AREAS", 5399)
    save(path, np.indices((90, 120)).sum(0) % 2 * 255)
    with pytest.raises(LabelPngError, match="5,400 separate areas; at most 5,399"):
        project.import_label_png("blank", path, classes={0: "Gland"})
    assert not project.can_undo


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a PNG"),
        (b"%PDF-1.4" + bytes(40), "is not a PNG"),
        (b"GIF89a" + bytes(40), "damaged"),
        (bomb(120, 90), "damaged"),
        (bomb(120, 90, bytes(50)), "damaged"),
        (bomb(120, 90)[:30], "damaged"),
    ],
)
def test_damaged_files_are_refused(project, path, content, message):
    path.write_bytes(content)
    with pytest.raises(LabelPngError, match=message):
        project.import_label_png("blank", path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"version": 2, "downsample": 1, "classes": []}',
        '{"version": 1, "downsample": 0, "classes": []}',
        '{"version": 1, "downsample": "NaN", "classes": []}',
        '{"version": 1, "downsample": 1, "classes": [{"name": "A"}]}',
        '{"version": 1, "downsample": 1, "classes": [{"name": 3, "color": "#123456"}]}',
        '{"version": 1, "downsample": 1, "classes": [{"name": "A", "color": "red"}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_text_is_refused(project, path, text):
    info = PIL.PngImagePlugin.PngInfo()
    info.add_text("histowidgets", text)
    save(path, np.zeros((90, 120)), pnginfo=info)
    with pytest.raises(LabelPngError, match=r'text "histowidgets" in labels\.png is damaged'):
        project.import_label_png("blank", path)


def test_values_beyond_the_text_are_refused(project, path):
    info = PIL.PngImagePlugin.PngInfo()
    info.add_text("histowidgets", '{"version": 1, "downsample": 1, "classes": [{"name": "Gland", "color": "#123456"}]}')
    save(path, np.arange(90 * 120).reshape(90, 120) % 3, pnginfo=info)
    with pytest.raises(LabelPngError, match=r"value\(s\) 1, 2, for which the text in labels.png names no class"):
        project.import_label_png("blank", path)


def test_bad_paths_and_names_are_refused(project, tmp_path):
    with pytest.raises(LabelPngError, match="cannot be read"):
        project.import_label_png("blank", tmp_path / "nothing.png")
    with pytest.raises(LabelPngError, match=r"cannot be written: there is no folder .*no folder\. Make it first"):
        project.export_label_png("blank", tmp_path / "no folder" / "x.png")
    with pytest.raises(LabelPngError, match=r"cannot be written: a folder has this name\. Give the name of a file"):
        project.export_label_png("blank", tmp_path)
    with pytest.raises(LabelPngError, match="expected text or a Path") as caught:
        project.import_label_png("blank", np.zeros((90, 120), int).tolist())
    assert len(str(caught.value)) < 300
    with pytest.raises(ImageNameError):
        project.export_label_png("nothing", tmp_path / "x.png")
    with pytest.raises(ImageNameError):
        project.import_label_png("nothing", tmp_path / "x.png")


def test_erasers_before_an_import_hide_nothing_of_it(project, path):
    project.annotate("blank", Stroke([[10, 10]], 9), "Gland")
    project.export_label_png("blank", path)
    labels = project.label_map("blank")
    project.erase("blank", Rectangle(0, 0, 120, 90))
    project.import_label_png("blank", path)
    np.testing.assert_array_equal(project.label_map("blank"), labels)


def test_b14_a_missing_mask_is_an_error_and_no_class_0(project, path, tmp_path):
    """Of two images one has a mask: the other stays unlabelled, and learns nothing of the first class."""
    painted(project)
    project.export_label_png("blank", path)
    fresh = empty()
    other = fresh.add_image(blank(120, 90), name="other")
    fresh.import_label_png("blank", path)
    with pytest.raises(LabelPngError, match="cannot be read"):
        fresh.import_label_png(other, tmp_path / "other.png")
    assert (fresh.label_map(other) == 255).all()
    assert fresh.snapshot().annotated_names() == ["blank"]
