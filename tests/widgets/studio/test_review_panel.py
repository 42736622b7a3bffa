"""The review in the widgets: ranked rows with pictures, cells, what a click asks for, and marks that are kept."""

import json
import threading

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.advice import find_label_errors
from histowidgets.widgets.studio._review_marks import FILE_NAME, ReviewMarks
from histowidgets.widgets.studio._review_panel import ReviewPanel
from histowidgets.widgets.studio._state import StudioState
from tests.advice.suggestions.test_label_review import Halves


@pytest.fixture
def project(tmp_path):
    project = hw.Project(["Dark", "Bright"], folder=tmp_path / "project")
    project.add_image(np.full((128, 128, 3), 200, np.uint8), name="image")
    project.annotate("image", hw.Rectangle(4, 4, 20, 20), "Dark")
    project.annotate("image", hw.Rectangle(100, 4, 20, 20), "Bright")
    project.annotate("image", hw.Rectangle(4, 100, 10, 20), "Bright")  # wrong
    yield project
    project.close()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def panel(project, heard):
    state = StudioState(
        project,
        classifier=Halves,
        show_region=lambda region: heard.append(("show", state.image_name, tuple(region))),
        paint=lambda class_name: heard.append(("paint", class_name)),
    )
    panel = ReviewPanel(state)
    yield panel
    panel.close()


def page(panel, **content):
    panel._handle_custom_msg(content, [])


def reviewed(panel):
    page(panel, kind="review")
    assert panel.idle.wait(30)
    return panel._view


def test_n6_rows_are_ranked_and_the_first_ones_have_a_picture(panel):
    view = reviewed(panel)
    assert [row["loss"] for row in view["rows"]] == sorted((row["loss"] for row in view["rows"]), reverse=True)
    worst = view["rows"][0]
    assert (worst["place"], worst["disagreement"], worst["iou"]) == ("0, 96", 1.0, 0.0)
    assert worst["picture"].startswith("data:image/jpeg;base64,")
    assert worst["cells"] == [[1, 0]]
    assert view["confusion"] == [[400, 0], [200, 400]]
    assert "3 tiles" in view["status"]
    json.dumps(view)


def test_n6_clicks_show_the_place_and_bring_the_brush(panel, heard):
    reviewed(panel)
    page(panel, kind="show", tile=0)
    page(panel, kind="relabel", tile=0)
    assert heard == [("show", "image", (0, 96, 32, 32)), ("show", "image", (0, 96, 32, 32)), ("paint", "Dark")]


def test_n6_right_is_remembered_in_the_folder_until_the_labels_change(panel, project):
    reviewed(panel)
    page(panel, kind="right", tile=0, right=True)
    assert panel._view["rows"][0]["right"]
    kept = json.loads((project.folder / FILE_NAME).read_text(encoding="utf-8"))
    assert kept["version"] == 1

    found = find_label_errors(project, Halves())
    assert ReviewMarks(project).is_right(found.tiles[0])
    project.annotate("image", hw.Rectangle(20, 110, 5, 5), "Dark")
    again = find_label_errors(project, Halves())
    assert not ReviewMarks(project).is_right(again.tiles[0]), "other labels, another judgement"
    page(panel, kind="right", tile=0, right=False)
    assert not ReviewMarks(project).is_right(found.tiles[0])


def test_a_damaged_file_of_marks_costs_only_the_marks(project):
    for text in ("no json", '{"version": 99, "right": {}}', "[]", '{"version": 1}'):
        (project.folder / FILE_NAME).write_text(text, encoding="utf-8")
        marks = ReviewMarks(project)
        assert not marks.is_right(find_label_errors(project, Halves()).tiles[0])


def test_without_a_classifier_or_labels_it_says_so(project):
    panel = ReviewPanel(StudioState(project))
    page(panel, kind="review")
    assert "no classifier yet" in panel._view["status"]
    panel.close()
    project.add_class("Third")
    panel = ReviewPanel(StudioState(project, classifier=Halves))
    assert "train again" in reviewed(panel)["status"]
    assert not panel._view["busy"]
    panel.close()


def test_what_the_page_says_wrongly_does_nothing(panel, heard):
    page(panel, kind="show", tile=0)
    reviewed(panel)
    for content in ({"kind": "show", "tile": 99}, {"kind": "show", "tile": "0"}, {"kind": "other", "tile": 0}):
        page(panel, **content)
    panel._handle_custom_msg("text", [])
    assert heard == []


def test_n6_a_tile_that_is_shown_has_its_disagreement_on_the_canvas_and_one_that_is_painted_has_not(project):
    shown = []
    state = StudioState(project, classifier=Halves)
    state.observe(lambda change: shown.append(change["new"]), "disagreement")
    panel = ReviewPanel(state)
    reviewed(panel)
    page(panel, kind="show", tile=0)
    assert panel._view["overlay"]
    page(panel, kind="relabel", tile=0)
    assert not panel._view["overlay"]
    page(panel, kind="overlay", on=True)
    assert shown == [True, False, True]
    panel.close()


def test_a_mark_while_a_review_is_superseded_goes_by_the_rows_that_are_shown(project, panel, monkeypatch):
    reviewed(panel)
    shown, worked, go = panel._view["rows"], threading.Event(), threading.Event()
    project.annotate("image", hw.Rectangle(100, 100, 20, 20), "Bright")  # a tile more
    work = panel._worker._work

    def late(payload, is_stale):
        found = work(payload, lambda: False)
        worked.set()
        assert go.wait(20)
        return found

    monkeypatch.setattr(panel._worker, "_work", late)
    panel.ask()
    assert worked.wait(20)
    panel.ask()
    page(panel, kind="right", tile=0, right=True)
    assert [row["right"] for row in panel._view["rows"]] == [True] + [False] * (len(shown) - 1)
    go.set()
    assert panel.idle.wait(20)
    assert len(panel._view["rows"]) == len(shown) + 1


def test_one_contradicted_stroke_is_relabelled_and_one_undo_takes_it_back(panel, project, heard):
    reviewed(panel)
    wrong = project.annotations("image")[2]
    assert panel._strokes == [{"id": wrong.id, "image": "image", "class": "Bright", "predicted": "Dark", "share": 1.0}]
    page(panel, kind="show-stroke", id=wrong.id)
    assert heard[-1] == ("show", "image", (4, 100, 10, 20))
    page(panel, kind="relabel-stroke", id=wrong.id)
    assert project.annotation(wrong.id).class_name == "Dark"
    assert panel._strokes == []
    page(panel, kind="relabel-stroke", id=wrong.id)  # a second click that was under way
    assert "has changed since the review" in panel._view["status"]
    project.undo()
    assert project.annotation(wrong.id).class_name == "Bright"
    assert [one["id"] for one in panel._strokes] == [wrong.id]
    project.remove(wrong.id)
    assert panel._strokes == []
    for content in ({"kind": "relabel-stroke"}, {"kind": "show-stroke", "id": 3}):
        page(panel, **content)
