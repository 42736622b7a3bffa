"""Row N1: the learning rate range test."""

import math

import numpy as np
import pytest
import torch

from histowidgets.errors import TrainingDataError
from histowidgets.training import LearningRateTest, TrainingSettings, find_learning_rate, start_training, train
from histowidgets.training.loop import ProcessGroup
from histowidgets.training.loop import _lr_finder as module
from histowidgets.training.loop._lr_finder import suggested_rate, try_rates
from tests.training.helpers import painted, prepared, quick


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 36)


def test_n1_range_test_suggests_a_rate_that_trains(few_steps):
    found = find_learning_rate(painted(), quick(batch_size=4, loss="ce", seed=1))
    assert isinstance(found, LearningRateTest)
    assert len(found.rates) == len(found.losses)
    assert found.rates[0] == pytest.approx(1e-7)
    steps = np.diff(np.log10(found.rates))
    assert steps == pytest.approx(np.full(len(steps), 7 / 35))
    assert 1e-5 < found.suggested < 1


def test_n1_the_network_is_as_it_was(few_steps):
    settings = quick()
    state, alone = prepared(settings), ProcessGroup()
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    try_rates(state, settings, alone, lambda: None)
    after = state.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(p.grad is None for p in state.network.parameters())
    assert state.network.training

    calls = []

    def stop_at_third():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt, match="enough"):
        try_rates(state, settings, alone, stop_at_third)
    assert all(torch.equal(value, state.network.state_dict()[name]) for name, value in before.items())
    state.tiles.close()


def test_n1_the_steepest_fall_is_suggested():
    rates = np.geomspace(1e-7, 1, 71).tolist()
    # A fall centred on 1e-3, and a rise from 0.03 on.
    losses = [2 - 1 / (1 + math.exp(-4 * (math.log10(r) + 3))) + 5 * max(0, math.log10(r) + 1.5) for r in rates]
    assert suggested_rate(rates, losses) == pytest.approx(1e-3, rel=0.3)


def test_n1_the_luck_of_the_first_batches_is_not_taken_for_learning():
    rates = np.geomspace(1e-7, 1, 71).tolist()
    losses = [1 + 2 * math.exp(-i) - 0.3 / (1 + math.exp(-4 * (math.log10(r) + 3))) for i, r in enumerate(rates)]
    assert suggested_rate(rates, losses) == pytest.approx(1e-3, rel=0.3)
    assert suggested_rate(rates, [1 + 2 * math.exp(-i) for i in range(71)]) is None


def test_n1_flat_or_rising_losses_suggest_nothing():
    rates = np.geomspace(1e-7, 1, 50).tolist()
    assert suggested_rate(rates, [1.0] * 50) is None
    assert suggested_rate(rates, [1.0 - 0.0005 * i for i in range(50)]) is None
    assert suggested_rate(rates, [1.0 + 0.1 * i for i in range(50)]) is None
    assert suggested_rate(rates[:3], [3.0, 2.0, 1.0]) is None
    assert suggested_rate([], []) is None


def test_n1_it_stops_at_four_times_the_best(monkeypatch):
    values = iter([1.0] * 10 + [1000.0] * 100)
    monkeypatch.setattr(module, "_step", lambda *_: next(values))
    settings = quick()
    state, alone = prepared(settings), ProcessGroup()
    found = try_rates(state, settings, alone, lambda: None)
    assert len(found.losses) == 11
    assert found.losses[-1] > 4 * min(found.losses)
    values = iter([1.0] * 10 + [math.nan])
    assert len(try_rates(state, settings, alone, lambda: None).losses) == 10


def test_n1_a_run_takes_over_the_rate_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "suggested_rate", lambda rates, losses: 0.02)
    monkeypatch.setattr(module, "STEPS", 6)
    settings = quick(find_learning_rate=True, scheduler="none", freeze="none", learning_rate=1e-4)
    run = train(painted(), settings)
    assert run.history[0]["learning_rate"] == pytest.approx(0.02)
    assert any("learning rate of 0.02, which is used" in message.text for message in run.messages)
    monkeypatch.setattr(module, "suggested_rate", lambda rates, losses: None)
    run = train(painted(), settings)
    assert run.history[0]["learning_rate"] == pytest.approx(1e-4)
    assert any("No learning rate made the loss fall clearly, so 0.0001 is used" in m.text for m in run.messages)


def test_n1_a_run_that_goes_on_says_which_share_of_the_rate_it_takes(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 6)
    settings = quick(find_learning_rate=True, scheduler="none", freeze="none", learning_rate=1e-4, epochs=1)
    first = train(painted(), settings.model_copy(update={"find_learning_rate": False}))
    for found, text in (
        (0.02, "of 0.02, of which 30% is used, since training continues from a classifier: 0.006"),
        (None, "3e-05 is used"),
    ):
        monkeypatch.setattr(module, "suggested_rate", lambda rates, losses, found=found: found)
        run = train(painted(), settings, continue_from=first.classifier)
        assert run.history[0]["learning_rate"] == pytest.approx(3e-5 if found is None else 0.006)
        assert any(text in message.text for message in run.messages)


def test_n1_a_run_can_be_stopped_while_rates_are_tried():
    run = start_training(painted(), quick(find_learning_rate=True))
    run.stop()
    assert run.wait(60) == "stopped"
    assert run.history == []
    assert run.classifier is None


def test_n1_too_little_to_learn_from_is_said():
    with pytest.raises(TrainingDataError, match="Nothing is painted yet"):
        find_learning_rate(painted(strokes=0))


def test_r26_variant_of_first_run_finds_its_rate():
    first, variant = TrainingSettings.preset("first-run"), TrainingSettings.preset("first-run-2026")
    changed = {n for n in type(first).model_fields if getattr(first, n) != getattr(variant, n)}
    assert changed == {"learning_rate", "find_learning_rate"}
    assert (variant.learning_rate, variant.find_learning_rate, first.find_learning_rate) == (1e-4, True, False)
