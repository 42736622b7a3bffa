"""Where tiles lie, and how they are put together."""

import itertools

import numpy as np
import pytest

from histowidgets.prediction.tiling import plan_axis
from histowidgets.prediction.tiling._blend import BLENDS, blended, tile_weights


@pytest.mark.parametrize("align", [1, 2])
@pytest.mark.parametrize("length", [1, 5, 31, 32, 33, 63, 64, 65, 100, 127, 200, 513])
def test_tiles_cover_the_region_with_context(length, align):
    for before, after, wanted in itertools.product((0, 7, 500), (0, 9, 500), (0, 4, 12, 48)):
        margin = min(wanted, 16)  # a small tile answers for half its side at least
        plan = plan_axis(length, before, after, largest=64, margin=wanted, multiple=32, align=align)
        assert plan.size % 32 == 0
        assert plan.size <= max(64, -(-length // 32) * 32)
        assert plan.cuts[0] == 0
        assert plan.cuts[-1] == length
        assert list(plan.cuts) == sorted(set(plan.cuts))
        for start, low, high in zip(plan.starts, plan.cuts, plan.cuts[1:], strict=False):
            assert start % align == 0
            assert -before <= start
            assert start <= low
            assert high <= start + plan.size
            # Real context on each side, as far as the image has any (less what alignment takes).
            assert low - start >= min(margin, before + low) - 2 * align
            assert start + plan.size - high >= min(margin, length + after - high) - 2 * align


def test_tiles_stay_inside_the_image_where_it_is_large_enough():
    plan = plan_axis(50, 10, 200, largest=64, margin=8, multiple=32, align=1)
    assert plan.starts[0] >= -10
    assert plan.starts[0] + plan.size <= 250


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("shape", [(20, 30), (100, 64), (64, 200), (131, 77)])
def test_b9_every_pixel_has_weight(blend, shape):
    """Tiles that agree give back what they agree on, everywhere; a pixel without weight would be 0 or NaN."""
    field = np.random.default_rng(0).random((2, *shape)).astype(np.float32) + 1
    plans = [plan_axis(n, 0, 0, largest=64, margin=6, multiple=32, align=1) for n in shape]
    padded = np.pad(field, ((0, 0), (0, 64), (0, 64)))

    def tile_row(i):
        y = plans[0].starts[i]
        for x in plans[1].starts:
            assert min(x, y) >= 0
            yield padded[:, y : y + plans[0].size, x : x + plans[1].size]

    out, seen = np.full(field.shape, np.nan, np.float32), []
    for top, band in blended(plans[0], plans[1], (2, *shape), tile_row, blend, 6):
        out[:, top : top + band.shape[1]] = band
        seen += range(top, top + band.shape[1])
    assert seen == list(range(shape[0]))
    np.testing.assert_allclose(out, field, rtol=1e-5)


@pytest.mark.parametrize("blend", ["gaussian", "linear"])
@pytest.mark.parametrize("size", [1, 2, 32, 512])
def test_b9_tile_weights_are_positive_symmetric_and_highest_in_the_middle(blend, size):
    weights = tile_weights(size, blend, 8)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights, weights[::-1])
    assert weights[size // 2] == weights.max()


@pytest.mark.parametrize("length", [65, 100, 200, 513])
def test_shifted_tiles_cover_the_region_too(length):
    plain = plan_axis(length, 0, 0, largest=64, margin=6, multiple=32, align=2)
    plan = plan_axis(length, 0, 0, largest=64, margin=6, multiple=32, align=2, shift=0.5)
    assert len(plan.starts) == len(plain.starts) + (length > 65)  # a step of one pixel cannot be halved
    assert (plan.starts[0], plan.starts[-1]) == (plain.starts[0], plain.starts[-1])
    assert list(plan.cuts) == sorted(set(plan.cuts))
    for start, low, high in zip(plan.starts, plan.cuts, plan.cuts[1:], strict=False):
        assert start <= low < high <= start + plan.size
