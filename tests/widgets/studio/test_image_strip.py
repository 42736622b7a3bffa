"""The strip of images in a kernel without a page: entries, thumbnails, roles, uploads, and what goes wrong."""

import io
import threading

import numpy as np
import PIL.Image
import pytest

import histowidgets as hw
from histowidgets.errors import ImageNameError
from histowidgets.widgets.studio._image_strip import ImageStrip
from histowidgets.widgets.studio._thumbnails import SIDE
from histowidgets.widgets.studio._uploads import Upload, kernel_folder, path_hints


def _picture(value, height=40, width=60):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def project():
    project = hw.Project(["A", "B"])
    for number in range(3):
        project.add_image(_picture(60 * number), name=f"image {number}")
    return project


@pytest.fixture
def strip(project):
    strip = ImageStrip(project, lambda text, level: strip.said.append((level, text)))
    strip.said, strip.sent = [], []
    strip.send = lambda content, buffers=None: strip.sent.append((content, buffers or []))
    yield strip
    strip.close()


def _hear(strip, content, buffers=()):
    strip._handle_custom_msg(content, list(buffers))


def _sent(strip, kind):
    return [(content, buffers) for content, buffers in strip.sent if content["kind"] == kind]


def test_the_strip_follows_the_project(strip, project):
    assert [entry["name"] for entry in strip.entries] == ["image 0", "image 1", "image 2"]
    project.annotate("image 1", hw.Stroke([(5, 5), (20, 20)]), "A")
    project.set_role("image 2", "validation")
    project.add_image(_picture(9), name="<b>fourth</b>")
    assert strip.entries[1] == {"name": "image 1", "count": 1, "role": "both"}
    assert strip.entries[2]["role"] == "validation"
    assert strip.entries[3]["name"] == "<b>fourth</b>"
    project.undo()  # of the role: an image that was added stays
    assert strip.entries[2]["role"] == "both"


def test_only_what_the_page_asks_for_is_made_and_off_its_thread(strip, project, monkeypatch):
    threads = []
    read = hw.Image.read

    def noted(image, *arguments, **named):
        threads.append(threading.current_thread().name)
        return read(image, *arguments, **named)

    monkeypatch.setattr(hw.Image, "read", noted)
    _hear(strip, {"kind": "thumbnails", "names": ["image 1", "no such image", 5]})
    assert strip._thumbnails.idle.wait(10)
    ((content, (data,)),) = _sent(strip, "thumbnail")
    assert content == {"kind": "thumbnail", "name": "image 1", "error": ""}
    picture = np.asarray(PIL.Image.open(io.BytesIO(data)))
    assert max(picture.shape) <= SIDE
    assert abs(int(picture.mean()) - 60) <= 3
    assert set(threads) == {"histowidgets-thumbnails"}
    assert strip._thumbnails.made == ["image 1"]
    reads = len(threads)
    _hear(strip, {"kind": "thumbnails", "names": ["image 1"]})  # a second page asks
    assert strip._thumbnails.idle.wait(10)
    assert len(_sent(strip, "thumbnail")) == 2
    assert len(threads) == reads, "it is kept"


def test_a_missing_file_is_told_with_its_reason_and_comes_back_when_the_file_does(tmp_path):
    path = tmp_path / "slide.png"
    PIL.Image.fromarray(_picture(200)).save(path)
    first = hw.Project(["A", "B"], folder=tmp_path / "project")
    first.add_image(path)
    first.close()
    kept = path.read_bytes()
    path.unlink()
    project = hw.Project.open(tmp_path / "project")
    strip = ImageStrip(project)
    sent = []
    strip.send = lambda content, buffers=None: sent.append((content, buffers or []))
    _hear(strip, {"kind": "thumbnails", "names": ["slide"]})
    assert strip._thumbnails.idle.wait(10)
    assert "slide.png" in sent[0][0]["error"]
    assert sent[0][1] == []
    path.write_bytes(kept)
    _hear(strip, {"kind": "thumbnails", "names": ["slide"]})
    assert strip._thumbnails.idle.wait(10)
    assert sent[1][0]["error"] == ""
    assert sent[1][1]
    strip.close()
    project.close()


def test_another_image_is_chosen_by_name_and_unknown_ones_are_refused(strip):
    heard = []
    strip.observe(lambda change: heard.append(change["new"]), names="shown")
    _hear(strip, {"kind": "show", "name": "image 2"})
    assert heard == ["image 2"]
    with pytest.raises(ImageNameError, match="image 9"):
        strip.shown = "image 9"
    _hear(strip, {"kind": "show", "name": "image 9"})
    assert strip.said[0][0] == "error"
    assert strip.shown == "image 2"


def test_an_image_is_removed_with_undo_and_another_one_is_shown_before(strip, project):
    project.annotate("image 2", hw.Stroke([(5, 5), (20, 20)]), "A")
    strip.shown = "image 2"
    seen = []
    strip.observe(lambda change: seen.append((change["new"], list(project.image_names))), names="shown")
    _hear(strip, {"kind": "remove", "name": "image 2"})
    assert seen == [("image 1", ["image 0", "image 1", "image 2"])], "nobody is left looking at what is gone"
    assert [entry["name"] for entry in strip.entries] == ["image 0", "image 1"]
    project.undo()
    assert strip.entries[2] == {"name": "image 2", "count": 1, "role": "both"}
    project.redo()  # from Python, while it is shown or not
    assert strip.shown in project.image_names


def test_the_only_image_stays(project):
    alone = hw.Project(["A", "B"])
    alone.add_image(_picture(1), name="one")
    strip = ImageStrip(alone)
    with pytest.raises(ImageNameError, match="only image"):
        strip.remove_image("one")
    assert alone.image_names == ["one"]
    strip.close()


def test_a_path_is_opened_and_shown_and_a_wrong_one_is_said(strip, project, tmp_path):
    PIL.Image.fromarray(_picture(7)).save(tmp_path / "new.png")
    _hear(strip, {"kind": "open", "path": f" {tmp_path / 'new.png'} "})
    assert strip.shown == "new"
    _hear(strip, {"kind": "open", "path": str(tmp_path / "none.png")})
    assert "none.png" in strip.said[-1][1]
    assert _sent(strip, "failed")


def test_a_file_comes_in_pieces(strip, project):
    buffer = io.BytesIO()
    rng = np.random.default_rng(0)
    PIL.Image.fromarray(rng.integers(0, 255, (90, 80, 3), np.uint8)).save(buffer, "PNG")
    data = buffer.getvalue()
    half = len(data) // 2
    message = {"kind": "upload", "name": "C:\\pictures\\from page.png", "size": len(data)}
    _hear(strip, message | {"first": True}, [memoryview(data[:half])])
    assert _sent(strip, "received")[-1][0]["bytes"] == half
    assert "from page" not in project.image_names
    _hear(strip, message | {"first": False}, [memoryview(data[half:])])
    assert strip.shown == "from page"
    assert project.image("from page").width == 80
    assert strip._upload is None


def test_an_edit_elsewhere_does_not_wait_for_a_file_that_is_being_opened(strip, project, monkeypatch):
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def slowly(path):
        begun.set()
        assert go.wait(20)
        return "image 0"

    monkeypatch.setattr(project, "add_image", slowly)
    message = {"kind": "upload", "name": "large.tif", "size": 5, "first": True}
    opening = threading.Thread(target=_hear, args=(strip, message, [b"hello"]))
    opening.start()
    assert begun.wait(20)

    def edit():
        project.annotate("image 1", hw.Stroke([(5, 5), (9, 9)]), "A")
        done.set()

    editing = threading.Thread(target=edit)
    editing.start()
    assert done.wait(5)
    go.set()
    opening.join(20)
    editing.join(20)
    assert strip.entries[1]["count"] == 1


def test_a_file_that_is_no_image_leaves_nothing_behind(strip, project):
    before = set(kernel_folder().iterdir())
    _hear(strip, {"kind": "upload", "name": "notes.png", "size": 5, "first": True}, [b"hello"])
    assert strip.said[-1][0] == "error"
    assert "notes" in strip.said[-1][1]
    assert set(kernel_folder().iterdir()) == before


@pytest.mark.parametrize(("name", "size"), [("", 5), ("..", 5), ("a.png", 0), ("a.png", 2**40)])
def test_an_upload_stays_in_its_folder_and_has_a_size(tmp_path, name, size):
    with pytest.raises(hw.errors.ImageOpenError):
        Upload(tmp_path, name, size)
    inside = Upload(tmp_path, "../../outside.png", 3)
    assert inside.path.parent == tmp_path
    with pytest.raises(hw.errors.ImageOpenError, match="larger than"):
        inside.add(b"four")
    assert list(tmp_path.iterdir()) == []


def test_hints_are_paths_that_begin_as_typed(tmp_path):
    for name in ("Slide 1.png", "slide 2.png", "other.png", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "slides").mkdir()
    assert path_hints(f"{tmp_path}/sl") == [f"{tmp_path}/{n}" for n in ("Slide 1.png", "slide 2.png", "slides/")]
    assert f"{tmp_path}/.hidden" not in path_hints(f"{tmp_path}/")
    assert path_hints("/no/such/folder/x") == []
