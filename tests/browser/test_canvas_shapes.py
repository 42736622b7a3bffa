"""Line, rectangle, polygon and the held O of the annotation canvas, in a real JupyterLab with a real hand on it."""

import numpy as np
import pytest

from tests.browser.canvas_hand import CanvasHand
from tests.browser.test_canvas import BLUE, CELLS, ORANGE, PREDICTION, close_to

DRAFT = "() => getComputedStyle(document.querySelector('.hw-draft')).display !== 'none'"
NO_DRAFT = "() => getComputedStyle(document.querySelector('.hw-draft')).display === 'none'"


@pytest.fixture
def hand(shared_notebook):
    notebook = shared_notebook(CELLS)
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    return hand


def last_shape(hand):
    return hand.kernel("project.annotations(canvas.image_name)[-1].shape.to_dict()")


def said(hand, words):
    hand.notebook.wait_for(
        "words => document.querySelector('.hw-said .hw-error')?.textContent.includes(words)", argument=words
    )


def block_kernel(hand, seconds):
    hand.page.evaluate(
        "(code) => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
        ".requestExecute({ code }); }",
        f"import time; time.sleep({seconds})",
    )


def test_a_rectangle_is_dragged_shown_at_once_and_undone_in_one_step(hand):
    hand.press("r")
    places = [hand.page_point(point) for point in ((220, 200), (100, 120))]
    block_kernel(hand, 2)
    hand.page.mouse.move(*places[0])
    hand.page.mouse.down()
    hand.page.mouse.move(*places[1], steps=5)
    assert hand.page.evaluate(DRAFT)
    hand.notebook.screenshot("canvas-rectangle-drawn")
    hand.page.mouse.up()
    assert hand.page.evaluate(NO_DRAFT)
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    shape = last_shape(hand)
    assert shape.pop("type") == "rectangle"
    assert shape == pytest.approx({"x": 100, "y": 120, "width": 120, "height": 80}, abs=1)
    assert close_to(hand.shown((160, 160)), ORANGE)
    assert hand.annotation_pixel((230, 160))[3] == 0
    hand.press("z")
    hand.wait_for_count("Epithelium", 0)
    hand.press("Shift+Z")
    hand.wait_for_count("Epithelium", 1)
    hand.notebook.wait_for_value("canvas.tool", "rectangle")


def test_between_a_rectangles_outline_and_the_kernels_drawing_there_is_no_gap(hand):
    hand.press("r")
    hand.paint([(100, 120), (220, 200)], release=False)
    hand.watch((160, 160), ORANGE)
    hand.page.mouse.up()
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    hand.page.wait_for_timeout(100)
    seen = hand.seen()
    first_ink = next(i for i, look in enumerate(seen) if look["ink"])
    assert all(look["ink"] or look["kernel"] for look in seen[first_ink:])
    assert not seen[-1]["ink"]


def test_escape_gives_a_rectangle_up_and_a_click_is_none(hand):
    hand.press("r")
    hand.paint([(100, 120), (220, 200)], release=False)
    hand.page.keyboard.press("Escape")
    assert hand.page.evaluate(NO_DRAFT)
    hand.page.mouse.up()
    hand.paint([(300, 300)])
    hand.notebook.wait_for("() => /corner/.test(document.querySelector('.hw-hint').textContent)")
    assert hand.page.evaluate(NO_DRAFT)
    hand.paint([(300, 300), (340, 340)])
    hand.wait_for_count("Epithelium", 1)


@pytest.mark.parametrize(("key", "tool"), [("r", "rectangle"), ("l", "line"), ("p", "polygon")])
def test_a_refused_shape_leaves_no_ink_and_says_why(hand, key, tool):
    hand.press(key)
    box = hand.page.locator(".hw-pointer").bounding_box()
    places = [(10, 300), (30, 320), (10, 340)]  # beside the picture
    hand.page.mouse.move(box["x"] + places[0][0], box["y"] + places[0][1])
    if tool == "polygon":
        for x, y in places:
            hand.page.mouse.click(box["x"] + x, box["y"] + y)
        hand.page.keyboard.press("Enter")
    else:
        hand.page.mouse.down()
        hand.page.mouse.move(box["x"] + places[1][0], box["y"] + places[1][1], steps=3)
        hand.page.mouse.up()
    said(hand, f"The {tool} lies entirely outside")
    hand.wait_for_no_ink()
    assert hand.page.evaluate(NO_DRAFT)
    assert sum(hand.count().values()) == 0


def test_a_line_has_the_brushs_width_and_shift_snaps_it(hand):
    hand.notebook.execute("canvas.brush_width = 20.0")
    hand.press("l")
    hand.paint([(100, 100), (200, 130)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    shape = last_shape(hand)
    assert (shape["type"], shape["width"]) == ("line", 20)
    assert shape["points"][0] == pytest.approx([100, 100], abs=1)
    assert shape["points"][1] == pytest.approx([200, 130], abs=1)
    assert close_to(hand.shown((150, 115)), ORANGE)
    hand.paint([(100, 300), (200, 310)], release=False)
    hand.page.keyboard.down("Shift")  # the pen does not move any more
    hand.page.mouse.up()
    hand.page.keyboard.up("Shift")
    hand.wait_for_count("Epithelium", 2)
    shape = last_shape(hand)
    assert shape["points"][1] == pytest.approx([200, 300], abs=1)
    assert shape["points"][1][1] == pytest.approx(shape["points"][0][1], abs=1e-3)
    hand.press("z")
    hand.wait_for_count("Epithelium", 1)


def click(hand, *points):
    for point in points:
        hand.page.mouse.click(*hand.page_point(point))


@pytest.mark.parametrize("closing", ["enter", "double click", "first point"])
def test_a_polygon_is_clicked_and_closed(hand, closing):
    hand.press("2")
    hand.press("p")
    click(hand, (100, 100), (220, 110), (230, 200))
    hand.page.mouse.move(*hand.page_point((130, 230)), steps=3)
    assert hand.page.evaluate(DRAFT)
    hand.notebook.screenshot("canvas-polygon-half")
    if closing == "double click":
        hand.page.mouse.dblclick(*hand.page_point((110, 210)))
    else:
        click(hand, (110, 210))
        if closing == "enter":
            hand.page.keyboard.press("Enter")
        else:
            hand.page.mouse.dblclick(*hand.page_point((102, 102)))  # the second click is not a new polygon
    hand.wait_for_count("Stroma", 1)
    hand.wait_for_no_ink()
    assert hand.page.evaluate(NO_DRAFT)
    shape = last_shape(hand)
    assert shape["type"] == "polygon"
    assert len(shape["points"]) == 4
    for found, wanted in zip(shape["points"], [(100, 100), (220, 110), (230, 200), (110, 210)], strict=True):
        assert found == pytest.approx(wanted, abs=1)
    assert close_to(hand.shown((160, 160)), BLUE)
    assert hand.count() == {"Epithelium": 0, "Stroma": 1, "Lumen": 0}
    hand.press("z")
    hand.wait_for_count("Stroma", 0)


def test_backspace_takes_points_back_and_escape_the_whole_polygon(hand):
    hand.press("p")
    click(hand, (100, 100), (220, 110), (400, 400))
    hand.page.keyboard.press("Backspace")
    click(hand, (230, 200))
    hand.page.keyboard.press("Enter")
    hand.wait_for_count("Epithelium", 1)
    points = last_shape(hand)["points"]
    assert len(points) == 3
    assert points[-1] == pytest.approx([230, 200], abs=1)
    click(hand, (300, 300), (350, 300), (350, 350))
    hand.page.keyboard.press("Escape")
    assert hand.page.evaluate(NO_DRAFT)
    click(hand, (300, 400), (350, 400))
    for _ in range(3):
        hand.page.keyboard.press("Backspace")
    assert hand.page.evaluate(NO_DRAFT)
    hand.page.keyboard.press("Enter")  # nothing is open
    click(hand, (310, 300), (360, 300))
    hand.press("b")  # another tool ends it too
    assert hand.page.evaluate(NO_DRAFT)
    hand.notebook.wait_for_value("canvas.tool", "brush")
    assert hand.count()["Epithelium"] == 1


def test_a_polygon_of_two_points_stays_open_and_the_status_says_why(hand):
    hand.press("p")
    click(hand, (100, 100), (220, 110))
    hand.page.keyboard.press("Enter")
    said(hand, "A polygon needs at least 3 points; this one has 2.")
    assert hand.page.evaluate(DRAFT)
    click(hand, (230, 200))
    hand.page.keyboard.press("Enter")
    hand.wait_for_count("Epithelium", 1)


def test_a_free_hand_drag_adds_points_and_closes_where_it_began(hand):
    hand.press("p")
    hand.paint([(100, 100), (200, 100), (200, 200)])
    assert hand.page.evaluate(DRAFT)
    click(hand, (100, 200))
    hand.page.keyboard.press("Enter")
    hand.wait_for_count("Epithelium", 1)
    shape = last_shape(hand)
    assert len(shape["points"]) > 10
    assert shape["points"][-1] == pytest.approx([100, 200], abs=1)
    assert hand.kernel("int(project.label_map(canvas.image_name)[150, 150])") == 0
    hand.paint([(300, 300), (360, 300), (360, 360), (300, 360), (300, 303)])
    hand.wait_for_count("Epithelium", 2)
    assert hand.page.evaluate(NO_DRAFT)


def test_an_open_polygon_keeps_its_points_through_zoom_and_pan(hand):
    hand.press("p")
    click(hand, (180, 180), (220, 180))
    hand.page.mouse.move(*hand.page_point((200, 200)))
    for _ in range(3):
        hand.page.mouse.wheel(0, -200)
    hand.notebook.wait_for_value("canvas.view.zoom > 2", True)
    hand.wait_for_drawn()
    hand.page.keyboard.down(" ")
    before = hand.kernel("canvas.view.x")
    hand.paint([(200, 200), (210, 210)])
    hand.page.keyboard.up(" ")
    hand.notebook.wait_for_value(f"canvas.view.x < {before} - 5", True)
    hand.wait_for_drawn()
    click(hand, (220, 220))
    hand.page.keyboard.press("Enter")
    hand.wait_for_count("Epithelium", 1)
    points = last_shape(hand)["points"]
    assert len(points) == 3
    for found, wanted in zip(points, [(180, 180), (220, 180), (220, 220)], strict=True):
        assert found == pytest.approx(wanted, abs=1)
    hand.press("r")
    hand.paint([(200, 190), (215, 205)])
    hand.wait_for_count("Epithelium", 2)
    assert last_shape(hand)["x"] == pytest.approx(200, abs=0.6)


def test_o_blinks_the_prediction_while_held_and_a_tap_toggles(hand):
    hand.notebook.execute(PREDICTION)
    hand.notebook.wait_for("() => !document.querySelector('.hw-caption').hidden")
    hand.page.locator(".hw-pointer").focus()
    hand.page.keyboard.down("o")
    hand.notebook.wait_for_value("canvas.overlay_on", False)
    hand.page.keyboard.down("o")  # the key repeats
    hand.page.wait_for_timeout(400)
    assert hand.kernel("canvas.overlay_on") is False
    hand.page.keyboard.up("o")
    hand.notebook.wait_for_value("canvas.overlay_on", True)
    hand.page.keyboard.press("o")
    hand.notebook.wait_for_value("canvas.overlay_on", False)
    hand.page.keyboard.press("o")
    hand.notebook.wait_for_value("canvas.overlay_on", True)
    hand.page.keyboard.down("o")
    hand.notebook.wait_for_value("canvas.overlay_on", False)
    hand.page.wait_for_timeout(400)
    hand.press("Tab")  # whoever leaves the canvas lets go
    hand.page.keyboard.up("o")
    hand.notebook.wait_for_value("canvas.overlay_on", True)


def test_a_blinks_the_annotations_and_painting_shows_them_again(hand):
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    tissue = hand.shown((300, 300))
    hand.page.keyboard.down("a")
    hand.notebook.wait_for_value("canvas.annotations_on", False)
    hand.page.wait_for_timeout(400)
    assert not close_to(hand.shown((140, 120)), ORANGE)
    hand.page.keyboard.up("a")
    hand.notebook.wait_for_value("canvas.annotations_on", True)
    hand.page.keyboard.press("a")
    hand.notebook.wait_for_value("canvas.annotations_on", False)
    assert hand.shown((300, 300)) == tissue
    hand.paint([(100, 200), (180, 240)])
    hand.wait_for_count("Epithelium", 2)
    hand.wait_for_no_ink()
    assert hand.kernel("canvas.annotations_on")
    for point in ((140, 120), (140, 220)):
        assert close_to(hand.shown(point), ORANGE)


def test_each_tool_has_a_button_with_its_key_and_a_line_in_the_help(hand):
    for tool, key in (("line", "(L"), ("rectangle", "(R"), ("polygon", "(P")):
        button = hand.page.locator(f".hw-tool[title*='{key}']")
        button.click()
        hand.notebook.wait_for_value("canvas.tool", tool)
        hand.notebook.wait_for("node => node.classList.contains('hw-on')", button.element_handle())
        assert button.locator("i").evaluate("node => getComputedStyle(node, '::before').content") not in ("none", "")
    hand.press("?")
    text = hand.page.locator(".hw-help").text_content()
    assert all(word in text for word in ("line", "rectangle", "polygon", "Backspace", "held"))
    hand.notebook.screenshot("canvas-help-shapes")
    hand.press("?")


def test_two_fingers_zoom_an_open_polygon_without_a_point_of_the_first_one(open_notebook):
    notebook = open_notebook(CELLS, has_touch=True)
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    session = hand.page.context.new_cdp_session(hand.page)

    def touch(kind, *points):
        places = [dict(zip("xy", hand.page_point(point), strict=True), id=i) for i, point in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def tap(point):
        touch("touchStart", point)
        touch("touchEnd")

    hand.press("p")
    tap((200, 200))
    tap((300, 200))
    zoom = hand.kernel("canvas.view.zoom")
    touch("touchStart", (200, 250))
    touch("touchStart", (200, 250), (300, 250))
    touch("touchMove", (150, 250), (350, 250))
    touch("touchEnd")
    hand.notebook.wait_for_value(f"abs(canvas.view.zoom - {2 * zoom}) < 0.1", True)
    hand.wait_for_drawn()
    tap((300, 300))
    tap((200, 200))  # the first point closes it
    hand.wait_for_count("Epithelium", 1)
    points = last_shape(hand)["points"]
    assert len(points) == 3
    assert points[-1] == pytest.approx([300, 300], abs=1)


def test_a_shape_that_is_open_ends_with_its_image_and_takes_the_class_it_is_closed_with(hand):
    hand.press("p")
    click(hand, (100, 100), (200, 100), (200, 200))
    hand.press("3")
    hand.page.keyboard.press("Enter")
    hand.wait_for_count("Lumen", 1)
    click(hand, (300, 300), (350, 300), (350, 350))
    assert hand.page.evaluate(DRAFT)
    hand.notebook.execute("project.add_image(hw.samples.colon_ihc(), name='second'); canvas.show_image('second')")
    hand.notebook.wait_for(NO_DRAFT)
    hand.page.locator(".hw-pointer").focus()
    hand.page.keyboard.press("Enter")
    hand.press("r")
    hand.paint([(100, 120), (220, 200)])
    hand.wait_for_count("Lumen", 2)
    assert hand.kernel("[a.shape.to_dict()['type'] for a in project.annotations('second')]") == ["rectangle"]


def test_an_open_polygon_outlives_a_reload_and_is_seen_in_a_second_view(open_notebook):
    notebook = open_notebook([*CELLS, "canvas"])
    notebook.run_all()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    hand.press("p")
    click(hand, (100, 100), (220, 110), (230, 200))
    notebook.wait_for("() => document.querySelectorAll('.hw-draft').length === 2")
    in_both = "(path) => path.getAttribute('d')?.split('L').length === 3"
    notebook.wait_for(f"() => [...document.querySelectorAll('.hw-draft-light')].every({in_both})")
    notebook.reload()
    hand = CanvasHand(notebook)
    hand.scroll_into_view()
    notebook.wait_for(DRAFT)
    click(hand, (110, 210))
    hand.press("Enter")
    hand.wait_for_count("Epithelium", 1)
    assert np.round(last_shape(hand)["points"]).tolist() == [[100, 100], [220, 110], [230, 200], [110, 210]]
    notebook.wait_for("() => [...document.querySelectorAll('.hw-draft')].every((svg) => svg.style.display === 'none')")
    click(hand, (300, 300), (350, 300))
    notebook.wait_for_value("len(canvas._pointer.draft['points'])", 16)
    hand.press("Escape")
    notebook.wait_for_value("len(canvas._pointer.draft['points'])", 0)
    notebook.reload()
    CanvasHand(notebook)
    assert notebook.page.evaluate(NO_DRAFT)


def test_a_low_canvas_still_shows_every_tool(hand):
    hand.notebook.execute("canvas.resize(500, 380)")
    hand.notebook.wait_for("() => document.querySelector('.hw-pointer').offsetHeight === 380")
    row = hand.page.locator(".hw-canvas-row").bounding_box()
    last = hand.page.locator(".hw-tools .hw-tool").last.bounding_box()
    assert last["height"] == 30
    assert last["y"] + last["height"] <= row["y"] + row["height"]


def test_x14_alt_and_the_wheel_change_the_brush_and_a_key_fills_a_closed_ring(hand):
    width = hand.kernel("canvas.brush_width")
    ring = hand.page.locator(".hw-ring").first
    hand.page.mouse.move(*hand.page_point((150, 150)))
    hand.notebook.wait_for("() => document.querySelector('.hw-ring').getBoundingClientRect().width > 0")
    before = ring.bounding_box()["width"]
    zoom = hand.kernel("canvas.view.zoom")
    hand.page.keyboard.down("Alt")
    for _ in range(3):
        hand.page.mouse.wheel(0, -100)
    hand.page.keyboard.up("Alt")
    hand.notebook.wait_for_value(f"canvas.brush_width > {width} + 2", True)
    hand.notebook.wait_for(f"() => document.querySelector('.hw-ring').getBoundingClientRect().width > {before} + 1")
    assert hand.kernel("canvas.view.zoom") == zoom, "it does not zoom"

    corners = [(100, 120), (200, 120), (200, 200), (100, 200), (100, 120)]
    hand.paint(corners)
    hand.wait_for_count("Epithelium", 1)
    assert hand.annotation_pixel((150, 160))[3] == 0
    hand.press("i")
    hand.wait_for_count("Epithelium", 2)
    assert last_shape(hand)["type"] == "polygon"
    hand.notebook.wait_for_value("int(project.snapshot().labels(canvas.image_name)[160, 150])", 0)
    hand.wait_for_no_ink()
    assert close_to(hand.shown((150, 160)), ORANGE)
    hand.notebook.screenshot("canvas-ring-filled")
    hand.press("z")
    hand.wait_for_count("Epithelium", 1)
    hand.press("i")
    hand.wait_for_count("Epithelium", 2)
    hand.press("i")
    hand.notebook.wait_for("() => document.querySelector('.hw-said').textContent.includes('encloses nothing')")
