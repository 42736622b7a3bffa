"""The project tab does what Python does, and says what is wrong instead of raising."""

import json
import re
import threading
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

import histowidgets as hw
from histowidgets.widgets.studio._project_panel import ProjectPanel
from histowidgets.widgets.studio._state import StudioState


@pytest.fixture
def panel():
    project = hw.Project(["A", "B"])
    project.add_image(np.zeros((40, 60, 3), np.uint8), name="first")
    shown, said = ["first"], []
    state = StudioState(project, notify=lambda text, level: said.append((level, text)))
    state.observe(lambda change: shown.append(change["new"]), "image_name")
    panel = ProjectPanel(state)
    panel.project, panel.shown, panel.said = project, shown, said
    yield panel
    panel.close()


def _enter(panel, label, text):
    entry = next(entry for entry in panel._entries if entry.text.description == label)
    entry.text.value = text
    entry.button.click()
    assert panel.tasks.wait(20)
    return entry


def _outcomes(panel):
    return [(level, text) for level, text in panel.said if level != "info"]


def test_an_image_is_opened_and_shown(panel, tmp_path):
    Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(tmp_path / "second.png")
    entry = _enter(panel, "Open", f"  {tmp_path / 'second.png'} ")
    assert panel.project.image_names == ["first", "second"]
    assert panel.shown[-1] == "second"
    assert entry.text.value == ""
    assert list(panel._images.options) == ["first", "second"]


def test_a_role_is_set_and_an_edit_from_python_is_shown(panel):
    panel._role.value = "validation"
    assert panel.project.role("first") == "validation"
    panel.project.set_role("first", "train")
    assert panel._role.value == "train"


def test_whoever_paints_is_named_once_and_stored_with_each_annotation(panel):
    panel._annotator.value = " Anna "
    panel.project.annotate("first", hw.Rectangle(2, 2, 5, 5), "A")
    assert panel.project.annotations("first")[0].annotator == "Anna"


def test_annotations_go_out_and_come_in_again(panel, tmp_path):
    panel.project.annotate("first", hw.Stroke([(5, 5), (20, 20)]), "A")
    path = tmp_path / "out.geojson"
    _enter(panel, "Export", str(path))
    assert len(json.loads(path.read_text())["features"]) == 1
    _enter(panel, "Import", str(path))
    assert panel.project.count() == {"A": 1, "B": 0}
    assert _outcomes(panel)[-1] == ("warning", "out.geojson: 1 of 1 annotations are on this image already.")
    assert [button.description for button in _buttons(panel)] == ["Replace", "Add", "Skip", "Replace all", "Cancel"]
    _press(panel, "Add")
    assert panel.project.count() == {"A": 2, "B": 0}
    assert [level for level, _ in _outcomes(panel)] == ["good", "warning", "good"]
    assert panel._question.children == ()


def _buttons(panel):
    return panel._question.children[-1].children


def _press(panel, text):
    next(button for button in _buttons(panel) if button.description == text).click()
    assert panel.tasks.wait(20)


@pytest.mark.parametrize(("choice", "left"), [("Replace", 2), ("Skip", 2), ("Replace all", 1), ("Cancel", 2)])
def test_a_file_that_was_imported_before_is_asked_about(panel, tmp_path, choice, left):
    path = tmp_path / "out.geojson"
    panel.project.annotate("first", hw.Rectangle(5, 5, 10, 10), "A")
    panel.project.export_geojson("first", path)
    panel.project.annotate("first", hw.Rectangle(30, 5, 10, 10), "A")
    path.write_text(path.read_text().replace('"Polygon"', '"Polygon" '))
    _enter(panel, "Import", str(path))
    _press(panel, choice)
    assert panel.project.count()["A"] == left
    assert panel._question.children == ()


def test_names_without_a_class_are_asked_for_in_a_table(panel, tmp_path):
    square = {"type": "Polygon", "coordinates": [[[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]]]}
    named = [("core", 1), ("edge", 2), (None, 1)]
    features = [
        {"type": "Feature", "geometry": square, "properties": {} if name is None else {"name": name}}
        for name, count in named
        for _ in range(count)
    ]
    path = tmp_path / "named.geojson"
    path.write_text(json.dumps(features))
    _enter(panel, "Import", str(path))
    assert panel.project.count() == {"A": 0, "B": 0}
    rows = panel._question.children[1:-1]
    assert [row.description for row in rows] == ["core (1)", "edge (2)", "no name (1)"]
    assert [list(row.options) for row in rows] == [[("leave out", None), ("A", "A"), ("B", "B")]] * 3
    rows[0].value, rows[1].value = "A", "B"
    _press(panel, "Import")
    assert panel.project.count() == {"A": 1, "B": 2}
    assert "1 without a class, as classes= says" in panel.said[-1][1]


def test_values_of_a_mask_are_asked_for(panel, tmp_path):
    mask = np.zeros((40, 60), np.uint8)
    mask[5:15, 5:15] = 255
    Image.fromarray(mask).save(tmp_path / "mask.tif")
    _enter(panel, "Import", str(tmp_path / "mask.tif"))
    rows = panel._question.children[1:-1]
    assert [row.description for row in rows] == ["0 (2,300 px)", "255 (100 px)"]
    rows[1].value = "B"
    _press(panel, "Import")
    assert (panel.project.label_map("first") == np.where(mask > 0, 1, 255)).all()


def test_an_archive_of_several_files_is_asked_about(panel, tmp_path):
    square = {"type": "Polygon", "coordinates": [[[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]]]}
    feature = {"type": "Feature", "geometry": square, "properties": {"classification": "A"}}
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("one.geojson", json.dumps([feature]))
        archive.writestr("two.geojson", json.dumps([feature, feature]))
    _enter(panel, "Import", str(tmp_path / "both.zip"))
    (choice,) = panel._question.children[1:-1]
    choice.value = "two.geojson"
    _press(panel, "Import")
    assert panel.project.count()["A"] == 2


def test_um_are_read_as_such(panel, tmp_path):
    panel.project.add_image(hw.open_image(np.zeros((40, 60, 3), np.uint8), name="um", pixel_size_um=0.5))
    panel._state.image_name = "um"
    square = {"type": "Polygon", "coordinates": [[[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]]]}
    path = tmp_path / "um.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": square, "properties": {"classification": "A"}}))
    panel._unit.value = "um"
    _enter(panel, "Import", str(path))
    assert (panel.project.label_map("um")[2:18, 2:18] == 0).all()
    assert (panel.project.label_map("um") == 0).sum() == 256


def test_images_that_are_missing_are_found_in_a_folder(tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(tmp_path / "images" / "a.png")
    project = hw.Project(["A"], tmp_path / "project")
    project.add_image(tmp_path / "images" / "a.png")
    project.close()
    (tmp_path / "images").rename(tmp_path / "moved")
    with pytest.warns(UserWarning, match="'a'"):
        project = hw.Project.open(tmp_path / "project")
    said = []
    panel = ProjectPanel(StudioState(project, notify=lambda text, level: said.append((level, text))))
    assert panel._find.layout.display is None
    panel._find.text.value = str(tmp_path / "nowhere")
    panel._find.button.click()
    assert panel.tasks.wait(20)
    assert said[-1][0] == "error"
    panel._find.text.value = str(tmp_path / "moved")
    panel._find.button.click()
    assert panel.tasks.wait(20)
    assert said[-1] == ("good", "Found 1 image(s).")
    assert panel._find.layout.display == "none"
    assert project.image("a").read(0, 0, 1, 1)[0, 0, 0] == 200
    panel.close()
    project.close()


def test_a_label_map_goes_out_and_comes_in_again_as_one_step_of_undo(panel, tmp_path):
    panel.project.annotate("first", hw.Rectangle(5, 5, 20, 10), "A")
    panel.project.annotate("first", hw.Rectangle(30, 5, 20, 10), "B")
    labels = panel.project.label_map("first")
    path = tmp_path / "labels.PNG"
    _enter(panel, "Export", f" {path} ")
    panel.project.annotate("first", hw.Rectangle(0, 0, 60, 40), "B")
    painted = panel.project.label_map("first")
    _enter(panel, "Import", str(path))
    assert (panel.project.label_map("first") == labels).all()
    assert "2 areas from labels.PNG" in panel.said[-1][1]
    assert "2 areas from labels.PNG" in panel._said.value
    panel.project.undo()
    assert (panel.project.label_map("first") == painted).all()


def test_classes_that_are_not_here_are_added_when_that_is_wanted(panel, tmp_path):
    other = hw.Project(["Nerve", "A"])
    other.add_image(np.zeros((40, 60, 3), np.uint8), name="other")
    other.annotate("other", hw.Rectangle(5, 5, 20, 10), "Nerve")
    other.export_geojson("other", tmp_path / "nerve.geojson")
    _enter(panel, "Import", str(tmp_path / "nerve.geojson"))
    assert panel.said[-1][0] == "error"
    assert "Nerve" in panel.said[-1][1]
    panel._unknown.value = "add"
    _enter(panel, "Import", str(tmp_path / "nerve.geojson"))
    assert panel.project.count() == {"A": 0, "B": 0, "Nerve": 1}


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Import", "notes.txt", r"notes\.txt cannot be read"),
        ("Import", " ", "empty"),
        ("Export", "", "(?i)empty"),
        ("Import", "no_such_file.png", "no_such_file.png"),
        ("Open", "no_such_file.png", "no_such_file.png"),
        ("Add class", "A", "A"),
        ("Add class", "  ", "(?i)blank"),
        ("Import", "no_such_file.geojson", "no_such_file.geojson"),
        ("Export", "/no/such/folder/x.geojson", "x.geojson"),
    ],
)
def test_what_is_wrong_is_a_line_and_changes_nothing(panel, label, text, words):
    _enter(panel, label, text)
    ((level, said),) = _outcomes(panel)
    assert level == "error"
    assert re.search(words, said)
    assert panel.project.classes == ["A", "B"]
    assert panel.project.image_names == ["first"]


def test_a_file_that_is_being_opened_does_not_hold_the_page_and_the_next_one_waits(panel, monkeypatch, tmp_path):
    begun, go, add = threading.Event(), threading.Event(), panel.project.add_image

    def slowly(file):
        begun.set()
        assert go.wait(20)
        return add(file)

    monkeypatch.setattr(panel.project, "add_image", slowly)
    path = tmp_path / "second.png"
    Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(path)
    entry, other = panel._entries[0], panel._entries[3]
    entry.text.value, other.text.value = str(path), str(tmp_path / "out.geojson")
    entry.button.click()
    assert begun.wait(20)
    assert panel.said == [("info", "Opening second.png…")]
    other.button.click()
    panel.shown.append("second")  # the person goes on; what is written is the image of the click
    entry.text.value = "another path"
    assert not (tmp_path / "out.geojson").exists()
    go.set()
    assert panel.tasks.wait(20)
    assert [text.split()[0] for level, text in panel.said if level == "good"] == ["Opened", "Wrote"]
    assert entry.text.value == "another path"


def test_what_an_import_leaves_out_is_said_and_other_threads_can_still_warn(panel, tmp_path, monkeypatch):
    shapes = [
        {"type": "Polygon", "coordinates": [[[1, 1], [9, 1], [9, 9], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[901, 1], [909, 1], [909, 9], [901, 1]]]},
    ]
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"classification": {"name": "A"}}} for shape in shapes
    ]
    path = tmp_path / "far.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    before, same, read = warnings.filters, [], panel.project.import_annotations

    def spy(*arguments, **more):
        same.append(warnings.filters is before)
        return read(*arguments, **more)

    monkeypatch.setattr(panel.project, "import_annotations", spy)
    _enter(panel, "Import", str(path))
    assert same == [True], "filters are the process's, not the thread's"
    ((level, said),) = _outcomes(panel)
    assert level == "warning"
    assert said.endswith("Undo removes them again. Left out of far.geojson: 1 outside the image.")


def test_a_project_in_memory_is_saved_in_a_folder(panel, tmp_path):
    panel.project.annotate("first", hw.Rectangle(1, 1, 5, 5), "A")
    assert panel._keep.layout.display is None

    def save(path):
        panel._keep.text.value = path
        panel._keep.button.click()
        assert panel.tasks.wait(20)
        return _outcomes(panel)[-1]

    (tmp_path / "file").write_text("")
    assert save(" ") == ("error", "The path is empty. Type the path of a new folder.")
    level, text = save(str(tmp_path / "file"))
    assert level == "error"
    assert "Choose another" in text
    folder = tmp_path / "work" / "glands"
    assert save(f" {folder} ") == ("good", f"Saved in {folder}. From now on each edit is saved there at once.")
    assert panel.project.folder == folder
    assert panel._state.folder == folder
    assert panel._keep.layout.display == "none"
    panel.project.close()
    again = hw.Project.open(folder)
    assert again.count() == {"A": 1, "B": 0}
    again.close()
