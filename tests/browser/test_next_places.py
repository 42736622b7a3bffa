"""Where to paint next, by hand: a click shows the place, the next one another; a stroke there answers it."""

from tests.browser.layout_check import LayoutCheck
from tests.browser.studio_hand import STROKES, StudioHand

CELL = f"""
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
name = studio.project.image_names[0]
for class_name, lines in {STROKES!r}.items():
    for points in lines[:2 if class_name == "Lumen" else 3]:
        studio.project.annotate(name, hw.Stroke(points, width=10), class_name)
studio
"""


def test_r51_show_me_where_marks_the_place_picks_the_class_and_goes_on_to_the_next(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=890)
    notebook.run_all()
    hand = StudioHand(notebook)
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    hand.wait_for_next("Lumen needs 13 more strokes, best where it meets")
    layout = LayoutCheck(notebook.page)
    assert layout.problems() == []
    hand.press("Show me where")
    notebook.wait_for_value("studio.canvas.class_name", "Lumen")
    mark = notebook.page.locator(".hw-mark")
    mark.wait_for()
    box, stage = mark.bounding_box(), notebook.page.locator(".hw-stage").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert stage["x"] < middle[0] < stage["x"] + stage["width"]
    assert stage["y"] < middle[1] < stage["y"] + stage["height"]
    assert notebook.value("studio.canvas.view.zoom") <= 2
    notebook.screenshot("next-1-class")
    assert layout.problems() == []

    # Again means the next one: where a stroke of any class teaches most.
    hand.press("Next place")
    hand.wait_for_next("paint over what is predicted wrong", seconds=60)
    first = notebook.value("list(studio._next.places.current.region)")
    notebook.page.locator(".hw-next-button", has_text="Next place (1 of 8)").press("Enter")
    notebook.page.locator(".hw-next-button", has_text="Next place (2 of 8)").wait_for()
    assert notebook.value("list(studio._next.places.current.region)") != first
    notebook.screenshot("next-2-place")
    assert layout.problems() == []

    # A stroke there answers it.
    at = notebook.value("[studio.canvas.view.x, studio.canvas.view.y]")
    hand.pick_class("Lumen")
    hand.paint([(at[0] - 10, at[1]), (at[0] + 10, at[1])])
    mark.wait_for(state="hidden")
    hand.wait_for_next("needs 12 more strokes")
    notebook.execute("studio.close()")
