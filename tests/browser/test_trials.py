"""Runs side by side and a cross-validation chart, on the page of the studio."""

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np, histowidgets as hw
from histowidgets.training import CrossValidation
pixels = np.zeros((320, 192, 3), np.uint8)
pixels[:, 96:] = 180
settings = hw.TrainingSettings(
    tile_size=64, downsample=1, batch_size=2, epochs=1, max_seconds=None, steps_per_epoch=1, pretrained=False,
    backbone="mobilenetv3-small", ema_decay=0.0, consistency=0.0,
)
studio = hw.Studio(pixels, classes=["Dark", "Bright"], settings=settings, fresh=True)
name = studio.project.image_names[0]
for y in range(16, 310, 20):
    studio.project.annotate(name, hw.Stroke([(8, y), (80, y)], width=6), "Dark")
    studio.project.annotate(name, hw.Stroke([(112, y), (184, y)], width=6), "Bright")
studio
"""


@pytest.mark.slow
def test_r59_r64_folds_are_trained_and_drawn_with_their_bars(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1250)
    notebook.run_all()
    hand = StudioHand(notebook)
    page = notebook.page
    hand.open_tab("Results")
    page.get_by_role("button", name="Compare and cross-validate").press("Enter")
    page.get_by_label("Try").select_option("5 folds of these settings")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator(".hw-folds svg").wait_for(timeout=150_000)
    page.locator(".hw-trials-box").scroll_into_view_if_needed()
    notebook.screenshot("trials")
    dots = notebook.value("studio._trials._result.value.count('hw-fold-dot')")
    assert dots >= 10
    assert page.locator(".hw-folds .hw-fold-dot").count() == dots
    assert page.locator(".hw-trials-box tbody tr").count() == 3
    notebook.execute("studio.close()")
