"""Nuclei are split and counted on the page: the switch, the two sliders, outlines on the picture, and the table."""

import re

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
image = hw.open_image({path!r}, pixel_size_um=0.5)
studio = hw.Studio(image, classes=["Background", "Negative", "Positive"], folder={folder!r})
for name, x, y in {dots!r}:
    studio.project.annotate(studio.project.image_names[0], hw.Stroke([(x, y), (x + 1, y)], width=5), name)
studio
"""


def dots_inside(mask, classes, each=12):
    """Return points well inside the areas of each class."""
    rng, found = np.random.default_rng(0), []
    for index, name in enumerate(classes):
        rows, columns = np.nonzero(ndimage.distance_transform_edt(mask == index) > 4)
        for i in rng.choice(len(rows), each, replace=False):
            found.append((name, int(columns[i]), int(rows[i])))
    return found


@pytest.fixture
def hand(open_notebook, shared_data, tmp_path):
    folder = shared_data / "tissue" / "ki67"
    path = sorted((folder / "images").glob("*.png"))[0]
    mask = np.array(Image.open(folder / "masks" / path.name))
    dots = dots_inside(mask, ["Background", "Negative", "Positive"])
    cell = CELL.format(path=str(path), folder=str(tmp_path / "project"), dots=dots)
    notebook = open_notebook([cell], width=1600, height=1100)
    notebook.run_all()
    return StudioHand(notebook)


def slide_to_end(page, label, key):
    handle = page.locator(".hw-objects .widget-slider", has_text=label).locator(".noUi-handle")
    handle.focus()
    handle.press(key)


def count_of(hand, name):
    text = hand.page.locator(".hw-objects .hw-table tr", has_text=name).locator("td").first.inner_text()
    return int(text.replace(",", ""))


@pytest.mark.slow
def test_x6_nuclei_are_split_and_counted(hand):
    notebook, page = hand.notebook, hand.page
    hand.wait_for_caption("quick", seconds=120)
    hand.open_tab("Results")
    panel = page.locator(".hw-objects")
    assert not panel.locator(".hw-table").is_visible()
    panel.get_by_text("Count and outline objects").click()
    panel.locator(".hw-table").wait_for(timeout=60_000)
    whole = count_of(hand, "Negative")
    before = notebook.value("studio._results.objects.worker.idle.wait(30)")
    assert before
    panel.get_by_text("Split touching objects").click()
    notebook.wait_for(
        "(n) => Number([...document.querySelectorAll('.hw-objects .hw-table tr')]"
        ".find((row) => row.textContent.startsWith('Negative'))?.querySelector('td').textContent) > n",
        whole,
        seconds=60,
    )
    split = count_of(hand, "Negative")
    hand.wait_until_settled()
    panel.scroll_into_view_if_needed()
    notebook.screenshot("objects-1-split")
    assert re.search(r"[\d.]+ % positive, 95 % interval [\d.]+ to [\d.]+ % \(\d+ of \d+\)", panel.inner_text())
    assert "per mm²" in panel.inner_text()
    assert "Background" not in panel.locator(".hw-table").inner_text()
    slide_to_end(page, "Depth", "End")  # the deepest: hardly anything is split
    notebook.wait_for_value("studio._results.fields.depth.value", 5.0)
    assert notebook.value("studio._results.objects.worker.idle.wait(30)")
    notebook.wait_for(
        "(n) => Number([...document.querySelectorAll('.hw-objects .hw-table tr')]"
        ".find((row) => row.textContent.startsWith('Negative'))?.querySelector('td').textContent) < n",
        split,
        seconds=60,
    )
    slide_to_end(page, "Depth", "Home")
    slide_to_end(page, "Smallest", "End")
    notebook.wait_for_value("studio._results.fields.least.value", 200.0)
    notebook.wait_for_value("studio._results.objects.worker.idle.wait(30)", True)
    assert notebook.value("studio._results.fields.objects['min_area_um2']") == 200.0
    hand.wait_until_settled()
    notebook.screenshot("objects-2-large-only")
    panel.get_by_text("Count and outline objects").click()
    panel.locator(".hw-table").wait_for(state="hidden", timeout=20_000)
    notebook.execute("studio.close()")
