"""A step takes the memory that the step before has freed, and a run that is over gives it back."""

import pytest

from histowidgets.training import BatchEnded, start_training
from histowidgets.training.loop._allocator import _glibc
from tests.training.helpers import painted, quick

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(_glibc() is None, reason="only glibc is told")


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def test_a_run_fetches_little_once_it_is_under_way():
    counts = []
    run = start_training(painted(), quick(epochs=1, steps_per_epoch=14, tile_size=256, batch_size=4))
    run.subscribe(lambda event: counts.append(faults()) if isinstance(event, BatchEnded) else None)
    assert run.wait(60) == "finished"
    steps = [after - before for before, after in zip(counts[-7:-1], counts[-6:], strict=True)]
    # About 30,000 a step where the allocator gives back what is free.
    assert sorted(steps)[len(steps) // 2] < 5000, steps
