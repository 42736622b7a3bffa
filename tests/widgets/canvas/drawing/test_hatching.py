"""The hatching of classes."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import PALETTE, UNLABELLED
from histowidgets.widgets.canvas.drawing import swatch_url
from histowidgets.widgets.canvas.drawing._hatching import ink_color, pattern_tile
from histowidgets.widgets.canvas.drawing._paint import hatched, painted_classes
from tests.widgets.canvas.helpers import parts


@pytest.fixture
def project():
    rng = np.random.default_rng(0)
    project = hw.Project(["A", "B"])
    project.add_image(rng.integers(0, 255, (60, 80, 3), np.uint8), name="rgb")
    project.add_image(rng.integers(100, 4000, (60, 80, 5)).astype(np.uint16), name="five")
    project.add_image(rng.integers(100, 4000, (60, 80, 5)).astype(np.uint16), name="five more")
    return project


@pytest.fixture
def canvas(project):
    canvas = hw.AnnotationCanvas(project, width=160, height=120)
    yield canvas
    canvas.close()


def test_hatching_tells_classes_apart_without_colour_and_fits_from_piece_to_piece():
    labels = np.full((40, 120), UNLABELLED, np.uint8)
    for index in range(6):
        labels[:, 20 * index : 20 * index + 20] = index
    colors = ["#888888"] * 6
    whole = hatched(painted_classes(labels, colors), labels, 0, 0, 1.0).rgba
    pieces = [whole[:, 20 * i : 20 * i + 20, 0].tobytes() for i in range(6)]
    assert len(set(pieces)) == 6
    right = hatched(painted_classes(labels[:, 50:], colors), labels[:, 50:], 50, 0, 1.0).rgba
    assert (right == whole[:, 50:]).all()
    blank = np.full((8, 8), UNLABELLED, np.uint8)
    assert (hatched(painted_classes(blank, colors), blank, 0, 0, 1.0).rgba == 0).all()
    assert len({swatch_url(index, "#888888") for index in range(8)}) == 8


def test_annotations_and_palette_are_hatched_on_demand(canvas, project):
    assert not canvas.patterns
    canvas.patterns = True
    project.annotate("rgb", hw.Rectangle(10, 10, 40, 40), "A")
    drawing = parts(canvas).renderer
    inked = drawing._annotation_patch(drawing._drawn_image(1.0), 1.0)[0].rgba
    assert [entry["hatch"]["ink"] for entry in parts(canvas).pointer.classes] == [
        ink_color("#E69F00"),
        ink_color("#56B4E9"),
    ]
    assert "url(" in parts(canvas).frame.palette._style.value
    canvas.patterns = False
    plain = drawing._annotation_patch(drawing._drawn_image(1.0), 1.0)[0].rgba
    changed = (plain != inked).any(axis=-1)
    assert 0.05 < changed.mean() < 0.4
    assert (plain[..., 3] == inked[..., 3]).all()
    assert [entry["hatch"] for entry in parts(canvas).pointer.classes] == [None, None]
    assert "url(" not in parts(canvas).frame.palette._style.value


def test_the_default_palette_is_told_apart_without_hue_by_its_hatching():
    """Each pair of the first ten classes differs in lightness or in hatching; no two have the same tile."""
    tiles = [pattern_tile(index, 1.0) for index in range(len(PALETTE))]
    distinct = {(tile.shape, tile.tobytes()) for tile in tiles}
    assert len(distinct) == len(PALETTE)
    for color, tile in zip(PALETTE, tiles, strict=True):
        assert 0.1 < tile.mean() < 0.6
        light, ink = (
            np.array([int(one[i : i + 2], 16) for i in (1, 3, 5)]) @ (0.299, 0.587, 0.114)
            for one in (color, ink_color(color))
        )
        assert abs(light - ink) > 25, "lines are seen without their colour"
