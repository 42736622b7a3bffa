"""Polygons that are valid for other programs, and have the area that the label map shows."""

import numpy as np
import pytest
import shapely
from scipy import ndimage

from histowidgets.annotations import Polygon, painted_area, rasterize
from histowidgets.annotations.raster import find_areas, trace_outlines
from histowidgets.annotations.shapes import Annotation, is_near, simplify
from histowidgets.images import Region

SQUARE = [(10, 10), (50, 10), (50, 50), (10, 50)]


def box(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def labels_of(shape):
    return rasterize([Annotation("a", shape, "A", 0, "")], {"A": 0}, Region(0, 0, 80, 80))


@pytest.mark.parametrize(
    ("holes", "area"),
    [
        ([box(20, 20, 30, 30)], 1500),
        ([box(40, 20, 60, 30)], 1500),  # sticks out: taken away where it overlaps
        ([box(20, 20, 30, 30), box(25, 20, 35, 30)], 1450),  # they overlap
        ([box(20, 20, 30, 30)] * 2, 1500),
        ([box(20, 5, 30, 55)], 1200),  # cuts it in two
        ([box(60, 60, 70, 70)], 1600),  # outside
        ([box(0, 0, 60, 60)], 0),  # nothing is left
        ([[(20, 20), (40, 40), (40, 20), (20, 40)]], 1400),  # crosses itself
    ],
)
def test_a_hole_takes_away_what_lies_in_it_and_nothing_else(holes, area):
    shape = Polygon(SQUARE, holes)
    assert painted_area(shape).area == pytest.approx(area)
    assert painted_area(shape).is_valid
    assert abs((labels_of(shape) == 0).sum() - area) <= 20  # centres of pixels on a diagonal
    x, y = np.meshgrid(np.arange(2, 78, 5) + 0.3, np.arange(2, 78, 5) + 0.6)
    inside = shapely.contains_xy(painted_area(shape), x, y)
    near = np.vectorize(lambda a, b: is_near(shape, float(a), float(b), 0))(x, y)
    np.testing.assert_array_equal(inside, near)


def test_a_polygon_keeps_the_holes_that_were_given():
    holes = [box(40, 20, 60, 30)]
    shape = Polygon(SQUARE, holes)
    assert shape.to_dict()["holes"] == [[list(map(float, p)) for p in holes[0]]]
    assert Polygon(points_xy=shape.points, holes=shape.holes) == shape


@pytest.mark.parametrize("tolerance", [0, 0.3, 1, 4, 20, 1e6, float("inf")])
@pytest.mark.parametrize("smooth", [0.8, 1.8, 5])
def test_outlines_are_valid_and_of_the_same_area_at_any_tolerance(tolerance, smooth):
    rough = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(150, 150)), smooth)
    labels = np.digitize(rough, np.quantile(rough, [0.4, 0.7])).astype(np.uint8)
    before = after = 0
    for outline in trace_outlines(find_areas(labels, 255)):
        polygon = shapely.Polygon(outline.exterior, outline.interiors)
        found = simplify(polygon, tolerance)
        assert found.is_valid, shapely.is_valid_reason(found)
        assert found.geom_type == "Polygon"
        assert found.area == pytest.approx(polygon.area, rel=0.01)
        assert len(found.interiors) == len(polygon.interiors)
        before += shapely.get_num_coordinates(polygon)
        after += shapely.get_num_coordinates(found)
    assert after == before if tolerance == 0 else after <= before
    if tolerance == 1 and smooth > 1:
        assert after < 0.6 * before


@pytest.mark.parametrize("thin", [box(0, 0, 500, 1), box(0, 0, 2, 2), [(0, 0), (900, 1), (900, 2), (0, 1)]])
def test_thin_areas_do_not_vanish(thin):
    polygon = shapely.Polygon(thin)
    for tolerance in (0.5, 2, 50):
        assert simplify(polygon, tolerance).area == pytest.approx(polygon.area, rel=0.01)
