"""The project on disk: the journal, reopening, damage, and one writer a folder."""

import contextlib
import json
import os
import subprocess
import sys
import threading

import numpy as np
import PIL.Image
import pytest
import tifffile

from histowidgets.annotations import Project, Rectangle, Stroke
from histowidgets.errors import (
    HistowidgetsWarning,
    ImageChoiceWarning,
    ImageOpenError,
    ProjectError,
    ProjectFolderError,
    ReadOnlyError,
)
from histowidgets.images import ArrayImage, _deferred, open_image, samples
from tests.annotations.conftest import CLASSES, blank, random_stroke

SQUARE = Rectangle(10, 10, 20, 20)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project"


@pytest.fixture
def kept(folder):
    """A project in a folder, closed at the end."""
    project = Project(CLASSES, folder)
    project.add_image(blank())
    yield project
    project.close()


def reopen(project):
    project.close()
    return Project.open(project.folder)


class SlowImage(ArrayImage):
    """An image whose pixels come when they are let."""

    def __init__(self, name):
        super().__init__(np.full((40, 40, 3), 7, np.uint8), name)
        self.asked, self.let = threading.Event(), threading.Event()

    def read(self, *region):
        self.asked.set()
        assert self.let.wait(60)
        return super().read(*region)


def on_a_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_painting_goes_on_while_an_image_is_written_and_closing_waits_for_it(kept):
    slow = SlowImage("slow")
    adding = on_a_thread(lambda: kept.add_image(slow))
    assert slow.asked.wait(60)
    painting = on_a_thread(lambda: kept.annotate("blank", SQUARE, "Gland"))
    painting.join(20)
    assert not painting.is_alive(), "painting waits"
    assert kept.image_names == ["blank"]
    closing = on_a_thread(kept.close)
    slow.let.set()
    closing.join(60)
    assert kept.image_names == ["blank", "slow"]
    adding.join(60)
    with contextlib.closing(Project.open(kept.folder)) as again:
        assert len(again.annotations("blank")) == 1
        assert again.image("slow").read(0, 0, 40, 40).min() == 7


def test_images_that_are_added_at_once_have_files_of_their_own(kept):
    images = SlowImage("a b"), SlowImage("a/b")
    adding = [on_a_thread(lambda: kept.add_image(images[0]))]
    assert images[0].asked.wait(60)
    adding.append(on_a_thread(lambda: kept.add_image(images[1])))
    assert not images[1].asked.wait(0.3), "it has its turn"
    for image in images:
        image.let.set()
    for thread in adding:
        thread.join(60)
    assert sorted(file.name for file in (kept.folder / "images").iterdir()) == ["a_b.tif", "a_b_2.tif", "blank.tif"]
    assert sorted(kept.image_names) == ["a b", "a/b", "blank"]


def everything(project):
    return (
        project.classes,
        project.colors,
        {n: (project.role(n), project.annotations(n), project.label_map(n).tolist()) for n in project.image_names},
        (project.can_undo, project.can_redo),
    )


def test_everything_comes_back(kept, shapes):
    for shape, name in zip(shapes, ["Stroma", "Gland", "Lumen", "Gland", "Stroma"], strict=True):
        kept.annotate("blank", shape, name)
    kept.erase("blank", Stroke([[50, 50], [60, 60.125]], 7.3))
    kept.remove(kept.annotations("blank")[1].id)
    kept.add_class("Nerve <b>")
    kept.rename_class("Gland", "Crypt é")
    kept.recolor_class("Lumen", "#123456")
    kept.set_role("blank", "train")
    kept.add_image(samples.colon_ihc(), role="validation")
    kept.undo()
    before = everything(kept)
    again = reopen(kept)
    assert everything(again) == before
    again.close()


def test_undo_and_redo_reach_back_through_reopening(kept):
    for i in range(6):
        kept.annotate("blank", Rectangle(5 * i, 5 * i, 8, 8), CLASSES[i % 3])
    kept.undo()
    kept.undo()
    again = reopen(kept)
    assert again.redo()
    assert len(again.annotations("blank")) == 5
    steps = 0
    again = reopen(again)
    while again.undo():
        steps += 1
    assert steps == 5
    again = reopen(again)
    assert again.can_redo
    while again.redo():
        pass
    assert len(again.annotations("blank")) == 6
    again.close()


@pytest.mark.parametrize("seed", range(5))
def test_random_sessions_come_back(kept, seed):
    rng = np.random.default_rng(seed)
    project = kept
    for _ in range(80):
        dice = rng.random()
        some = project.annotations("blank")
        if dice < 0.6:
            project.annotate("blank", random_stroke(rng), str(rng.choice(project.classes)))
        elif dice < 0.7 and some:
            project.remove(some[rng.integers(len(some))].id)
        elif dice < 0.75:
            project.rename_class(project.classes[0], f"n{rng.integers(1e9)}")
        elif dice < 0.9:
            project.undo()
        elif dice < 0.97:
            project.redo()
        else:
            before = everything(project)
            project = reopen(project)
            assert everything(project) == before
    project.close()


def test_each_edit_is_one_line_that_is_on_disk_before_anybody_hears(kept):
    journal = kept.folder / "journal.jsonl"
    lengths = []
    kept.subscribe(lambda change: lengths.append(len(journal.read_text().splitlines())))
    kept.annotate("blank", SQUARE, "Gland")
    kept.add_class("Nerve")
    kept.undo()
    kept.redo()
    assert lengths == [1, 2, 3, 4]


def test_images_of_any_kind_are_kept(kept, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "rgb": rng.integers(0, 255, (20, 30, 3), np.uint8),
        "gray/16 bit": rng.integers(0, 65535, (20, 30, 1), np.uint16),
        "gray:16 bit": rng.integers(0, 65535, (20, 30, 1), np.uint16),
        "7 channels": rng.random((20, 30, 7)).astype(np.float32),
        "../evil": rng.random((20, 30, 2)),
        "…": rng.integers(0, 255, (70, 80, 64), np.uint8),
    }
    for name, pixels in arrays.items():
        names = [f"marker {i}" for i in range(pixels.shape[2])]
        kept.add_image(ArrayImage(pixels, "x", names, pixel_size_um=0.25), name=name)
    PIL.Image.fromarray(arrays["rgb"]).save(tmp_path / "file.png")
    kept.add_image(tmp_path / "file.png")
    again = reopen(kept)
    for name, pixels in arrays.items():
        image = again.image(name)
        assert image.channel_names == tuple(f"marker {i}" for i in range(pixels.shape[2]))
        assert image.pixel_size_um == 0.25
        assert image.dtype == pixels.dtype
        np.testing.assert_array_equal(image.read(0, 0, image.width, image.height), pixels)
    assert again.image("file").source == str(tmp_path / "file.png")
    assert sorted(p.parent.name for p in again.folder.rglob("*.tif")) == ["images"] * (len(arrays) + 1)
    again.close()


def test_the_folder_can_be_moved(kept, tmp_path):
    kept.annotate("blank", SQUARE, "Gland")
    kept.close()
    kept.folder.rename(tmp_path / "elsewhere")
    again = Project.open(tmp_path / "elsewhere")
    assert again.count()["Gland"] == 1
    again.close()


# --- damage ---


def journal_of(project, n=4):
    for i in range(n):
        project.annotate("blank", Rectangle(5 * i, 5 * i, 8, 8), CLASSES[i % 3])
    project.close()
    return project.folder / "journal.jsonl"


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_torn_last_line_is_dropped_with_a_warning(kept, cut):
    path = journal_of(kept)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    with pytest.warns(UserWarning, match=r"line 4\) was cut short"):
        again = Project.open(kept.folder)
    assert len(again.annotations("blank")) == 3
    again.annotate("blank", SQUARE, "Gland")
    once_more = reopen(again)  # the torn bytes are gone: no warning, and the new edit is whole
    assert len(once_more.annotations("blank")) == 4
    once_more.close()


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b'{"op":"add"}',
        b"[]",
        b"",
        b"\x80\x81",
        b'{"op":"redo"}',
        b'{"op":"remove","image":"blank","ids":["none"]}',
        b'{"op":"add","image":"other","annotations":[]}',
        b'{"op":"add","image":"blank","annotations":[{"id":"1","class":"Nerve","time":1,"annotator":"",'
        b'"shape":{"type":"rectangle","x":0,"y":0,"width":1,"height":1}}]}',
        b'{"op":"add","image":"blank","annotations":[{"id":"1","class":"Gland","time":1,"annotator":"",'
        b'"shape":{"type":"stroke","points":[[NaN,0]],"width":1}}]}',
    ],
)
def test_a_damaged_line_names_its_number(kept, line):
    path = journal_of(kept)
    lines = path.read_bytes().split(b"\n")
    lines[1] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ProjectFolderError, match=r"Line 2 of .*journal\.jsonl is damaged"):
        Project.open(kept.folder)
    lines[1] = b'{"op":"set-role","image":"blank","role":"train"}'
    path.write_bytes(b"\n".join(lines))
    again = Project.open(kept.folder)  # the failed opening let go of the folder
    assert not again.read_only
    again.close()


def test_a_missing_journal_is_an_empty_one(kept):
    journal_of(kept).unlink()
    with pytest.warns(HistowidgetsWarning, match=r"There is no .*journal\.jsonl.* opens without any\. .*restore it"):
        again = Project.open(kept.folder)
    assert again.annotations("blank") == ()
    again.close()
    Project.open(kept.folder).close()  # there is one now


def test_the_path_of_the_description_opens_the_project(kept):
    kept.close()
    again = Project.open(kept.folder / "project.json")
    assert (again.folder, again.image_names) == (kept.folder, kept.image_names)
    again.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: "{", "is damaged"),
        (lambda d: "[]", "is damaged"),
        (lambda d: json.dumps({**d, "version": 99}), "version 99.*Update"),
        (lambda d: json.dumps({**d, "classes": []}), "is damaged"),
        (lambda d: json.dumps({**d, "images": [{"name": "x"}]}), "is damaged"),
        (lambda d: json.dumps({**d, "images": [{**d["images"][0], "width": 0}]}), "is damaged"),
        (lambda d: json.dumps({**d, "images": [{**d["images"][0], "width": None}]}), "is damaged"),
        (lambda d: json.dumps({**d, "images": [{**d["images"][0], "path": 3}]}), "is damaged"),
        (lambda d: json.dumps({**d, "images": [{**d["images"][0], "channel_names": []}]}), "is damaged"),
    ],
)
def test_a_damaged_project_file_is_refused(kept, change, message):
    kept.close()
    path = kept.folder / "project.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(ProjectFolderError, match=message):
        Project.open(kept.folder)


def test_images_are_opened_when_they_are_first_used(kept, monkeypatch):
    opened, real = [], _deferred.open_image
    monkeypatch.setattr(_deferred, "open_image", lambda path, **given: opened.append(path) or real(path, **given))
    kept.add_image(samples.colon_ihc(), "colon")
    kept.annotate("blank", SQUARE, "Gland")
    again = reopen(kept)
    assert again.label_map("blank")[15, 15] == CLASSES.index("Gland")
    again.annotate("colon", SQUARE, "Stroma")
    assert opened == []
    again.image("colon").read(0, 0, 5, 5)
    assert [path.name for path in opened] == ["colon.tif"]
    again.close()


def test_a_missing_image_hinders_only_its_own_use(kept):
    kept.add_image(samples.colon_ihc(), "colon")
    kept.annotate("colon", SQUARE, "Gland")
    kept.annotate("blank", SQUARE, "Stroma")
    before = everything(kept)
    file = kept.folder / "images" / "colon.tif"
    file.rename(file.with_suffix(".away"))
    with pytest.warns(HistowidgetsWarning, match="'colon'"):
        again = reopen(kept)
    assert everything(again) == before
    again.image("blank").read(0, 0, 5, 5)
    wanted = r"'colon' cannot be used: There is no file .*colon\.tif.*give its location with project\.relocate"
    with pytest.raises(ImageOpenError, match=wanted):
        again.image("colon").read(0, 0, 5, 5)
    again.annotate("colon", SQUARE, "Lumen")  # what is known of it can still be worked on
    file.with_suffix(".away").rename(file)
    assert again.image("colon").read(0, 0, 5, 5).shape == (5, 5, 3)
    again.close()


def test_another_image_in_its_place_is_refused_at_use(kept):
    kept.close()
    tifffile.imwrite(kept.folder / "images" / "blank.tif", np.zeros((30, 20), np.uint8))
    with pytest.warns(HistowidgetsWarning, match="'blank' is not the one"):
        again = Project.open(kept.folder)
    with pytest.raises(ImageOpenError, match=r"is 20 x 30 pixels, but was .* Restore the original file"):
        again.image("blank").read(0, 0, 5, 5)
    again.close()


def test_a_folder_without_a_project_is_refused(tmp_path):
    with pytest.raises(ProjectFolderError, match="There is no project"):
        Project.open(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ProjectFolderError, match="cannot be created"):
        Project(CLASSES, tmp_path / "file" / "project")


def test_a_folder_with_a_project_is_not_overwritten(kept):
    with pytest.raises(ProjectFolderError, match=r"Project\.open"):
        Project(["A"], kept.folder)


def test_an_edit_that_cannot_be_saved_is_not_made(kept, monkeypatch):
    kept.annotate("blank", SQUARE, "Gland")
    heard = []
    kept.subscribe(heard.append)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ProjectFolderError, match=r"No space left.*was not applied"):
            kept.annotate("blank", SQUARE, "Lumen")
    assert kept.count()["Lumen"] == 0
    assert heard == []
    kept.annotate("blank", SQUARE, "Stroma")
    again = reopen(kept)
    assert [a.class_name for a in again.annotations("blank")] == ["Gland", "Stroma"]
    again.close()


# --- one writer ---


def test_a_second_opener_may_only_look(kept):
    kept.annotate("blank", SQUARE, "Gland")
    second = Project.open(kept.folder)
    assert second.read_only
    assert f"process {os.getpid()} (this kernel)" in second.held_by
    assert second.count()["Gland"] == 1
    for edit in (
        lambda: second.annotate("blank", SQUARE, "Gland"),
        second.undo,
        lambda: second.add_class("x"),
        lambda: second.add_image(blank(), name="two"),
    ):
        with pytest.raises(ReadOnlyError, match="this kernel"):
            edit()
    assert not kept.read_only
    assert kept.held_by is None
    kept.annotate("blank", SQUARE, "Lumen")
    second.close()
    third = reopen(kept)
    assert not third.read_only
    assert third.count() == {"Stroma": 0, "Gland": 1, "Lumen": 1}
    third.close()


def test_a_reader_leaves_a_torn_line_to_the_writer(kept):
    kept.annotate("blank", SQUARE, "Gland")
    journal = kept.folder / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"op":"ad')
    size = journal.stat().st_size
    with pytest.warns(UserWarning, match="cut short"):
        second = Project.open(kept.folder)
    assert journal.stat().st_size == size
    second.close()


def test_a_closed_project_can_be_read_and_not_edited(kept):
    kept.annotate("blank", SQUARE, "Gland")
    kept.close()
    kept.close()
    assert kept.label_map("blank")[15, 15] == 1
    with pytest.raises(ProjectError, match=r"Project\.open"):
        kept.annotate("blank", SQUARE, "Gland")


def test_a_forgotten_project_lets_go(folder):
    Project(CLASSES, folder)  # nobody keeps it
    again = Project.open(folder)
    assert not again.read_only
    again.close()


HOLDER = """
import sys
import warnings
from histowidgets.annotations import Project
project = Project.open(sys.argv[1])
print(project.read_only, flush=True)
sys.stdin.read()
"""


def test_another_process_holds_the_folder_until_it_dies(kept):
    kept.close()
    command = [sys.executable, "-c", HOLDER, str(kept.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "False"
        second = Project.open(kept.folder)
        assert second.read_only
        assert f"process {process.pid} on" in second.held_by
        second.close()
        process.kill()
        process.wait()
    third = Project.open(kept.folder)  # what the dead process left behind is noticed as stale
    assert not third.read_only
    assert third.held_by is None
    assert third.left_by.startswith(f"process {process.pid} on ")
    third.close()
    fourth = Project.open(kept.folder)
    assert fourth.left_by is None, "the third one was closed"
    fourth.close()


def test_what_a_person_adds_to_the_description_stays(kept):
    kept.close()
    path = kept.folder / "project.json"
    description = json.loads(path.read_text())
    description["note"] = "slides of May"
    description["images"][0]["stain"] = "H-DAB"
    path.write_text(json.dumps(description))
    project = Project.open(kept.folder)
    project.add_image(blank(name="another"))
    project.close()
    description = json.loads(path.read_text())
    assert (description["note"], description["images"][0]["stain"]) == ("slides of May", "H-DAB")
    assert [image["name"] for image in description["images"]] == ["blank", "another"]


def test_damage_of_the_description_is_placed(kept):
    kept.close()
    path = kept.folder / "project.json"
    description = json.loads(path.read_text())
    description["images"][0]["width"] = "wide"
    path.write_text(json.dumps(description))
    with pytest.raises(
        ProjectFolderError, match=r"project\.json is damaged: images\.0\.width is 'wide'; it should be a valid integer"
    ):
        Project.open(kept.folder)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text on other systems")
def test_a_path_that_is_no_text_is_kept(folder, tmp_path):
    path = tmp_path / os.fsdecode(b"slide-\xff.png")
    PIL.Image.fromarray(np.zeros((20, 30), np.uint8)).save(path)
    project = Project(CLASSES, folder)
    name = project.add_image(path)
    project = reopen(project)
    assert project.image(name).read(0, 0, 30, 20).shape == (20, 30, 1)
    project.close()


def test_the_plane_and_the_sides_of_pixels_of_an_image_are_stored(folder, tmp_path):
    stack = np.random.default_rng(0).integers(0, 250, (5, 40, 50)).astype(np.uint8)
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}
    tifffile.imwrite(tmp_path / "z.ome.tif", stack, metadata={"axes": "ZYX", **sizes})
    project = Project(CLASSES, folder)
    project.add_image(open_image(tmp_path / "z.ome.tif", plane=4), name="file")
    project.add_image(ArrayImage(stack[0], pixel_size_um=(0.5, 0.25)), name="array")
    with pytest.warns(ImageChoiceWarning, match="stack of 5 planes"):
        project.add_image(tmp_path / "z.ome.tif", name="middle")
    project = reopen(project)
    for name, plane in (("file", 4), ("array", 0), ("middle", 2)):
        image = project.image(name)
        assert image.pixel_size_yx_um == (0.5, 0.25)
        np.testing.assert_array_equal(image.read(0, 0, 50, 40)[..., 0], stack[plane])
    project.close()
