"""A recommendation in the widgets: reasons, an image type that can be overruled, one click each way."""

import re

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.training import TrainingSettings
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._tab import SettingsTab


@pytest.fixture
def tab():
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(hw.samples.colon_ihc(), name="<b>colon</b>")
    for y in (40, 120, 300):
        project.annotate(name, hw.Stroke([(20, y), (60, y)], width=8), "Dark")
        project.annotate(name, hw.Stroke([(300, y), (340, y)], width=8), "Bright")
    tab = SettingsTab(
        project, SettingsForm(TrainingSettings(learning_rate=0.1, tile_size=64), project), lambda: (name, None)
    )
    yield tab
    tab.close()


def settle(tab):
    assert tab.recommend.idle.wait(60)
    return tab.recommend


def test_r65_the_reasons_are_shown_and_one_click_applies_and_one_undoes(tab):
    panel, form = tab.recommend, tab._form
    before = form.settings
    panel._ask_button.click()
    settle(tab)
    words = panel._words.value
    for reason in panel.recommendation.reasons:
        assert reason.replace("&", "&amp;") in words.replace("&#x27;", "'")
    assert "on a CPU" in words
    assert not re.search(r"\b[RNB]\d+\b", words), "a reason, and no number of a rule"
    panel._apply_button.click()
    assert form.settings == panel.recommendation.settings
    assert panel._apply_button.disabled
    panel._undo_button.click()
    assert form.settings == before
    panel._apply_button.click()
    assert form.settings == panel.recommendation.settings


def test_the_type_told_from_the_pixels_can_be_overruled(tab):
    panel = tab.recommend
    panel.ask()
    settle(tab)
    assert "The pixels suggest other brightfield" in panel._words.value
    panel._type.value = "fluorescence"
    settle(tab)
    assert "You chose the type of the images" in panel._words.value
    assert panel.recommendation.settings.stain_jitter == 0.0, "no stain of brightfield is varied then (R7)"


def test_a_preset_chosen_meanwhile_ends_the_offer_to_undo(tab):
    panel, form = tab.recommend, tab._form
    panel.ask()
    settle(tab)
    panel.apply()
    form.set_settings(TrainingSettings.preset("large"))
    assert panel._undo_button.disabled
    panel.undo()
    assert form.settings == TrainingSettings.preset("large")


def test_without_labels_there_is_a_recommendation_all_the_same():
    project = hw.Project(["A", "B"])
    name = project.add_image(np.full((80, 80, 5), 3, np.uint16))
    tab = SettingsTab(project, SettingsForm(project=project), lambda: (name, None))
    tab.recommend.ask()
    settle(tab)
    assert "0 tiles of fluorescence" in tab.recommend._words.value
    assert tab.recommend.recommendation.settings.normalization_per_channel
    tab.close()
