"""Folders on disk written by the version before still open, and what was begun there is finished.

`data/before_0.1.tar.xz` was written by the code before the packages had sub-packages, on made-up stripes: a project
with every kind of edit, a finished and a killed run, classifiers of each kind, an ONNX file, and predictions on disk,
one of them half finished. To compress well, large weights repeat 61 values; the answers are of those weights, computed
by that version.
"""

import json
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import OutsideTrainingWarning
from histowidgets.prediction.inference import prediction_fingerprint
from histowidgets.training.storage import read_run, run_folders
from histowidgets.widgets.studio._review_marks import ReviewMarks

DATA = Path(__file__).parent / "data" / "before_0.1.tar.xz"


@pytest.fixture
def before(tmp_path):
    with tarfile.open(DATA) as archive:
        archive.extractall(tmp_path / "before", filter="data")
    return tmp_path / "before"


@pytest.fixture
def expected(before):
    return json.loads((before / "expected.json").read_text())


@pytest.fixture
def project(before):
    project = hw.Project.open(before / "project")
    yield project
    project.close()


def stripes(side):
    x = np.arange(side)
    grey = ((x // 32) % 2) * 110 + 60 + (np.arange(side)[:, None] % 7)
    return np.stack([grey, grey + 5, grey - 9], -1).astype(np.uint8)


def wide_image():
    return hw.open_image(np.tile(stripes(128)[:32], (1, 34, 1))[:, :4288], name="wide")


@pytest.mark.parametrize("kind", ["network", "quick", "mean", "onnx"])
def test_a_classifier_gives_the_same_answer(before, kind):
    found = hw.Classifier.load(before / kind).predict(stripes(160)[:96, :128]).probabilities[::16, ::16]
    np.testing.assert_allclose(found, np.load(before / "answers.npz")[kind], atol=1e-4)


def test_an_onnx_file_is_imported_with_its_classes(before):
    found = hw.Classifier.from_onnx(before / "network.onnx")
    assert list(found.classes) == ["Dark", "Bright"]
    answer = found.predict(stripes(160)[:96, :128]).probabilities[::16, ::16]
    np.testing.assert_allclose(answer, np.load(before / "answers.npz")["onnx"], atol=1e-4)


def test_a_project_has_its_strokes_and_can_be_undone(project, expected):
    (name,) = project.image_names
    assert int(project.label_map(name).astype(int).sum()) == expected["labels"]
    assert len(project.annotations(name)) == expected["annotations"]
    assert (list(project.classes), project.colors) == (expected["classes"], expected["colors"])
    project.undo()
    assert project.image_names == [name, "gone"], "the last edit removed it"


def test_files_of_annotations_are_imported(before):
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(hw.open_image(stripes(192), name="again"))
    assert project.import_label_png(name, before / "labels.png")
    assert project.import_geojson(name, before / "strokes.geojson")


def test_marks_of_a_review_still_hold(project, before):
    found = hw.find_label_errors(project, hw.Classifier.load(before / "network"))
    marks = ReviewMarks(project)
    assert sum(marks.is_right(tile) for tile in found.tiles) == 1


def test_a_killed_run_is_resumed(project, before):
    assert [read_run(folder).state for folder in sorted(run_folders(before / "project"))] == ["ended", "running"]
    unfinished = hw.find_unfinished_run(project)
    assert (unfinished.epoch, unfinished.epochs, unfinished.changed) == (1, 3, ())
    run = hw.resume_training(project)
    assert run.wait(120) == "finished", run.state
    assert run.id == unfinished.id
    assert len(run.history) == 3


@pytest.mark.parametrize("name", ["whole.zarr", "whole.ome.tif"])
def test_a_finished_prediction_is_not_computed_again(before, expected, name):
    calls = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", OutsideTrainingWarning)  # the image does not know its pixel size
        stored = hw.Classifier.load(before / "quick").predict_to(
            wide_image(), before / name, blur_px=2.0, progress=lambda *call: calls.append(call)
        )
    assert calls == []
    assert np.bincount(stored.read_labels().ravel(), minlength=2).tolist() == expected["whole"]


def test_a_half_finished_prediction_is_finished(before, expected):
    calls = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", OutsideTrainingWarning)  # the image does not know its pixel size
        stored = hw.Classifier.load(before / "quick").predict_to(
            wide_image(), before / "half.zarr", blur_px=2.0, progress=lambda *call: calls.append(call)
        )
    assert calls[0][0] > 1, "the first block is kept"
    assert np.bincount(stored.read_labels().ravel(), minlength=2).tolist() == expected["whole"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ({"objects": {"smooth_um": 1.0, "min_area_um2": 5.0}}, {"objects": {"simplify_um": 1.0, "min_area_um2": 5.0}}),
        ({"options": {"smooth_px": 2.0, "smooth_um": None}}, {"options": {"blur_px": 2.0, "blur_um": None}}),
    ],
)
def test_a_renamed_setting_is_recognized_in_a_folder_of_many_predictions(before, then, now):
    spec = hw.Classifier.load(before / "quick").spec
    assert prediction_fingerprint(spec, wide_image(), now) == prediction_fingerprint(spec, wide_image(), then)
