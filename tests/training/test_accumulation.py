"""Row N2: learning from several batches in one step."""

import pytest
import torch

from histowidgets.training import BatchEnded, train
from histowidgets.training.data._request import make_request
from histowidgets.training.loop._control import RunControl
from histowidgets.training.loop._metrics import Confusion
from histowidgets.training.loop._setup import fitted_normalization
from histowidgets.training.loop._trainer import Loop
from tests.training.helpers import painted, quick

# Two batches of 2 hold the tiles of one of 4, varied alike.
SAME = {"freeze": "none", "loss": "ce", "class_weights": {"Dark": 3.0}, "ema_decay": 0.0}


def loop_of(settings):
    """A loop about to step, whose batch norm uses no statistics of the batch, and which drops nothing at random."""
    request = make_request(painted(), settings)
    loop = Loop(request, fitted_normalization(request), lambda event: None, RunControl())
    network = loop.parts.network
    network.kept_still = tuple(network.modules())
    network.train()
    return loop


def gradient_after_a_step(**changes):
    loop = loop_of(quick(**{**SAME, **changes}))
    scores = Confusion(2)
    loss = loop.take_step(scores)
    return loss, {n: p.grad.clone() for n, p in loop.parts.network.named_parameters() if p.grad is not None}, scores


@pytest.mark.parametrize("more", [{}, {"consistency": 0.0, "loss": "focal"}])
def test_n2_accumulated_batches_teach_what_the_larger_batch_does(more):
    loss, large, scores = gradient_after_a_step(batch_size=4, **more)
    for batch, times in ((2, 2), (1, 4)):
        same_loss, small, same_scores = gradient_after_a_step(batch_size=batch, accumulation=times, **more)
        assert same_loss == pytest.approx(loss, rel=1e-4)
        assert (scores.counts == same_scores.counts).all()
        assert small.keys() == large.keys()
        for name, gradient in large.items():
            assert torch.allclose(small[name], gradient, atol=5e-4 * float(gradient.abs().max()) + 1e-7), name


def test_n2_unlabelled_pixels_are_taught_alike(monkeypatch):
    from histowidgets.training.loop import _trainer as _loop

    monkeypatch.setattr(_loop, "TEACH_FROM_STEP", 0)
    monkeypatch.setattr("histowidgets.training.loop._loss.TEACH_ABOVE", 0.4)
    loss, _, _ = gradient_after_a_step(batch_size=4, consistency=4.0)
    same, _, _ = gradient_after_a_step(batch_size=2, accumulation=2, consistency=4.0)
    without, _, _ = gradient_after_a_step(batch_size=4, consistency=0.0)
    assert same == pytest.approx(loss, rel=1e-4)
    assert loss > without + 0.1


def test_n2_steps_are_counted_by_the_optimizer():
    run = train(painted(), quick(epochs=2, steps_per_epoch=3, accumulation=2))
    steps = [event for event in run.events if isinstance(event, BatchEnded)]
    assert [(e.epoch, e.step, e.steps) for e in steps] == [
        (1, 1, 3),
        (1, 2, 3),
        (1, 3, 3),
        (2, 1, 3),
        (2, 2, 3),
        (2, 3, 3),
    ]
    assert steps[-1].learning_rate < steps[2].learning_rate


def test_n2_an_epoch_of_all_tiles_has_fewer_steps():
    one = train(painted(), quick(epochs=1, steps_per_epoch=None))
    four = train(painted(), quick(epochs=1, steps_per_epoch=None, accumulation=4))
    assert one.steps_per_epoch == -(-one.n_train_tiles // 2)
    assert four.steps_per_epoch == -(-one.n_train_tiles // 8)


def test_n10_more_tiles_in_a_step_than_there_are_is_said():
    run = train(painted(), quick(epochs=1, steps_per_epoch=1, batch_size=64, accumulation=8))
    assert any("The 8 batches of a step have 512 tiles" in message.text for message in run.messages)
