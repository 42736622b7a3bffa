"""Two people label the same tiles in one studio, without seeing each other's labels."""

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma"], annotator="Anna", fresh=True)
name = studio.project.image_names[0]
studio.project.annotate(name, hw.Rectangle(100, 100, 120, 120), "Stroma")
studio
"""


def test_x12_two_people_label_tiles_blind(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1250)
    notebook.run_all()
    hand, page = StudioHand(notebook), notebook.page
    hand.open_tab("Project")
    page.get_by_label("Your name").fill("Ben")
    notebook.wait_for_value("studio.project.annotator", "Ben")
    painted = hand.picture_at((160, 160))
    page.get_by_text("Hide others' annotations").click()
    notebook.wait_for_value("studio.canvas.others_hidden", True)
    hand.wait_until_settled()
    assert hand.picture_at((160, 160)) != painted, "Anna's rectangle is no longer on the picture"
    panel = page.locator(".hw-agreement")
    panel.get_by_label("Tiles").fill("4")
    panel.get_by_label("Tiles").press("Enter")
    panel.get_by_role("button", name="Draw tiles").click()
    panel.get_by_text("0 of 4 tiles labelled by Ben.").wait_for(timeout=20_000)
    panel.get_by_role("button", name="Next").click()
    panel.get_by_text("Tile 1 of 4").wait_for(timeout=20_000)
    hand.wait_until_settled()
    panel.scroll_into_view_if_needed()
    notebook.screenshot("annotators-tile")
    # A stroke in the tile counts it as done.
    x, y, width, height = notebook.value("list(studio._tiles.shown)")
    notebook.execute("studio.canvas.tool = 'brush'; studio.canvas.class_name = 'Stroma'")
    hand.paint([(x + width / 3, y + height / 2), (x + 2 * width / 3, y + height / 2)])
    panel.get_by_text("1 of 4 tiles labelled by Ben.").wait_for(timeout=20_000)
    # The eraser leaves Anna's rectangle alone.
    notebook.execute("studio.canvas.fit(); studio.canvas.tool = 'eraser'; studio.canvas.brush_width = 40")
    hand.wait_until_settled()
    hand.paint([(120, 160), (200, 160)])
    notebook.execute("studio.canvas.others_hidden = False")
    hand.wait_until_settled()
    notebook.screenshot("annotators-shown")
    assert notebook.value("int(studio.project.label_map(name)[160, 160])") == 1
    assert notebook.value("[one.annotator for one in studio.project.annotations(name)]") == ["Anna", "Ben"]
    notebook.execute("studio.close()")
