"""A whole slide is predicted from the studio: progress, stop, go on, files."""

import json

import pytest

from tests.browser.studio_hand import StudioHand

# Blobs of dark on light, so that every slide has them somewhere in view.
CELL = """
import numpy as np
import histowidgets as hw
from histowidgets.images import Region
image = hw.open_image({path!r})
studio = hw.Studio(image, classes=["Tissue", "Glass"], folder={folder!r})
overview = image.read(0, 0, image.width, image.height, 16).mean(-1)
order = np.argsort(overview.ravel())
for share, name in ((0.02, "Tissue"), (0.10, "Tissue"), (0.2, "Tissue"), (0.97, "Glass"), (0.99, "Glass")):
    row, col = divmod(int(order[int(share * order.size)]), overview.shape[1])
    x, y = min(col * 16, image.width - 60), min(row * 16, image.height - 10)
    studio.project.annotate(studio.project.image_names[0], hw.Stroke([(x, y), (x + 40, y)], width=10), name)
studio
"""


@pytest.fixture
def hand(open_notebook, shared_data, tmp_path):
    path = str(shared_data / "slide" / "colon_20x.svs")
    notebook = open_notebook([CELL.format(path=path, folder=str(tmp_path / "project"))], width=1600, height=1000)
    notebook.run_all()
    return StudioHand(notebook)


@pytest.mark.slow
def test_a_slide_is_predicted_stopped_gone_on_with_and_taken_away(hand, tmp_path):
    notebook, page = hand.notebook, hand.page
    hand.wait_for_caption("quick", seconds=240)
    hand.open_tab("Results")
    notebook.screenshot("predict-0-before")
    hand.press("Predict")
    status = page.locator(".hw-predict .hw-said-here")
    status.filter(has_text="left").wait_for(timeout=120_000)
    notebook.screenshot("predict-1-running")
    hand.press("Stop")
    notebook.wait_for_value("studio._predict.active", False, seconds=120)
    assert "was stopped after" in status.inner_text()
    assert page.locator(".hw-predict button:visible", has_text="Predict").first.is_enabled()
    hand.press("Predict")
    hand.wait_for_notice("Predicted colon_20x in", "good", seconds=300)
    notebook.wait_for("() => document.querySelector('.hw-table caption').textContent.includes('whole image')")
    notebook.screenshot("predict-2-done")
    assert notebook.value("studio.prediction.complete")
    assert notebook.value("studio.prediction.region == image.region")
    # What is drawn is the prediction of all of the slide, at any zoom: its corners are coloured too.
    thirds = "[[int((i + 0.5) * side / 3) for i in range(3)] for side in (image.height, image.width)]"
    drawn = notebook.value(f"studio.prediction.labels_on(*map(__import__('numpy').array, {thirds})).tolist()")
    assert all(label in (0, 1) for row in drawn for label in row)
    for button, wanted in (
        ("Objects (GeoJSON)", "_prediction.geojson"),
        ("Objects (CSV)", "_objects.csv"),
        ("Labels (OME-TIFF)", "_labels.ome.tif"),
        ("Measurements (CSV)", "_measurements.csv"),
    ):
        hand.save(button)
        hand.wait_for_notice(f"Saved .*{wanted}", "good", seconds=120)
    features = json.loads((tmp_path / "project" / "colon_20x_prediction.geojson").read_text())["features"]
    assert {feature["properties"]["classification"]["name"] for feature in features} == {"Tissue", "Glass"}
    page.locator(".hw-fold", has_text="How to predict").click()
    page.locator(".hw-fold", has_text="Objects and tissue").click()
    notebook.screenshot("predict-3-options")
    # A stroke brings the live prediction back.
    hand.pick_class("Tissue")
    hand.paint([(1000, 1000), (1060, 1040)])
    hand.wait_for_caption("^Prediction: quick", seconds=60)
    notebook.wait_for(
        "() => !document.querySelector('.hw-table caption').textContent.includes('whole image')", seconds=60
    )
    notebook.execute("studio.close()")
