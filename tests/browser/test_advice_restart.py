"""Advice that changes the next run: a real run goes wrong, its diagnosis is clicked, the next run is another one."""

import pytest

from tests.browser.studio_hand import StudioHand

# A rate far too high, on an image of 128 pixels: an epoch takes a fraction of a second.
CELL = """
import numpy as np, histowidgets as hw
rng = np.random.default_rng(0)
pixels = rng.integers(60, 110, (128, 128, 3)).astype(np.uint8)
pixels[:, 64:] += 60
settings = hw.TrainingSettings(
    tile_size=64, downsample=1, batch_size=2, epochs=400, max_seconds=None, steps_per_epoch=3, scheduler="none",
    learning_rate=0.5, ema_decay=0.0, early_stopping_metric="none", consistency=0.0, backbone="mobilenetv3-small",
)
studio = hw.Studio(pixels, classes=["Dark", "Bright"], settings=settings, fresh=True)
name = studio.project.image_names[0]
for y in (16, 40, 64, 88, 112):
    studio.project.annotate(name, hw.Stroke([(6, y), (52, y)], width=6), "Dark")
    studio.project.annotate(name, hw.Stroke([(76, y), (122, y)], width=6), "Bright")
studio
"""


@pytest.mark.slow
def test_r29_r65_a_diagnosis_of_a_real_run_is_clicked_and_the_next_run_starts_with_the_changed_setting(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1000)
    notebook.run_all()
    hand = StudioHand(notebook)
    hand.press("Train")
    button = notebook.page.locator(".hw-next button:visible", has_text="Lower the learning rate")
    button.first.wait_for(timeout=120_000)
    notebook.screenshot("advice-1-found")
    words = button.first.inner_text()
    assert words.endswith("and restart")
    first = notebook.value("studio.run.id")
    notebook.execute("first = studio.run")
    button.first.click()
    notebook.wait_for_value(f"studio.run.id != {first!r}", True, seconds=60)
    notebook.wait_for_value("first.is_over", True)
    rate = notebook.value("studio.run.settings.learning_rate")
    assert rate < 0.5
    assert notebook.value("studio.form.settings.learning_rate") == rate
    assert notebook.value("studio.run.split.held_out == first.split.held_out"), "compared on the same strokes"
    notebook.screenshot("advice-2-restarted")

    # Undo takes the change of settings back; the run that is on goes on.
    notebook.page.locator(".hw-next button:visible", has_text="Undo").click()
    notebook.wait_for_value("studio.form.settings.learning_rate", 0.5)
    notebook.page.locator(".hw-next button:visible", has_text="Undo").wait_for(state="hidden")
    notebook.execute("studio.close()")


# Noise with labels by chance: nothing to learn but by heart, with all of a network and nothing varied.
OVERFIT = """
import numpy as np, histowidgets as hw
rng = np.random.default_rng(0)
pixels = rng.integers(60, 180, (128, 128, 3)).astype(np.uint8)
settings = hw.TrainingSettings(
    tile_size=64, downsample=1, batch_size=4, epochs=400, max_seconds=None, steps_per_epoch=4, scheduler="none",
    learning_rate=1e-3, ema_decay=0.0, early_stopping_metric="none", consistency=0.0, backbone="mobilenetv3-small",
    freeze="none", augmentation=False,
)
studio = hw.Studio(pixels, classes=["Dark", "Bright"], settings=settings, fresh=True)
name = studio.project.image_names[0]
for y in (16, 40, 64, 88, 112):
    for x in (6, 36, 68, 98):
        studio.project.annotate(name, hw.Stroke([(x, y), (x + 24, y)], width=6), str(rng.choice(["Dark", "Bright"])))
studio
"""


def beneath_the_tabs(notebook):
    """How far the charts lie beneath the tabs, however the side is scrolled."""
    chart, tabs = (notebook.page.locator(one).bounding_box()["y"] for one in (".hw-monitor-stage", ".hw-tabs"))
    return chart - tabs


@pytest.mark.slow
def test_r28_r37_r65_a_run_made_to_overfit_is_told_so_and_the_next_one_learns_less_freely(open_notebook):
    notebook = open_notebook([OVERFIT], width=1600, height=890)
    notebook.run_all()
    hand = StudioHand(notebook)
    hand.press("Train")
    line = notebook.page.locator(".hw-next")
    line.filter(has_text="by heart").or_(line.filter(has_text="Stop?")).first.wait_for(timeout=180_000)
    chart = beneath_the_tabs(notebook)
    notebook.screenshot("overfit-1-found")
    line.locator(".hw-next-info").click()
    restart = notebook.page.locator(".hw-next button:visible", has_text="Freeze the early layers")
    assert restart.first.inner_text().endswith("and restart")
    notebook.execute("first = studio.run")
    restart.first.click()
    notebook.wait_for_value("studio.run is not first", True, seconds=60)
    notebook.wait_for_value("[studio.run.settings.freeze, studio.form.settings.freeze]", ["early", "early"])
    assert notebook.value("first.settings.freeze") == "none"
    assert beneath_the_tabs(notebook) == chart, "the chart stands where it stood"
    notebook.wait_for_value("len(studio.run.history) > 1", True, seconds=60)
    notebook.screenshot("overfit-2-restarted")
    notebook.execute("studio.close()")
