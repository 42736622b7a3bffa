"""Axes with numbers that people write."""

import numpy as np
import pytest

from histowidgets._ticks import epoch_ticks, linear_ticks, log_ticks


@pytest.mark.parametrize(
    ("last", "total", "end", "values"),
    [
        (1, None, 5, (1, 2, 3, 4, 5)),
        (34, 50, 50, (1, 10, 20, 30, 40, 50)),
        (12, 200, 15, (1, 5, 10, 15)),
        (61, 60, 61, (1, 10, 20, 30, 40, 50, 60)),
        (9000, None, 10_000, (1, 2000, 4000, 6000, 8000, 10_000)),
    ],
)
def test_the_epoch_axis_has_few_whole_numbers_and_holds_every_epoch(last, total, end, values):
    ticks = epoch_ticks(1, last, total)
    assert ticks == (1, end, values)


@pytest.mark.parametrize("last", [*range(1, 130), 999, 1000, 1001, 12_345])
def test_the_epoch_axis_is_sound_for_any_length(last):
    ticks = epoch_ticks(1, last)
    assert ticks.low <= 1 < ticks.high
    assert ticks.high >= last
    assert all(value == int(value) and ticks.low <= value <= ticks.high for value in ticks.values)
    assert 2 <= len(ticks.values) <= 8


def test_the_epoch_axis_stands_still_for_many_epochs():
    ends = [epoch_ticks(1, last, 100).high for last in range(1, 101)]
    assert len(set(ends)) <= 10
    assert ends == sorted(ends)


@pytest.mark.parametrize("top", [1e-12, 0.003, 0.69, 1.0, 1.16, 47.0, 3e7])
def test_the_linear_axis_starts_at_zero_and_ends_above_the_curve(top):
    ticks = linear_ticks(np.array([top, top / 3, np.nan]))
    assert ticks.low == 0
    assert ticks.high >= top
    assert ticks.high <= 2 * top
    assert 2 <= len(ticks.values) <= 7


def test_axes_without_a_usable_value_have_a_range_all_the_same():
    for values in (np.empty(0), np.array([np.nan]), np.zeros(3)):
        for ticks in (linear_ticks(values), log_ticks(values)):
            assert ticks.low < ticks.high
            assert len(ticks.values) >= 2
    assert linear_ticks(np.array([-2.0, 1.0])).low <= -2.0


@pytest.mark.parametrize("pair", [(0.13, 1.3), (0.2, 0.2), (1e-9, 40.0), (3e-5, 4e-5), (1.0, 1e12)])
def test_the_log_axis_holds_the_curve_and_has_few_ticks(pair):
    ticks = log_ticks(np.array([*pair, -1.0, 0.0, np.nan]))
    assert 0 < ticks.low <= pair[0]
    assert ticks.high >= pair[1]
    assert ticks.low < ticks.high
    assert 2 <= len(ticks.values) <= 8
    assert all(ticks.low <= value <= ticks.high for value in ticks.values)
