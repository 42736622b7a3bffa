"""Row N2: learning from several batches in one step."""

import pytest
import torch

from histowidgets.training import BatchEnded, train
from histowidgets.training.loop import Confusion
from tests.training.helpers import painted, quick, trainer_of

# Two batches of 2 hold the tiles of one of 4, varied alike.
SAME = {"freeze": "none", "loss": "ce", "class_weights": {"Dark": 3.0}, "ema_decay": 0.0}


def in_double_precision(trainer):
    """Compute in float64: in float32 the order of a sum changes small gradients by more than any tolerance for them."""
    state = trainer.state
    state.network.double()
    state.averaged.network.double()
    move = state.compute.move
    state.compute.move = lambda pixels, labels: move(pixels.double(), labels)
    state.compute.logits = lambda network, pixels: network(pixels)
    state.loss._weights = state.loss._weights.double()


def gradient_after_a_step(**changes):
    """Step with batch norm that uses no statistics of the batch, and without dropout."""
    trainer = trainer_of(quick(**{**SAME, **changes}))
    network = trainer.state.network
    network.kept_still = tuple(network.modules())
    network.train()
    in_double_precision(trainer)
    scores = Confusion(2)
    try:
        loss = trainer.take_step(scores)
    finally:
        trainer.state.tiles.close()
    return loss, {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}, scores


@pytest.mark.parametrize("more", [{}, {"consistency": 0.0, "loss": "focal"}])
def test_n2_accumulated_batches_teach_what_the_larger_batch_does(more):
    loss, large, scores = gradient_after_a_step(batch_size=4, **more)
    for batch, times in ((2, 2), (1, 4)):
        same_loss, small, same_scores = gradient_after_a_step(batch_size=batch, accumulation=times, **more)
        assert same_loss == pytest.approx(loss, rel=1e-9)
        assert (scores.counts == same_scores.counts).all()
        assert small.keys() == large.keys()
        for name, gradient in large.items():
            assert gradient.dtype == torch.float64
            assert torch.allclose(small[name], gradient, rtol=1e-7, atol=1e-9 * float(gradient.abs().max())), name


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
