"""The state of a run is made of its events alone, whoever reads them."""

import subprocess
import sys

import pytest

from histowidgets.training import (
    BatchEnded,
    EpochEnded,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    RunState,
    RunSummary,
    StateChanged,
    TrainingSettings,
    compare_runs,
    parse_epoch_record,
    replay,
)
from histowidgets.training.runs import RunLog
from tests.training.helpers import painted, quick

COUNTS = [[3, 1], [0, 4]]


def ended(epoch, is_best=False, confusion=None, **values):
    return EpochEnded(parse_epoch_record({"epoch": epoch, "train_loss": 1.0, **values}), is_best, confusion)


def state_of(*events):
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def test_a_run_as_its_events_tell_it():
    settings = TrainingSettings()
    state = state_of(
        StateChanged("preparing"),
        RunStarted("run", 8, 2, 3, 5, "resnet18", "fp32", {"A": (2, 90)}, settings),
        StateChanged("running"),
        BatchEnded(1, 2, 3, 0.5, 1e-3, 60.0),
        Message("info", "hello"),
    )
    assert (state.state, state.epoch, state.step, state.steps, state.seconds_left) == ("running", 1, 2, 3, 60.0)
    assert (state.epochs, state.n_train_tiles, state.n_validation_tiles, state.steps_per_epoch) == (5, 8, 2, 3)
    assert state.settings is settings
    assert state.class_labels == {"A": (2, 90)}
    assert [message.text for message in state.messages] == ["hello"]
    state.apply(ended(1, True, COUNTS, seconds=7.0))
    assert (state.step, state.seconds, state.best_epoch) == (None, 7.0, 1)
    assert not state.is_over
    state.apply(StateChanged("finished"))
    assert state.is_over
    assert not state.ended
    state.apply(RunEnded("finished", 1))
    assert state.ended


def test_scores_are_those_of_the_epoch_that_is_kept_in_the_end():
    last = [[9, 9], [9, 9]]
    state = state_of(ended(1, True, COUNTS), ended(2, False, None), ended(3, False, last))
    assert (state.scores["epoch"], state.scores["confusion"]) == (1, COUNTS)
    state.apply(RunEnded("stopped", 3))
    assert (state.scores["epoch"], state.scores["confusion"]) == (3, last)
    state.apply(RunEnded("stopped", None))
    assert state.scores == {}


def test_an_epoch_may_come_again_or_late():
    state = state_of(ended(1), ended(4))
    assert state.rewritten == 0
    state.apply(ended(2, val_loss=0.5))
    state.apply(ended(4, val_loss=0.25))
    assert [record["epoch"] for record in state.history] == [1, 2, 4]
    assert state.record_of(4)["val_loss"] == 0.25
    assert state.record_of(3) is None
    assert (state.rewritten, state.next_epoch) == (2, 5)


def test_a_failure_has_its_reason():
    state = state_of(RunFailed("out of memory", "Traceback"), RunEnded("failed", None))
    assert (state.state, state.reason, state.traceback) == ("failed", "out of memory", "Traceback")


def test_a_summary_can_be_compared_and_holds_no_events():
    run = replay([{"epoch": 1, "train_loss": 1.0, "val_miou": 0.5, "val_iou": {"A": 0.5}, "seconds": 2.0}])
    summary = run.summary()
    assert isinstance(summary, RunSummary)
    assert (summary.id, summary.state, summary.best_epoch) == (run.id, "finished", 1)
    assert list(summary.history) == run.history
    assert compare_runs([summary]).rows == compare_runs([run]).rows
    assert not hasattr(summary, "events")


def test_a_loop_without_settings_can_be_compared_by_its_own_best_epoch():
    run = RunLog()
    for loss in (0.5, 0.25, 0.75):
        run.epoch(train_loss=loss, val_loss=loss)
    run.finish()
    table = compare_runs({"own loop": run, "ours": replay([{"epoch": 1, "val_miou": 0.5}])})
    assert [row.best_epoch for row in table.rows] == [2, 1]
    assert table.rows[0].settings is None
    assert table.differing == ()


def test_a_run_cannot_be_a_bare_base():
    from histowidgets.training import Run

    with pytest.raises(TypeError, match="abstract"):
        Run("run", None)


def test_a_training_tells_its_settings_and_its_confusion_by_event():
    from histowidgets.training import train

    run = train(painted(), quick(epochs=1, steps_per_epoch=1))
    started = next(event for event in run.events if isinstance(event, RunStarted))
    assert started.settings == run.settings
    last = next(event for event in reversed(run.events) if isinstance(event, EpochEnded))
    assert last.confusion == run.scores["confusion"] == run.classifier.scores["confusion"]
    assert run.scores["epoch"] == run.best_epoch


def test_runs_without_a_training_need_no_torch():
    code = (
        "import sys, histowidgets as hw; hw.replay([{'train_loss': 1.0}]); hw.RunLog().epoch(train_loss=1.0);"
        "hw.find_unfinished_run('.'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
