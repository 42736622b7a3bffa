"""The panel of an audit, by the messages that the page sends."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Judgement
from histowidgets.widgets.audit import AuditPanel
from histowidgets.widgets.audit._panel import _progress
from tests.prediction.models import brightness_classifier, picture


class Desk:
    """A panel, the points that it showed, and what it logged."""

    def __init__(self, project, classifier):
        self.points, self.logged = [], []
        self.panel = AuditPanel(
            project, lambda: classifier, lambda: project.image_names[0], dict, self.points.append, self.logged.append
        )

    def send(self, kind, **values):
        shown = self.points[-1] if self.points else None
        self.panel._message(self.panel, {"point": None if shown is None else shown.index, "kind": kind, **values}, [])

    def start(self, images="all", n=20):
        self.send("ask")
        self.send("start", images=images, n=n)
        assert self.panel.idle.wait(60)

    @property
    def view(self):
        return self.panel._view


@pytest.fixture
def project(tmp_path):
    project = hw.Project(["Dark", "Bright"], tmp_path / "project")
    project.add_image(picture(90, 120), name="one")
    project.add_image(picture(60, 80, seed=1), name="two", role="validation")
    yield project
    project.close()


@pytest.fixture
def classifier(project):
    return brightness_classifier(project.image("one"))


@pytest.fixture
def desk(project, classifier):
    desk = Desk(project, classifier)
    yield desk
    desk.panel.close()


def test_the_points_are_shown_one_after_another_and_end_with_the_numbers(project, desk):
    assert (desk.view["mode"], desk.view["images"], desk.view["validation"]) == ("idle", 2, 1)
    desk.start()
    audit = desk.panel.audit
    assert desk.view["mode"] == "judging"
    assert desk.view["classes"] == [{"name": name, "color": project.colors[name]} for name in project.classes]
    assert "cells" not in desk.view
    assert desk.points == [audit.points[0]]
    assert desk.view["progress"] == "0 of 20 · about 60 s left"
    desk.send("judge", **{"class": 1})
    desk.send("judge", **{"class": None})
    assert [(one.point, one.class_name) for one in audit.judgements] == [(0, "Bright"), (1, None)]
    assert desk.points == list(audit.points[:3])
    while desk.panel.judging:
        desk.send("judge", **{"class": project.classes.index(desk.points[-1].predicted)})
    assert desk.points == [*audit.points, None]
    assert desk.view["mode"] == "results"
    assert desk.view["sentences"] == audit.results().sentences()
    assert desk.view["cells"] == audit.results().cells()
    assert not desk.view["open"]


def test_back_pause_and_resume(project, classifier, desk):
    desk.start()
    desk.send("judge", **{"class": 0})
    desk.send("back")
    assert desk.panel.audit.n_judged == 0
    assert desk.points[-1].index == 0
    desk.send("back")  # there is none before
    assert desk.panel.judging
    desk.send("judge", **{"class": 0})
    desk.send("pause")
    assert (desk.view["mode"], desk.points[-1], desk.view["open"]) == ("results", None, True)
    desk.send("judge", **{"class": 0})
    assert desk.panel.audit.n_judged == 1, "nothing is shown, so nothing is judged"
    other = Desk(project, classifier)  # as when the notebook is opened again
    assert (other.view["mode"], other.view["done"]) == ("results", 1)
    other.send("resume")
    assert other.points == [desk.panel.audit.points[1]]
    other.panel.close()
    assert other.points[-1] is None, "what was hidden is shown again"


def test_an_answer_to_a_point_that_is_no_longer_shown_has_no_effect(desk):
    desk.start()
    desk.send("judge", **{"class": 0})
    desk.send("judge", point=0, **{"class": 1})  # the key was pressed twice before the page had the next point
    for wrong in (2, -1, "0", 1.5):
        desk.send("judge", **{"class": wrong})
    desk.panel._message(desk.panel, "judge", [])
    assert [(one.point, one.class_name) for one in desk.panel.audit.judgements] == [(0, "Dark")]


def test_the_panel_follows_undo_and_other_edits(project, desk):
    desk.start()
    desk.send("judge", **{"class": 0})
    project.undo()
    assert desk.points[-1].index == 0
    assert desk.view["done"] == 0
    project.remove_image(desk.points[-1].image_name)
    left = project.image_names[0]
    assert desk.points[-1].image_name == left
    project.undo()
    project.undo()
    assert (desk.view["mode"], desk.panel.audit, desk.points[-1]) == ("idle", None, None)
    project.redo()
    assert desk.view["mode"] == "results"


def test_points_are_drawn_on_the_images_that_were_chosen(project, desk):
    desk.start("validation")
    assert {point.image_name for point in desk.panel.audit.points} == {"two"}
    desk.send("pause")
    desk.start("shown")
    assert {point.image_name for point in desk.panel.audit.points} == {"one"}
    assert len(project.audits) == 2


def test_what_is_wrong_is_said_and_the_question_stays(project, desk):
    desk.start(n=3)
    assert desk.view["mode"] == "asking"
    assert desk.view["status"].startswith("n is 3; expected a whole number from 10")
    assert desk.view["level"] == "error"
    desk.send("cancel")
    assert desk.view["mode"] == "idle"
    project.set_role("two", "both")
    desk.start("validation")
    assert "No image has the role 'validation'" in desk.view["status"]
    assert len(desk.logged) == 2
    empty = Desk(project, None)
    empty.start()
    assert "There is no classifier yet" in empty.view["status"]
    empty.panel.close()


def test_images_that_are_left_out_are_named(project, desk, monkeypatch):
    monkeypatch.setattr(
        "histowidgets.prediction.auditing._predictions.unreadable",
        lambda image: "the file is gone" if image.name == "two" else "",
    )
    desk.start()
    assert desk.view["status"] == "The image two is left out of the audit: the file is gone"


def test_points_become_annotations_on_request(project, desk):
    desk.start()
    desk.send("annotate")
    assert project.count() == {"Dark": 0, "Bright": 0}, "not while judging"
    desk.send("judge", **{"class": 1})
    desk.send("pause")
    assert desk.view["canAnnotate"]
    desk.send("annotate")
    assert project.count() == {"Dark": 0, "Bright": 1}
    assert desk.view["status"] == "1 annotation was made of the points. Undo takes it back."
    assert not desk.view["canAnnotate"]


@pytest.mark.parametrize(
    ("seconds", "total", "words"),
    [
        ([], 100, "0 of 100 · about 5 min left"),
        ([2, 2, 2, 500], 100, "5 of 100 · about 3 min left"),
        ([2, 2, 2], 4, "4 of 4"),
    ],
)
def test_the_time_left_follows_the_pace_without_breaks(seconds, total, words):
    times = np.cumsum([1000, *seconds]) if seconds else []
    judgements = tuple(Judgement(i, "Dark", float(t)) for i, t in enumerate(times))
    assert _progress(judgements, total) == words
