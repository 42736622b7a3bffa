"""The arithmetic between image, stage and drawn pixels."""

import numpy as np
import pytest

from histowidgets.images import Region
from histowidgets.widgets.canvas.state._viewport import MAX_ZOOM, View


@pytest.fixture
def view():
    return View.fit(1000, 500, 400, 300)


def test_fit_shows_the_whole_image_in_the_middle(view):
    assert view.zoom == pytest.approx(0.4)
    assert view.region == Region(0, 0, 1000, 500)
    assert view.to_stage(0, 0) == pytest.approx((0, 50))
    assert view.to_stage(1000, 500) == pytest.approx((400, 250))


def test_a_tiny_image_is_not_enlarged_without_end():
    assert View.fit(2, 2, 800, 800).zoom == MAX_ZOOM


def test_stage_and_image_points_are_each_others_inverse(view):
    looked = view.look(123.4, 321.5, 3.3)
    assert looked.to_image(*looked.to_stage(17.25, 400.5)) == pytest.approx((17.25, 400.5))


def test_looking_stays_on_the_image_and_within_the_zooms_limits(view):
    looked = view.look(-50, 9000, 1e9)
    assert (looked.x, looked.y, looked.zoom) == (0, 500, MAX_ZOOM)
    assert view.look(0, 0, 0).zoom == pytest.approx(0.1)
    assert looked.region.area > 0


def test_go_to_puts_a_region_in_the_middle_with_what_is_around_it(view):
    region = Region(100, 100, 60, 40)
    looked = view.on(region)
    assert looked.to_image(200, 150) == pytest.approx((130, 120))
    assert looked.region.contains(region)
    assert looked.region.area < 20 * region.area


@pytest.mark.parametrize(("zoom", "scale"), [(0.37, 1), (1, 1), (2.6, 2), (7.3, 1.5)])
def test_drawn_pixels_cover_a_region_and_know_the_image_pixel_under_each(view, zoom, scale):
    looked = view.look(500, 250, zoom)
    region = Region(480, 240, 30, 20)
    drawn = looked.drawn_region(region, scale)
    columns, rows = looked.pixel_indices(drawn, scale)
    assert len(columns) == drawn.width
    assert len(rows) == drawn.height
    assert columns.min() >= 480
    assert columns.max() <= 509
    assert drawn.width == pytest.approx(30 * zoom * scale, abs=1)
    if zoom * scale >= 1:
        assert set(columns) == set(range(480, 510))
        assert set(rows) == set(range(240, 260))
    assert (np.diff(columns) >= 0).all()


def test_a_region_out_of_view_has_no_drawn_pixels(view):
    assert view.look(900, 400, 10).drawn_region(Region(0, 0, 20, 20), 1) is None
