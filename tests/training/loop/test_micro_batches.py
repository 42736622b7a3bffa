import numpy as np
import pytest
import torch

from histowidgets.errors import TrainingError
from histowidgets.models import Network
from histowidgets.training import BatchEnded, EpochEnded, train
from histowidgets.training.loop._micro_batches import is_out_of_memory
from tests.training.helpers import painted, quick, trainer_of


@pytest.fixture
def room_for(monkeypatch):
    """Let networks run out of memory above so many tiles at once; returns what they were given."""
    real = Network.forward

    def limit(tiles, error=torch.OutOfMemoryError, text="CUDA out of memory. Tried to allocate 2.00 GiB"):
        given = []

        def forward(self, x):
            given.append(len(x))
            if len(x) > tiles:
                raise error(text)
            return real(self, x)

        monkeypatch.setattr(Network, "forward", forward)
        return given

    return limit


SETTINGS = quick(batch_size=8, epochs=2, steps_per_epoch=3, consistency=0.0, adapt_norm=False, ema_decay=0.0)


def warnings_of(run):
    return [message.text for message in run.messages if "Memory ran out" in message.text]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory. Tried to allocate 2.00 GiB"),
        (RuntimeError, "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried to"),
        (MemoryError, ""),
    ],
)
def test_out_of_memory_halves_the_batch_says_so_and_repeats_the_step(room_for, error, text):
    given = room_for(2, error, text)
    run = train(painted(), SETTINGS, ignore_budget=True)
    assert run.state == "finished"
    assert warnings_of(run) == [
        "Memory ran out with 8 tiles at once. Continuing with 4 at a time: a step takes 2 batches, and learns from as "
        "many tiles as before.",
        "Memory ran out with 4 tiles at once. Continuing with 2 at a time: a step takes 4 batches, and learns from as "
        "many tiles as before.",
    ]
    steps = given[given.index(8) :]  # before them, the first run of a process looks at the network with one tile
    assert steps[:2] == [8, 4], "the first step is tried again with half"
    assert set(steps[2:]) <= {1, 2}
    assert len([event for event in run.events if isinstance(event, BatchEnded)]) == 6
    assert len([event for event in run.events if isinstance(event, EpochEnded)]) == 2


def test_a_step_in_micro_batches_has_the_gradient_of_the_whole():
    trainer = trainer_of(SETTINGS.model_copy(update={"loss": "ce", "precision": "fp32"}))
    try:
        # Norm layers in training know their batch; all else does not.
        trainer.state.network.eval()
        batches = [trainer.state.tiles.draw()]
        losses, gradients, counts = [], [], []
        for trainer.micro_batches.count in (1, 4):
            loss, seen = trainer._gradient(batches)
            losses.append(loss)
            counts.append(seen.counts)
            gradients.append(torch.cat([p.grad.ravel() for p in trainer.state.network.parameters() if p.requires_grad]))
    finally:
        trainer.state.tiles.close()
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-6)
    assert np.array_equal(counts[0], counts[1])


def test_validation_in_micro_batches_counts_each_pixel_once(room_for):
    whole = train(painted(), SETTINGS, ignore_budget=True)
    room_for(2)
    pieces = train(painted(), SETTINGS, ignore_budget=True)
    counts = [np.sum(run.classifier.scores["confusion"]) for run in (whole, pieces)]
    assert counts[0] == counts[1] > 0


def test_out_of_memory_in_validation_alone_is_survived(room_for):
    given = room_for(2)
    project = painted(n_images=2, roles=["train", "validation"])
    run = train(project, quick(batch_size=2, epochs=1, consistency=0.0), ignore_budget=True)
    assert max(given) > 2
    assert run.state == "finished"
    assert run.history[0]["val_miou"] is not None
    assert "Continuing with 1 at a time" in warnings_of(run)[0]


def test_out_of_memory_with_one_tile_fails_with_a_remedy(room_for):
    room_for(0)
    with pytest.raises(TrainingError, match=r"with 1 tile of 64 pixels at once.*Choose a smaller tile_size"):
        train(painted(), SETTINGS, ignore_budget=True)


def test_pooling_networks_cannot_go_below_two_tiles(room_for):
    room_for(1)
    with pytest.raises(TrainingError, match="with 2 tiles of 64 pixels at once, and fewer are not possible"):
        train(
            painted(),
            SETTINGS.model_copy(update={"architecture": "deeplabv3plus", "batch_size": 4}),
            ignore_budget=True,
        )


def test_out_of_memory_in_the_range_test_leaves_the_rate_that_was_set(room_for):
    room_for(2)
    run = train(painted(), SETTINGS.model_copy(update={"find_learning_rate": True}), ignore_budget=True)
    assert run.state == "finished"
    assert any("while trying learning rates, so 0.005 is used" in message.text for message in run.messages)


def test_other_errors_are_no_lack_of_memory(room_for):
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))
    room_for(2, RuntimeError, "shape mismatch")
    with pytest.raises(TrainingError, match="training failed: shape mismatch"):
        train(painted(), SETTINGS, ignore_budget=True)
