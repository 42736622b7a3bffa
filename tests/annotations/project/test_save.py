"""A project in memory is saved in a folder: all of it, with undo and redo, and every later edit."""

import threading

import numpy as np
import pytest
import tifffile

import histowidgets as hw
from histowidgets.annotations.project import _folder
from histowidgets.errors import ProjectError, ProjectFolderError


@pytest.fixture
def project(tmp_path):
    """All kinds of edits, one of them undone; an image from a file, one from memory, and one that was removed."""
    path = tmp_path / "tissue.tif"
    tifffile.imwrite(path, np.full((60, 70, 3), 90, np.uint8), photometric="rgb")
    project = hw.Project(["Gland", "Stroma"], colors={"Gland": "#112233"}, annotator="Anna")
    pixels = np.arange(50 * 60 * 2, dtype=np.uint16).reshape(50, 60, 2)
    image = hw.open_image(pixels, name="stain", channel_names=["DNA", "Actin"], pixel_size_um=0.25)
    project.add_image(path)
    project.add_image(image)
    project.add_image(np.zeros((20, 20, 3), np.uint8), name="mistake")
    gland = project.annotate("tissue", hw.Rectangle(2, 3, 10, 10), "Gland")
    project.annotate("stain", hw.Stroke([(5, 5), (20, 30)], width=4), "Stroma")
    project.erase("stain", hw.Rectangle(0, 0, 8, 8))
    project.add_class("Lumen")
    project.rename_class("Gland", "Tubule")
    project.reclassify(gland, "Lumen")
    project.move(gland, 3, 4)
    project.set_role("stain", "validation")
    project.remove_image("mistake")
    project.annotate("tissue", hw.Rectangle(30, 30, 5, 5), "Tubule")
    project.annotate("tissue", hw.Rectangle(40, 30, 5, 5), "Tubule")
    project.undo()
    project.undo()
    return project


def content(project):
    found = project.snapshot()
    pixels = {name: image.read(0, 0, image.width, image.height) for name, image in found.images.items()}
    sizes = {name: (image.pixel_size_um, tuple(image.channel_names)) for name, image in found.images.items()}
    return (
        found.classes,
        found.colors,
        found.roles,
        found.annotations,
        sizes,
        {k: v.tolist() for k, v in pixels.items()},
    )


def test_a_saved_project_opens_as_it_was(project, tmp_path):
    before = content(project)
    project.save(tmp_path / "saved")
    assert project.folder == tmp_path / "saved"
    assert content(project) == before
    project.close()
    again = hw.Project.open(tmp_path / "saved")
    assert content(again) == before
    assert again.removed_images == ["mistake"]
    again.close()


def test_undo_and_redo_go_on_after_saving_and_after_opening(project, tmp_path):
    project.save(tmp_path / "saved")
    project.close()
    again = hw.Project.open(tmp_path / "saved")
    assert [again.redo(), again.redo(), again.redo()] == [True, True, False]
    assert len(again.annotations("tissue")) == 3
    undone = 0
    while again.undo():
        undone += 1
    assert undone == 11
    assert again.classes == ["Gland", "Stroma"]
    assert again.image_names == ["tissue", "stain", "mistake"]
    assert again.count() == {"Gland": 0, "Stroma": 0}
    again.close()


def test_edits_after_saving_are_on_disk_at_once(project, tmp_path):
    project.save(tmp_path / "saved")
    project.annotate("tissue", hw.Rectangle(50, 50, 5, 5), "Stroma")
    project.add_image(np.zeros((10, 10, 3), np.uint8), name="late")
    other = hw.Project.open(tmp_path / "saved")  # read-only, since the first holds it
    assert other.read_only
    assert content(other) == content(project)
    project.close()


def test_subscribers_hear_of_it(project, tmp_path):
    heard = []
    project.subscribe(heard.append)
    project.save(tmp_path / "saved")
    assert [change.kind for change in heard] == ["folder"]
    project.close()


def test_a_project_in_a_folder_is_not_saved_again(project, tmp_path):
    project.save(tmp_path / "saved")
    with pytest.raises(ProjectFolderError, match=r"kept in .*saved already. To have a copy, copy that folder"):
        project.save(tmp_path / "other")
    assert not (tmp_path / "other").exists()
    project.close()


def test_a_folder_with_a_project_is_refused_and_left_alone(project, tmp_path):
    hw.Project(["A", "B"], folder=tmp_path / "taken").close()
    before = sorted((tmp_path / "taken").iterdir())
    with pytest.raises(ProjectFolderError, match="already has a project"):
        project.save(tmp_path / "taken")
    assert sorted((tmp_path / "taken").iterdir()) == before
    assert project.folder is None


@pytest.mark.parametrize("fault", ["image", "journal"])
def test_a_full_disk_leaves_the_project_in_memory_and_nothing_in_the_folder(project, tmp_path, monkeypatch, fault):
    def full(*arguments, **keywords):
        raise ProjectFolderError("No space left on device")

    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "notes.txt").write_text("mine")
    before = content(project)
    with monkeypatch.context() as patch:
        if fault == "image":
            patch.setattr(_folder, "write_image", full)
        else:
            patch.setattr(_folder.Journal, "append", full)
        with pytest.raises(ProjectFolderError, match="No space"):
            project.save(tmp_path / "saved")
    assert project.folder is None
    assert [path.name for path in (tmp_path / "saved").rglob("*") if path.is_file()] == ["notes.txt"]
    assert content(project) == before
    project.annotate("tissue", hw.Rectangle(50, 50, 5, 5), "Stroma")
    project.save(tmp_path / "saved")  # once there is space
    project.close()


def test_what_is_painted_while_images_are_written_is_saved_too(project, tmp_path, monkeypatch):
    writing, painted = threading.Event(), threading.Event()
    write = _folder.write_image

    def slow(image, path):
        writing.set()
        assert painted.wait(20)
        write(image, path)

    monkeypatch.setattr(_folder, "write_image", slow)
    thread = threading.Thread(target=project.save, args=(tmp_path / "saved",))
    thread.start()
    assert writing.wait(20)
    project.annotate("tissue", hw.Rectangle(50, 50, 5, 5), "Stroma")
    painted.set()
    thread.join(20)
    project.close()
    again = hw.Project.open(tmp_path / "saved")
    assert again.annotations("tissue") == project.annotations("tissue")
    again.close()


@pytest.mark.parametrize("folder", [None, 3, ""])
def test_what_is_no_path_is_refused(project, folder):
    with pytest.raises(ProjectError):
        project.save(folder)
    assert project.folder is None
