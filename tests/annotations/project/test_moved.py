"""Projects whose folder or images were moved, replaced, edited by hand, or may only be read."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from histowidgets.annotations import Project, Rectangle
from histowidgets.errors import HistowidgetsWarning, ProjectError, ProjectFolderError, ReadOnlyError
from tests.annotations.conftest import blank

SQUARE = Rectangle(10, 10, 20, 20)


def write(path, value, seed=0):
    """Write a picture of noise, one pixel of which says which it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 200, (90, 120, 3)).astype(np.uint8)
    pixels[0, 0] = value
    tifffile.imwrite(path, pixels, photometric="rgb")
    return path


def value_of(project, name):
    return int(project.image(name).read(0, 0, 1, 1)[0, 0, 0])


@pytest.fixture
def study(tmp_path):
    """A folder with a project and, beside it, two images of the same name in two folders."""
    folder = tmp_path / "study"
    project = Project(["Tumor", "Stroma"], folder / "projects" / "mine")
    for number, patient in enumerate(("a", "b"), start=1):
        project.add_image(write(folder / "images" / patient / "slide.tif", number, number), name=patient)
    project.add_image(blank(), name="array")
    project.annotate("a", SQUARE, "Tumor")
    project.close()
    return folder


def opened(folder, **options):
    """Open without a warning."""
    return Project.open(folder, **options)


# --- moved ---


def test_a_project_that_was_moved_with_its_images_finds_them(study, tmp_path):
    shutil.move(study, tmp_path / "elsewhere")
    project = Project.open(tmp_path / "elsewhere" / "projects" / "mine")
    assert project.opening_notes == ()
    assert [value_of(project, name) for name in ("a", "b")] == [1, 2]
    assert project.image("a").source == str(tmp_path / "elsewhere" / "images" / "a" / "slide.tif")
    project.close()
    # From here, too: the new paths were stored.
    shutil.move(tmp_path / "elsewhere" / "projects" / "mine", tmp_path / "alone")
    project = Project.open(tmp_path / "alone")
    assert value_of(project, "b") == 2
    project.close()


def test_a_copy_works_on_its_own_images(study, tmp_path):
    shutil.copytree(study, tmp_path / "copy")
    project = Project.open(tmp_path / "copy" / "projects" / "mine")
    assert project.image("a").source == str(tmp_path / "copy" / "images" / "a" / "slide.tif")
    project.close()


def test_an_older_project_looks_beside_itself(study, tmp_path):
    path = study / "projects" / "mine" / "project.json"
    description = json.loads(path.read_text())
    for image in description["images"]:
        del image["relative_path"], image["file_mark"]
    path.write_text(json.dumps(description))
    shutil.move(study, tmp_path / "elsewhere")
    with pytest.warns(HistowidgetsWarning, match=r"'a' was found in .*elsewhere"):
        project = Project.open(tmp_path / "elsewhere" / "projects" / "mine")
    assert [value_of(project, name) for name in ("a", "b")] == [1, 2]
    project.close()


def test_a_path_of_windows_is_looked_for_beside_the_project(study, tmp_path):
    path = study / "projects" / "mine" / "project.json"
    description = json.loads(path.read_text())
    for image in description["images"][:2]:
        image["path"] = rf"D:\data\study\images\{image['name']}\slide.tif"
        image["relative_path"] = None
    path.write_text(json.dumps(description))
    with pytest.warns(HistowidgetsWarning, match="was found"):
        project = Project.open(path.parent)
    assert [value_of(project, name) for name in ("a", "b")] == [1, 2]
    project.close()


def test_missing_images_are_said_and_found_in_a_folder(study, tmp_path):
    shutil.move(study / "images", tmp_path / "archive" / "2026")
    folder = study / "projects" / "mine"
    with pytest.warns(HistowidgetsWarning, match=r"2 image file\(s\) are missing: 'a', 'b'.*project\.relocate"):
        project = Project.open(folder)
    assert project.missing_images == ["a", "b"]
    ring = [[40, 10], [60, 10], [60, 30], [40, 30], [40, 10]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "a.geojson").write_text(json.dumps(feature))
    assert project.import_annotations("a", tmp_path / "a.geojson", classes="Stroma") == 1  # its pixels are not needed
    heard = []
    project.subscribe(heard.append)
    found = project.relocate(tmp_path / "archive")
    assert found == {name: tmp_path / "archive" / "2026" / name / "slide.tif" for name in ("a", "b")}
    assert [(change.kind, change.image_name) for change in heard] == [("images", "a"), ("images", "b")]
    assert [value_of(project, name) for name in ("a", "b")] == [1, 2]
    assert project.missing_images == []
    assert project.count()["Tumor"] == 1
    project.close()
    project = Project.open(folder)
    assert value_of(project, "a") == 1
    project.close()


@pytest.mark.parametrize("by", ["name", "file", "folder"])
def test_images_are_found_by_a_mapping(study, tmp_path, by):
    (tmp_path / "new").mkdir()
    name = "slide.tif" if by == "folder" else "other.tif"
    shutil.move(study / "images" / "a" / "slide.tif", tmp_path / "new" / name)
    old = {
        "name": {"a": tmp_path / "new" / "other.tif"},
        "file": {str(study / "images" / "a" / "slide.tif"): tmp_path / "new" / "other.tif"},
        "folder": {str(study / "images" / "a"): str(tmp_path / "new")},
    }[by]
    project = opened(study / "projects" / "mine", relocate=old)
    assert project.opening_notes == ()
    assert [value_of(project, name) for name in ("a", "b")] == [1, 2]
    project.close()


def test_what_cannot_be_a_new_place_is_refused(study, tmp_path):
    project = Project.open(study / "projects" / "mine")
    for where, words in [
        (tmp_path / "none", "There is no folder"),
        ({"c": tmp_path}, "names 'c', which is neither an image"),
        ({"a": tmp_path / "none.tif"}, "There is no file"),
        (3, "text or a Path"),
        ({"a": 3}, "text or a Path"),
    ]:
        with pytest.raises(ProjectFolderError, match=words):
            project.relocate(where)
    assert value_of(project, "a") == 1
    project.close()
    with pytest.raises(ProjectError, match="in memory"):
        Project(["A"]).relocate(tmp_path)


def test_an_image_that_was_removed_and_moved_comes_back_with_undo(study, tmp_path):
    project = Project.open(study / "projects" / "mine")
    project.remove_image("a")
    project.close()
    shutil.move(study / "images", tmp_path / "archive")
    project = opened(study / "projects" / "mine", relocate=tmp_path / "archive")
    project.undo()
    assert value_of(project, "a") == 1
    project.close()


# --- replaced ---


def test_another_file_in_the_place_of_an_image_is_noticed_until_it_is_confirmed(study):
    file, folder = study / "images" / "a" / "slide.tif", study / "projects" / "mine"
    times = file.stat()
    write(file, 7, seed=5)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_size == times.st_size
    with pytest.warns(HistowidgetsWarning, match="image 'a' is not the one that was annotated"):
        project = Project.open(folder)
    assert value_of(project, "a") == 7
    assert len(project.opening_notes) == 1
    project.relocate({"a": file})
    project.close()
    project = Project.open(folder)
    assert project.opening_notes == ()
    project.close()


def test_a_copy_of_the_same_file_is_the_same(study):
    file = study / "images" / "a" / "slide.tif"
    os.utime(file, ns=(1, 1))
    project = Project.open(study / "projects" / "mine")
    assert project.opening_notes == ()
    project.close()


def test_a_change_in_the_middle_is_noticed_by_its_time(study, tmp_path):
    file = tmp_path / "large.tif"
    tifffile.imwrite(file, np.random.default_rng(0).integers(0, 255, (800, 800, 3), dtype=np.uint8), photometric="rgb")
    project = Project.open(study / "projects" / "mine")
    project.add_image(file)
    project.close()
    content = bytearray(file.read_bytes())
    content[len(content) // 5 : len(content) * 4 // 5] = bytes(len(content) * 4 // 5 - len(content) // 5)
    file.write_bytes(content)
    os.utime(file, ns=(5, 5))
    with pytest.warns(HistowidgetsWarning, match="'large' is not the one"):
        Project.open(study / "projects" / "mine").close()


# --- only to be read ---

READER = """
import os, pathlib, sys
from histowidgets.annotations import Project, Rectangle
from histowidgets.images import open_image
open_image(next(pathlib.Path(sys.argv[1]).rglob("*.tif")))  # loads what it takes: Python may be out of reach below
if os.geteuid() == 0:
    os.seteuid(65534)  # whom rights do not bind sees nothing of this
project = Project.open(sys.argv[1])
print(project.read_only, project.held_by, project.count()["Tumor"], project.image("array").read(0, 0, 2, 2).shape)
print(project.read_only_reason)
try:
    project.annotate("a", Rectangle(1, 1, 5, 5), "Tumor")
except Exception as error:
    print(type(error).__name__, error)
project.close()
try:
    Project(["A"], sys.argv[2])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="rights of files are another thing elsewhere")
def test_a_folder_that_cannot_be_written_opens_to_read(study, request):
    # Not in pytest's own folder, into which nobody else may look.
    outside = Path(tempfile.mkdtemp())
    request.addfinalizer(lambda: shutil.rmtree(outside))
    outside.chmod(0o755)
    shutil.copytree(study, outside / "study")
    folder, empty = outside / "study" / "projects" / "mine", outside / "empty"
    empty.mkdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for path in [*folder.rglob("*"), folder, empty]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READER, str(folder), str(empty)], capture_output=True, text=True, check=True
        )
    finally:
        for path in (folder, empty):
            path.chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[0] == "True None 1 (2, 2, 1)"
    assert lines[1].startswith("its folder is not writable (Permission denied). To edit it, copy the folder")
    assert lines[2].startswith("ReadOnlyError")
    assert "Permission denied" in lines[2]
    assert lines[3].startswith("ProjectFolderError")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_who_holds_a_folder_is_the_reason(study):
    first = Project.open(study / "projects" / "mine")
    second = Project.open(study / "projects" / "mine")
    assert first.read_only_reason is None
    assert "(this kernel)" in second.read_only_reason
    with pytest.raises(ReadOnlyError, match="Close it there"):
        second.annotate("a", SQUARE, "Tumor")
    second.close()
    first.close()


# --- edited by hand ---


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_description_that_an_editor_saved_opens(study, encoding):
    path = study / "projects" / "mine" / "project.json"
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\r\n"), encoding=encoding)
    journal = path.with_name("journal.jsonl")
    journal.write_bytes(b"\xef\xbb\xbf" + journal.read_bytes())
    project = Project.open(path.parent)
    assert project.count()["Tumor"] == 1
    assert value_of(project, "a") == 1
    project.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('"version": 1,', '"version": 1'), r"line 3, column 2: Expecting ',' delimiter"),
        (lambda text: text.replace('"width": 120', '"width": "120"', 1), r"images\.0\.width is '120'"),
        (lambda text: text.replace('"width"', '"widht"', 1), r"'images\.0\.width' is missing"),
        (lambda text: text.replace('"role": "both"', '"role": "test"', 1), "role 'test' is unknown"),
        (lambda text: text.replace('"name": "b"', '"name": "a"'), "two images are named 'a'"),
        (lambda text: text.replace("#E69F00", "orange"), "'orange' is not a colour"),
        (lambda text: text.replace('"version"', '"versio"'), "'version' is missing"),
        (lambda text: text.replace('"version": 1', '"version": "1"'), r"version is '1'; a whole number is wanted\. "),
        (lambda text: text.replace('"opened_with": {}', '"opened_with": {"page": 1}', 1), "the unknown entry 'page'"),
        (lambda text: "[]", "'version' is missing"),
    ],
)
def test_what_was_mistyped_is_named(study, change, words):
    path = study / "projects" / "mine" / "project.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(ProjectFolderError, match=rf"project\.json is damaged: .*{words}.*Correct it") as caught:
        Project.open(path.parent)
    assert ".." not in str(caught.value)


def test_a_description_of_another_encoding_says_so(study):
    path = study / "projects" / "mine" / "project.json"
    path.write_bytes(path.read_text().replace("Tumor", "Nécrose").encode("cp1252"))
    with pytest.raises(ProjectFolderError, match=r"not UTF-8.*save it as UTF-8"):
        Project.open(path.parent)


# --- made again ---


def test_a_script_that_is_run_again_opens_its_project(study):
    folder = study / "projects" / "mine"
    project = Project(["Tumor", "Stroma"], folder=folder)
    assert project.count() == {"Tumor": 1, "Stroma": 0}
    project.add_class("Fat")
    project.undo()
    project.close()
    for classes in (["Stroma", "Tumor"], ["Stroma"]):
        project = Project(classes, folder=folder, colors={"Stroma": "#123456"})
        assert project.classes == ["Tumor", "Stroma"]
        assert not project.read_only
        project.close()
    with pytest.raises(ProjectFolderError, match=r"without the class\(es\) 'Fat'; it has 'Tumor', 'Stroma'.*add_class"):
        Project(["Tumor", "Fat"], folder=folder)
    project = Project.open(folder)  # which the refusal let go
    assert not project.read_only
    project.close()
