"""Comparisons and cross-validation in the widgets."""

import math

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import WidgetError
from histowidgets.training import CrossValidation, TrainingSettings, replay
from histowidgets.widgets.monitor import CrossValidationChart, cross_validation_html
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._trials_panel import TrialsPanel


def record(iou, epoch=1):
    known = [value for value in iou.values() if value is not None]
    miou = float(np.mean(known)) if known else None
    return {
        "epoch": epoch,
        "train_loss": 0.5,
        "val_loss": 0.6,
        "train_miou": 0.9,
        "val_miou": miou,
        "val_iou": iou,
        "val_accuracy": 0.9,
        "learning_rate": 1e-3,
        "seconds": 1.0,
    }


def folds(*ious):
    from histowidgets.training.evaluation._cross_validation import Fold

    return CrossValidation(("<b>A</b>", "B", "C"), tuple(Fold({}, record(iou)) for iou in ious), 5)


def test_r64_the_chart_has_a_dot_a_fold_a_mean_and_a_bar_of_one_deviation():
    result = folds({"<b>A</b>": 0.4, "B": 0.9, "C": None}, {"<b>A</b>": 0.6, "B": 0.9, "C": None})
    html = cross_validation_html(result)
    assert html.count('class="hw-fold-dot"') == 2 * 2 + 2
    assert html.count('class="hw-mean"') == 3
    sd = math.sqrt(0.02)
    low, high = (104 + value * (340 - 104 - 14) for value in (0.5 - sd, 0.5 + sd))
    assert f"M{low:.1f} 15.0H{high:.1f}" in html
    assert "0.50 ± 0.14" in html
    assert "no labels" in html
    assert "<b>A" not in html
    assert "2 of 5 folds" in html
    chart = CrossValidationChart(result)
    assert chart.result is result
    chart.close()


def test_one_fold_has_no_bar_and_none_is_refused():
    html = cross_validation_html(folds({"<b>A</b>": 0.4, "B": 0.9, "C": 0.1}))
    assert "hw-sd" not in html
    with pytest.raises(WidgetError, match="no finished fold"):
        CrossValidationChart(folds())


@pytest.fixture
def project():
    pixels = np.zeros((192, 256, 3), np.uint8)
    pixels[:, 128:] = 180
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(pixels)
    for y in range(16, 190, 20):
        project.annotate(name, hw.Stroke([(8, y), (110, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(146, y), (248, y)], width=6), "Bright")
    return project


@pytest.fixture
def settings():
    return TrainingSettings(
        tile_size=64,
        downsample=1,
        batch_size=2,
        epochs=1,
        max_seconds=None,
        steps_per_epoch=1,
        pretrained=False,
        backbone="mobilenetv3-small",
        ema_decay=0.0,
        consistency=0.0,
    )


def test_r59_the_runs_so_far_stand_side_by_side(project, settings):
    runs = [
        replay([record({"Dark": 0.5, "Bright": 0.7})], settings),
        replay([record({"Dark": 0.8, "Bright": 0.9})], settings.model_copy(update={"tile_size": 128})),
    ]
    state = StudioState(project)
    panel = TrialsPanel(state, SettingsForm(settings))
    panel.start("runs")
    assert panel.wait(30)
    assert "press Train first" in panel._status.value
    state.runs = runs
    panel.start("runs")
    assert panel.wait(30)
    for words in ("run 1", "run 2", "tile_size", "0.850"):
        assert words in panel._result.value
    panel.close()


@pytest.mark.slow
def test_r64_folds_are_trained_from_the_panel_and_can_be_stopped(project, settings):
    panel = TrialsPanel(StudioState(project), SettingsForm(settings))
    panel.start("folds")
    assert panel._start.disabled
    assert panel.wait(300)
    assert "5 of 5 folds" in panel._result.value
    panel._result.value = ""
    panel.start("folds")
    panel._end.click()
    assert panel.wait(120)
    assert not panel._start.disabled
    assert "Nothing to compare" in panel._status.value or "Stopped" in panel._status.value
    panel.close()
