"""Shapes and annotations."""

import json

import numpy as np
import pytest

from histowidgets.annotations import Annotation, Line, Polygon, Rectangle, Stroke, shape_from_dict
from histowidgets.errors import ShapeError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stroke([]), r"shape \(0,\)"),
        (lambda: Stroke(np.zeros((0, 2))), "at least 1 point"),
        (lambda: Stroke([[1, 2, 3]]), r"shape \(1, 3\)"),
        (lambda: Stroke([[1, np.nan]]), "NaN or infinite"),
        (lambda: Stroke([[np.inf, 1]]), "NaN or infinite"),
        (lambda: Stroke([[1, 2e7]]), "pixels away"),
        (lambda: Stroke("hello"), "must be numbers"),
        (lambda: Stroke([[1, 2], [3]]), "must be numbers"),
        (lambda: Stroke([[1, 1]], width=0), "above 0"),
        (lambda: Stroke([[1, 1]], width=np.nan), "above 0"),
        (lambda: Stroke([[1, 1]], width="wide"), "it must be a number"),
        (lambda: Line([[1, 1]]), "at least 2 point"),
        (lambda: Polygon([[1, 1], [2, 2]]), "at least 3 point"),
        (lambda: Polygon([[0, 0], [9, 0], [0, 9]], [[[1, 1], [2, np.nan], [3, 1]]]), "hole of a polygon"),
        (lambda: Polygon([[0, 0], [9, 0], [0, 9]], holes=None), "holes of a polygon are None; pass a list of outlines"),
        (lambda: Rectangle(0, 0, 0, 5), "width of a rectangle"),
        (lambda: Rectangle(0, np.nan, 5, 5), "y of a rectangle"),
        (lambda: Rectangle(0, 0, 5, -1), "height of a rectangle"),
    ],
)
def test_bad_shapes_are_refused(make, message):
    with pytest.raises(ShapeError, match=message):
        make()


@pytest.mark.parametrize("kind", [Stroke, Line, Polygon])
def test_points_may_be_given_by_name(kind):
    points = [[1, 2], [3, 4], [5, 0]]
    assert kind(points_xy=points) == kind(points)
    np.testing.assert_array_equal(kind(points_xy=points).points, points)


def test_shapes_come_back_from_json_unchanged(shapes):
    for shape in shapes:
        back = shape_from_dict(json.loads(json.dumps(shape.to_dict())))
        assert back == shape
        assert hash(back) == hash(shape)
        assert back.bounds == shape.bounds
    assert shapes[0] != shapes[1]
    assert shapes[0] != "a stroke"


@pytest.mark.parametrize(
    "values", [{"type": "blob"}, {"type": "stroke"}, {"type": "rectangle", "x": 1, "size": 3}, 3, {}]
)
def test_damaged_shapes_are_refused(values):
    with pytest.raises(ShapeError, match=r"unknown|fields"):
        shape_from_dict(values)


def test_shapes_do_not_change():
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    stroke = Stroke(points)
    points[:] = 0
    assert stroke.points[0].tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        stroke.points[0] = 9
    with pytest.raises(AttributeError, match="cannot assign"):
        stroke.width = 3


def test_annotations_come_back_from_json_unchanged(shapes):
    annotation = Annotation("1", shapes[0], None, 12.5, "Ada")
    assert Annotation.from_dict(json.loads(json.dumps(annotation.to_dict()))) == annotation
    with pytest.raises(ShapeError, match="missing or invalid field"):
        Annotation.from_dict({"id": "1"})
