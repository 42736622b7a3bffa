"""Threads that fail and buttons that are hammered: the kernel lives, a message says why, no thread is left."""

import random
import threading

import pytest

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import HistowidgetsError
from histowidgets.images import Region
from histowidgets.training import TrainingSettings, start_training
from histowidgets.widgets import AnnotationCanvas
from histowidgets.widgets.live_prediction._controller import LivePrediction
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._train_panel import TrainPanel
from tests.faults.conftest import halves
from tests.training.helpers import QUICK, painted

ENDED = ("finished", "stopped", "failed")


def ours():
    return [t.name for t in threading.enumerate() if t.name.startswith("histowidgets")]


def test_the_quick_learners_thread_survives_any_error_and_says_so(monkeypatch):
    project = painted(side=128, strokes=3)
    said, told = [], threading.Event()

    def report(*words):
        said.append(words)
        told.set()

    def explode(*args, **kwargs):
        raise MemoryError("no room at all")

    monkeypatch.setattr("histowidgets.training.quick_classifier", explode)
    monkeypatch.setattr("histowidgets.training.quick._learner.quick_classifier", explode)
    name, logged = project.image_names[0], []
    live = LivePrediction(project, lambda: (name, Region(0, 0, 128, 128)), lambda *shown: None, report, logged.append)
    try:
        live.refresh()
        assert told.wait(60)
        assert any("no room at all" in str(words) and "No prediction: MemoryError" in str(words) for words in said)
        monkeypatch.undo()
        shown = threading.Event()
        live._show = lambda *args: shown.set()
        live.refresh()  # the thread is there for the next request
        assert shown.wait(120)
        assert any("Traceback" in text for text in logged)
    finally:
        live.close()


def test_a_subscriber_that_fails_beside_a_canvas_costs_neither_edit_nor_drawing(caplog):
    project = Project(["A", "B"])
    name = project.add_image(halves())
    canvas = AnnotationCanvas(project)
    failing = [True]
    project.subscribe(lambda change: 1 / 0 if failing[0] else None)
    kept = [project.annotate(name, Stroke([[5, 5], [50, 50]], 5), "A")]
    failing[0] = False
    kept.append(project.annotate(name, Stroke([[5, 50], [50, 5]], 5), "B"))
    assert [a.id for a in project.annotations(name)] == kept
    assert "A subscriber of the project failed" in caplog.text
    canvas.close()


def press(panel, button, run):
    """One click of a random hand; what is disabled on the page cannot be clicked there."""
    if button == "main":  # to train, pause and resume
        panel._main.click()
    elif button == "stop":
        panel._stop.click()
    elif run is not None:
        try:
            {"run.pause": run.pause, "run.resume": run.resume, "run.stop": lambda: run.stop("last")}[button]()
        except HistowidgetsError:
            pytest.fail("the reins of a run must take any call at any time")


@pytest.mark.slow
def test_a_thousand_clicks_on_start_pause_and_stop_end_in_a_sane_state(tmp_path):
    before = set(ours())
    rng = random.Random(0)
    project = painted(side=128, strokes=3, folder=tmp_path / "project")
    drawn = {name: project.annotations(name) for name in project.image_names}
    settings = TrainingSettings(**{**QUICK, "epochs": 400, "pretrained": False, "consistency": 0.0})
    form = SettingsForm(settings, project)
    said = []
    state = StudioState(project, notify=lambda text, level: said.append((level, text)), log=said.append)
    panel = TrainPanel(state, form)
    buttons = ["main", "stop", "run.pause", "run.resume", "run.stop"]
    weights = [7, 1, 2, 2, 1]
    for _ in range(1000):
        press(panel, rng.choices(buttons, weights)[0], panel.run)
        if rng.random() < 0.1:
            threading.Event().wait(rng.uniform(0, 0.05))  # a hand that rests: the moment must be any
    quiet = threading.Event()
    for _ in range(600):
        if not panel._starting:
            break
        quiet.wait(0.05)
    run = panel.run
    assert run is not None
    if not run.is_over:
        run.resume()
        panel._stop_keeping_best()
        assert run.wait(60) in ENDED
    assert all(each.state in ENDED for each in panel._state.runs)
    assert not [each for each in panel._state.runs if each.state == "failed"]
    assert not [text for level, text in (s for s in said if isinstance(s, tuple)) if level == "error"]
    assert len(panel._state.runs) > 2
    # Everything still works: a last run goes through.
    last = start_training(project, settings.model_copy(update={"epochs": 1}))
    panel.watch(last)
    assert last.wait(60) == "finished"
    for _ in range(200):
        shown = (panel._main.description, panel._main.disabled, panel._stop.disabled)
        if shown == ("Train more", False, True):
            break
        quiet.wait(0.05)
    assert shown == ("Train more", False, True)
    panel.close()
    form.close()
    assert {name: project.annotations(name) for name in project.image_names} == drawn
    project.close()
    for _ in range(100):
        if set(ours()) <= before:
            break
        quiet.wait(0.05)
    assert set(ours()) <= before
