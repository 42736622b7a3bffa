"""Records as curves, and thinning that keeps spikes."""

import math

import numpy as np
import pytest

from histowidgets.errors import WidgetError
from histowidgets.training import EpochEnded, RunEnded, RunState, parse_epoch_record
from histowidgets.widgets.monitor._run_curves import MAX_POINTS, Curve, RunCurves, joined, positive, thin, trimmed


def put(state, record, is_best=False):
    state.apply(EpochEnded(parse_epoch_record(record, state.next_epoch), is_best))


def log_of(*records):
    state = RunState()
    for record in records:
        put(state, record)
    return RunCurves(state)


def test_what_was_not_measured_is_left_out_and_what_is_no_number_is_a_gap():
    log = log_of(
        {"epoch": 1, "train_loss": 1.0, "val_loss": 0.9},
        {"epoch": 2, "train_loss": None},
        {"epoch": 3, "train_loss": math.nan, "val_loss": math.inf},
        {"epoch": 4, "train_loss": 0.5, "val_loss": 0.4},
    )
    train, validation = log.curve("train_loss"), log.curve("val_loss")
    np.testing.assert_array_equal(train.x, [1, 3, 4])
    np.testing.assert_array_equal(train.y, [1.0, math.nan, 0.5])
    np.testing.assert_array_equal(validation.x, [1, 3, 4])
    np.testing.assert_array_equal(validation.y, [0.9, math.nan, 0.4])


def test_curves_are_the_same_whether_read_while_records_come_or_afterwards():
    records = [{"epoch": e, "train_loss": 1 / e, "val_iou": {"A": e / 20}} for e in (1, 2, 4, 3, 4, 9, 10)]
    state = RunState()
    read = RunCurves(state)
    for record in records:
        put(state, record)
        read.curve("train_loss"), read.curve("val_iou", "A")
    unread = RunCurves(state)
    for key in (("train_loss",), ("val_iou", "A")):
        np.testing.assert_array_equal(read.curve(*key), unread.curve(*key))
    np.testing.assert_array_equal(read.curve("train_loss").x, [1, 2, 3, 4, 9, 10])
    assert (read.first_epoch, read.last_epoch, len(read)) == (1, 10, 6)


def test_an_epoch_that_comes_again_replaces_the_old_one():
    log = log_of({"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.8}, {"epoch": 1, "train_loss": 0.9})
    np.testing.assert_array_equal(log.curve("train_loss").y, [0.9, 0.8])


def test_a_record_without_its_epoch_is_the_next_one():
    log = log_of({"train_loss": 1.0}, {"train_loss": 0.9, "epoch": math.nan}, {"train_loss": 0.8})
    assert [record["epoch"] for record in log.records] == [1, 2, 3]


def test_numbers_of_other_libraries_are_fine():
    log = log_of({"epoch": np.int64(3), "train_loss": np.float32(0.5), "val_iou": {"A": np.float64(0.25)}})
    assert log.records[0]["train_loss"] == 0.5
    assert log.curve("val_iou", "A").y[0] == 0.25


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([1, 2], "expected a dict"),
        ({"epoch": 1, "train_loss": "low"}, "train_loss is 'low'; expected a number or None"),
        ({"epoch": 1, "val_iou": [0.5]}, "expected a mapping of class names"),
    ],
)
def test_a_record_that_is_none_is_refused_in_words(monitor, record, message):
    with pytest.raises(WidgetError, match=message):
        monitor.add(record)


def test_best_is_what_the_run_reports_else_highest_miou_else_lowest_validation_loss():
    by_loss = log_of({"epoch": 1, "val_loss": 0.5}, {"epoch": 2, "val_loss": 0.3}, {"epoch": 3, "val_loss": 0.4})
    assert by_loss.best_epoch == 2
    state = RunState()
    by_miou = RunCurves(state)
    put(state, {"epoch": 1, "val_loss": 0.1, "val_miou": 0.5})
    put(state, {"epoch": 2, "val_loss": 0.9, "val_miou": 0.7})
    assert by_miou.best_epoch == 2
    state.apply(RunEnded("finished", 1))
    assert by_miou.best_epoch == 1
    assert log_of({"epoch": 1, "train_loss": 0.1}).best_epoch is None


def test_thinning_keeps_ends_spikes_and_gaps():
    y = np.linspace(1.0, 0.1, 10_000)
    y[4321] = 50.0
    y[7000:7100] = np.nan
    thinned = thin(Curve(np.arange(1.0, 10_001), y))
    assert 1000 < len(thinned.x) <= MAX_POINTS
    assert (thinned.x[0], thinned.x[-1]) == (1, 10_000)
    assert np.nanmax(thinned.y) == 50.0
    assert np.isnan(thinned.y).any()
    assert (np.diff(thinned.x) > 0).all()


@pytest.mark.parametrize("n", [1999, 2000, 2001, 2003, 4001, 123_457])
def test_thinning_never_exceeds_the_limit(n):
    thinned = thin(Curve(np.arange(float(n)), np.random.default_rng(n).normal(size=n)))
    assert len(thinned.x) <= MAX_POINTS
    assert thinned.x[-1] == n - 1


def test_a_log_axis_gets_nan_for_what_it_cannot_hold():
    np.testing.assert_array_equal(
        positive(Curve(np.arange(4.0), np.array([1.0, 0.0, -2.0, np.nan]))).y, [1.0, np.nan, np.nan, np.nan]
    )


def test_earlier_runs_are_joined_with_a_gap_and_no_curve_ends_in_one():
    two = joined([Curve(np.array([1.0, 2.0]), np.array([3.0, 4.0])), Curve(np.array([1.0]), np.array([5.0]))])
    np.testing.assert_array_equal(trimmed(two).y, [3.0, 4.0, np.nan, 5.0])
    assert len(trimmed(Curve(np.arange(2.0), np.full(2, np.nan))).x) == 0
