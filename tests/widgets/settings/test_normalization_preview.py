"""The preview shows what training would make of the pixels, and nothing else."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.images import STRATEGIES, Normalization, Region
from histowidgets.widgets.settings._normalization_fold import NormalizationFold, normalization_of
from histowidgets.widgets.settings._normalization_preview import NormalizationPreview


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
    kept = preview._fitted
    preview.show(Normalization("z_score"))
    assert preview.idle.wait(10)
    assert preview._fitted is kept
    assert "measured on 6,300 pixels (uint16), sampled from all images" in preview._html.value
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


def test_r50_chosen_channels_are_previewed_in_their_order_as_they_are_trained_on():
    rng = np.random.default_rng(0)
    project = hw.Project(["A", "B"])
    pixels = np.stack([rng.integers(low, low + 100, (40, 50)) for low in (100, 1000, 2000, 3000)], -1).astype(np.uint16)
    names = ["DAPI", "CD3", "CD8", "PanCK"]
    project.add_image(hw.open_image(pixels, name="one", channel_names=names))
    project.add_image(hw.open_image(pixels[..., ::-1], name="turned", channel_names=names[::-1]))
    form = hw.SettingsForm(hw.TrainingSettings(channels=["CD8", "DAPI"]))
    fold = NormalizationFold(project, form, lambda: ("turned", Region(0, 0, 50, 40)), lambda text: None)
    fold.unfolded = True
    assert fold.preview.idle.wait(10)
    shown = fold.preview.shown
    assert shown.channel_names == ("CD8", "DAPI")
    assert (shown.before == pixels[..., [2, 0]]).all()
    form.patch({"channels": ["CD3", "no such channel"]})
    project.annotate("one", hw.Rectangle(1, 1, 5, 5), "A")
    fold.refresh()
    assert fold.preview.idle.wait(10)
    assert "no such channel" in fold.preview._html.value
    fold.close()
    form.close()


def test_r49_a_matched_stain_is_in_the_picture_and_in_what_is_said_to_be_cut_off():
    tissue = hw.samples.colon_ihc()
    pixels = tissue.read(0, 0, 256, 256)
    pale = (255 - (255 - pixels.astype(float)) * 0.4).astype(np.uint8)
    project = hw.Project(["A", "B"])
    project.add_image(hw.open_image(pixels, name="one"))
    project.add_image(hw.open_image(pale, name="pale"), role="validation")
    wanted = Normalization(match_stain=True)
    preview = NormalizationPreview(project, lambda: ("pale", Region(0, 0, 128, 128)))
    preview.show(wanted)
    assert preview.idle.wait(20)
    own = wanted.fitted([project.image("one")]).of_image(project.image("pale"))
    assert own.own is not None
    assert (preview.shown.after == own.apply(pale[:128, :128])).all()
    assert preview.shown.normalization == own
    low, high = own.ranges(3)[0]
    red = own.matched(pale[:128, :128])[..., 0]
    assert f"{100 * np.mean((red < low) | (red > high)):.1f} %" in preview._html.value
    assert "stain is matched" in preview._html.value
    preview.close()
