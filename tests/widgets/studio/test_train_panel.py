"""The train panel acts on a diagnosis, takes it back, and goes on with a run that broke off."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.advice import Action, Advice
from histowidgets.errors import TrainingError
from histowidgets.training import TrainingSettings, replay
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._train_panel import TrainPanel

SETTINGS = TrainingSettings(
    tile_size=64, downsample=1, batch_size=2, epochs=500, max_seconds=None, steps_per_epoch=2, consistency=0.0
)


def make_project(folder=None):
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[:, 64:] = 180
    project = hw.Project(["Dark", "Bright"], folder=folder)
    name = project.add_image(pixels, name="halves")
    for y in (20, 50, 80):
        project.annotate(name, hw.Stroke([(8, y), (50, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (120, y)], width=6), "Bright")
    return project


@pytest.fixture
def said():
    return []


def state_of(project, said):
    return StudioState(project, notify=lambda text, level: said.append(text), log=said.append)


def make_panel(project, said):
    form = SettingsForm(SETTINGS, project)
    return TrainPanel(state_of(project, said), form), form


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.02)


@pytest.mark.slow
def test_a_click_on_pause_that_comes_after_the_end_does_not_start_the_next_run(said):
    panel, _ = make_panel(make_project(), said)
    assert (panel._main.description, panel._main.action) == ("Train", "train")
    run = panel.start(SETTINGS)
    wait_until(lambda: panel._main.action == "pause")
    run.stop()
    wait_until(lambda: panel._main.description == "Train more")
    panel._main._on_message(panel._main, {"kind": "click", "action": "pause"}, [])
    assert panel.run is run
    panel._main._on_message(panel._main, {"kind": "click", "action": "resume"}, [])
    assert (panel.run, run.state) == (run, "stopped")


@pytest.mark.slow
def test_r65_an_action_stops_the_run_patches_the_form_and_starts_the_next_one(said):
    panel, form = make_panel(make_project(), said)
    first = panel.start(SETTINGS)
    wait_until(lambda: first.history)
    action = Action("Lower the learning rate to 1e-4", {"learning_rate": 1e-4})
    panel.follow(action, Advice("lr-too-high", "The loss swings", ""))
    wait_until(lambda: panel.run is not first)
    second = panel.run
    assert first.state == "stopped"
    assert second.settings.learning_rate == form.settings.learning_rate == 1e-4
    assert second.split.held_out == first.split.held_out
    assert any("learning rate 0.0001" in text for text in said)
    assert panel.patch_in_words == "learning rate 0.0001"
    assert panel.undo_patch_offered
    panel.undo_patch()
    assert form.settings == SETTINGS
    assert not panel.undo_patch_offered
    panel.follow(Action("Stop", None, "stop"), Advice("stop-rising", "Stop?", ""))
    wait_until(lambda: second.is_over)
    panel.close()
    form.close()


def test_a_patch_that_is_impossible_is_said_and_nothing_starts(said):
    panel, form = make_panel(make_project(), said)
    panel.follow(Action("Nonsense", {"epochs": -1}), Advice("x", "y", ""))
    wait_until(lambda: any("epochs" in text for text in said))
    assert panel.run is None
    assert form.settings == SETTINGS
    wait_until(lambda: not panel._starting)
    assert not panel._main.disabled
    assert "epochs" in panel._said.value, "beside the button"
    panel.close()
    form.close()


@pytest.mark.slow
def test_n7_a_run_that_broke_off_is_offered_and_goes_on(said, tmp_path):
    project = make_project(tmp_path / "project")
    run = hw.start_training(project, SETTINGS)
    wait_until(lambda: len(run.history) >= 2)
    run._control.leaving = True  # as when the kernel ends
    run.stop()
    run.wait(60)
    done = len(run.history)
    panel, form = make_panel(project, said)
    panel.unfinished.wait(60)
    assert panel.unfinished.found is not None
    assert panel.unfinished.text == f"A run was interrupted after epoch {panel.unfinished.found.epoch} of 500."
    panel.unfinished.resume()
    wait_until(lambda: panel.run is not None)
    assert panel.unfinished.text == ""
    assert panel.run.id == run.id
    wait_until(lambda: len(panel.run.history) > done or panel.run.is_over)
    assert panel.run.state == "running"
    panel.run.stop()
    assert panel.run.wait(60) == "stopped"
    panel.close()
    form.close()
    project.close()


@pytest.mark.slow
def test_n13_a_few_epochs_are_tried_first_with_the_settings_of_the_form(said):
    panel, form = make_panel(make_project(), said)
    panel._more.value = True
    assert panel._more_row.layout.display is None
    panel._probe.click()
    wait_until(lambda: panel.run is not None and panel.run.is_over)
    assert panel.run.settings.epochs == 5
    assert form.settings.epochs == 500, "the settings of the form stay"
    wait_until(lambda: panel.monitor.held_out)
    assert set(panel.monitor.held_out) == {"Dark", "Bright"}
    panel.close()
    form.close()


def test_what_cannot_be_done_now_is_not_shown(said):
    panel, form = make_panel(make_project(), said)

    def shown():
        return [b.description for b in (panel._main, panel._stop, panel._more, panel._fresh) if not b.layout.display]

    assert shown() == ["Train", "⋯"]
    panel._show_state("running")
    assert shown() == ["Pause", "Stop"]
    assert panel._more_row.layout.display == "none"
    panel._show_state("paused")
    assert shown() == ["Resume", "Stop"]
    panel.close()
    form.close()


def test_earlier_runs_keep_their_curves_and_not_their_weights(said):
    panel, form = make_panel(make_project(), said)
    short = SETTINGS.model_copy(update={"epochs": 1})
    first = panel.start(short)
    assert first.wait(120) == "finished"
    weights = weakref.ref(first.classifier.model.network)
    history = list(first.history)
    second = panel.start(short, from_scratch=True)
    assert second.wait(120) == "finished"
    first = None
    gc.collect()
    assert weights() is None
    assert [list(run.history) for run in panel._state.runs] == [history, second.history]
    table = hw.compare_runs({f"run {n}": run for n, run in enumerate(panel._state.runs, 1)})
    assert [row.epochs for row in table.rows] == [1, 1]
    panel.close()
    form.close()


@pytest.mark.slow
def test_a_second_run_is_refused_while_one_is_on_and_the_first_keeps_its_buttons(said):
    panel, form = make_panel(make_project(), said)
    first = panel.start(SETTINGS)
    with pytest.raises(TrainingError, match=r"run\.stop\(\)"):
        panel.start(SETTINGS)
    assert panel.run is first
    assert panel._state.runs == [first]
    panel._stop_keeping_best()
    assert first.wait(60) == "stopped"
    panel.close()
    form.close()


def test_the_next_run_is_refused_while_one_is_being_started(said):
    panel, form = make_panel(make_project(), said)
    panel._starting = True
    with pytest.raises(TrainingError, match="active already"):
        panel.start(SETTINGS)
    panel._starting = False
    panel.close()
    form.close()


def test_buttons_answer_while_the_panel_waits_for_what_the_last_run_still_says(said):
    begun, go, asked = threading.Event(), threading.Event(), threading.Event()

    def on_event(run, event):
        begun.set()
        assert go.wait(20)

    project = make_project()
    form = SettingsForm(SETTINGS, project)
    panel = TrainPanel(state_of(project, said), form)
    panel.on_event(on_event)
    last, following = replay([]), replay([])
    last.split = following.split = None
    panel.watch(last)
    assert begun.wait(20)
    bridge = panel.monitor._bridge
    next_one = threading.Thread(target=panel.watch, args=(following,))
    next_one.start()
    wait_until(bridge._closed.is_set)
    press = threading.Thread(target=panel._soon, args=(asked.set,))
    press.start()
    assert asked.wait(3), "the press waited for the last run"
    go.set()
    next_one.join(20)
    panel.close()
    form.close()
