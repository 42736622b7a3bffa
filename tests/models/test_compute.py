"""Compute formats, and how one is chosen from the times that were measured."""

import time

import pytest
import torch

from histowidgets.models import ComputeFormat, quickest, seconds_of

CPU = torch.device("cpu")
PLAIN, LAST, HALF = ComputeFormat(), ComputeFormat("fp32", "channels_last"), ComputeFormat("bf16", "channels_last")


def test_a_format_says_what_it_is_and_casts():
    assert str(HALF) == "bf16, channels last"
    assert PLAIN.layout is torch.contiguous_format
    weight = torch.ones(4, 4)
    for one in (PLAIN, HALF):
        with one.autocast(CPU):
            assert (weight @ weight).dtype is one.dtype


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ({PLAIN: 1.0}, PLAIN),
        ({PLAIN: 1.0, LAST: 0.96}, PLAIN),
        ({PLAIN: 1.0, LAST: 0.94}, LAST),
        ({PLAIN: 1.0, LAST: 0.9, HALF: 0.86}, LAST),
        ({PLAIN: 1.0, LAST: 1.2, HALF: 0.5}, HALF),
    ],
)
def test_a_later_format_is_chosen_if_it_is_clearly_quicker_than_the_best_before_it(seconds, wanted):
    assert quickest(seconds, lambda one, best: 0.95) == wanted


def test_a_computation_is_timed_to_its_end():
    assert 0.02 <= seconds_of(lambda: time.sleep(0.02), CPU) < 10
