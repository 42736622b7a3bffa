"""Row N2: tiles of half the size at first."""

import pytest

from histowidgets.training import TrainingSettings, train
from histowidgets.training.data._prefetch import TilesAhead
from histowidgets.training.loop._scheduler import tile_size_at
from tests.training.helpers import painted, quick


@pytest.mark.parametrize(("full", "half"), [(512, 256), (192, 96), (160, 96), (128, 64), (96, 64), (64, 64)])
def test_n2_tiles_have_half_their_size_for_the_first_40_percent(full, half):
    settings = TrainingSettings(tile_size=full, progressive_resizing=True)
    assert [tile_size_at(settings, p) for p in (0, 0.39, 0.4, 1)] == [half, half, full, full]
    assert tile_size_at(TrainingSettings(tile_size=full), 0) == full


def test_n2_a_run_sees_small_tiles_first_and_measures_on_full_ones(monkeypatch):
    sizes = []
    draw = TilesAhead.draw

    def listen(self, size=None):
        batch = draw(self, size)
        sizes.append((tuple(batch.pixels.shape[-2:]), tuple(batch.labels.shape[-2:]), bool((batch.labels < 255).any())))
        return batch

    monkeypatch.setattr(TilesAhead, "draw", listen)
    run = train(painted(), quick(tile_size=128, epochs=2, steps_per_epoch=5, progressive_resizing=True))
    assert run.state == "finished"
    assert [tiles for tiles, _, _ in sizes] == [(64, 64)] * 4 + [(128, 128)] * 6
    assert all(labels == tiles for tiles, labels, _ in sizes)
    assert all(labelled for _, _, labelled in sizes)
    assert run.classifier.tile_size == 128
