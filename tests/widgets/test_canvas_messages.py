"""What the page may say: every hostile or broken message is named, none is obeyed."""

import numpy as np
import pytest

from histowidgets.widgets.canvas.pointer._dispatcher import spoken
from histowidgets.widgets.canvas.pointer._messages import (
    MOST_POINTS,
    MOST_WAITING,
    Inbox,
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
        ({**DRAFT, "corners": [0] * (MOST_POINTS + 1)}, "corners"),
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
        ([np.zeros((MOST_POINTS + 1, 2), np.float32)], "points"),
        ([np.zeros((10**6, 2), np.float32)], "1000000 points"),
        ([np.array([[1, np.nan]], np.float32)], "no numbers"),
        ([np.array([[np.inf, 1]], np.float32)], "no numbers"),
        ([np.array([[1e30, 1]], np.float32)], "no numbers"),
    ],
)
def test_broken_points_are_named(buffers, words):
    with pytest.raises(MessageError, match=words):
        parse_points(buffers)


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        (np.ones(1, np.float32), "as many widths"),
        (np.ones(3, np.float64), "as many widths"),
        (b"", "as many widths"),
        (np.array([1, np.nan], np.float32), "no numbers"),
        (np.array([1, 0], np.float32), "no numbers"),
        (np.array([1, -2], np.float32), "no numbers"),
        (np.array([1, 8.1], np.float32), "no numbers"),
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


def test_edits_that_overtake_each_other_come_in_order_and_none_comes_twice():
    inbox = Inbox()
    assert inbox.take("a", 1, "one") == [(1, "one")]
    assert inbox.take("a", 3, "three") == []
    assert inbox.take("a", 3, "three") is None
    assert not inbox.is_done("a", 3)
    assert inbox.take("b", 1, "other page") == [(1, "other page")]
    assert inbox.take("a", 2, "two") == [(2, "two"), (3, "three")]
    assert inbox.take("a", 2, "two") is None
    assert inbox.is_done("a", 3)


def test_an_edit_that_never_comes_does_not_hold_up_the_others_for_ever():
    inbox = Inbox()
    got = [inbox.take("a", number, number) for number in range(2, MOST_WAITING + 3)]
    assert got[:-1] == [[]] * MOST_WAITING
    assert got[-1] == [(number, number) for number in range(2, MOST_WAITING + 3)]
    assert inbox.take("a", 1, 1) is None


def test_a_place_is_read_out_as_a_sentence():
    assert spoken("x 120 y 80 · Stroma 0.93") == "x 120, y 80: Stroma 0.93"
    assert spoken("x 1 y 2 · painted Stroma (2) · Stroma 0.93") == "x 1, y 2: painted Stroma (2), Stroma 0.93"
    assert spoken("x 1 y 2") == "x 1, y 2: nothing painted"
    assert spoken("") == "Beside the picture"
