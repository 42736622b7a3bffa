"""A loop of one's own reports to a RunLog, and is watched, paused and stopped like our runs."""

import math
import threading

import pytest

from histowidgets.errors import TrainingError
from histowidgets.training import EpochEnded, RunEnded, RunFailed, RunLog, RunStarted, StateChanged, TrainingSettings


def test_epochs_become_records_and_the_end_is_told():
    run = RunLog(epochs=3, name="my net")
    with run:
        for loss in (0.9, 0.4, 0.6):
            run.epoch(train_loss=loss, val_loss=loss, val_iou={"Gland": 0.5, "Stroma": None}, learning_rate=1e-3)
    assert [record["epoch"] for record in run.history] == [1, 2, 3]
    assert run.history[1]["val_iou"] == {"Gland": 0.5, "Stroma": None}
    assert (run.state, run.best_epoch) == ("finished", 2)
    assert isinstance(run.events[0], RunStarted)
    assert run.events[0].epochs == 3
    assert isinstance(run.events[-1], RunEnded)
    assert [event.is_best for event in run.events if isinstance(event, EpochEnded)] == [True, True, False]


def test_the_best_epoch_is_that_of_the_settings_metric():
    settings = TrainingSettings(early_stopping_metric="miou")
    run = RunLog(settings=settings)
    for miou, loss in ((0.3, 0.1), (0.8, 0.9), (0.5, 0.2)):
        run.epoch(train_loss=loss, val_loss=loss, val_miou=miou)
    assert run.best_epoch == 2
    assert run.settings is settings


def test_an_error_in_the_loop_is_told_and_goes_on_its_way():
    run = RunLog()
    with pytest.raises(ZeroDivisionError), run:
        run.epoch(train_loss=1 / 0)
    assert run.state == "failed"
    failure = next(event for event in run.events if isinstance(event, RunFailed))
    assert "ZeroDivisionError" in failure.reason
    assert "Traceback" in failure.traceback


def test_stop_is_asked_of_the_loop_and_a_pause_holds_it():
    run = RunLog()
    reached = []

    def loop():
        with run:
            while not run.should_stop:
                run.epoch(train_loss=1.0)
                reached.append(len(run.history))

    run.pause()
    thread = threading.Thread(target=loop)
    thread.start()
    while not run.history:
        run.wait(0.01)
    assert reached == []
    assert run.state in ("running", "paused")
    run.resume()
    while len(reached) < 3:
        assert run.wait(0.01) in ("running", "paused")
    assert run.state == "running"
    run.stop()
    thread.join(5)
    assert run.state == "stopped"


def test_what_is_no_number_is_refused_and_nan_is_a_finding():
    run = RunLog()
    run.epoch(train_loss=math.nan)
    with pytest.raises(TrainingError, match=r"train_loss is \[1, 2\]; expected a number or None"):
        run.epoch(train_loss=[1, 2])
    run.finish()
    with pytest.raises(TrainingError, match=r"is finished\. Make a new RunLog"):
        run.epoch(train_loss=1.0)


def test_a_run_that_ends_while_it_is_paused_or_stopped_stays_over():
    class Overtaken(RunLog):
        """It ends in the instant before its pause, or a press of Stop, is noted."""

        def _emit(self, event, **more):
            if event in (StateChanged("paused"), StateChanged("stopping")):
                self.finish()
            return super()._emit(event, **more)

    def pause(run):
        run.pause()
        run.epoch(train_loss=1.0)

    for press in (pause, RunLog.stop):
        run = Overtaken()
        press(run)
        assert run.state == "finished"
        assert isinstance(run.events[-1], RunEnded)
        run.finish()
        assert sum(isinstance(event, RunEnded) for event in run.events) == 1
