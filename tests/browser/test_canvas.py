"""The annotation canvas in a real JupyterLab, with a real hand on it."""

import statistics

import pytest

from tests.browser.canvas_hand import CanvasHand

CELLS = [
    """
import histowidgets as hw
if "canvas" in globals():
    canvas.close()
project = hw.Project(["Epithelium", "Stroma", "Lumen"])
project.add_image(hw.samples.colon_ihc())
canvas = hw.AnnotationCanvas(project)
canvas.patterns = False  # colours are looked at
canvas
"""
]
FRAME_MS = 1000 / 60
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)


@pytest.fixture
def start(open_notebook, shared_notebook):
    """Function that shows a canvas with nothing painted; with options, in a page of its own."""

    def start(**page_options):
        notebook = open_notebook(CELLS, **page_options) if page_options else shared_notebook(CELLS)
        notebook.run_all()
        hand = CanvasHand(notebook)
        hand.scroll_into_view()
        return hand

    return start


def close_to(found, wanted, tolerance=45):
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=False))


def wait_for_pixel(hand, point, test):
    for _ in range(300):
        if test(hand.shown(point)):
            return
        hand.page.wait_for_timeout(50)
    pytest.fail(f"the pixel is {hand.shown(point)}")


def last_points(hand):
    return hand.kernel("project.annotations(canvas.image_name)[-1].shape.points.tolist()")


def test_a_stroke_becomes_one_annotation_where_the_pen_was_and_its_pixels_are_drawn(start):
    hand = start()
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    assert hand.count() == {"Epithelium": 1, "Stroma": 0, "Lumen": 0}
    points = last_points(hand)
    assert points[0] == pytest.approx([100, 100], abs=1.5)
    assert points[-1] == pytest.approx([180, 140], abs=1.5)
    assert hand.kernel("project.annotations(canvas.image_name)[-1].shape.width") == 12
    assert close_to(hand.shown((140, 120)), ORANGE)
    assert hand.annotation_pixel((140, 120))[3] > 200
    assert hand.annotation_pixel((140, 160))[3] == 0
    hand.notebook.screenshot("canvas-stroke")


def test_a_second_class_by_its_digit_and_a_single_click(start):
    hand = start()
    hand.press("2")
    hand.paint([(300, 300)])
    hand.wait_for_count("Stroma", 1)
    hand.wait_for_no_ink()
    assert close_to(hand.shown((300, 300)), BLUE)
    assert hand.kernel("canvas.class_name") == "Stroma"


@pytest.mark.quiet
def test_ink_is_under_the_pen_within_a_frame_also_while_a_cell_blocks_the_kernel(start):
    hand = start()
    hand.measure_ink()
    hand.paint([(80, 300), (200, 340), (300, 300)], steps=30)
    free = hand.ink_times()
    hand.wait_for_count("Epithelium", 1)
    hand.notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(3)' }); }"
    )
    places = [(200 + 3 * i, 350 + (i % 20)) for i in range(60)]
    box = hand.page.locator(".hw-pointer").bounding_box()
    hand.page.mouse.move(box["x"] + places[0][0], box["y"] + places[0][1])
    hand.page.mouse.down()
    for x, y in places[1:]:
        hand.page.mouse.move(box["x"] + x, box["y"] + y)
    hand.page.mouse.up()
    blocked = hand.ink_times()[len(free) :]
    for name, times in (("free", free), ("blocked", blocked)):
        assert len(times) >= 20
        assert all(time["painted"] for time in times), "the ink is there in the first frame after the event"
        median = statistics.median(time["frame"] for time in times)
        assert median <= FRAME_MS, name
    hand.wait_for_count("Epithelium", 2)
    hand.wait_for_no_ink()


def test_between_ink_and_the_kernels_drawing_there_is_no_gap(start):
    hand = start()
    hand.paint([(100, 200), (200, 200)], release=False)
    hand.watch((150, 200), ORANGE)
    hand.page.mouse.up()
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    hand.page.wait_for_timeout(100)
    seen = hand.seen()
    assert all(look["ink"] or look["kernel"] for look in seen)
    assert seen[0]["ink"]
    assert not seen[-1]["ink"]


def test_the_point_under_the_pen_is_right_after_zoom_and_pan(start):
    hand = start()
    hand.paint([(256, 256)])
    hand.wait_for_count("Epithelium", 1)
    at = hand.page_point((200, 200))
    hand.page.mouse.move(*at)
    for _ in range(4):
        hand.page.mouse.wheel(0, -200)
    hand.notebook.wait_for("() => document.querySelector('.hw-picture').style.transform !== ''")
    hand.wait_for_drawn()
    assert hand.kernel("canvas.view.zoom") > 2
    # A wheel event tells whole pixels only, here those before a fivefold zoom.
    assert hand.page_point((200, 200)) == pytest.approx(at, abs=4)
    hand.press("h")
    hand.paint([(200, 200), (230, 220)])
    hand.wait_for_drawn()
    hand.notebook.wait_for_value("canvas.view.x < 200", True)
    assert hand.page_point((200, 200)) != pytest.approx(at, abs=20)
    hand.press("3")
    hand.paint([(210, 190), (220, 195)])
    hand.wait_for_count("Lumen", 1)
    points = last_points(hand)
    assert points[0] == pytest.approx([210, 190], abs=0.6)
    assert points[-1] == pytest.approx([220, 195], abs=0.6)
    hand.press("f")
    hand.notebook.wait_for_value("round(canvas.view.zoom, 3)", round(600 / 512, 3))
    hand.notebook.screenshot("canvas-zoomed-and-back")


def test_the_wheel_scrolls_the_page_until_the_canvas_has_the_focus_or_ctrl_is_held(start):
    hand = start()
    hand.page.evaluate("() => document.activeElement.blur()")
    x, y = hand.page_point((256, 256))
    hand.page.mouse.move(x, y)
    zoom = hand.kernel("canvas.view.zoom")
    hand.page.mouse.wheel(0, -60)
    hand.notebook.wait_for("() => !document.querySelector('.hw-hint').hidden")
    assert hand.kernel("canvas.view.zoom") == zoom
    hand.page.keyboard.down("Control")
    hand.page.mouse.wheel(0, -60)
    hand.page.keyboard.up("Control")
    hand.notebook.wait_for_value(f"canvas.view.zoom > {zoom}", True)


def test_undo_and_redo_by_key_and_the_keys_do_not_reach_the_notebook(start):
    hand = start()
    cells = hand.page.locator(".jp-Notebook .jp-Cell").count()
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.press("z")
    hand.wait_for_count("Epithelium", 0)
    hand.notebook.wait_for_value("project.can_redo", True)
    hand.press("Shift+Z")
    hand.wait_for_count("Epithelium", 1)
    hand.press("Control+z")
    hand.wait_for_count("Epithelium", 0)
    hand.press("Control+y")
    hand.wait_for_count("Epithelium", 1)
    for key in ("a", "b", "x", "m", "d", "d", "y", "e", "v", "c", "h"):
        hand.press(key)
    assert hand.page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert hand.page.locator(".jp-Notebook .jp-CodeCell").count() == cells
    hand.notebook.wait_for_value("canvas.tool", "pan")


def test_the_eraser_and_the_right_button_erase(start):
    hand = start()
    hand.paint([(100, 100), (200, 100)])
    hand.wait_for_count("Epithelium", 1)
    hand.press("e")
    hand.paint([(150, 60), (150, 140)])
    hand.notebook.wait_for_value("len(project.annotations(canvas.image_name))", 2)
    hand.wait_for_no_ink()
    assert hand.kernel("project.annotations(canvas.image_name)[-1].class_name") is None
    assert hand.annotation_pixel((150, 100))[:3] != list(ORANGE)
    assert hand.kernel("int(project.label_map(canvas.image_name)[100, 150])") == 255
    assert close_to(hand.shown((120, 100)), ORANGE)
    hand.press("b")
    hand.paint([(120, 60), (120, 140)], button="right")
    hand.notebook.wait_for_value("len(project.annotations(canvas.image_name))", 3)
    assert hand.kernel("int(project.label_map(canvas.image_name)[100, 120])") == 255
    assert hand.page.locator(".lm-Menu").count() == 0


def test_brush_keys_slider_and_python_agree_on_the_width(start):
    hand = start()
    hand.press("]")
    hand.notebook.wait_for_value("canvas.brush_width", 15)
    hand.press("[")
    hand.press("[")
    hand.notebook.wait_for_value("canvas.brush_width", 10)
    hand.notebook.wait_for("() => document.querySelector('.hw-bar .widget-readout').textContent === '10'")
    hand.notebook.execute("canvas.brush_width = 30.0")
    hand.notebook.wait_for("() => document.querySelector('.hw-bar .widget-readout').textContent === '30'")
    hand.paint([(200, 200)])
    hand.wait_for_count("Epithelium", 1)
    assert hand.kernel("project.annotations(canvas.image_name)[-1].shape.width") == 30


def test_what_the_hand_chose_holds_until_the_kernel_has_heard_of_it(start):
    hand = start()
    hand.notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(1)' }); }"
    )
    for key in ("]", "]", "[", "]", "2", "e"):
        hand.press(key)
    ring = "() => Math.round(parseFloat(document.querySelector('.hw-ring').style.width))"
    hand.page.locator(".hw-pointer").hover()
    wide = hand.page.evaluate(ring)
    hand.notebook.wait_for_value("[canvas.tool, canvas.class_name]", ["eraser", "Stroma"])
    hand.notebook.wait_for_value("canvas.brush_width", 18)
    assert hand.page.evaluate(ring) == wide == round(18 * hand.kernel("canvas.view.zoom"))


PREDICTION = """
import threading
import numpy as np
from histowidgets.images import Region
from histowidgets.prediction import Prediction
chances = np.zeros((512, 512, 3), np.float32)
chances[:, :256] = 0.7, 0.2, 0.1
chances[:, 256:] = 0.1, 0.8, 0.1
prediction = Prediction(chances, classes=project.classes, colors=project.colors, region=Region(0, 0, 512, 512),
                        image_name=canvas.image_name)
thread = threading.Thread(target=canvas.show_prediction, args=(prediction, "Prediction: quick learner · mIoU 0.81"))
thread.start(); thread.join()
"""


def test_a_prediction_from_a_thread_its_opacity_and_its_key(start):
    hand = start()
    bare = hand.shown((400, 400))
    hand.notebook.execute(PREDICTION)
    hand.notebook.wait_for("() => document.querySelector('.hw-caption').textContent.includes('mIoU 0.81')")

    def wait_for(test):
        wait_for_pixel(hand, (400, 400), test)

    wait_for(lambda pixel: not close_to(pixel, bare, 15))
    hand.notebook.screenshot("canvas-prediction")
    hand.page.locator(".hw-eye").click()
    slider = hand.page.locator(".hw-eye-panel .widget-slider", has_text="Prediction").locator("[role=slider]")
    slider.wait_for(state="visible")  # a key would go elsewhere while the panel is closed
    slider.press("End")
    wait_for(lambda pixel: close_to(pixel, BLUE, 4))
    hand.press("o")
    wait_for(lambda pixel: close_to(pixel, bare, 4))
    hand.notebook.wait_for("() => document.querySelector('.hw-caption').hidden")
    hand.press("o")
    wait_for(lambda pixel: close_to(pixel, BLUE, 4))
    hand.page.mouse.move(*hand.page_point((300, 310)))
    hand.notebook.wait_for(
        "() => /x 300 y 3(09|10|11) · predicted Stroma 80%/.test(document.querySelector('.hw-place').textContent)"
    )


def test_after_a_reload_everything_is_drawn_again_and_painting_goes_on(start):
    hand = start()
    hand.notebook.execute(PREDICTION)
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.press("+")
    hand.notebook.wait_for_value("canvas.view.zoom > 1.3", True)
    hand.wait_for_drawn()
    before = hand.shown((140, 120)), hand.shown((300, 300))
    hand.notebook.reload()
    again = CanvasHand(hand.notebook)
    again.scroll_into_view()
    wait_for_pixel(again, (300, 300), lambda pixel: pixel == before[1])
    wait_for_pixel(again, (140, 120), lambda pixel: pixel == before[0])
    again.paint([(300, 200), (330, 220)])
    again.wait_for_count("Epithelium", 2)
    again.wait_for_no_ink()
    assert close_to(again.shown((315, 210)), ORANGE)
    hand.notebook.screenshot("canvas-reloaded")


def test_pictures_that_were_drawn_leave_no_address_behind(start):
    hand = start()
    hand.page.evaluate(
        """() => {
          const make = URL.createObjectURL.bind(URL);
          window.hwMade = 0;
          URL.createObjectURL = (blob) => { window.hwMade += 1; return make(blob); };
        }"""
    )
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    hand.kernel("canvas.look(canvas.view.look(120, 120, 3)) or 1")
    hand.wait_for_drawn()
    assert close_to(hand.shown((140, 120)), ORANGE)
    assert hand.page.evaluate("() => window.hwMade") == 0


def test_a_drawing_that_the_page_missed_does_not_stop_all_later_ones(start):
    hand = start()
    # What a draw command for a canvas that the page does not know yet leaves behind.
    hand.page.evaluate(
        """async (id) => {
          const panel = window.jupyterapp.shell.currentWidget;
          const mimeType = "application/vnd.jupyter.widget-view+json";
          const manager = await panel.content.rendermime.createRenderer(mimeType)._manager.promise;
          const model = await manager.get_model(id);
          model.currentProcessing = Promise.reject(new Error("not there yet"));
          model.currentProcessing.catch(() => null);
        }""",
        hand.kernel("canvas._layers.manager_id"),
    )
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    hand.paint([(100, 200), (180, 240)])
    hand.wait_for_count("Epithelium", 2)
    hand.wait_for_no_ink()
    assert close_to(hand.shown((140, 120)), ORANGE)
    assert close_to(hand.shown((140, 220)), ORANGE)
    hand.notebook.page_errors.clear()  # the broken chain was ours


def test_a_second_view_and_a_cell_run_again_show_the_same(open_notebook):
    notebook = open_notebook([*CELLS, "canvas"], height=1900)
    notebook.run_all()
    hand = CanvasHand(notebook)
    notebook.wait_for("() => document.querySelectorAll('.hw-pointer').length === 2")
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    x, y = hand.stage_point((140, 120))

    def both():
        return notebook.page.evaluate(
            """([x, y]) => [...document.querySelectorAll(".hw-picture")].map((canvas) =>
              [...canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data])""",
            [x, y],
        )

    first, second = both()
    assert first == second
    assert close_to(first, ORANGE)
    notebook.run_cell(1)
    notebook.wait_for("() => document.querySelectorAll('.hw-pointer').length === 2")
    first, second = both()
    assert first == second
    assert close_to(first, ORANGE)


def test_a_refused_stroke_leaves_no_ink_and_says_why(start):
    hand = start()
    box = hand.page.locator(".hw-pointer").bounding_box()
    hand.page.mouse.move(box["x"] + 10, box["y"] + 300)  # beside the picture
    hand.page.mouse.down()
    hand.page.mouse.move(box["x"] + 20, box["y"] + 320)
    hand.page.mouse.up()
    hand.notebook.wait_for("() => /outside/.test(document.querySelector('.hw-said .hw-error')?.textContent)")
    hand.wait_for_no_ink()
    assert sum(hand.count().values()) == 0
    assert "outside" in hand.page.locator(".hw-pointer [role=status]").text_content()


def test_a_sharp_screen_gets_its_own_pixels(start):
    hand = start(scale=2)
    hand.notebook.wait_for("() => document.querySelector('.hw-picture').width === 1520")
    hand.wait_until_shown()
    assert hand.page.locator(".hw-picture").evaluate("node => node.offsetWidth") == 760
    hand.paint([(100, 100), (180, 140)])
    hand.wait_for_count("Epithelium", 1)
    hand.wait_for_no_ink()
    assert last_points(hand)[-1] == pytest.approx([180, 140], abs=1)
    assert close_to(hand.shown((140, 120)), ORANGE)
    hand.notebook.screenshot("canvas-sharp")


def test_one_finger_paints_and_two_zoom(start):
    hand = start(has_touch=True)
    session = hand.page.context.new_cdp_session(hand.page)

    def touch(kind, *points):
        places = [dict(zip("xy", hand.page_point(point), strict=True), id=i) for i, point in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (100, 100))
    touch("touchMove", (140, 120))
    touch("touchMove", (180, 140))
    touch("touchEnd")
    hand.wait_for_count("Epithelium", 1)
    zoom = hand.kernel("canvas.view.zoom")
    touch("touchStart", (200, 250))
    touch("touchStart", (200, 250), (300, 250))
    touch("touchMove", (150, 250), (350, 250))
    touch("touchEnd")
    hand.notebook.wait_for_value(f"abs(canvas.view.zoom - {2 * zoom}) < 0.1", True)
    assert hand.count()["Epithelium"] == 1


def test_tab_leaves_the_canvas_and_the_help_lists_the_keys(start):
    hand = start()
    hand.press("?")
    hand.notebook.wait_for("() => !document.querySelector('.hw-help').hidden")
    assert "undo, redo" in hand.page.locator(".hw-help").text_content()
    hand.notebook.screenshot("canvas-help")
    hand.press("Escape")
    hand.notebook.wait_for("() => document.querySelector('.hw-help').hidden")
    hand.press("Tab")
    assert not hand.page.evaluate("() => document.activeElement.classList.contains('hw-pointer')")
    pointer = hand.page.locator(".hw-pointer")
    assert pointer.get_attribute("aria-label")
    assert pointer.get_attribute("role") == "application"


def test_without_the_layers_script_the_mouse_still_paints(open_notebook):
    notebook = open_notebook(CELLS, block="**/anywidget/**")
    notebook.run_all()
    notebook.page.wait_for_selector(".hw-picture")
    notebook.page.locator(".hw-stage").evaluate("node => node.scrollIntoView({ block: 'center' })")
    notebook.wait_for(
        "() => document.querySelector('.hw-picture').getContext('2d').getImageData(380, 300, 1, 1).data[3] > 0"
    )
    assert notebook.page.locator(".hw-pointer").count() == 0
    box = notebook.page.locator(".hw-picture").bounding_box()
    mouse = notebook.page.mouse
    mouse.move(box["x"] + 300, box["y"] + 200)
    mouse.down()
    mouse.move(box["x"] + 400, box["y"] + 200, steps=8)
    mouse.up()
    notebook.wait_for_value("project.count()['Epithelium']", 1)
    notebook.screenshot("canvas-without-script")
    notebook.page_errors.clear()  # that the script is missing is said in the page


def test_closing_takes_every_part_off_the_kernel(start):
    hand = start()
    code = "from ipywidgets.widgets.widget import _instances; canvas.close(); print(len(_instances))"
    left = int(hand.notebook.execute(code))
    # What is left is ipycanvas' own manager and the widgets' defaults, whatever was open.
    again = (
        "canvas = hw.AnnotationCanvas(project); canvas.close(); from ipywidgets.widgets.widget import _instances;"
        "print(len(_instances))"
    )
    assert int(hand.notebook.execute(again)) == left
    hand.page.wait_for_selector(".hw-pointer", state="detached")
