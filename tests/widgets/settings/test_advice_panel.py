"""Advice on the settings stands above the form, is followed with a click, and is gone then."""

import contextlib
import threading

import numpy as np
import pytest

from histowidgets.annotations import Project
from histowidgets.training import TrainingSettings
from histowidgets.widgets.settings import _advice_panel
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._tab import SettingsTab


@pytest.fixture
def tab():
    project = Project(["A", "B"])
    pixels = np.random.default_rng(0).integers(100, 180, (96, 96, 3)).astype(np.uint8)
    name = project.add_image(pixels, name="dark")
    project.add_image(np.clip(pixels.astype(int) + 60, 0, 255).astype(np.uint8), name="pale")
    form = SettingsForm(TrainingSettings(flip=False, early_stopping_metric="none", color_jitter=0.0), project)
    tab = SettingsTab(project, form, lambda: (name, None))
    assert tab.advice.idle.wait(30)
    yield tab
    tab.close()


def ids(tab):
    return {one.id for one in tab.advice.found}


def line_of(tab, name):
    return next(line for line, one in zip(tab.advice._lines.children, tab.advice.found, strict=True) if one.id == name)


def test_r34_r53_r55_what_could_be_better_is_done_with_a_click_and_undone_with_one(tab):
    form = tab._form
    assert {"augmentation-off", "stain-varies", "early-stopping-off"} <= ids(tab)
    before = form.settings
    line_of(tab, "augmentation-off").children[1].click()
    assert form.settings.flip
    assert "augmentation-off" not in ids(tab)
    form.undo_patch()
    assert form.settings == before
    assert "augmentation-off" in ids(tab)


def test_r33_r35_what_only_a_person_can_see_is_ticked(tab):
    assert not ids(tab) & {"tissue-distorted", "multi-scale"}
    tab.advice._distorted.value = True
    line_of(tab, "tissue-distorted").children[1].click()
    assert tab._form.settings.elastic == 0.5
    tab.advice._scales.value = True
    line_of(tab, "multi-scale").children[1].click()
    assert tab._form.settings.backbone == "resnet50"


def test_n10_a_batch_of_all_tiles_is_said_before_the_run(tab):
    tab._form.patch({"batch_size": 8})
    tab._form.facts.n_tiles = 6
    for callback in tab._form.facts._tiles_callbacks:
        callback(6)
    assert "batch-exceeds-tiles" in ids(tab)


def test_each_line_has_the_guide_and_its_title(tab):
    for line, advice in zip(tab.advice._lines.children, tab.advice.found, strict=True):
        assert advice.guide in line.children[0].value
        assert advice.guide_title in line.children[0].value


def test_r48_another_normalization_is_suggested_with_its_reason_where_it_suits_the_pixels_better(tab):
    assert "normalization" not in ids(tab), "percentiles suit stained tissue, and are set"
    tab._form.patch({"normalization": "z_score"})
    line = line_of(tab, "normalization")
    assert "percentiles" in line.children[0].value
    line.children[1].click()
    assert tab._form.settings.normalization == "percentile_99"
    assert "normalization" not in ids(tab)


def test_advice_that_is_looked_for_on_several_threads_at_once_is_shown_once_and_whole(tab, monkeypatch):
    review, together = _advice_panel.review_settings, threading.Barrier(2)

    def slowly(*settings, **more):
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.5)  # both would be here at once, were they let in together
        return review(*settings, **more)

    monkeypatch.setattr(_advice_panel, "review_settings", slowly)
    tab._form._settings = tab._form.settings.model_copy(update={"flip": True})
    threads = [threading.Thread(target=tab.advice.refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert together.broken, "one after the other"
    assert len(tab.advice._lines.children) == len(tab.advice.found)


def test_advice_that_is_closed_hears_of_tiles_no_more(tab):
    heard = []
    end = tab._form.facts.on_tiles(heard.append)
    tab.advice.close()
    assert tab._form.facts._tiles_callbacks == [heard.append]
    end()
    assert tab._form.facts._tiles_callbacks == []
