import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import TrainingError
from histowidgets.training import BatchEnded, EpochEnded, find_unfinished_run, resume_training, start_training, train
from histowidgets.training.checkpoint import Checkpoint, read_checkpoint, write_resume
from histowidgets.training.runs._classifier import read_classifier
from histowidgets.training.storage import read_run
from tests.training.helpers import painted, quick

ROOT = Path(__file__).parents[3]

# A run that tells when its third epoch is half done, and then waits to be killed.
CHILD = """
import json, sys, time
from histowidgets.training import BatchEnded, TrainingSettings, start_training
from histowidgets.training.storage import _run_writer as _folder
from tests.training.helpers import painted
_folder.CHECKPOINT_SHARE = 1e9  # every epoch, however short
project = painted(folder=sys.argv[1], strokes=4)
def hear(event):
    if isinstance(event, BatchEnded) and (event.epoch, event.step) == (3, 2):
        print("half way", flush=True)
        time.sleep(600)
run = start_training(project, TrainingSettings.from_json(sys.argv[2]))
run.subscribe(hear)
run.wait()
"""

SETTINGS = quick(epochs=5, steps_per_epoch=3, freeze="none", early_stopping_metric="miou", seed=3)


def without_seconds(history):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in history]


def killed_mid_epoch(folder, settings):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), settings.to_json()], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    try:
        assert child.stdout.readline().strip() == "half way"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(30)
        child.stdout.close()


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The folder of a project whose training was killed in its third epoch of five."""
    folder = tmp_path_factory.mktemp("killed") / "project"
    killed_mid_epoch(folder, SETTINGS)
    return folder


@pytest.fixture
def copy_of(broken, tmp_path):
    import shutil

    shutil.copytree(broken, tmp_path / "project", ignore=shutil.ignore_patterns("*.lock"))
    return tmp_path / "project"


def run_folder(project_folder):
    return next(iter((project_folder / "runs").iterdir()))


def test_killed_run_goes_on_with_the_curve_and_the_weights_of_an_unbroken_one(copy_of):
    unbroken = train(painted(strokes=4), SETTINGS)
    project = Project.open(copy_of)
    try:
        found = find_unfinished_run(project)
        assert (found.epoch, found.epochs, found.changed) == (2, 5, ())
        assert "epoch 2 of 5" in str(found)
        run = resume_training(found.folder, project)
        assert run.wait(120) == "finished"
        assert run.id == found.id
        assert without_seconds(run.history) == without_seconds(unbroken.history)
        assert run.best_epoch == unbroken.best_epoch
        assert run.history[1]["seconds"] < run.history[2]["seconds"]
        wanted = unbroken.classifier.model.tensors()
        for name, value in run.classifier.model.tensors().items():
            assert np.array_equal(value, wanted[name]), name
        assert run.classifier.scores["confusion"] == unbroken.classifier.scores["confusion"]
        assert find_unfinished_run(project) is None
        assert not (found.folder / "resume.safetensors").exists()
    finally:
        project.close()


def test_resumed_run_tells_the_earlier_epochs_and_takes_only_the_steps_that_are_left(copy_of):
    run = resume_training(copy_of)
    assert run.wait(120) == "finished"
    assert [e.record["epoch"] for e in run.events if isinstance(e, EpochEnded)] == [1, 2, 3, 4, 5]
    assert next((e.epoch, e.step) for e in run.events if isinstance(e, BatchEnded)) == (3, 1)
    assert "resumed after epoch 2 of 5" in run.messages[0].text
    assert len((run_folder(copy_of) / "history.csv").read_text().splitlines()) == 6


def test_train_with_resume_goes_on_or_starts_anew(copy_of):
    project = Project.open(copy_of)
    try:
        first = train(project, SETTINGS, resume=True)
        assert first.id == run_folder(copy_of).name
        assert len(first.history) == 5
        second = train(project, quick(epochs=1), resume=True)
        assert second.id != first.id
        assert len(second.history) == 1
    finally:
        project.close()


@pytest.mark.parametrize("what", ["annotations", "settings"])
def test_what_has_changed_since_is_said_and_trained_on_from_the_best_weights(copy_of, what):
    project = Project.open(copy_of)
    try:
        settings = None
        if what == "annotations":
            project.annotate(project.image_names[0], Stroke([(100, 100), (104, 120)], width=6), "Dark")
            assert find_unfinished_run(project).changed == ("annotations",)
        else:
            settings = SETTINGS.model_copy(update={"learning_rate": 1e-3, "epochs": 1})
        old = run_folder(copy_of).name
        run = resume_training(project, settings=settings)
        assert run.wait(120) == "finished"
        text = " ".join(message.text for message in run.messages)
        assert f"The {what} of the run {old} have changed" in text
        assert "continues from the classifier" in text
        assert run.id != old
        assert run.history[0]["epoch"] == 1
        assert find_unfinished_run(project) is None, "the new run is the last one, and has ended"
    finally:
        project.close()


def test_run_of_chosen_channels_is_trained_on_when_annotations_have_changed(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        first = train(project, SETTINGS.model_copy(update={"channels": ("Blue", "Red"), "epochs": 1}))
        classifier = read_classifier(read_run(tmp_path / "project" / "runs" / first.id), project.snapshot())
        assert classifier.channel_names == ("Blue", "Red")
        again = train(project, first.settings, continue_from=classifier)
        assert "continues from the classifier" in " ".join(message.text for message in again.messages)
    finally:
        project.close()


def test_torn_or_damaged_checkpoint_names_the_file(copy_of):
    path = run_folder(copy_of) / "resume.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert find_unfinished_run(copy_of) is None
    with pytest.raises(TrainingError, match=r"resume\.safetensors is damaged"):
        resume_training(copy_of)
    flipped = bytearray(whole)
    flipped[-100] ^= 255
    path.write_bytes(flipped)
    with pytest.raises(TrainingError, match=r"resume\.safetensors is damaged: its checksum"):
        resume_training(copy_of)
    path.write_bytes(b"")
    with pytest.raises(TrainingError, match=r"resume\.safetensors is damaged"):
        resume_training(copy_of)


def test_newer_versions_are_refused(copy_of):
    folder = run_folder(copy_of)
    path = folder / "resume.safetensors"
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    save_file(load_file(path), path, {**header, "version": "99"})
    with pytest.raises(TrainingError, match=r"resume\.safetensors has version 99"):
        resume_training(copy_of)
    about = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**about, "version": 99}))
    with pytest.raises(TrainingError, match=r"run\.json has version 99"):
        resume_training(copy_of)


def test_version_1_run_without_a_checkpoint_is_trained_on_from_its_weights(copy_of):
    folder = run_folder(copy_of)
    (folder / "resume.safetensors").unlink()
    about = json.loads((folder / "run.json").read_text())
    del about["confusion"]
    (folder / "run.json").write_text(json.dumps({**about, "version": 1}))
    assert find_unfinished_run(copy_of) is None
    run = resume_training(copy_of, settings=quick(epochs=1, freeze="none"))
    assert run.wait(120) == "finished"
    assert "left no checkpoint to resume from" in run.messages[0].text


def test_ended_missing_and_living_runs_are_not_resumed(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        with pytest.raises(TrainingError, match="There is no run in"):
            resume_training(project)
        assert find_unfinished_run(project) is None
        seen = threading.Event()
        run = start_training(project, quick(epochs=5000, early_stopping_metric="none"))
        run.subscribe(lambda event: seen.set() if isinstance(event, EpochEnded) else None)
        assert seen.wait(60)
        assert find_unfinished_run(project) is None
        with pytest.raises(TrainingError, match="is already training in this kernel"):
            resume_training(project)
        run.stop()
        run.wait(30)
        with pytest.raises(TrainingError, match="has ended"):
            resume_training(project)
        with pytest.raises(TrainingError, match="has no folder"):
            resume_training(painted())
    finally:
        project.close()


def test_run_that_broke_off_after_its_last_epoch_only_ends(copy_of, monkeypatch):
    """The checkpoint of the last epoch was written, the summary was not."""
    path = run_folder(copy_of) / "resume.safetensors"
    found = read_checkpoint(path)
    last = found.plain["history"] + [{**found.plain["history"][-1], "epoch": epoch} for epoch in (3, 4, 5)]
    write_resume(path, Checkpoint(found.tensors, {**found.plain, "history": last}))
    run = resume_training(copy_of)
    assert run.wait(60) == "finished"
    assert not [event for event in run.events if isinstance(event, BatchEnded)]
    assert run.classifier is not None
    assert json.loads((run_folder(copy_of) / "run.json").read_text())["state"] == "ended"


def test_checkpoints_hold_no_pickle_and_survive_the_round_trip(tmp_path):
    tensors = {
        "network/a": torch.randn(3, 4),
        "optimizer/0/0/step": torch.tensor(7.0),
        "arithmetic/random": torch.get_rng_state(),
    }
    write_resume(tmp_path / "x", Checkpoint(tensors, {"parts": {"arithmetic": {"seed": 2**100}}}))
    again = read_checkpoint(tmp_path / "x")
    assert all(torch.equal(tensors[name], again.tensors[name]) for name in tensors)
    part = again.part("arithmetic")
    assert part["seed"] == 2**100
    assert torch.equal(part["random"], tensors["arithmetic/random"])
