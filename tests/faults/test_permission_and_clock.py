"""A folder that is no longer ours, and a clock that jumps: an error that says so, and nothing lost."""

import time

import numpy as np
import PIL.Image
import pytest

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import ClassifierError, HistowidgetsError, ImageOpenError, ProjectFolderError
from histowidgets.images import open_image
from histowidgets.prediction import Classifier
from histowidgets.training import find_unfinished_run, start_training
from tests.faults.conftest import contents, halves, heavy_classifier, noise_prediction
from tests.training.helpers import painted, quick


def test_a_folder_without_permission_is_named_wherever_it_is_met(guarded):
    inner = guarded.path
    project = Project(["A"], inner / "project")
    project.add_image(halves())
    project.close()
    heavy_classifier().save(inner / "classifier")
    PIL.Image.new("RGB", (30, 30)).save(inner / "image.png")
    before = contents(inner)
    attempts = [
        (lambda: Project.open(inner / "project"), ProjectFolderError),
        (lambda: Project(["A"], inner / "other"), ProjectFolderError),
        (lambda: open_image(inner / "image.png"), ImageOpenError),
        (lambda: Classifier.load(inner / "classifier"), ClassifierError),
        (lambda: heavy_classifier().save(inner / "classifier"), ClassifierError),
        (lambda: noise_prediction(50).save_png(inner / "labels.png"), HistowidgetsError),
        (lambda: noise_prediction(50).save_ome_tiff(inner / "labels.ome.tif"), HistowidgetsError),
        (lambda: noise_prediction(50).save_geojson(inner / "labels.geojson"), HistowidgetsError),
    ]
    with guarded.closed():
        for attempt, kind in attempts:
            with pytest.raises(kind, match=r"[Pp]ermission denied") as caught:
                attempt()
            assert str(inner) in str(caught.value)
    assert contents(inner) == before


def test_what_may_be_read_but_not_written_stays_as_it_was(guarded):
    inner = guarded.path
    project = Project(["A"], inner)
    project.add_image(halves())
    before = contents(inner)
    with guarded.closed(0o555):
        with pytest.raises(ProjectFolderError, match=r"Permission denied"):
            project.add_image(halves(name="other"))
        with pytest.raises(HistowidgetsError, match=r"Permission denied"):
            project.export_geojson("halves", inner / "out.geojson")
        kept = project.annotate("halves", Stroke([[5, 5], [9, 9]], 3), "A")  # its journal is still open
    assert project.image_names == ["halves"]
    after = contents(inner)
    assert set(after) == set(before)
    project.close()
    again = Project.open(inner)
    assert [a.id for a in again.annotations("halves")] == [kept]
    again.close()


def test_a_clock_that_jumps_back_changes_neither_the_order_of_edits_nor_a_run(tmp_path, monkeypatch):
    now = iter(np.linspace(2e9, -1e6, 10_000))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    project = painted(folder=tmp_path / "project", side=128, strokes=3)
    name = project.image_names[0]
    ids = [a.id for a in project.annotations(name)]
    times = [a.time for a in project.annotations(name)]
    assert times == sorted(times, reverse=True)
    run = start_training(project, quick(pretrained=False))
    assert run.wait(120) == "finished"
    assert all(record["seconds"] >= 0 for record in run.history)
    assert find_unfinished_run(project) is None
    project.undo()
    project.close()
    again = Project.open(tmp_path / "project")
    assert [a.id for a in again.annotations(name)] == ids[:-1]
    again.redo()
    assert [a.id for a in again.annotations(name)] == ids
    again.close()
