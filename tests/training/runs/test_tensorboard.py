"""TensorBoard event files hold the numbers of a run."""

import sys
import threading

import pytest

from histowidgets.errors import TrainingError
from histowidgets.training import BatchEnded, start_training, train, write_tensorboard
from tests.training.helpers import painted, quick


def read(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.fixture(scope="module")
def ended():
    return train(painted(), quick())


def expected(run, key):
    return [(r["epoch"], pytest.approx(r[key], rel=1e-5)) for r in run.history if r[key] is not None]


def test_a_run_that_is_over_is_written_whole(ended, tmp_path):
    folder = write_tensorboard(ended, tmp_path)
    assert folder == tmp_path / ended.id
    found = read(folder)
    assert found["loss/train"] == expected(ended, "train_loss")
    assert found["loss/validation"] == expected(ended, "val_loss")
    assert found["miou/validation"] == expected(ended, "val_miou")
    assert found["learning_rate"] == expected(ended, "learning_rate")
    assert {"iou/Dark", "iou/Bright", "miou/train", "accuracy/validation"} <= set(found)
    steps = [event for event in ended.events if isinstance(event, BatchEnded)]
    assert [step for step, _ in found["loss/step"]] == [1, 2, 3, 4]
    assert [value for _, value in found["loss/step"]] == pytest.approx([event.loss for event in steps], rel=1e-5)


def test_a_run_that_goes_on_is_followed_to_its_end_and_nothing_is_doubled(tmp_path):
    begun = threading.Event()
    run = start_training(painted(), quick(epochs=4))
    run.subscribe(lambda event: begun.set() if isinstance(event, BatchEnded) else None)
    assert begun.wait(60)
    folder = write_tensorboard(run, tmp_path)
    run.wait()
    found = read(folder)
    assert found["loss/train"] == expected(run, "train_loss")
    assert [step for step, _ in found["loss/step"]] == list(range(1, 9))


def test_what_is_missing_or_cannot_be_written_is_said(ended, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"file.* cannot be written"):
        write_tensorboard(ended, tmp_path / "file")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match=r"pip install 'histowidgets\[tensorboard\]'"):
        write_tensorboard(ended, tmp_path)
