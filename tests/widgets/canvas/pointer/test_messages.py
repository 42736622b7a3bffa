"""What the page may say: every hostile or broken message is named, none is obeyed."""

import numpy as np
import pytest

from histowidgets.widgets.canvas.pointer._messages import (
    MAX_POINTS,
    MessageError,
    parse_message,
    parse_points,
    parse_stroke,
)

STROKE = {"kind": "stroke", "client": "a", "number": 1, "tool": "brush", "class_name": "Tumour", "width": 8.0}

EDIT = {"client": "a", "number": 1}
WAND = {**EDIT, "kind": "wand", "x": 1, "y": 1, "tolerance": 12, "view": [1, 1, 1], "class_name": "Tumour"}
DRAFT = {**EDIT, "kind": "draft", "image_name": "colon", "corners": [0]}
SHAPE = {**STROKE, "kind": "shape", "tool": "polygon"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "message"),
        ([], "message"),
        ({}, "kind"),
        ({"kind": "exec", "client": "a"}, "kind"),
        ({**STROKE, "width": float("nan")}, "width"),
        ({**STROKE, "width": -1}, "width"),
        ({**STROKE, "width": 1e9}, "width"),
        ({**STROKE, "number": 0}, "number"),
        ({**STROKE, "tool": "hammer"}, "tool"),
        ({**STROKE, "client": "x" * 1000}, "client"),
        ({**STROKE, "surprise": 1}, "surprise"),
        ({key: value for key, value in STROKE.items() if key != "class_name"}, "class_name"),
        ({**STROKE, "tool": "polygon"}, r"stroke\.tool"),
        ({**SHAPE, "tool": "brush"}, r"shape\.tool"),
        ({**SHAPE, "number": 0}, "number"),
        ({**SHAPE, "width": float("inf")}, "width"),
        ({**SHAPE, "points": [[1, 2]]}, "points"),
        ({"kind": "short", "client": "a", "points": 3}, "points"),
        ({"kind": "overlay", "client": "a"}, "on"),
        ({"kind": "overlay", "client": "a", "on": "<b>"}, "on"),
        ({"kind": "view", "client": "a", "number": 1, "x": 0, "y": float("inf"), "zoom": 1}, r"view\.y"),
        ({"kind": "view", "client": "a", "number": 1, "x": 0, "y": 0, "zoom": 0}, "zoom"),
        ({"kind": "ready", "client": "a", "scale": 1000}, "scale"),
        ({"kind": "width", "client": "a", "width": 0}, "width"),
        ({**STROKE, "image_name": "x" * 2000}, "image_name"),
        ({**EDIT, "kind": "pick", "x": 1, "y": float("nan"), "tolerance": 3, "add": False}, r"pick\.y"),
        ({**EDIT, "kind": "pick", "x": 1, "y": 1, "tolerance": -3, "add": False}, "tolerance"),
        ({**EDIT, "kind": "marquee", "x": 1, "y": 1, "width": 0, "height": 3, "add": False}, "width"),
        ({**EDIT, "kind": "marquee", "x": 1e300, "y": 1, "width": 2, "height": 3, "add": False}, r"marquee\.x"),
        ({**EDIT, "kind": "move", "dx": float("inf"), "dy": 0}, "dx"),
        ({**EDIT, "kind": "move", "dx": 1, "dy": 0, "ids": ["a"]}, "ids"),
        ({**EDIT, "kind": "reclassify", "class_name": "x" * 2000}, "class_name"),
        ({**EDIT, "kind": "explode"}, "kind"),
        ({**WAND, "tolerance": 0}, "tolerance"),
        ({**WAND, "tolerance": 1e9}, "tolerance"),
        ({**WAND, "view": [1, 2, 0]}, "view"),
        ({**WAND, "view": [1, 2]}, "view"),
        ({**WAND, "kind": "wand-preview"}, "request"),
        ({**DRAFT, "number": 0}, "number"),
        ({**DRAFT, "corners": [-1]}, "corners"),
        ({**DRAFT, "corners": [1.5]}, "corners"),
        ({**DRAFT, "corners": [0] * (MAX_POINTS + 1)}, "corners"),
    ],
)
def test_a_broken_message_is_named(content, words):
    with pytest.raises(MessageError, match=words):
        parse_message(content)


@pytest.mark.parametrize(
    ("buffers", "words"),
    [
        ([], "without its points"),
        (None, "without its points"),
        ([b"", b""], "without its points"),
        ([b""], "0 bytes"),
        ([b"1234567"], "7 bytes"),
        ([np.zeros((MAX_POINTS + 1, 2), np.float32)], "points"),
        ([np.zeros((10**6, 2), np.float32)], "1000000 points"),
        ([np.array([[1, np.nan]], np.float32)], "not finite numbers"),
        ([np.array([[np.inf, 1]], np.float32)], "not finite numbers"),
        ([np.array([[1e30, 1]], np.float32)], "not finite numbers"),
    ],
)
def test_broken_points_are_named(buffers, words):
    with pytest.raises(MessageError, match=words):
        parse_points(buffers)


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        (np.ones(1, np.float32), "another number of widths"),
        (np.ones(3, np.float64), "another number of widths"),
        (b"", "another number of widths"),
        (np.array([1, np.nan], np.float32), "not numbers"),
        (np.array([1, 0], np.float32), "not numbers"),
        (np.array([1, -2], np.float32), "not numbers"),
        (np.array([1, 8.1], np.float32), "not numbers"),
    ],
)
def test_broken_widths_are_named(widths, words):
    points = np.array([[1, 2], [3, 4]], np.float32)
    with pytest.raises(MessageError, match=words):
        parse_stroke([points, widths], 8.0)


def test_good_widths_come_one_a_point_and_one_for_all_if_they_are_alike():
    points = np.array([[1, 2], [3, 4]], np.float32)
    assert parse_stroke([points], 8.0)[1] == 8.0
    assert parse_stroke([points, np.array([8, 8], np.float32)], 8.0)[1] == 8.0
    assert parse_stroke([points, memoryview(np.array([8, 3], np.float32))], 8.0)[1].tolist() == [8, 3]
    with pytest.raises(MessageError, match="without its points"):
        parse_stroke([points, points, points], 8.0)


def test_good_points_come_as_pairs():
    points = parse_points([memoryview(np.array([[1, 2], [3, 4]], np.float32))])
    assert points.tolist() == [[1, 2], [3, 4]]
    assert points.dtype == np.float64
