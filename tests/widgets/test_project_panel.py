"""The project tab does what Python does, and says what is wrong instead of raising."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import histowidgets as hw
from histowidgets.widgets._project_panel import ProjectPanel


@pytest.fixture
def panel():
    project = hw.Project(["A", "B"])
    project.add_image(np.zeros((40, 60, 3), np.uint8), name="first")
    shown, said = ["first"], []
    panel = ProjectPanel(project, lambda: shown[-1], shown.append, lambda text, level: said.append((level, text)))
    panel.project, panel.shown, panel.said = project, shown, said
    yield panel
    panel.close()


def _enter(panel, label, text):
    entry = next(entry for entry in panel._entries if entry.text.description == label)
    entry.text.value = text
    entry.button.click()
    return entry


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


def test_annotations_go_out_and_come_in_again(panel, tmp_path):
    panel.project.annotate("first", hw.Stroke([(5, 5), (20, 20)]), "A")
    path = tmp_path / "out.geojson"
    _enter(panel, "Export", str(path))
    assert len(json.loads(path.read_text())["features"]) == 1
    _enter(panel, "Import", str(path))
    assert panel.project.count() == {"A": 2, "B": 0}
    assert [level for level, _ in panel.said] == ["good", "good"]


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Open", "no_such_file.png", "no_such_file.png"),
        ("Add class", "A", "A"),
        ("Add class", "  ", "(?i)blank"),
        ("Import", "no_such_file.geojson", "no_such_file.geojson"),
        ("Export", "/no/such/folder/x.geojson", "x.geojson"),
    ],
)
def test_what_is_wrong_is_a_line_and_changes_nothing(panel, label, text, words):
    _enter(panel, label, text)
    ((level, said),) = panel.said
    assert level == "error"
    assert re.search(words, said)
    assert panel.project.classes == ["A", "B"]
    assert panel.project.image_names == ["first"]
