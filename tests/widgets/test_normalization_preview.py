"""The preview shows what training would make of the pixels, and nothing else."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.images import STRATEGIES, Normalization, Region
from histowidgets.widgets._normalization_fold import NormalizationFold, normalization_of
from histowidgets.widgets._normalization_preview import NormalizationPreview


@pytest.fixture
def project():
    rng = np.random.default_rng(0)
    project = hw.Project(["A", "B"])
    for number, name in enumerate(("one", "other")):
        pixels = rng.integers(200, 900 + 2000 * number, (70, 90, 4)).astype(np.uint16)
        project.add_image(pixels, name=name, role="both" if number == 0 else "validation")
    return project


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_r50_the_preview_is_what_training_gets_bit_for_bit(project, strategy):
    preview = NormalizationPreview(project, lambda: ("other", Region(10, 10, 40, 30)))
    fixed = {"low": 0.0, "high": 4095.0} if strategy == "fixed_range" else {}
    wanted = Normalization(strategy, **fixed)
    preview.show(wanted)
    assert preview.idle.wait(10)
    trained_on = wanted.fitted([project.image("one")])
    expected = trained_on.apply(project.image("other").read(10, 10, 40, 30))
    assert preview.shown.after.dtype == np.float32
    assert (preview.shown.after == expected).all()
    text = preview._html.value
    assert text.count("<tr>") == 5, "a row a channel, the first is the head"
    if strategy == "min_max":
        low = trained_on.statistics.channels[0].minimum
        assert f"{low:,.4g}" in text
    preview.close()


def test_the_statistics_are_measured_once_and_an_error_is_said(project):
    logged = []
    preview = NormalizationPreview(project, log=logged.append)
    preview.show(Normalization("min_max"))
    assert preview.idle.wait(10)
    kept = preview._statistics
    preview.show(Normalization("z_score"))
    assert preview.idle.wait(10)
    assert preview._statistics is kept
    assert "measured on 6,300 pixels (uint16), drawn by seed from all over the images" in preview._html.value
    project.add_image(np.zeros((20, 20, 1), np.uint8), name="<b>gray</b>")
    preview.show(Normalization("z_score"))
    assert preview.idle.wait(10)
    assert "No preview" in preview._html.value
    assert "<b>gray" not in preview._html.value
    assert logged == []
    preview.close()


def test_the_fold_follows_the_form_only_while_it_is_unfolded(project):
    form = hw.SettingsForm(hw.TrainingSettings())
    fold = NormalizationFold(project, form, lambda: ("one", Region(0, 0, 90, 70)), lambda text: None)
    form.patch({"normalization": "min_max"})
    assert fold.preview.idle.wait(10)
    assert fold.preview.shown is None
    fold.unfolded = True
    assert fold.preview.idle.wait(10)
    assert fold.preview.shown.normalization.strategy == "min_max"
    form.patch({"normalization": "fixed_range", "normalization_low": 0.0, "normalization_high": 4095.0})
    assert fold.preview.idle.wait(10)
    assert fold.preview.shown.normalization == normalization_of(form.settings)
    fold.close()
    form.close()
