"""A disk that fills up: what was confirmed stays, what was not is nowhere, and the old files are whole."""

import numpy as np
import pytest

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import HistowidgetsError, ProjectFolderError
from histowidgets.images import open_image
from histowidgets.training import start_training
from tests.faults.conftest import contents, halves, heavy_classifier, noise_prediction
from tests.training.helpers import painted, quick

SPACE = "[Ff]ree some space"


def stroke(number):
    return Stroke([[number % 90, 5], [number % 90, 80]], 3)


def drawn(project):
    return [a.id for a in project.annotations("halves")], project.can_redo


def paint_until_it_fails(project):
    """Draw until the disk has no room; return the ids that were confirmed."""
    confirmed = []

    def paint():
        for number in range(2000):
            confirmed.append(project.annotate("halves", stroke(number), "A"))

    with pytest.raises(ProjectFolderError, match=SPACE) as caught:
        paint()
    assert "It was not applied" in str(caught.value)
    return confirmed


def test_a_journal_on_a_full_disk_loses_nothing_that_was_confirmed(disk):
    project = Project(["A", "B"], disk.path / "project")
    project.add_image(halves())
    first = project.annotate("halves", stroke(1), "A")
    told = []
    project.subscribe(told.append)
    with disk.full():
        confirmed = [first, *paint_until_it_fails(project)]
        assert drawn(project) == (confirmed, False)
        assert len(told) == len(confirmed) - 1
        with pytest.raises(ProjectFolderError, match=SPACE):
            project.add_class("C" * 5000)
        assert project.classes == ["A", "B"]
        with pytest.raises(ProjectFolderError, match=SPACE):
            all(project.undo() and project.redo() for _ in range(2000))
        confirmed = confirmed[:-1] if project.can_redo else confirmed
        assert drawn(project)[0] == confirmed
    after = project.annotate("halves", stroke(2), "B")  # it goes on once there is room
    project.close()
    again = Project.open(disk.path / "project")
    assert drawn(again) == ([*confirmed, after], False)
    again.close()


def test_an_image_that_does_not_fit_on_the_disk_is_not_in_the_project(disk):
    noise = np.random.default_rng(0).integers(0, 255, (1400, 1400, 3)).astype(np.uint8)
    project = Project(["A"], disk.path / "project")
    project.add_image(halves())
    before = contents(disk.path / "project")
    with disk.full(), pytest.raises(ProjectFolderError, match=SPACE):
        project.add_image(open_image(noise, name="noise"))
    assert project.image_names == ["halves"]
    assert contents(disk.path / "project") == before  # no half file takes up the room that is left
    project.add_image(open_image(noise[:100, :100], name="noise"))
    project.close()
    again = Project.open(disk.path / "project")
    assert again.image_names == ["halves", "noise"]
    again.close()


def test_a_project_cannot_begin_on_a_full_disk_and_says_so(disk):
    with disk.full(), pytest.raises(ProjectFolderError, match=r"cannot be (written|made)"):
        Project(["A"], disk.path / "project")
    project = Project(["A"], disk.path / "project")
    project.close()


EXPORTS = {
    "objects.geojson": lambda path: noise_prediction(60).save_geojson(path, min_area_um2=0),
    "labels.png": lambda path: noise_prediction().save_png(path),
    "labels.ome.tif": lambda path: noise_prediction().save_ome_tiff(path),
    "objects.csv": lambda path: noise_prediction(60).save_csv(path, min_area_um2=0),
    "classifier": lambda path: heavy_classifier().save(path),
    "annotations.geojson": lambda path: many_strokes().export_geojson("halves", path),
    "map.png": lambda path: many_strokes().export_label_png("halves", path),
}


def many_strokes():
    project = Project(["A", "B"])
    project.add_image(halves())
    for number in range(40):
        project.annotate("halves", stroke(2 * number), "AB"[number % 2])
    return project


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_onto_a_full_disk_leaves_the_old_file_whole(disk, name):
    folder = disk.path / "exports"
    folder.mkdir()
    export = EXPORTS[name]
    export(folder / name)
    before = contents(folder)
    assert before
    with disk.full(), pytest.raises(HistowidgetsError, match=SPACE) as caught:
        export(folder / name)
    assert name in str(caught.value)
    assert contents(folder) == before
    export(folder / name)
    assert sorted(contents(folder)) == sorted(before)


def test_a_run_whose_disk_is_full_ends_with_its_classifier_and_says_what_to_do(disk):
    project = painted(folder=disk.path / "project", side=128, strokes=3)
    annotations = {name: project.annotations(name) for name in project.image_names}
    with disk.full():
        run = start_training(project, quick(epochs=2, pretrained=False))
        assert run.wait(120) == "finished"
    warned = [message.text for message in run.messages if message.level == "warning" and "disk" in message.text]
    assert len(warned) == 1
    assert "ree some space" in warned[0]
    assert run.classifier is not None
    assert not list((disk.path / "project").rglob("*.part*"))
    project.close()
    again = Project.open(disk.path / "project")
    assert {name: again.annotations(name) for name in again.image_names} == annotations
    again.close()


def test_an_edit_that_is_interrupted_while_it_is_written_is_not_on_disk(tmp_path, monkeypatch):
    project = Project(["A"], tmp_path / "project")
    project.add_image(halves())
    kept = project.annotate("halves", stroke(1), "A")

    def interrupted(file):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("histowidgets.annotations.project._journal.os.fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            project.annotate("halves", stroke(2), "A")
    assert drawn(project) == ([kept], False)
    project.close()
    again = Project.open(tmp_path / "project")
    assert drawn(again) == ([kept], False)
    again.close()
