"""What the page may say: every hostile or broken message is named, none is obeyed."""

import numpy as np
import pytest

from histowidgets.widgets._messages import MOST_POINTS, MOST_WAITING, Inbox, MessageError, parse_message, parse_points

STROKE = {"kind": "stroke", "client": "a", "number": 1, "tool": "brush", "class_name": "Tumour", "width": 8.0}

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
