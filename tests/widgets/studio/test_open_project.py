"""What `Studio` is given becomes a project, and a cell that is run again finds its work again."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassNameError, ImageNameError, ImageOpenError, ImageSizeError, ImageValueError
from histowidgets.widgets.studio._open_project import forget, open_project


def _image(seed=0):
    return np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)


def test_a_cell_run_again_finds_the_annotations_of_this_kernel():
    project, words = open_project(_image(), ["A", "B"], None)
    assert words == ""
    project.annotate(project.image_names[0], hw.Stroke([(5, 5), (20, 20)]), "A")
    again, words = open_project(_image(), ["A", "B"], None)
    assert again is project
    assert "1 annotations" in words
    other_image, _ = open_project(_image(1), ["A", "B"], None)
    other_classes, _ = open_project(_image(), ["A", "C"], None)
    fresh, _ = open_project(_image(), ["A", "B"], None, fresh=True)
    assert len({id(p) for p in (project, other_image, other_classes, fresh)}) == 4
    forget(project)
    anew, _ = open_project(_image(), ["A", "B"], None)
    assert anew is not project


def test_a_folder_is_opened_again_with_what_is_new(tmp_path):
    project, _ = open_project(_image(), ["A", "B"], tmp_path / "p")
    name = project.image_names[0]
    project.annotate(name, hw.Stroke([(5, 5), (20, 20)]), "A")
    project.close()
    again, words = open_project([_image()], ["A", "B", "C"], tmp_path / "p")
    assert again.count() == {"A": 1, "B": 0, "C": 0}
    assert again.image_names == [name]
    assert "1 annotations" in words
    again.close()


def test_arrays_without_names_are_told_apart(tmp_path):
    project, _ = open_project([_image(1), _image(2)], ["A", "B"], tmp_path / "p")
    assert project.image_names == ["image", "image 2"]
    project.close()
    again, _ = open_project([_image(1), _image(2), _image(3)], ["A", "B"], tmp_path / "p")
    assert again.image_names == ["image", "image 2", "image 3"]
    for name, seed in zip(again.image_names, (1, 2, 3), strict=True):
        np.testing.assert_array_equal(again.image(name).read(0, 0, 60, 40), _image(seed))
    again.close()


@pytest.mark.parametrize(
    ("images", "classes", "error", "match"),
    [
        (None, ["A"], ImageNameError, "image"),
        ([], ["A"], ImageNameError, "empty"),
        ("image", None, ClassNameError, "classes"),
        ("image", [], ClassNameError, "class"),
        ("image", ["A", "A"], ClassNameError, "A"),
        ("image", ["A", " "], ClassNameError, "(?i)blank|empty"),
        (np.zeros((1, 50, 3), np.uint8), ["A"], ImageSizeError, "50"),
        (np.full((50, 50), np.nan), ["A"], ImageValueError, "NaN|nan"),
        ("no_such_file.png", ["A"], ImageOpenError, "no_such_file"),
    ],
)
def test_bad_input_is_a_named_error(images, classes, error, match):
    given = _image() if isinstance(images, str) and images == "image" else images
    with pytest.raises(error, match=match):
        open_project(given, classes, None)
