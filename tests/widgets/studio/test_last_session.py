"""A project that is opened again shows its last run, its saved prediction, and what was in view."""

import shutil
import threading
import time
from contextlib import closing

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.training import load_last_run

SETTINGS = hw.TrainingSettings(
    tile_size=64, downsample=1, batch_size=2, epochs=2, max_seconds=None, steps_per_epoch=2, consistency=0.0
)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.02)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """The folder of a project with a run of two epochs and a prediction, and the run."""
    folder = tmp_path_factory.mktemp("sessions") / "project"
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[:, 64:] = 180
    project = hw.Project(["Dark", "Bright"], folder=folder)
    name = project.add_image(hw.open_image(pixels, name="halves"))
    for y in (20, 50, 80):
        project.annotate(name, hw.Stroke([(8, y), (50, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (120, y)], width=6), "Bright")
    run = hw.train(project, SETTINGS)
    run.classifier.predict_to(project.image(name), folder / "predictions" / "halves.zarr")
    project.close()
    return folder, run


@pytest.fixture
def trained(trained_once, tmp_path):
    """The same with a folder of the test's own."""
    folder, run = trained_once
    return shutil.copytree(folder, tmp_path / "trained"), run


@pytest.mark.slow
def test_the_last_run_its_classifier_and_its_prediction_are_there(trained):
    folder, run = trained
    studio = hw.Studio(folder=folder)
    wait_until(lambda: studio.run is not None and studio._training.monitor.history)
    assert studio.run.is_loaded
    assert studio._training.monitor.history == run.history
    assert studio.run.best_epoch == run.best_epoch
    assert studio.run.split.held_out == run.split.held_out
    wait_until(lambda: studio._training._main.description == "Train more")
    wait_until(lambda: studio.prediction is not None and studio.prediction.pyramid)
    wait_until(lambda: "saved prediction" in studio.canvas.caption)
    wait_until(lambda: "finished: all 2 epochs" in studio._training.monitor._status.value.lower())
    assert "Training. You can" not in studio.log, "nothing is training"
    more = studio.train(SETTINGS.model_copy(update={"epochs": 1}))
    more.wait(60)
    assert more.split.held_out == run.split.held_out
    studio.close()


@pytest.mark.slow
def test_the_loaded_classifier_predicts_as_the_one_of_the_run(trained):
    folder, run = trained
    with closing(hw.Project.open(folder)) as project:
        loaded = load_last_run(project)
        image = project.image("halves")
        assert np.array_equal(loaded.classifier.predict(image).labels, run.classifier.predict(image).labels)
        assert loaded.scores["val_miou"] == run.scores["val_miou"]


def test_without_a_run_nothing_is_shown(tmp_path):
    with closing(hw.Project(["A", "B"], folder=tmp_path / "project")) as project:
        assert load_last_run(project) is None
    assert load_last_run(hw.Project(["A", "B"])) is None


def test_a_damaged_run_is_left_out_and_the_one_before_is_shown(trained, caplog):
    folder, _ = trained
    damaged = folder / "runs" / "zzz"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    with closing(hw.Project.open(folder)) as project:
        assert load_last_run(project) is not None
    assert "damaged" in caplog.text


def test_what_was_in_view_and_the_class_are_shown_again(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    images = [hw.open_image(pixels, name="one"), hw.open_image(255 - pixels, name="other")]
    studio = hw.Studio(images, classes=["A", "B"], folder=tmp_path / "project")
    studio.canvas.show_image("other")
    studio.canvas.look(studio.canvas.view.look(100, 80, 3.0))
    studio.canvas.class_name = "B"
    studio.close()
    again = hw.Studio(folder=tmp_path / "project")
    view = again.canvas.view
    assert (again.canvas.image_name, again.canvas.class_name) == ("other", "B")
    assert (view.x, view.y, view.zoom) == (100, 80, 3)
    again.canvas.fit()
    again.close()
    (tmp_path / "project" / "view.json").write_text("not what was written")
    last = hw.Studio(folder=tmp_path / "project")
    assert last.canvas.image_name == "one"
    last.close()
