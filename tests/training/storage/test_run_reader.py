"""Folders of runs are checked when they are read, and those of older versions still open."""

import json
import math

import pytest

from histowidgets.errors import TrainingError
from histowidgets.training import TrainingSettings
from histowidgets.training.storage import read_labels, read_run, run_folders

HISTORY = "epoch,train_loss,val_loss,train_miou,val_miou,val_accuracy,learning_rate,seconds,steps,iou_Dark,iou_Bright"
RECORD = {
    "epoch": 1,
    "train_loss": 0.5,
    "val_loss": None,
    "train_miou": 0.7,
    "val_miou": 0.6,
    "val_iou": {"Dark": 0.6, "Bright": None},
    "val_accuracy": 0.9,
    "learning_rate": 0.001,
    "seconds": 2.5,
    "steps": 20,
}
SUMMARY = {
    "version": 2,
    "id": "a-run",
    "started": "2026-01-01T00:00:00+00:00",
    "network": {"backbone": "resnet18"},
    "weights": "imagenet",
    "arithmetic": {"precision": "fp32", "memory_format": "contiguous"},
    "classes": ["Dark", "Bright"],
    "normalization": {"strategy": "percentile_99"},
    "held_out": {"image": [[0, 0, 10, 10]]},
    "state": "ended",
    "kept": RECORD,
    "confusion": [[3, 1], [0, 2]],
}


@pytest.fixture
def folder_with(tmp_path):
    """Write a run's folder; what is None is left out of ``run.json``."""

    def write(history=f"{HISTORY}\n1,0.5,,0.7,0.6,0.9,0.001,2.5,20,0.6,\n", **changes):
        folder = tmp_path / "project" / "runs" / "a-run"
        folder.mkdir(parents=True, exist_ok=True)
        about = {name: value for name, value in (SUMMARY | changes).items() if value is not None}
        (folder / "run.json").write_text(json.dumps(about))
        (folder / "settings.json").write_text(TrainingSettings(epochs=3).to_json())
        (folder / "history.csv").write_text(history)
        return folder

    return write


def test_a_run_is_read_as_it_was_written(folder_with, tmp_path):
    folder = folder_with()
    run = read_run(folder)
    assert run_folders(tmp_path / "project") == [folder]
    assert (run.id, run.state, run.settings.epochs, run.confusion) == ("a-run", "ended", 3, [[3, 1], [0, 2]])
    assert run.history == [RECORD]
    assert run.best == RECORD
    in_version_3 = {"steps": None, "stopped": None, "start": None, "device": "", "threads": None, "versions": {}}
    assert dict(run.about) == SUMMARY | {"pixel_size_um": None, "processes": 1} | in_version_3
    assert read_labels(folder) is None


def test_a_run_of_version_1_has_no_confusion_and_no_steps(folder_with):
    old = f"{HISTORY.replace(',steps', '')}\n1,0.5,,0.7,0.6,0.9,0.001,2.5,0.6,\n"
    kept = {name: value for name, value in RECORD.items() if name != "steps"}
    run = read_run(folder_with(old, version=1, confusion=None, arithmetic=None, held_out=None, kept=kept))
    assert run.history == [RECORD | {"steps": None}]
    assert run.best == RECORD | {"steps": None}
    assert run.confusion is None
    assert run.about["weights"] == "imagenet"


def test_a_loss_that_is_no_number_is_read_as_it_is(folder_with):
    run = read_run(folder_with(f"{HISTORY}\n1,nan,,,,,0.001,2.5,20,,\n", kept=None))
    assert math.isnan(run.history[0]["train_loss"])
    assert run.best is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"classes": None}, "classes: Field required"),
        ({"version": 1.5}, "version"),
        ({"id": 3}, "id: Input should be a valid string"),
        ({"confusion": "none"}, "confusion"),
        ({"kept": {"epoch": 1}}, "lacks train_loss, learning_rate, seconds"),
        ({"unheard": 1}, "unheard: Extra inputs are not permitted"),
    ],
)
def test_a_summary_that_is_damaged_names_its_file_and_field(folder_with, changes, why):
    with pytest.raises(TrainingError, match=rf"run\.json is damaged: .*{why}"):
        read_run(folder_with(**changes))


@pytest.mark.parametrize("history", [f"{HISTORY}\n1,much\n", f"{HISTORY}\nfirst,0.5,,,,,0.1,1,2,,\n", "epoch\n1\n"])
def test_a_history_that_is_damaged_names_its_file(folder_with, history):
    with pytest.raises(TrainingError, match=r"history\.csv is damaged"):
        read_run(folder_with(history))


def test_a_newer_version_is_refused_before_its_fields_are_read(folder_with):
    with pytest.raises(TrainingError, match="has version 4, but this program reads only up to 3"):
        read_run(folder_with(version=4, unheard="of"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no json", "damaged"),
        ("[]", "damaged"),
        ('{"version": 2, "classes": [], "colors": {}, "roles": {}, "annotations": {}}', "version 2. Update"),
        ('{"version": 1, "classes": [], "colors": {}, "roles": {}, "annotations": {"a": [{}]}}', "damaged"),
    ],
)
def test_labels_that_are_damaged_name_their_file(folder_with, content, why):
    folder = folder_with()
    (folder / "labels.json").write_text(content)
    with pytest.raises(TrainingError, match=rf"labels\.json .*{why}"):
        read_labels(folder)
