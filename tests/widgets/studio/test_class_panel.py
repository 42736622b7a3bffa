"""The palette beside the canvas: edits of classes, the coach's lines, and errors that are not swallowed."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.advice import Advice, coach
from histowidgets.images import Region
from histowidgets.widgets.studio import _class_panel
from histowidgets.widgets.studio._class_panel import ClassPanel
from histowidgets.widgets.studio._coach_panel import CoachPanel, coach_lines
from histowidgets.widgets.studio._state import StudioState


@pytest.fixture
def project():
    rng = np.random.default_rng(0)
    project = hw.Project(["A", "B", "C"])
    project.add_image(rng.integers(0, 255, (200, 200, 3), np.uint8), name="one")
    return project


@pytest.fixture
def panel(project):
    said, logged = [], []
    panel = ClassPanel(StudioState(project, notify=lambda text, level: said.append(text), log=logged.append))
    panel.said, panel.logged, panel.wrong = said, logged, []

    def say(text, level="good"):
        (panel.wrong if level == "error" else said).append(text)

    panel.classes.say = say
    yield panel
    panel.close()


def _ask(panel, **content):
    panel.classes._handle_custom_msg(content, [])


def _rows(panel):
    return {row["name"]: row for row in panel.classes.rows}


def test_classes_are_changed_from_the_page_each_one_step_of_undo(panel, project):
    project.annotate("one", hw.Stroke([(5, 5), (50, 50)]), "A")
    _ask(panel, kind="add", name="D")
    _ask(panel, kind="rename", name="D", to="<i>Nerve</i>")
    _ask(panel, kind="recolor", name="B", color="#123456")
    assert list(_rows(panel)) == ["A", "B", "C", "<i>Nerve</i>"]
    assert _rows(panel)["B"]["color"] == "#123456"
    _ask(panel, kind="merge", name="A", into="B")
    assert project.count() == {"B": 1, "C": 0, "<i>Nerve</i>": 0}
    assert "Undo" in panel.said[-1]
    _ask(panel, kind="delete", name="C")
    assert project.classes == ["B", "<i>Nerve</i>"]
    for _ in range(5):
        assert project.undo()
    assert project.classes == ["A", "B", "C"]
    assert project.colors["B"] != "#123456"
    assert project.count()["A"] == 1


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "add", "name": "A"},
        {"kind": "rename", "name": "A", "to": "B"},
        {"kind": "recolor", "name": "A", "color": "red"},
        {"kind": "merge", "name": "A", "into": "A"},
        {"kind": "delete", "name": "Z"},
    ],
)
def test_what_cannot_be_done_is_said_under_the_list(panel, project, content):
    _ask(panel, **content)
    assert len(panel.wrong) == 1
    assert project.classes == ["A", "B", "C"]
    _ask(panel, kind="no such thing")
    _ask(panel, kind=["add"])
    assert len(panel.wrong) == 1


def test_a_class_with_annotations_says_why_it_stays(panel, project):
    project.annotate("one", hw.Stroke([(5, 5), (50, 50)]), "A")
    assert panel.coach.idle.wait(20)
    assert _rows(panel)["A"]["locked"] == "It has 1 annotation: merge it instead"
    assert _rows(panel)["B"]["locked"] == ""


def test_an_error_of_the_coach_goes_to_the_log_and_the_counts_stay(panel, project, monkeypatch):
    def broken(snapshot):
        raise RuntimeError("the coach is ill")

    monkeypatch.setattr(_class_panel, "coach", broken)
    project.annotate("one", hw.Stroke([(5, 5), (50, 50)]), "A")
    assert panel.coach.idle.wait(20)
    assert "the coach is ill" in panel.logged[0]
    assert "Traceback" in panel.logged[0]
    assert _rows(panel)["A"]["count"] == 1


def test_a_class_needs_fifteen_strokes_of_three_and_ten_of_two(panel, project):
    assert {(row["goal"], row["good"]) for row in panel.classes.rows} == {(15, 40)}
    project.delete_class("C")
    assert {(row["goal"], row["good"]) for row in panel.classes.rows} == {(10, 30)}


# -- the coach's lines ---------------------------------------------------------------------------------


def _lines(project):
    snapshot = project.snapshot()
    return {line.name: line for line in coach_lines(coach(snapshot), snapshot)}


def test_r16_conflicts_are_counted_and_gone_through_one_after_the_other(project):
    for x in (10, 120):
        project.annotate("one", hw.Rectangle(x, 20, 40, 40), "A")
        project.annotate("one", hw.Rectangle(x + 20, 30, 40, 40), "B")
    line = _lines(project)["Conflicts"]
    assert line.level == "warning"
    assert line.text.startswith("2 places painted twice")
    shown = []
    panel = CoachPanel(shown.append)
    panel.show(coach(project), project.snapshot())
    row = panel._rows[3]
    for _ in range(3):
        row._button.click()
    assert [advice.region for advice in shown] == [shown[0].region, shown[1].region, shown[0].region]
    assert shown[0].region != shown[1].region
    panel.close()


def test_r23_areas_and_r14_boundaries_give_their_numbers(project):
    project.annotate("one", hw.Rectangle(5, 5, 120, 120), "A")
    for x in range(8, 60, 10):
        project.annotate("one", hw.Rectangle(x + 130, 190, 3, 3), "B")
    lines = _lines(project)
    assert "A covers" in lines["Areas"].text
    assert "times B" in lines["Areas"].text
    assert "2 % wanted" in lines["Boundaries"].text


def test_with_few_strokes_nothing_is_called_fine(project):
    project.annotate("one", hw.Stroke([(5, 5), (50, 50)]), "A")
    assert [line.level for name, line in _lines(project).items() if name != "Images"] == ["none"] * 4


def test_words_of_an_advice_are_never_html(project):
    name = "<img src=x onerror=alert(1)>"
    advice = Advice("one-corner", name, name, {"n": 1}, region=Region(1, 1, 2, 2))
    panel = CoachPanel(lambda advice: None)
    panel.show([advice], project.snapshot())
    assert "<img" not in panel._rows[2]._text.value
    panel.close()
