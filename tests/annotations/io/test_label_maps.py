"""Label maps as other programs write them: masks, numbers of any width, colours, arrays."""

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tifffile

import histowidgets as hw
from histowidgets.annotations import Project
from histowidgets.errors import LabelPngError, UnknownClassError, UnnamedValuesError
from histowidgets.prediction import Prediction
from tests.annotations.conftest import blank

MASK = np.zeros((30, 40), bool)
MASK[10:20, 20:30] = MASK[2, 5] = True


def project_of(*classes, **colors):
    project = Project(classes, colors=colors or None)
    project.add_image(blank(40, 30))
    return project


def imported(source, project, **options):
    said = []
    project.import_annotations("blank", source, tell=said.append, **options)
    return project.label_map("blank"), " ".join(said)


def png(path, array, **more):
    PIL.Image.fromarray(array).save(path, **more)
    return path


def masks(folder):
    """Yield what programs write for yes and no."""
    eight, sixteen = MASK.astype(np.uint8), MASK.astype(np.uint16)
    yield png(folder / "1-bit.png", MASK)
    yield png(folder / "0-1.png", eight)
    yield png(folder / "0-255.png", eight * 255)
    yield png(folder / "16-bit.png", sixteen * 65535)
    yield png(folder / "1-bit.bmp", MASK)
    arrays = {"8": eight * 255, "16": sixteen * 7, "32": MASK.astype(np.float32), "i": MASK.astype(np.int32)}
    for name, array in arrays.items():
        tifffile.imwrite(folder / f"{name}.tif", array)
        yield folder / f"{name}.tif"
    tifffile.imwrite(folder / "white.tif", ~MASK, photometric="miniswhite")  # 0 is white: what was marked
    yield folder / "white.tif"
    tifffile.imwrite(folder / "black.tif", MASK, photometric="minisblack")
    yield folder / "black.tif"
    np.save(folder / "mask.npy", MASK)
    yield folder / "mask.npy"
    yield MASK
    yield eight * 255
    yield MASK.astype(float)
    yield MASK[:, :, None]
    yield PIL.Image.fromarray(MASK)
    yield np.dstack([eight * 255] * 3)


def test_a_mask_of_any_kind_is_the_only_class_where_it_is_not_0(tmp_path):
    for source in masks(tmp_path):
        labels, said = imported(source, project_of("Tumor"))
        np.testing.assert_array_equal(labels == 0, MASK, err_msg=str(source))
        assert "was taken as 'Tumor', 0 as unlabelled" in said


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_mask_is_turned_as_its_file_says_like_the_image_that_it_is_of(tmp_path, ending, orientation):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    stored = PIL.Image.fromarray(MASK if orientation < 5 else MASK.T.copy())
    stored.getexif().update(exif)
    wanted = np.asarray(PIL.ImageOps.exif_transpose(stored))
    path = tmp_path / f"mask.{ending}"
    if ending == "png":
        png(path, np.asarray(stored).astype(np.uint8), exif=exif)
    else:
        tifffile.imwrite(path, np.asarray(stored).astype(np.uint8), extratags=[(274, "H", 1, orientation, True)])
    sources = [path] if ending == "tif" else [path, PIL.Image.open(path)]
    for source in sources:
        labels, _ = imported(source, project_of("Tumor"))
        np.testing.assert_array_equal(labels == 0, wanted)


def test_a_mask_needs_to_be_told_which_of_two_classes_it_is(tmp_path):
    for source in masks(tmp_path):
        project = project_of("Stroma", "Tumor", "Fat")
        with pytest.raises(UnnamedValuesError, match='classes="Stroma"') as caught:
            project.import_annotations("blank", source)
        assert sorted(caught.value.values.values()) == [MASK.sum(), (~MASK).sum()]
        labels, said = imported(source, project, classes="tumor")
        np.testing.assert_array_equal(labels == 1, MASK)
        assert said == "'tumor' was taken as the class 'Tumor'."


def test_an_empty_mask_labels_nothing(tmp_path):
    for array in (np.zeros((30, 40), np.uint8), np.zeros((30, 40), bool)):
        labels, said = imported(png(tmp_path / "m.png", array), project_of("Tumor"))
        assert (labels == 255).all()
        assert said == ""


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64])
def test_numbers_of_any_type_get_the_classes_that_are_said(tmp_path, dtype):
    values = np.zeros((30, 40), dtype)
    values[3:9, 3:9], values[12:20, 5:9] = 1, 100
    tifffile.imwrite(tmp_path / "l.tif", values)
    np.save(tmp_path / "l.npy", values)
    for source in (tmp_path / "l.tif", tmp_path / "l.npy", values):
        labels, said = imported(source, project_of("A", "B"), classes={0: None, 1: "B", 100: "A"})
        assert said == ""
        np.testing.assert_array_equal(labels, np.select([values == 1, values == 100], [1, 0], 255))
    project = project_of("A", "B")
    with pytest.raises(UnnamedValuesError, match=r"value\(s\) 100.*classes= names no class"):
        project.import_annotations("blank", values, classes={0: None, 1: "B"})


def test_cells_that_are_numbered_stay_apart():
    cells = np.zeros((30, 40), np.uint16)
    cells[5:10, 5:10], cells[5:10, 10:15], cells[20:25, 5:10] = 300, 301, 255
    project = project_of("Cell", "Other")
    labels, _ = imported(cells, project, classes="Cell")
    assert project.count() == {"Cell": 3, "Other": 0}
    np.testing.assert_array_equal(labels == 0, cells > 0)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((30, 40), 0.5), "not whole numbers"),
        (np.full((30, 40), np.nan), "not whole numbers"),
        (np.zeros((30, 40, 2), np.uint8), "shape"),
        (np.zeros((2, 30, 40, 3), np.uint8), "shape"),
        (np.zeros((30, 40, 3), np.uint16), "shape"),
        (np.full((30, 40), "a"), "whole numbers"),
        (np.zeros((31, 40), np.uint8), "40 x 31 pixels, the image 40 x 30"),
    ],
)
def test_arrays_that_are_no_labels_are_refused(array, words):
    with pytest.raises(LabelPngError, match=words):
        project_of("A").import_annotations("blank", array)


def test_files_that_are_no_labels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "pages.tif", np.zeros((5, 30, 40), np.uint8), photometric="minisblack")
    PIL.Image.new("L", (40, 30)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.tif").write_bytes((tmp_path / "pages.tif").read_bytes()[:100])
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    for name, words in {
        "pages.tif": "has 5 pages",
        "a.jpg": "JPEG, whose compression changes values",
        "cut.tif": "cannot be read",
        "cut.npy": "damaged",
        "objects.npy": "damaged",
        "none.png": "cannot be read",
    }.items():
        with pytest.raises(hw.errors.AnnotationFileError, match=words):
            project_of("A").import_annotations("blank", tmp_path / name)


# --- colours ---

RED, GREEN, BLACK, WHITE = (200, 0, 0), (0, 150, 60), (0, 0, 0), (255, 255, 255)


def picture(background=BLACK):
    pixels = np.full((30, 40, 3), background, np.uint8)
    pixels[3:9, 3:9], pixels[12:20, 5:9] = RED, GREEN
    return pixels


def test_colours_get_the_classes_that_are_said(tmp_path):
    pixels = picture((12, 34, 56))
    wanted = np.select([(pixels == RED).all(-1), (pixels == GREEN).all(-1)], [1, 0], 255)
    tifffile.imwrite(tmp_path / "c.tif", pixels, photometric="rgb")
    tifffile.imwrite(tmp_path / "planar.tif", np.moveaxis(pixels, 2, 0), photometric="rgb", planarconfig="separate")
    clear = np.dstack([pixels, np.where(wanted == 255, 0, 255).astype(np.uint8)])
    palette = PIL.Image.fromarray(pixels).convert("P", palette=PIL.Image.Palette.ADAPTIVE, colors=3)
    palette.save(tmp_path / "palette.png")
    table = {(12, 34, 56): None, "#c80000": "B", GREEN: "A"}
    for source in (
        png(tmp_path / "c.png", pixels),
        png(tmp_path / "clear.png", clear),
        tmp_path / "c.tif",
        tmp_path / "planar.tif",
        tmp_path / "palette.png",
        pixels,
        clear,
    ):
        labels, said = imported(source, project_of("A", "B"), classes=table)
        np.testing.assert_array_equal(labels, wanted, err_msg=str(source))
        assert said == ""
    with pytest.raises(UnnamedValuesError, match="#0C2238") as caught:
        project_of("A", "B").import_annotations("blank", pixels)
    assert caught.value.values == {"#0C2238": 1132, "#C80000": 36, "#00963C": 32}
    # New classes take the colours of the picture.
    project = project_of("Other")
    imported(pixels, project, classes={**table, "#C80000": "B"}, unknown_classes="add")
    assert project.colors == {"Other": "#E69F00", "B": "#C80000", "A": "#00963C"}


@pytest.mark.parametrize("background", [BLACK, WHITE])
def test_the_colours_of_the_classes_are_known(tmp_path, background):
    pixels = picture(background)
    project = project_of("A", "B", A="#00963C", B="#C80000")
    labels, said = imported(png(tmp_path / "c.png", pixels), project)
    np.testing.assert_array_equal(labels, np.select([(pixels == RED).all(-1), (pixels == GREEN).all(-1)], [1, 0], 255))
    assert "colours of c.png were matched to those of the classes" in said


# --- names ---


def test_what_a_prediction_saves_is_read_back_by_name(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (30, 40)).astype(np.uint8)
    region = hw.Region(0, 0, 40, 30)
    colors = ["#ff0000", "#00ff00", "#0000ff"]
    prediction = Prediction(
        None, classes=["a", "b", "c"], colors=colors, region=region, pixel_size_um=None, labels=labels
    )
    prediction.save_png(tmp_path / "p.png")
    project = project_of("C", "x", "b", "a")
    found, said = imported(tmp_path / "p.png", project)
    np.testing.assert_array_equal(found, np.array([3, 2, 0])[labels])
    assert said == "'c' was taken as the class 'C'."
    found, _ = imported(tmp_path / "p.png", project_of("x", "y"), classes={"a": "x", "b": None, "c": "y"})
    np.testing.assert_array_equal(found, np.array([0, 255, 1])[labels])
    with pytest.raises(UnknownClassError, match="'b', 'c'"):
        project_of("a").import_annotations("blank", tmp_path / "p.png")


def test_a_preview_lists_the_values_that_need_a_class(tmp_path):
    preview = project_of("A", "B", "C").preview_import("blank", png(tmp_path / "m.png", MASK))
    assert (preview.format, preview.values) == ("label map", {0: (~MASK).sum(), 1: MASK.sum()})
    preview = project_of("A").preview_import("blank", MASK)
    assert (preview.count, preview.values) == (2, {})
