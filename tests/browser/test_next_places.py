"""Where to paint next, by hand: a click shows the place, a stroke there makes the next click another one."""

from tests.browser.studio_hand import STROKES, StudioHand

CELL = f"""
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], fresh=True)
name = studio.project.image_names[0]
for class_name, lines in {STROKES!r}.items():
    for points in lines[:2]:
        studio.project.annotate(name, hw.Stroke(points, width=10), class_name)
studio
"""


def test_r51_a_click_goes_where_a_stroke_teaches_most_and_says_why(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=890)
    notebook.run_all()
    hand = StudioHand(notebook)
    notebook.wait_for_value("studio.classifier is not None", True, seconds=90)
    tabs = notebook.page.locator(".hw-tabs").bounding_box()
    whole = notebook.value("list(studio.canvas.view.region)")
    hand.press("Show me where")
    line = notebook.page.locator(".hw-next-places")
    line.locator("b", has_text="1/8").wait_for(timeout=60_000)
    hand.wait_for_notice("Place 1 of 8: .*predicted wrong")
    first, second = notebook.value("[list(place.region) for place in studio._annotate_next.places[:2]]")
    view = notebook.value("list(studio.canvas.view.region)")
    assert view != whole
    assert view[0] <= first[0] + first[2] / 2 <= view[0] + view[2]
    notebook.screenshot("next-places")
    assert notebook.page.locator(".hw-tabs").bounding_box() == tabs, "nothing moved"
    line.get_by_role("button", name="Next place").press("Enter")
    line.locator("b", has_text="2/8").wait_for()

    # A stroke there, and the next click looks anew: that place is none any more.
    at = notebook.value("[studio.canvas.view.x, studio.canvas.view.y]")
    hand.pick_class("Stroma")
    hand.paint([(at[0] - 10, at[1]), (at[0] + 10, at[1])])
    line.get_by_role("button", name="Next place").click()
    line.locator("b", has_text="1/8").wait_for(timeout=60_000)
    assert second not in notebook.value("[list(place.region) for place in studio._annotate_next.places]")
    notebook.execute("studio.close()")
