"""The studio in a kernel without a page: what it shows, what it keeps, and that it leaves nothing behind."""

import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import histowidgets as hw
from histowidgets.advice import held_out_counts
from histowidgets.annotations import Split
from histowidgets.errors import ClassNameError, HistowidgetsError, ProjectFolderError, TrainingDataError, WidgetError
from histowidgets.images import Region
from histowidgets.widgets.live_prediction._controller import LearnerAnswer, LivePrediction
from histowidgets.widgets.live_prediction._quick_ensemble import score_bonus


@pytest.fixture
def halves():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (96, 128, 3)).astype(np.uint8)
    pixels[:, 64:] += 150
    return pixels


@pytest.fixture
def studio(halves):
    studio = hw.Studio(halves, classes=["Dark", "Bright"], fresh=True)
    yield studio
    studio.close()


def _paint(project, lines=(20, 50, 80)):
    name = project.image_names[0]
    for y in lines:
        project.annotate(name, hw.Stroke([(8, y), (50, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (120, y)], width=6), "Bright")


def test_strokes_are_followed_by_a_prediction(studio):
    assert studio.prediction is None
    _paint(studio.project)
    assert studio._live.quick.idle.wait(60)
    labels = studio.prediction.labels
    assert labels.shape == (96, 128)
    assert (labels[:, :56] == 0).mean() > 0.9
    assert (labels[:, 72:] == 1).mean() > 0.9
    assert studio.classifier.classes == ["Dark", "Bright"]


def test_the_prediction_goes_when_what_it_was_learned_from_is_undone(studio):
    _paint(studio.project, lines=(50,))
    assert studio._live.quick.idle.wait(60)
    assert studio.prediction is not None
    studio.project.undo()
    assert studio._live.quick.idle.wait(60)
    assert studio.prediction is None


def test_training_without_strokes_is_a_named_error_and_a_line(studio):
    with pytest.raises(TrainingDataError, match=r"(?i)annotat|stroke|paint"):
        studio.train()
    _paint(studio.project, lines=(50,))
    studio.project.undo()
    with pytest.raises(TrainingDataError, match="Dark"):
        studio.train()


def test_the_palette_the_canvas_and_python_agree_on_the_class(studio):
    studio.canvas.class_name = "Bright"
    assert studio._classes.classes.selected == "Bright"
    studio._classes.classes.selected = "Dark"
    assert studio.canvas.class_name == "Dark"
    studio.project.add_class("<b>Third</b>")
    assert studio._classes.coach.idle.wait(30)
    assert [row["name"] for row in studio._classes.classes.rows][-1] == "<b>Third</b>"


def test_strip_canvas_and_project_agree_on_the_image_also_when_it_is_removed(halves):
    images = [hw.open_image(halves, name="one"), hw.open_image(halves[::-1].copy(), name="other")]
    studio = hw.Studio(images, classes=["Dark", "Bright"], fresh=True)
    studio._strip.shown = "other"
    assert studio.canvas.image_name == "other"
    studio.canvas.show_image("one")
    assert studio._strip.shown == "one"
    _paint(studio.project, lines=(50,))
    studio.project.remove_image("one")
    assert (studio.canvas.image_name, studio._strip.shown) == ("other", "other")
    assert studio._live.quick.idle.wait(60)
    assert "Traceback" not in studio.log
    studio.project.undo()
    assert studio.project.image_names == ["one", "other"]
    studio.close()


def test_a_class_that_was_renamed_stays_the_chosen_one(studio):
    studio.canvas.class_name = "Bright"
    studio.project.rename_class("Bright", "Light")
    assert (studio.canvas.class_name, studio._classes.classes.selected) == ("Light", "Light")
    studio.project.undo()
    assert (studio.canvas.class_name, studio._classes.classes.selected) == ("Bright", "Bright")


def test_a_cell_run_again_shows_what_was_shown(halves):
    images = [hw.open_image(halves, name="one"), hw.open_image(halves[::-1].copy(), name="other")]
    first = hw.Studio(images, classes=["Dark", "Bright"])
    first._strip.shown = "other"
    first.canvas.uncertainty_opacity = 0.5
    darker = [replace(one, low=20.0) for one in first.canvas.display]
    first.canvas.set_display(darker)
    kept = first.project.annotate("other", hw.Stroke([(20, 20)], width=9), "Bright")
    first.canvas.class_name, first.canvas.brush_width = "Bright", 33
    first.canvas.look(first.canvas.view.look(30, 25, 6))
    first.canvas.selection = (kept,)
    first.canvas.copy()
    second = hw.Studio(images, classes=["Dark", "Bright"])
    assert second.project is first.project
    assert (second.canvas.image_name, second._strip.shown) == ("other", "other")
    assert second.canvas.uncertainty_opacity == 0.5
    assert second.canvas.display == tuple(darker)
    assert (second.canvas.view.x, second.canvas.view.y, second.canvas.view.zoom) == (30, 25, 6)
    assert (second.canvas.class_name, second.canvas.brush_width, second.canvas.tool) == ("Bright", 33, "select")
    assert second._classes.classes.selected == "Bright"
    assert second.canvas.selection == (kept,)
    second.canvas.paste()
    assert len(second.project.annotations("other")) == 2
    second.close()


def test_a_studio_leaves_no_widget_behind(halves):
    before = set(_instances)
    studio = hw.Studio(halves, classes=["Dark", "Bright"], fresh=True)
    _paint(studio.project)
    assert studio._live.quick.idle.wait(60)
    studio.close()
    studio.close()  # twice is once
    # ipycanvas keeps one manager a kernel.
    left = [type(_instances[key]).__name__ for key in set(_instances) - before]
    assert [name for name in left if name not in ("_CanvasManager", "Layout")] == []


def test_a_cell_run_again_on_a_folder_takes_over_and_may_write(halves, tmp_path):
    first = hw.Studio(halves, classes=["Dark", "Bright"], folder=tmp_path / "project")
    _paint(first.project)
    second = hw.Studio(halves, classes=["Dark", "Bright"], folder=tmp_path / "project")
    assert first.comm is None, "the widgets of the first are gone"
    assert not second.project.read_only
    assert second.project.count() == {"Dark": 3, "Bright": 3}
    _paint(second.project, lines=(35,))
    second.close()
    second.project.close()


def test_a_closed_studio_lets_go_of_the_folder_that_it_opened(halves, tmp_path):
    studio = hw.Studio(halves, classes=["Dark", "Bright"], folder=tmp_path / "project")
    _paint(studio.project)
    studio.close()
    again = hw.Studio(halves, classes=["Dark", "Bright", "Grey"], folder=tmp_path / "project")
    assert not again.project.read_only
    assert again.project.classes == ["Dark", "Bright", "Grey"]
    again.close()
    opened = hw.Project.open(tmp_path / "project")
    passed = hw.Studio(opened)
    passed.close()
    assert not opened.closed, "whoever passes a project in goes on with it"
    _paint(opened, lines=(35,))
    opened.close()


def test_n8_the_quick_learner_sees_the_channels_that_are_chosen_in_the_form(halves):
    image = hw.open_image(np.dstack([halves, halves[..., 0]]), name="four", channel_names=["A", "B", "C", "D"])
    studio = hw.Studio(image, classes=["Dark", "Bright"], fresh=True)
    _paint(studio.project)
    assert studio._live.quick.idle.wait(60)
    assert studio.classifier.channel_names == ("A", "B", "C", "D")
    studio.form.set_settings(studio.form.settings.model_copy(update={"channels": ["D", "B"]}))
    assert studio._live.quick.idle.wait(60)
    assert studio.classifier.channel_names == ("D", "B")
    studio.form.set_settings(studio.form.settings.model_copy(update={"channels": ["Z"]}))
    assert studio._live.quick.idle.wait(60)
    assert "'Z'" in studio.log
    studio.close()


def test_a_process_that_ends_while_the_quick_learner_works_ends_well():
    code = """
import threading
import histowidgets as hw
project = hw.Project(["A", "B"])
name = project.add_image(hw.samples.colon_ihc())
for y in (20, 120, 220):
    project.annotate(name, hw.Stroke([(20, y), (60, y + 40)], width=9), "A")
    project.annotate(name, hw.Stroke([(200, y), (260, y + 40)], width=9), "B")
hw.quick_classifier(project)
import torch
fits = threading.Event()
step = torch.optim.AdamW.step
def told(*args, **options):
    fits.set()
    return step(*args, **options)
torch.optim.AdamW.step = told
studio = hw.Studio(project)
assert fits.wait(60)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_what_is_no_project_no_settings_and_no_list_of_classes_is_refused_in_words(halves, capfd):
    for odd in (None, halves, "project"):
        with pytest.raises(WidgetError, match="shows a Project, not a"):
            hw.AnnotationCanvas(odd)
    with pytest.raises(HistowidgetsError):
        hw.SettingsForm("workshop")
    with pytest.raises(TypeError):
        hw.Studio(halves, nope=1)
    with pytest.raises(ClassNameError):
        hw.Studio(halves, classes="AB")
    gc.collect()
    assert "Exception ignored" not in capfd.readouterr().err


def test_a_project_that_was_closed_under_its_studio_is_opened_again(halves, tmp_path):
    first = hw.Studio(halves, classes=["Dark", "Bright"], folder=tmp_path / "project")
    _paint(first.project)
    first.project.close()
    second = hw.Studio(folder=tmp_path / "project")
    _paint(second.project, lines=(35,))
    assert second.project.count() == {"Dark": 4, "Bright": 4}
    first.close()
    second.close()
    second.project.close()


def test_a_folder_that_another_session_holds_opens_read_only(halves, tmp_path):
    holder = hw.Project(["Dark", "Bright"], folder=tmp_path / "project")
    holder.add_image(halves, name="halves")
    studio = hw.Studio(folder=tmp_path / "project")
    assert studio.project.read_only
    assert "read-only" in studio.canvas._frame.status.saved.value
    said = studio._next.text
    assert said.startswith(f"This project is read-only here: process {os.getpid()}")
    assert said.endswith("has it open. Close it there, then open it again here.")
    studio._show_prediction(None, "")
    studio._live.refresh()
    assert studio._live.quick.idle.wait(120)
    assert studio._next.text == said, "a prediction does not replace it"
    studio.close()
    studio.project.close()
    holder.close()


def test_a_folder_that_cannot_be_written_is_not_said_to_be_open_elsewhere(halves, tmp_path, monkeypatch):
    hw.Project(["Dark", "Bright"], folder=tmp_path / "project").close()
    project = hw.Project.open(tmp_path / "project")
    project.add_image(halves, name="halves")
    project.close()
    from histowidgets.annotations.project import _folder

    def refused(path):
        raise ProjectFolderError("journal.jsonl: Permission denied")

    monkeypatch.setattr(_folder, "Journal", refused)
    studio = hw.Studio(folder=tmp_path / "project")
    assert studio.project.read_only
    assert "its folder is not writable (journal.jsonl: Permission denied)" in studio._next.text
    assert "None" not in studio._next.text
    studio.close()


def test_a_session_that_was_killed_is_noticed_and_keeps_nobody_out(halves, tmp_path):
    holder = hw.Project(["Dark", "Bright"], folder=tmp_path / "project")
    holder.add_image(halves, name="halves")
    holder.close()
    left = {"process": 99999999, "host": "elsewhere", "since": "2026-01-01 10:00:00"}
    (tmp_path / "project" / "project.holder.json").write_text(json.dumps(left))
    studio = hw.Studio(folder=tmp_path / "project")
    assert not studio.project.read_only
    assert "process 99999999 on elsewhere, since 2026-01-01 10:00:00" in studio.log
    studio.close()
    studio.project.close()


@pytest.mark.slow
def test_n7_train_stop_keep_best_and_train_on(studio):
    _paint(studio.project)
    settings = hw.TrainingSettings(
        tile_size=64, downsample=1, batch_size=2, epochs=200, max_seconds=None, steps_per_epoch=3
    )
    run = studio.train(settings)
    while not run.history:
        assert run.wait(timeout=0.05) not in ("failed", "finished")
    run.stop(keep="best")
    assert run.wait(60) == "stopped"
    studio._training.monitor._bridge.join(10)
    assert studio._live.network.idle.wait(60)
    assert "network" in studio._live._answers
    assert studio._training._main.description == "Train more"
    again = studio.train(settings.model_copy(update={"epochs": 1}))
    again.wait(120)
    assert again.split.held_out == run.split.held_out, "what was trained on is never scored"


@pytest.mark.slow
def test_a_cell_run_again_while_training_keeps_the_run_and_the_strokes(halves):
    first = hw.Studio(halves, classes=["Dark", "Bright"], fresh=True)
    _paint(first.project)
    settings = hw.TrainingSettings(tile_size=64, downsample=1, batch_size=2, epochs=500, max_seconds=None)
    run = first.train(settings)
    second = hw.Studio(first.project)
    assert second.run is run
    while not run.history:
        assert run.wait(timeout=0.05) not in ("failed", "finished", "stopped")
    second.close()
    assert run.state == "stopped"
    assert sum(second.project.count().values()) == 6


# -- which learner is shown --------------------------------------------------------------------------


def _live():
    project = SimpleNamespace(snapshot=lambda: None)
    return LivePrediction(
        project, lambda: ("image", None), lambda prediction, words: None, lambda text, level: None, lambda text: None
    )


@pytest.mark.parametrize(
    ("quick", "network", "shown"),
    [
        (0.7, 0.8, "network"),
        (0.8, 0.7, "quick"),
        (0.8, 0.8, "quick"),
        (None, 0.7, "network"),
        (0.8, None, "network"),
        (None, None, "network"),
    ],
)
def test_the_learner_with_the_better_held_out_score_is_shown(quick, network, shown):
    live = _live()
    answers = {"quick": LearnerAnswer(None, None, "q", quick), "network": LearnerAnswer(None, None, "n", network)}
    live._answers.update(answers)
    assert live.best is answers[shown]
    for wanted in ("quick", "network"):
        live.show_learner(wanted)
        assert live.best is answers[wanted]
    live.close()


def test_the_answer_of_both_is_shown_unless_another_is_clearly_better_and_the_network_only_if_it_beats_the_quick_one():
    live = _live()
    both, network, quick = (LearnerAnswer(None, None, name, 0.9) for name in ("b", "n", "q"))
    for scores, shown in (
        ((0.9, 0.9, 0.8), "b"),
        ((0.8, 0.9, 0.7), "n"),
        ((0.9, 0.9, 0.9), "b"),
        ((0.88, 0.7, 0.9), "b"),
        ((0.86, 0.7, 0.9), "q"),
        ((0.8, 0.9, 0.9), "q"),
        ((0.8, 0.7, None), "b"),
        ((None,) * 3, "b"),
    ):
        some = zip(("both", "network", "quick"), (both, network, quick), scores, strict=True)
        live._answers = {name: replace(answer, score=score) for name, answer, score in some}
        assert live.best.learner == shown
    live._answers["quick"] = replace(quick, score=1.0, held_out_in_turn=True)
    assert live.best.learner == "b"
    live.show_learner("both")
    assert live.best.learner == "b"
    live.close()


def test_the_answer_of_both_is_compared_as_both_were_measured_and_has_the_benefit_of_the_doubt():
    def edge(own, alike):
        return score_bonus(SimpleNamespace(scores={"val_miou": own}), SimpleNamespace(scores={"network_alone": alike}))

    live = _live()
    network = LearnerAnswer(None, None, "n", 0.95)
    for own, alike, score, shown in (
        (0.95, 0.75, 0.76, "b"),  # measured alike it is better
        (0.95, 0.75, 0.73, "b"),  # too little to tell
        (0.95, 0.75, 0.71, "n"),
        (0.95, None, 0.93, "b"),
        (None, None, 0.90, "n"),
    ):
        live._answers = {
            "both": LearnerAnswer(None, None, "b", score, score_bonus=edge(own, alike)),
            "network": network,
        }
        assert live.best.learner == shown
    live.close()


def test_other_programs_get_the_network_whoever_is_shown(studio):
    quick = SimpleNamespace(network=None)
    network, both = (SimpleNamespace(network=name) for name in ("trained alone", "part of a mean"))
    answers = {"quick": LearnerAnswer(quick, None, "q", 0.9), "network": LearnerAnswer(network, None, "n", 0.8)}
    studio._live._answers = answers
    assert studio._live.best is answers["quick"]
    assert studio._results._network() == "trained alone"
    studio._live._answers = {**answers, "both": LearnerAnswer(both, None, "b", 0.95)}
    assert studio._results._network() == "part of a mean"
    studio._live._answers = {"quick": answers["quick"]}
    assert studio._results._network() is quick, "which says that there is no network"


def test_the_caption_counts_the_strokes_that_the_score_rests_on(halves):
    project = hw.Project(["Dark", "Bright"])
    project.add_image(halves, name="one")
    project.add_image(halves, name="other", role="validation")
    for name in project.image_names:
        project.annotate(name, hw.Stroke([(8, 10), (50, 10)]), "Dark")
        project.annotate(name, hw.Stroke([(8, 80), (50, 80)]), "Bright")
    project.erase("one", hw.Stroke([(8, 12), (12, 12)]))
    held_out = {"one": (Region(0, 0, 60, 40),), "other": (Region(0, 0, 128, 96),)}
    assert sum(held_out_counts(project.snapshot(), Split(held_out)).values()) == 3


def test_the_caption_says_which_learner_and_how_good():
    answer = LearnerAnswer(None, SimpleNamespace(resampling=""), "U-Net, epoch 3", 0.8749, scored_on={"A": 5, "B": 4})
    # The mean of two classes, of 5 and 4 strokes, is as uncertain as a share p of n = 4 / (1/5 + 1/4) = 8.9 strokes,
    # whose interval ends where (p - t)^2 = 1.96^2 t (1 - t) / n: at 0.548 and 0.976.
    assert answer.caption == "U-Net, epoch 3, score 0.87 (0.55 to 0.98)"
    assert "measured on 9 strokes in the test area" in answer.about
    assert "9 strokes, each left out once" in replace(answer, held_out_in_turn=True).about
    assert LearnerAnswer(None, None, "quick").caption == "quick"
    assert LearnerAnswer(None, None, "loaded", 0.9).caption == "loaded, score 0.90", "strokes of another project"


def test_a_perfect_score_on_few_strokes_is_given_as_a_count():
    answer = LearnerAnswer(None, SimpleNamespace(resampling=""), "quick", 1.0, scored_on={"A": 3, "B": 3})
    assert answer.caption == "quick, 6 of 6 test strokes right (at least 0.61)"
    assert replace(answer, scored_on={"A": 1}).caption == "quick, 1 of 1 test stroke right (at least 0.21)"
    assert replace(answer, scored_on={"A": 20, "B": 20}).caption == "quick, score 1.00 (0.91 to 1.00)"
    assert replace(answer, score=0.99).caption == "quick, score 0.99 (0.60 to 1.00)"
