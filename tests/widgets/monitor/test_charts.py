"""Smoothing, the learning rate and earlier runs in the charts."""

import numpy as np
import pytest

from histowidgets.errors import WidgetError
from histowidgets.training import replay
from histowidgets.widgets.monitor._run_curves import Curve, smoothed
from tests.widgets.monitor.helpers import overfit, put, wait_until


def test_smoothing_is_an_average_that_starts_right_and_keeps_gaps():
    y = np.array([4.0, 2.0, np.nan, 2.0])
    done = smoothed(Curve(np.arange(4.0), y), 0.5)
    weights = [np.array(w) for w in ([1], [1, 2], None, [1, 2, 8])]
    assert done.y[0] == 4.0
    assert done.y[1] == pytest.approx((4 * weights[1][0] + 2 * weights[1][1]) / 3)
    assert np.isnan(done.y[2])
    assert done.y[3] == pytest.approx((4 * 1 + 2 * 2 + 2 * 8) / 11)
    assert smoothed(Curve(np.arange(4.0), y), 0.0).y is y


def test_a_smoothed_curve_has_its_own_values_thinly_beneath(monitor):
    rng = np.random.default_rng(0)
    for epoch in range(1, 101):
        put(monitor, {"epoch": epoch, "train_loss": 1 + 0.3 * rng.standard_normal()})
    monitor._draw()
    chart = monitor._charts.loss
    raw = chart.lines["train"].y.copy()
    assert len(chart._raw["train"].x) == 0
    monitor.smoothing = "strong"
    assert np.std(chart.lines["train"].y[20:]) < 0.5 * np.std(raw[20:])
    np.testing.assert_array_equal(chart._raw["train"].y, raw)
    assert chart._raw["train"].opacities[0] < 0.5
    assert chart.figure.marks.index(chart._raw["train"]) < chart.figure.marks.index(chart.lines["train"])
    with pytest.raises(WidgetError, match="'light'"):
        monitor.smoothing = "much"


def test_the_learning_rate_has_a_chart_on_demand(monitor):
    for epoch in range(1, 11):
        put(monitor, overfit(epoch) | {"learning_rate": 1e-3 * epoch})
    monitor._draw()
    assert monitor._charts._rate_box.layout.display == "none"
    monitor._charts.rate_toggle.value = True
    assert monitor._charts._rate_box.layout.display is None
    np.testing.assert_allclose(monitor._charts.rate.lines["rate"].y, 1e-3 * np.arange(1, 11))


def test_earlier_runs_can_be_switched_off(monitor):
    assert monitor._charts.earlier_toggle.disabled
    for _ in range(2):
        monitor.watch(replay([overfit(e) for e in range(1, 11)]))
        wait_until(lambda: len(monitor.history) == 10)
    beneath = monitor._charts.loss._beneath["train"]
    assert not monitor._charts.earlier_toggle.disabled
    assert len(beneath.x) == 10
    monitor._charts.earlier_toggle.value = False
    assert len(beneath.x) == 0
