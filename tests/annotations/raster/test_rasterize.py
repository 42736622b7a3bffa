"""The pixels that shapes cover."""

import itertools

import numpy as np
import pytest

from histowidgets.annotations import UNLABELLED, Annotation, Line, Polygon, Rectangle, Stroke, rasterize
from histowidgets.errors import ClassNameError, RegionError
from histowidgets.images import Region

INDEX = {"Stroma": 0, "Gland": 1}
REGION = Region(0, 0, 64, 48)


def drawn(shape, class_name="Stroma"):
    return Annotation("id", shape, class_name, 0.0, "")


def covered(shape, region=REGION, downsample=1):
    return rasterize([drawn(shape)], INDEX, region, downsample) == 0


def centres(region, downsample):
    rows, cols = -(-region.height // downsample), -(-region.width // downsample)
    y, x = np.mgrid[:rows, :cols] + 0.5
    return region.x + x * downsample, region.y + y * downsample


def near_path(shape, region, downsample):
    """The definition: the centre of the pixel lies within half a width of the path."""
    x, y = centres(region, downsample)
    distance = np.full(x.shape, np.inf)
    points = shape.points if len(shape.points) > 1 else np.repeat(shape.points, 2, 0)
    for a, b in itertools.pairwise(points):
        u = b - a
        t = np.clip(((x - a[0]) * u[0] + (y - a[1]) * u[1]) / (u @ u or 1), 0, 1)
        distance = np.minimum(distance, np.hypot(x - a[0] - t * u[0], y - a[1] - t * u[1]))
    return distance <= shape.width / 2


def inside_rings(rings, region, downsample=1):
    """The definition: an odd number of edges to the left of the centre."""
    x, y = centres(region, downsample)
    inside = np.zeros(x.shape, bool)
    for ring in rings:
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if a[1] == b[1]:
                continue
            crosses = (a[1] <= y) != (b[1] <= y)
            inside ^= crosses & (a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]) <= x)
    return inside


@pytest.mark.parametrize("downsample", [1, 2, 3, 8])
def test_a_stroke_covers_the_pixels_whose_centre_is_under_the_brush(downsample):
    rng = np.random.default_rng(downsample)
    for _ in range(60):
        stroke = Stroke(rng.uniform(-10, 70, (rng.integers(1, 8), 2)), rng.uniform(0.5, 15))
        region = Region(int(rng.integers(-5, 20)), int(rng.integers(-5, 20)), 50, 41)
        np.testing.assert_array_equal(covered(stroke, region, downsample), near_path(stroke, region, downsample))


def test_a_polygon_covers_the_pixels_whose_centre_is_inside():
    rng = np.random.default_rng(0)
    for _ in range(60):
        outline, hole = rng.uniform(-10, 70, (rng.integers(3, 9), 2)), rng.uniform(10, 30, (3, 2))
        mask = covered(Polygon(outline, [hole]))  # which may stick out of the outline
        wanted = inside_rings([outline], REGION) & ~inside_rings([hole], REGION)
        np.testing.assert_array_equal(mask, wanted)


def test_widths_and_sides_are_exact():
    assert covered(Stroke([[20, 20], [40, 20]], 8)).any(axis=1).sum() == 8
    assert covered(Line([[20.5, -50], [20.5, 90]], 3)).any(axis=0).sum() == 3
    assert covered(Rectangle(10, 10, 7, 5)).sum() == 35
    assert covered(Polygon([[10, 10], [17, 10], [17, 15], [10, 15]])).sum() == 35


def test_neighbouring_areas_share_no_pixel_and_leave_no_gap():
    left, right = Polygon([[0, 0], [31.5, 0], [20.2, 48], [0, 48]]), Polygon([[31.5, 0], [64, 0], [64, 48], [20.2, 48]])
    np.testing.assert_array_equal(covered(left) ^ covered(right), np.ones((48, 64), bool))


def test_a_hole_is_not_covered():
    frame = Polygon([[0, 0], [40, 0], [40, 40], [0, 40]], [[[10, 10], [30, 10], [30, 30], [10, 30]]])
    mask = covered(frame)
    assert mask.sum() == 1600 - 400
    assert not mask[20, 20]


@pytest.mark.parametrize("downsample", [1, 2, 4, 8])
def test_r60_labels_are_resampled_nearest(downsample):
    annotations = [drawn(Stroke([[5, 5], [60, 40]], 12)), drawn(Rectangle(20, 10, 24, 24), "Gland")]
    small = rasterize(annotations, INDEX, REGION, downsample)
    large = rasterize(annotations, INDEX, REGION)
    assert small.shape == (48 // downsample, 64 // downsample)
    assert set(np.unique(small)) <= {0, 1, 255}
    step = downsample // 2
    agree = small == large[step::downsample, step::downsample]
    assert agree.mean() > 0.93


def test_a_region_gets_the_same_labels_as_the_whole():
    rng = np.random.default_rng(3)
    annotations = [drawn(Stroke(rng.uniform(0, 64, (5, 2)), 6), ["Stroma", "Gland"][i % 2]) for i in range(20)]
    whole = rasterize(annotations, INDEX, REGION)
    part = rasterize(annotations, INDEX, Region(8, 4, 30, 20))
    np.testing.assert_array_equal(part, whole[4:24, 8:38])


def test_b16_the_order_of_drawing_is_kept():
    a, b = drawn(Rectangle(10, 10, 20, 20)), drawn(Stroke([[20, 20]], 10), "Gland")
    assert rasterize([a, b], INDEX, REGION)[20, 20] == 1
    assert rasterize([b, a], INDEX, REGION)[20, 20] == 0


def test_kinds_of_shapes_keep_their_order_among_one_another():
    stack = [
        drawn(Rectangle(10, 10, 20, 20)),
        drawn(Stroke([[20, 20]], 10), "Gland"),
        drawn(Polygon([[18, 18], [23, 18], [23, 23], [18, 23]])),
        drawn(Line([[19, 20], [21, 20]], 2), "Gland"),
    ]
    labels = rasterize(stack, INDEX, REGION)
    assert [labels[12, 12], labels[16, 20], labels[22, 22], labels[20, 20]] == [0, 1, 0, 1]


def test_an_eraser_clears_what_came_before_it_alone():
    before, after = drawn(Rectangle(0, 0, 40, 40)), drawn(Rectangle(20, 0, 4, 40), "Gland")
    eraser = drawn(Rectangle(10, 0, 20, 40), None)
    labels = rasterize([before, eraser, after], INDEX, REGION)
    assert [labels[5, x] for x in (5, 12, 22, 28, 35)] == [0, UNLABELLED, 1, UNLABELLED, 0]


def test_far_annotations_are_not_touched(monkeypatch):
    from histowidgets.annotations.raster import _labels

    seen = []
    original = _labels.spans_of
    monkeypatch.setattr(_labels, "spans_of", lambda shapes, *rest: (seen.extend(shapes), original(shapes, *rest))[1])
    near, far = Stroke([[5, 5]], 4), Stroke([[500, 500]], 4)
    rasterize([drawn(near), drawn(far)], INDEX, Region(0, 0, 20, 20))
    assert seen == [near]


def test_nothing_drawn_gives_an_empty_map():
    assert (rasterize([], INDEX, REGION) == UNLABELLED).all()
    assert (rasterize([drawn(Stroke([[1000, 1000]], 4))], INDEX, REGION) == UNLABELLED).all()


def test_an_unknown_class_is_refused():
    with pytest.raises(ClassNameError, match="'Nerve'"):
        rasterize([drawn(Stroke([[5, 5]]), "Nerve")], INDEX, REGION)


def test_a_bad_downsample_is_refused():
    with pytest.raises(RegionError, match="at least 1"):
        rasterize([], INDEX, REGION, 0)


def test_bounds_hold_all_pixels(shapes):
    for shape in shapes:
        rows, cols = np.nonzero(covered(shape, Region(0, 0, 120, 90)))
        left, top, right, bottom = shape.bounds
        assert left <= cols.min() + 0.5 <= cols.max() + 0.5 <= right
        assert top <= rows.min() + 0.5 <= rows.max() + 0.5 <= bottom
