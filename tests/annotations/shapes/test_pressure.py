"""Strokes with a width for each point, as the pressure of a pen gives them."""

import itertools

import numpy as np
import pytest

from histowidgets.annotations import Line, Project, Rectangle, Stroke, conflicts, rasterize, shape_from_dict
from histowidgets.annotations.shapes._geometry import painted_area
from histowidgets.annotations.shapes._hit_test import distance
from histowidgets.errors import ShapeError
from histowidgets.images import Region
from tests.annotations.conftest import CLASSES, blank
from tests.annotations.raster.test_rasterize import centres, covered

TAPERED = Stroke([[20, 20], [60, 30], [62, 31], [80, 70]], [4, 18.5, 3, 10])


def depth(stroke, x, y):
    """The definition: how deep each point lies in the discs between the points, centre and radius changing evenly."""
    deepest = np.full(np.shape(x), -np.inf)
    ends = list(zip(stroke.points, stroke.radii, strict=True))
    for (a, ra), (b, rb) in itertools.pairwise(ends if len(ends) > 1 else ends * 2):
        for t in np.linspace(0, 1, 400):
            centre, radius = a + t * (b - a), ra + t * (rb - ra)
            deepest = np.maximum(deepest, radius - np.hypot(x - centre[0], y - centre[1]))
    return deepest


def random_tapered(rng):
    n = rng.integers(1, 6)
    return Stroke(rng.uniform(-5, 55, (n, 2)), rng.uniform(0.5, 25, n))


@pytest.mark.parametrize("downsample", [1, 3])
def test_a_tapered_stroke_covers_the_hulls_of_its_discs(downsample):
    rng = np.random.default_rng(downsample)
    region = Region(0, 0, 50, 41)
    x, y = centres(region, downsample)
    for _ in range(40):
        stroke = random_tapered(rng)
        deep = depth(stroke, x, y)
        clear = np.abs(deep) > 0.02  # nearer to the edge than the discs of the definition are dense
        np.testing.assert_array_equal(covered(stroke, region, downsample)[clear], (deep > 0)[clear])
        assert clear.mean() > 0.9


def test_what_is_near_a_tapered_stroke_is_measured_from_its_area():
    rng = np.random.default_rng(5)
    for _ in range(40):
        stroke = random_tapered(rng)
        points = rng.uniform(-10, 60, (20, 2))
        wanted = np.maximum(0, -depth(stroke, *points.T))
        assert [distance(stroke, x, y) for x, y in points] == pytest.approx(wanted, abs=0.02)


def test_like_widths_paint_what_one_width_paints():
    rng = np.random.default_rng(2)
    region = Region(0, 0, 80, 80)
    for _ in range(30):
        points = rng.uniform(0, 80, (5, 2))
        one, each = Stroke(points, 7.5), Stroke(points, [7.5] * 5)
        np.testing.assert_array_equal(covered(one, region), covered(each, region))
        assert one.bounds == each.bounds
        assert one.mean_width == each.mean_width == 7.5


def test_a_plain_width_stays_a_plain_float():
    assert type(Stroke([[1, 2]], 3).width) is float
    assert type(Stroke([[1, 2]], np.float32(3)).width) is float
    assert Stroke([[1, 2]]).to_dict()["width"] == 8.0


def test_widths_come_back_from_json_and_do_not_change():
    again = shape_from_dict(TAPERED.to_dict())
    assert again == TAPERED
    assert again != Stroke(TAPERED.points, [4, 18.5, 3, 11])
    assert again.mean_width == 8.875
    assert again.moved(1, 2) == Stroke(np.add(TAPERED.points, [1, 2]), TAPERED.width)
    with pytest.raises(ValueError, match="read-only"):
        again.width[0] = 3
    with pytest.raises(ValueError, match="read-only"):
        again.radii[0] = 3


def test_bounds_hold_what_is_painted_and_no_more():
    rows, columns = np.nonzero(covered(TAPERED, Region(0, 0, 120, 120)))
    left, top, right, bottom = TAPERED.bounds
    assert (left, top, right) == (18.0, 18.0, 85.0)
    assert columns.min() + 0.5 >= left
    assert rows.min() + 0.5 >= top
    assert columns.max() + 0.5 <= right
    assert 0 <= bottom - (rows.max() + 0.5) < 1


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ([3, 4, 5], "one number, or one for each point"),
        ([[3], [4]], "one number, or one for each point"),
        ([3, 0], "above 0"),
        ([3, -1], "above 0"),
        ([3, float("nan")], "finite"),
        ([3, 1e9], "up to 10,000,000"),
        ([3, "wide"], "must be numbers"),
        ([3, [4, 5]], "must be numbers"),
        ([3, None], "finite|numbers"),
    ],
)
def test_bad_widths_are_refused(widths, message):
    with pytest.raises(ShapeError, match=message):
        Stroke([[0, 0], [5, 5]], widths)


def test_a_line_has_one_width():
    with pytest.raises(ShapeError, match="it must be a number"):
        Line([[0, 0], [5, 5]], [3, 4])


def test_the_area_for_other_programs_is_that_which_is_painted():
    painted = covered(TAPERED, Region(0, 0, 120, 120)).sum()
    assert painted_area(TAPERED).area == pytest.approx(painted, rel=0.01)
    dot = Stroke([[30, 30]], [12])
    assert painted_area(dot).area == pytest.approx(np.pi * 36, rel=0.01)


def test_a_tapered_stroke_goes_through_folder_geojson_and_conflicts(tmp_path):
    project = Project(CLASSES, tmp_path / "project")
    project.add_image(blank())
    project.annotate("blank", Rectangle(10, 10, 60, 40), "Stroma")
    project.annotate("blank", TAPERED, "Gland")
    labels = project.label_map("blank")
    found = conflicts(project.snapshot(), "blank")
    under = np.zeros((90, 120), bool)
    under[10:50, 10:70] = True
    assert sum(c.pixels for c in found) == (under & (labels == 1)).sum() > 100
    project.export_geojson("blank", tmp_path / "out.geojson")
    project.close()
    again = Project.open(tmp_path / "project")
    assert again.annotations("blank")[1].shape == TAPERED
    np.testing.assert_array_equal(again.label_map("blank"), labels)
    again.close()
    other = Project(CLASSES)
    other.add_image(blank())
    other.import_geojson("blank", tmp_path / "out.geojson")
    assert other.annotations("blank")[1].shape == TAPERED
    index = {name: i for i, name in enumerate(CLASSES)}
    np.testing.assert_array_equal(rasterize(other.annotations("blank"), index, Region(0, 0, 120, 90)), labels)
