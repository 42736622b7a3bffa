"""A studio is closed, or its cell is run again, whatever it is doing: nothing hangs, and nothing is left or lost."""

import gc
import sys
import threading
import time

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import histowidgets as hw
from histowidgets.errors import TrainingError
from histowidgets.training import TrainingSettings
from tests.widgets.studio.test_train_panel import make_project, wait_until

SETTINGS = TrainingSettings(
    tile_size=64, downsample=1, batch_size=2, epochs=500, max_seconds=None, steps_per_epoch=2, consistency=0.0
)
#: Seconds in which closing must be done, on a busy machine.
SOON = 30


def nothing(studio):
    """Leave a studio as it is made: the quick learner loads its libraries."""


def answered(studio):
    assert studio._live.quick.idle.wait(120)


def preparing(studio):
    studio.train(SETTINGS)


def running(studio):
    run = studio.train(SETTINGS)
    wait_until(lambda: run.history)


def paused(studio):
    running(studio)
    studio.run.pause()
    wait_until(lambda: studio.run.state == "paused")


def stopping(studio):
    running(studio)
    studio.run.stop("last")


def finished(studio):
    assert studio.train(SETTINGS.model_copy(update={"epochs": 1})).wait(120) == "finished"


def predicting(studio):
    answered(studio)
    studio._predict.start("whole image")


def comparing(studio):
    studio._trials.start("folds")


def saving(studio):
    answered(studio)
    for what in ("Classifier", "Labels (PNG)", "Objects (GeoJSON)"):
        studio._results._what.value = what
        studio._results._save.click()


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [nothing, answered, preparing, running, paused, stopping, finished, predicting, comparing, saving],
    ids=lambda state: state.__name__,
)
def test_a_studio_can_be_closed_in_any_state(state, tmp_path):
    folder = tmp_path / "project"
    make_project(folder).close()
    studio = hw.Studio(folder=folder, settings=SETTINGS)
    state(studio)
    run, began = studio.run, time.monotonic()
    studio.close()
    studio.close()
    assert time.monotonic() - began < SOON
    assert run is None or run.wait(60) in ("finished", "stopped")
    assert "Traceback" not in studio.log
    reopened = hw.Project.open(folder)
    assert not reopened.read_only, "the folder was released"
    assert reopened.count() == {"Dark": 3, "Bright": 3}
    reopened.close()


@pytest.fixture
def slow_start(monkeypatch):
    """A start of a run that takes as long as the test wants, as while torch is loaded."""
    from histowidgets import training

    begun, go, real = threading.Event(), threading.Event(), training.start_training

    def start(*arguments, **keywords):
        begun.set()
        assert go.wait(60)
        return real(*arguments, **keywords)

    monkeypatch.setattr(training, "start_training", start)
    return begun, go


@pytest.mark.slow
def test_a_run_that_was_starting_as_the_studio_was_closed_does_not_go_on_unseen(slow_start):
    begun, go = slow_start
    studio = hw.Studio(make_project(), settings=SETTINGS)
    studio._training._main.click()
    assert begun.wait(60)
    studio.close()
    go.set()
    wait_until(lambda: not studio._training._starting)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("histowidgets-training")])


@pytest.mark.slow
def test_a_run_that_was_starting_as_the_cell_was_run_again_is_that_of_the_new_studio(slow_start):
    begun, go = slow_start
    project = make_project()
    first = hw.Studio(project, settings=SETTINGS)
    first._training._main.click()
    assert begun.wait(60)
    second = hw.Studio(project, settings=SETTINGS)
    try:
        assert second._training._main.disabled
        with pytest.raises(TrainingError, match="A run is active already"):
            second.train(SETTINGS)
        go.set()
        wait_until(lambda: second.run is not None and second.run.history)
        assert second._training.active
        second._training._stop.click()
        assert second.run.wait(60) == "stopped"
        wait_until(lambda: not second._training._main.disabled)
        assert len(second.runs) == 1
    finally:
        go.set()
        second.close()


def test_two_studios_of_a_project_are_one_and_the_second_has_it():
    project = make_project()
    first = hw.Studio(project, settings=SETTINGS)
    second = hw.Studio(project, settings=SETTINGS)
    assert (first._closed, second._closed) == (True, False)
    first.close()  # again
    project.annotate(project.image_names[0], hw.Stroke([(60, 60)], 4), "Dark")
    assert second._live.quick.idle.wait(120)
    assert second.prediction is not None
    second.close()
    assert not project.closed


def test_closing_from_several_threads_at_once_closes_once():
    studio = hw.Studio(make_project(), settings=SETTINGS)
    failed = []

    def close():
        try:
            studio.close()
        except Exception as error:  # noqa: BLE001 - the test wants to see it
            failed.append(error)

    threads = [threading.Thread(target=close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert not any(thread.is_alive() for thread in threads)


def save(panel, what):
    panel._what.value = what
    panel._save.click()


def test_what_is_saved_says_which_classifier_it_is(tmp_path):
    studio = hw.Studio(make_project(), settings=SETTINGS)
    try:
        answered(studio)
        studio._state.folder = tmp_path
        save(studio._results, "Classifier")
        assert studio._results.tasks.wait(60)
        said = studio.log.splitlines()[-1]
        assert "Saved the classifier that is shown, quick: " in said
        assert str(tmp_path / "classifier") in said
        assert hw.Classifier.load(tmp_path / "classifier").kind == "quick"
    finally:
        studio.close()


def test_an_export_says_its_steps_and_that_it_waits(tmp_path, monkeypatch):
    studio, going, go = hw.Studio(make_project(), settings=SETTINGS), threading.Event(), threading.Event()

    class Network:
        def export_onnx(self, path, progress, should_stop):
            progress(0, 4, "starting a process")
            going.set()
            assert go.wait(60)
            progress(2, 4, "tracing the network")
            progress(4, 4, "done")

        def export_qupath(self, folder, progress, should_stop):
            assert not should_stop()

    monkeypatch.setattr(studio._results, "_network", Network)
    studio._state.folder = tmp_path
    panel = studio._results
    try:
        assert studio._live.quick.idle.wait(120)
        before = len(studio.log.splitlines())
        save(panel, "Classifier as ONNX")
        assert going.wait(60)
        save(panel, "Classifier for QuPath")
        go.set()
        assert panel.tasks.wait(60)
    finally:
        studio.close()
    lines = [line.split("  ", 1)[1] for line in studio.log.splitlines()[before:]]
    assert [line for line in lines if "ONNX" in line or "QuPath" in line or "onnx" in line or "qupath" in line] == [
        "Classifier as ONNX: writing…",
        "ONNX: starting a process (step 1 of 4)…",
        "Classifier for QuPath: writing… Waiting for earlier tasks.",
        "ONNX: tracing the network (step 3 of 4)…",
        f"Saved {tmp_path / 'classifier.onnx'}",
        "Classifier for QuPath: writing…",
        f"Saved {tmp_path / 'for_qupath'}",
    ]


def test_a_file_that_cannot_be_read_any_more_does_not_keep_a_studio_open(tmp_path):
    from PIL import Image

    path = tmp_path / "image.png"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path)
    studio = hw.Studio(path, classes=["Dark", "Bright"], folder=tmp_path / "project")
    path.unlink()
    studio.close()


def test_every_widget_of_a_closed_studio_can_be_closed_again_as_python_does_when_it_collects_it(monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    before = set(_instances)
    studio = hw.Studio(np.zeros((64, 64, 3), np.uint8), classes=["A", "B"], fresh=True)
    made = [widget for key, widget in _instances.items() if key not in before]
    own = [widget for widget in made if type(widget).__module__.startswith("histowidgets")]
    assert {"DisplayPanel", "AnnotationCanvas", "LossMonitor"} <= {type(widget).__name__ for widget in own}
    parts = list(studio._parts)
    studio.close()
    for one in [studio, *parts, *own]:
        one.close()
        one.close()
    del studio, made, own, parts, one
    gc.collect()
    assert not unraisable
