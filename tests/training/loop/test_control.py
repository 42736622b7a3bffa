"""Pause, resume and stop act within one batch, whatever the run is doing."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from histowidgets.training import BatchEnded, EpochEnded, RunStarted, StateChanged, start_training
from histowidgets.training.data import _tiles as tiles_module
from histowidgets.training.loop import _autotune as speed_module
from histowidgets.training.loop import _lr_finder as rate_module
from histowidgets.training.loop import _trainer as loop_module
from tests.training.helpers import painted, quick

ROOT = Path(__file__).resolve().parents[3]
LONG = quick(epochs=5000, steps_per_epoch=3, early_stopping_metric="none")


class Gate:
    """Counts the batches of one kind of work, and lets the test hold the first of them."""

    def __init__(self):
        self.count = 0
        self.reached, self.go = threading.Event(), threading.Event()

    def around(self, real):
        def work(*arguments, **named):
            self.count += 1
            if self.count == 1:
                self.reached.set()
                assert self.go.wait(60)
            return real(*arguments, **named)

        return work


def gate_at(monkeypatch, what):
    """A gate around one batch of: preparing, timing, the range test, training, or validation."""
    gate = Gate()
    if what == "preparing":
        monkeypatch.setattr(tiles_module, "read_padded", gate.around(tiles_module.read_padded))
    elif what == "timing":
        monkeypatch.setattr(speed_module, "_known", {})
        monkeypatch.setattr(speed_module._Probe, "seconds", gate.around(speed_module._Probe.seconds))
    elif what == "range test":
        monkeypatch.setattr(rate_module, "_step", gate.around(rate_module._step))
    elif what == "training":
        monkeypatch.setattr(loop_module.Trainer, "take_step", gate.around(loop_module.Trainer.take_step))
    else:
        monkeypatch.setattr(loop_module.Trainer, "_measured", gate.around(loop_module.Trainer._measured))
    return gate


WORK = ["preparing", "timing", "range test", "training", "validation"]


def started(what):
    project = painted(n_images=3, roles=["train", "validation", "validation"])
    changes = {
        "find_learning_rate": what == "range test",
        "memory_format": "auto" if what == "timing" else "contiguous",
    }
    return start_training(project, LONG.model_copy(update=changes))


@pytest.mark.parametrize("what", WORK)
def test_n7_stop_acts_within_one_batch(monkeypatch, what):
    gate = gate_at(monkeypatch, what)
    run = started(what)
    assert gate.reached.wait(60)
    run.stop("best")
    gate.go.set()
    assert run.wait(30) == "stopped"
    assert gate.count == 1
    assert not [event for event in run.events if isinstance(event, EpochEnded)]
    assert [e.state for e in run.events if isinstance(e, StateChanged)][-2:] == ["stopping", "stopped"]


@pytest.mark.parametrize("what", WORK)
def test_n7_pause_acts_within_one_batch_and_resume_goes_on(monkeypatch, what):
    gate = gate_at(monkeypatch, what)
    paused, again = threading.Event(), threading.Event()

    def hear(event):
        if event == StateChanged("paused"):
            paused.set()
        elif paused.is_set() and isinstance(event, (RunStarted, BatchEnded)):
            again.set()

    run = started(what)
    run.subscribe(hear)
    assert gate.reached.wait(60)
    run.pause()
    gate.go.set()
    assert paused.wait(30)
    assert gate.count == 1
    assert run.state == "paused"
    run.resume()
    assert again.wait(60)
    if what == "preparing":
        states = [e.state for e in run.events if isinstance(e, StateChanged)]
        assert states[:4] == ["preparing", "paused", "preparing", "running"]
    run.stop("nothing")
    assert run.wait(30) == "stopped"


def test_n7_stop_ends_a_pause_while_preparing(monkeypatch):
    gate = gate_at(monkeypatch, "preparing")
    run = started("preparing")
    assert gate.reached.wait(60)
    run.pause()
    gate.go.set()
    run.stop()
    assert run.wait(30) == "stopped"
    assert run.classifier is None


@pytest.mark.slow
def test_starting_and_stopping_again_and_again_leaves_nothing_behind():
    """In a process of its own, since what earlier tests gave back counts too. The benchmark does it 200 times."""
    code = "import json; from benchmarks.start_stop import left_behind; print(json.dumps(left_behind(30, warm_up=10)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    left = json.loads(done.stdout.splitlines()[-1])
    assert left["threads"] == 0
    assert left["files"] == 0
    assert left["MB"] < 10
