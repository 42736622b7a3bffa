"""Estimates and intervals of an audit, against values worked out by hand, by enumeration and by brute force."""

import itertools

import numpy as np
import pytest
from scipy import stats

from histowidgets._intervals import Z_95, wilson
from histowidgets.errors import AuditError
from histowidgets.prediction.auditing._estimates import stratified_numbers, weighted_numbers
from histowidgets.prediction.auditing._intervals import estimate, iou, recall, score_interval, share

COUNTS = np.array([[18, 2], [4, 6]])  # predicted, seen
PIXELS = np.array([800, 200])


def test_values_are_those_worked_out_by_hand():
    found = stratified_numbers(COUNTS, PIXELS, ["A", "B"], [0.8, 0.2])
    # Shares of the area by predicted and seen class: 0.8 x 18/20, 0.8 x 2/20, 0.2 x 4/10, 0.2 x 6/10.
    aa, ab, ba, bb = 0.72, 0.08, 0.08, 0.12
    a, b = found.classes
    assert found.accuracy.value == pytest.approx(aa + bb)
    assert [a.share.value, b.share.value] == pytest.approx([aa + ba, ab + bb])
    assert [a.precision.value, b.precision.value] == pytest.approx([18 / 20, 6 / 10])
    assert [a.recall.value, b.recall.value] == pytest.approx([aa / (aa + ba), bb / (bb + ab)])
    assert [a.iou.value, b.iou.value] == pytest.approx([aa / (aa + ab + ba), bb / (bb + ab + ba)])
    assert (a.pixel_share, b.pixel_share) == (0.8, 0.2)
    assert [(one.n_predicted, one.n_seen) for one in (a, b)] == [(20, 22), (10, 8)]
    assert (b.share.low, b.share.high) == pytest.approx((1 - a.share.high, 1 - a.share.low), abs=1e-6)


def test_weights_give_the_same_values_for_the_same_prediction():
    pairs = [(h, t) for h in (0, 1) for t in (0, 1) for _ in range(COUNTS[h, t])]
    strata, seen = np.array(pairs).T
    one = stratified_numbers(COUNTS, PIXELS, ["A", "B"], [0.8, 0.2])
    other = weighted_numbers(strata, strata, seen, PIXELS, ["A", "B"], [None, None])
    assert other.accuracy == one.accuracy
    for mine, theirs in zip(one.classes, other.classes, strict=True):
        assert theirs.share == mine.share
        for name in ("precision", "recall", "iou"):
            first, second = getattr(mine, name), getattr(theirs, name)
            assert second.value == pytest.approx(first.value)
            assert (second.low, second.high) == pytest.approx((first.low, first.high), abs=0.04)


def test_another_prediction_is_weighted_by_the_pixels_that_each_point_stands_for():
    strata, now, seen = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 0, 1, 0]), np.array([0, 1, 0, 0, 1, 1])
    found = weighted_numbers(strata, now, seen, np.array([600, 100]), ["A", "B"], [None, None])
    # A point of the first class stands for 150 pixels, one of the second for 50.
    assert found.accuracy.value == pytest.approx((3 * 150 + 50) / 700)
    a, b = found.classes
    assert a.share.value == pytest.approx(450 / 700)
    assert (a.precision.value, a.recall.value, a.iou.value) == pytest.approx((300 / 350, 300 / 450, 300 / 500))
    assert (b.precision.value, b.recall.value, b.iou.value) == pytest.approx((200 / 350, 200 / 250, 200 / 400))


def test_estimates_of_all_samples_of_a_small_population_average_to_the_truth():
    truth = {0: [0, 0, 0, 1, 0], 1: [1, 1, 0]}  # class of each pixel, by predicted class
    found, accuracies = [], []
    for first, second in itertools.product(itertools.combinations(truth[0], 3), itertools.combinations(truth[1], 2)):
        counts = np.array([np.bincount(first, minlength=2), np.bincount(second, minlength=2)])
        numbers = stratified_numbers(counts, np.array([5, 3]), ["A", "B"], [5 / 8, 3 / 8])
        found.append(numbers.classes[1].share.value)
        accuracies.append(numbers.accuracy.value)
    assert np.mean(found) == pytest.approx(3 / 8)
    assert np.mean(accuracies) == pytest.approx(6 / 8)


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (7, 10), (30, 30), (1, 200)])
def test_one_stratum_has_the_interval_of_wilson(hits, n):
    found = score_interval(np.array([float(hits)]), np.array([float(n)]), share(np.array([1.0])))
    exact = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert [float(end) for end in found] == pytest.approx([exact.low, exact.high], abs=1e-6)
    assert [float(e) for e in wilson(np.array(hits / n), np.array(n))] == pytest.approx([exact.low, exact.high])


def brute_force(hits, n, a, c):
    """The score statistic, with the most likely shares found on a grid of the first stratum's."""
    first = np.linspace(1e-6, 1 - 1e-6, 400_001)
    second = (c - a[0] * first) / a[1]
    first, second = first[(second > 0) & (second < 1)], second[(second > 0) & (second < 1)]
    likely = stats.binom.logpmf(hits[0], n[0], first) + stats.binom.logpmf(hits[1], n[1], second)
    p = np.array([first[likely.argmax()], second[likely.argmax()]])
    return ((a * hits / n).sum() - c) / np.sqrt((a * a * p * (1 - p) / n).sum())


@pytest.mark.parametrize("kind", ["share", "recall", "iou"])
@pytest.mark.parametrize("hits", [(5.0, 1.0), (9.0, 0.0)])
def test_the_ends_are_where_the_score_test_begins_to_reject(kind, hits):
    weights, own, n, hits = np.array([0.3, 0.7]), np.array([1.0, 0.0]), np.array([9.0, 15.0]), np.array(hits)
    contrast = {"share": share(weights), "recall": recall(weights, own), "iou": iou(weights, own)}[kind]
    low, high = score_interval(hits, n, contrast)
    for end, wanted in ((low, Z_95), (high, -Z_95)):
        if 0 < end < 1:
            a, c = contrast.at(end)
            assert brute_force(hits, n, a, c) == pytest.approx(wanted, abs=2e-3)
    assert 0 <= low < estimate(hits, n, contrast) <= high <= 1


def test_an_interval_has_a_width_where_all_points_agree():
    found = stratified_numbers(np.array([[30, 0], [0, 5]]), np.array([900, 100]), ["A", "B"], [0.9, 0.1])
    for one in (found.accuracy, *(getattr(c, name) for c in found.classes for name in ("share", "precision", "iou"))):
        assert one.high - one.low > 0.05
    assert found.accuracy.value == found.accuracy.high == 1
    other = weighted_numbers(*([np.repeat([0, 1], [30, 5])] * 3), np.array([900, 100]), ["A", "B"], [None, None])
    assert other.classes[1].recall.low < 0.6


def test_coverage_of_all_outcomes_of_two_strata():
    n, weights, p = np.array([24.0, 12.0]), np.array([0.7, 0.3]), np.array([0.93, 0.35])
    grid = np.stack(np.meshgrid(np.arange(25.0), np.arange(13.0), indexing="ij"), -1).reshape(-1, 2)
    chance = np.prod([stats.binom.pmf(grid[:, k], n[k], p[k]) for k in (0, 1)], axis=0)
    many = np.broadcast_to(weights, grid.shape)
    low, high = score_interval(grid, np.broadcast_to(n, grid.shape), share(many))
    truth = (weights * p).sum()
    assert chance[(low <= truth) & (truth <= high)].sum() == pytest.approx(0.95, abs=0.02)


def test_four_times_the_points_halve_the_interval():
    found = stratified_numbers(COUNTS, PIXELS, ["A", "B"], [0.8, 0.2]).classes[1].share
    factor = found.points_to_halve / COUNTS.sum()
    assert 3 < factor < 5
    more = stratified_numbers(COUNTS * factor, PIXELS, ["A", "B"], [0.8, 0.2]).classes[1].share
    assert more.high - more.low == pytest.approx((found.high - found.low) / 2, rel=0.03)


def test_a_class_that_is_never_predicted_has_a_share_and_a_recall_of_zero():
    found = stratified_numbers(np.array([[20, 5], [0, 0]]), np.array([1000, 0]), ["A", "B"], [1.0, 0.0])
    b = found.classes[1]
    assert b.share.value == pytest.approx(0.2)
    assert (b.precision, b.recall, b.iou) == (None, None, None)
    nowhere = stratified_numbers(np.array([[20, 0], [6, 0]]), np.array([900, 100]), ["A", "B"], [0.9, 0.1]).classes[1]
    assert nowhere.recall is None
    assert (nowhere.precision.value, nowhere.iou.value) == (0, 0)


def test_strata_without_a_judged_point_are_left_out():
    found = stratified_numbers(np.array([[3, 1], [0, 0]]), np.array([500, 500]), ["A", "B"], [0.5, 0.5])
    assert found.accuracy.value == pytest.approx(0.75)
    with pytest.raises(AuditError, match="No point has been judged"):
        stratified_numbers(np.zeros((2, 2), int), PIXELS, ["A", "B"], [0.8, 0.2])
