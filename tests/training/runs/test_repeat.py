"""A run is trained again to the same weights, bit for bit, whatever ended it."""

import json
from contextlib import closing

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import ImageNameError, TrainingError
from histowidgets.training import BatchEnded, repeat_training, start_training, train, what_differs
from histowidgets.training.storage import read_labels, read_run
from tests.training.helpers import painted, quick


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A project with a whole run, edits, and a run that continued from it and was stopped in the middle of an epoch."""
    folder = tmp_path_factory.mktemp("repeat") / "project"
    with closing(painted(folder=folder, strokes=4)) as project:
        settings = quick(max_seconds=600, scheduler="none", precision="auto", memory_format="auto", seed=4)
        first = train(project, settings)
        project.annotate("image 0", Stroke([(20, 20), (30, 40)], width=8), "Bright")
        second = start_training(project, quick(epochs=4, seed=1, freeze="none"), continue_from=first.classifier)

        def stop(event):
            if isinstance(event, BatchEnded) and (event.epoch, event.step) == (2, 1):
                second.stop("last")

        second.subscribe(stop)
        second.wait()
    assert (first.state, second.state) == ("finished", "stopped")
    return folder, first, second


def weights_on_disk(folder, run):
    return load_file(folder / "runs" / run.id / "checkpoint.safetensors")


def test_x8_a_finished_run_is_repeated_to_the_same_weights_on_the_annotations_of_then(session):
    folder, first, _ = session
    again = repeat_training(folder / "runs" / first.id)
    assert again.wait() == "finished"
    stored, weights = weights_on_disk(folder, first), again.classifier.model.tensors()
    assert stored.keys() == weights.keys()
    assert all(np.array_equal(stored[name], weights[name]) for name in stored)
    assert [r["train_loss"] for r in again.history] == [r["train_loss"] for r in first.history]
    assert [message.text for message in again.messages if message.level == "warning"] == []
    assert len(list((folder / "runs").iterdir())) == 2, "nothing is written to the project"


def test_a_run_that_continued_and_was_stopped_is_repeated_from_the_repeated_start(session):
    folder, first, second = session
    again = repeat_training(folder / "runs" / second.id)
    assert again.wait() == "stopped"
    stored, weights = weights_on_disk(folder, second), again.classifier.model.tensors()
    assert all(np.array_equal(stored[name], weights[name]) for name in stored)
    before = weights_on_disk(folder, first)
    assert any(not np.array_equal(before[name], weights[name]) for name in stored), "it did train"


def test_a_run_says_what_it_was_trained_on_and_what_with(session):
    folder, first, second = session
    labels = [read_labels(folder / "runs" / run.id) for run in (first, second)]
    assert [len(one.annotations["image 0"]) for one in labels] == [8, 9]
    about = json.loads((folder / "runs" / second.id / "run.json").read_text())
    assert about["start"]["run"] == first.id
    assert (about["steps"], about["stopped"], about["device"], about["processes"]) == (3, "last", "cpu", 1)
    assert {"torch", "numpy", "python"} <= about["versions"].keys()


def test_other_weights_than_those_it_started_from_are_refused(session, tmp_path):
    folder, first, second = session
    path = folder / "runs" / first.id / "checkpoint.safetensors"
    content = path.read_bytes()
    try:
        tensors = load_file(path)
        name = next(name for name, values in tensors.items() if values.dtype == np.float32)
        save_file({**tensors, name: tensors[name] + 1}, path)
        with pytest.raises(TrainingError, match=f"other weights than those of {first.id}"):
            repeat_training(folder / "runs" / second.id)
    finally:
        path.write_bytes(content)


def test_what_stands_in_the_way_is_named(session):
    folder, first, _ = session
    stored = read_run(folder / "runs" / first.id)
    assert what_differs(stored) == []
    clocked = stored.settings.model_copy(update={"scheduler": "one-cycle", "max_seconds": 60})
    changed = type(stored)(**{**vars(stored), "settings": clocked, "about": {**stored.about, "processes": 2}})
    limit, processes = what_differs(changed)
    assert "time limit of 60 s, and its learning rate followed the clock" in limit
    assert "2 processes" in processes
    with closing(Project(["Dark", "Bright"])) as other, pytest.raises(ImageNameError, match="'image 0'"):
        repeat_training(folder / "runs" / first.id, other)
    with pytest.raises(TrainingError, match="is missing"):
        repeat_training(folder / "runs" / "none")
