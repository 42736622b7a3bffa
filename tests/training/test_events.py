"""The record of an epoch is checked and completed in one place."""

import math

import numpy as np
import pytest

from histowidgets.errors import TrainingError
from histowidgets.training import EpochRecord, parse_epoch_record


def test_what_is_left_out_was_not_measured():
    record = parse_epoch_record({"train_loss": np.float32(0.5), "val_iou": {1: np.float64(0.25)}, "more": "text"}, 7)
    assert set(record) == set(EpochRecord.__annotations__)
    assert (record["epoch"], record["train_loss"], record["val_loss"]) == (7, 0.5, None)
    assert record["val_iou"] == {"1": 0.25}


@pytest.mark.parametrize(("given", "epoch"), [(3.0, 3), (2.5, 2.5), (math.nan, 9), (None, 9), (np.int64(4), 4)])
def test_an_epoch_is_whole_where_it_can_be(given, epoch):
    found = parse_epoch_record({"epoch": given}, 9)["epoch"]
    assert found == epoch
    assert isinstance(found, type(epoch))


def test_steps_have_two_names():
    assert parse_epoch_record({"steps": 3})["steps"] == 3
    assert parse_epoch_record({"steps_per_epoch": 4.0})["steps"] == 4
    assert parse_epoch_record({"steps": math.nan})["steps"] is None


def test_a_record_that_is_complete_stays_as_it_is():
    record = parse_epoch_record({"epoch": 1, "train_loss": math.inf, "val_iou": {"A": None}, "steps": 2})
    assert parse_epoch_record(record) == record


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([1], "expected a dict"),
        ({"train_loss": "low"}, "train_loss is 'low'; expected a number or None"),
        ({"seconds": 10**400}, "seconds is 10+; expected a number"),
        ({"val_iou": {"A": "x"}}, "val_iou of A is 'x'; expected a number"),
        ({"val_iou": 0.5}, "val_iou is 0.5; expected a mapping of class names"),
    ],
)
def test_what_is_no_record_is_refused(bad, message):
    with pytest.raises(TrainingError, match=message):
        parse_epoch_record(bad)
