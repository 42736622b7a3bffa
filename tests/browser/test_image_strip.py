"""The strip of images under a real hand: pointer, keys, menus, files, and what is made for whom."""

import pytest

from tests.browser.studio_hand import StudioHand

CELL = """
import numpy as np
import histowidgets as hw
rng = np.random.default_rng(0)
colon = hw.samples.colon_ihc().read(0, 0, 256, 256)
images = [hw.open_image(colon, name="colon"), hw.open_image(255 - colon, name="inverse"),
          hw.open_image(colon[:128], name="half")]
if "studio" in globals():
    studio.close()
studio = hw.Studio(images, classes=["Epithelium", "Stroma"], fresh=True)
studio
"""
MANY = """
import numpy as np
import histowidgets as hw
from histowidgets.widgets import ImageStrip
project = hw.Project(["A", "B"])
for number in range(200):
    project.add_image(np.full((40, 60, 3), number, np.uint8), name=f"slide {number:03d}")
strip = ImageStrip(project)
strip
"""


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook([CELL])
    notebook.run_all()
    return StudioHand(notebook)


def _shown(hand):
    return hand.page.locator(".hw-strip-image[aria-current='true'] .hw-strip-name").all_inner_texts()


def _wait_for_pictures(notebook, number):
    notebook.wait_for(
        "(n) => [...document.querySelectorAll('.hw-strip-picture')]"
        ".filter((p) => p.style.backgroundImage.startsWith('url')).length >= n",
        number,
    )


def test_images_are_shown_by_click_and_by_keys(hand):
    notebook, page = hand.notebook, hand.page
    _wait_for_pictures(notebook, 3)
    assert _shown(hand) == ["colon"]
    page.locator(".hw-strip-image", has_text="inverse").click()
    notebook.wait_for_value("studio.canvas.image_name", "inverse")
    notebook.wait_for("() => document.querySelector('[data-name=inverse] [aria-current]')")
    page.keyboard.press("ArrowRight")
    assert notebook.value("studio.canvas.image_name") == "inverse", "arrows only move"
    page.keyboard.press("Enter")
    notebook.wait_for_value("studio.canvas.image_name", "half")
    # Painting counts, on the image that is shown.
    hand.paint([(30, 30), (90, 60)])
    notebook.wait_for("() => document.querySelector('[data-name=half] .hw-strip-count').textContent === '1'")
    notebook.screenshot("strip-1")


def test_a_role_is_set_and_an_image_is_removed_and_brought_back(hand):
    notebook, page = hand.notebook, hand.page
    tile = page.locator(".hw-strip-tile[data-name=inverse]")
    tile.hover()
    tile.locator(".hw-strip-more").click()
    notebook.screenshot("strip-2-menu")
    page.get_by_role("button", name="Validation only").click()
    notebook.wait_for_value("studio.project.role('inverse')", "validation")
    notebook.wait_for("() => document.querySelector('[data-name=inverse] .hw-strip-role').textContent === 'val'")
    # The image that is shown is removed with the keyboard alone: asked once, and another one is shown.
    page.locator(".hw-strip-image", has_text="colon").click()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Remove from the project…").press("Enter")
    assert notebook.value("studio.project.image_names") == ["colon", "inverse", "half"], "it asks first"
    page.get_by_role("button", name="Remove", exact=True).press("Enter")
    notebook.wait_for_value("studio.project.image_names", ["inverse", "half"])
    notebook.wait_for_value("studio.canvas.image_name", "inverse")
    page.locator(".hw-pointer").first.focus()
    page.keyboard.press("z")
    notebook.wait_for_value("studio.project.image_names", ["colon", "inverse", "half"])
    notebook.wait_for("() => document.querySelectorAll('.hw-strip-tile').length === 3")


def test_a_file_comes_by_its_path_and_from_the_page(hand, tmp_path):
    import numpy as np
    from PIL import Image

    notebook, page = hand.notebook, hand.page
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)).save(tmp_path / "by path.png")
    Image.fromarray(rng.integers(0, 255, (1000, 900, 3), np.uint8)).save(tmp_path / "sent.png")  # two pieces
    page.get_by_role("button", name="+ Image").click()
    field = page.get_by_label("Path of an image file")
    field.fill(f"{tmp_path}/by")
    notebook.wait_for("() => document.querySelector('.hw-strip-add datalist option')?.value.endsWith('by path.png')")
    field.fill(f"{tmp_path}/nothing.png")
    field.press("Enter")
    notebook.wait_for("() => document.querySelector('.hw-strip-add .hw-strip-said').textContent.includes('nothing')")
    field.fill(f"{tmp_path}/by path.png")
    notebook.screenshot("strip-3-add")
    field.press("Enter")
    notebook.wait_for_value("studio.canvas.image_name", "by path")
    page.get_by_role("button", name="+ Image").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload…").click()
    chooser.value.set_files(str(tmp_path / "sent.png"))
    notebook.wait_for_value("studio.canvas.image_name", "sent")
    assert notebook.value("studio.project.image('sent').width") == 900
    _wait_for_pictures(notebook, 5)


def test_of_two_hundred_images_only_those_in_sight_are_made(open_notebook):
    notebook = open_notebook([MANY], width=900)
    notebook.run_all()
    notebook.wait_for("() => document.querySelectorAll('.hw-strip-tile').length === 200")
    _wait_for_pictures(notebook, 6)
    notebook.wait_for_value("strip._thumbnails.idle.is_set()", True)
    made = notebook.value("strip._thumbnails.made")
    assert len(made) < 30
    assert "slide 150" not in made
    # The strip goes to what is shown, and its neighbours are made.
    notebook.execute("strip.shown = 'slide 150'")
    notebook.wait_for(
        "() => document.querySelector(\"[data-name='slide 150'] .hw-strip-picture\").style.backgroundImage !== ''"
    )
    page_width = notebook.page.evaluate("() => document.querySelector('.hw-strip').scrollWidth")
    assert page_width <= 900, "it scrolls within itself"
    assert notebook.value("len(strip._thumbnails.made)") < 60
    notebook.screenshot("strip-4-many")
    # A second look, as after a reload, is answered from what is kept.
    notebook.reload()
    _wait_for_pictures(notebook, 6)
    assert notebook.page.locator("[data-name='slide 150'] [aria-current='true']").count() == 1
    notebook.execute("strip.close()")
