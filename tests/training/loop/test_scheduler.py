"""Learning rates over a run (row N3), and tiles of half the size at first (row N2)."""

import pytest
import torch

from histowidgets.training import train
from histowidgets.training.data import TilePrefetcher
from histowidgets.training.loop._scheduler import Scheduler, progressive_tile_size
from tests.training.helpers import painted, quick


@pytest.mark.parametrize(("full", "half"), [(512, 256), (192, 96), (160, 96), (128, 64), (96, 64), (64, 64)])
def test_n2_tiles_have_half_their_size_for_the_first_40_percent(full, half):
    assert [progressive_tile_size(full, p) for p in (0, 0.39, 0.4, 1)] == [half, half, full, full]


def test_n2_without_progressive_resizing_all_tiles_have_their_full_size(monkeypatch):
    asked = []
    draw = TilePrefetcher.draw
    monkeypatch.setattr(TilePrefetcher, "draw", lambda self, size=None: asked.append(size) or draw(self, size))
    assert train(painted(), quick(tile_size=128, epochs=1, steps_per_epoch=2)).state == "finished"
    assert asked == [128, 128]


def test_n2_a_run_sees_small_tiles_first_and_measures_on_full_ones(monkeypatch):
    sizes = []
    draw = TilePrefetcher.draw

    def listen(self, size=None):
        batch = draw(self, size)
        sizes.append((tuple(batch.pixels.shape[-2:]), tuple(batch.labels.shape[-2:]), bool((batch.labels < 255).any())))
        return batch

    monkeypatch.setattr(TilePrefetcher, "draw", listen)
    run = train(painted(), quick(tile_size=128, epochs=2, steps_per_epoch=5, progressive_resizing=True))
    assert run.state == "finished"
    assert [tiles for tiles, _, _ in sizes] == [(64, 64)] * 4 + [(128, 128)] * 6
    assert all(labels == tiles for tiles, labels, _ in sizes)
    assert all(labelled for _, _, labelled in sizes)
    assert run.classifier.tile_size == 128


def test_n3_one_cycle_rises_then_falls():
    share = Scheduler("one-cycle").share
    assert share(0) == pytest.approx(1 / 25)
    assert share(0.3) == pytest.approx(1)
    assert share(1) == pytest.approx(1 / 25e4)
    values = [share(i / 100) for i in range(101)]
    assert values[:31] == sorted(values[:31])
    assert values[30:] == sorted(values[30:], reverse=True)
    assert share(1.7) == share(1)


def test_n3_one_cycle_equals_torch():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], 1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=101, cycle_momentum=False)
    ours = Scheduler("one-cycle")
    for step in range(101):
        # torch counts its rise to step 0.3 * 101 - 1, a little before ours
        assert ours.share(step / 100) == pytest.approx(theirs.get_last_lr()[0], abs=0.03)
        optimizer.step()
        if step < 100:
            theirs.step()


def test_n3_other_schedules():
    cosine, step, none = (Scheduler(s).share for s in ("cosine", "step", "none"))
    assert (cosine(0), cosine(0.5), cosine(1)) == pytest.approx((1, 0.5, 0))
    assert [step(p) for p in (0, 0.4, 0.7, 1)] == pytest.approx([1, 0.1, 0.01, 0.01])
    assert none(0.9) == 1
    plateau = Scheduler("plateau")
    for score in [0.5, *[0.4] * 9]:
        plateau.epoch_ended(score)
    assert plateau.share(0.5) == 1
    plateau.epoch_ended(0.4)
    assert plateau.share(0.5) == 0.5
