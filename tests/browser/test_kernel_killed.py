"""A kernel that is killed under the hand: what was confirmed is on disk, and a picture of it is in the notebook."""

import os
import signal

import pytest

from tests.browser.studio_hand import STROKES, StudioHand

CELL = """
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], folder="kept")
studio
"""
KEPT = """
(text) => window.jupyterapp.shell.currentWidget.content.widgets[0].model.outputs.toJSON()
  .some((output) => (output.data?.["text/html"] || "").includes(text))
"""
DEAD = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel?.status !== 'idle'"
SHOWN = "() => { const still = document.querySelector('.hw-still img'); return still && still.offsetHeight > 50; }"
HIDDEN = "() => { const still = document.querySelector('.hw-still'); return still && still.offsetHeight === 0; }"


@pytest.mark.slow
def test_a_kernel_killed_while_painting_costs_no_confirmed_stroke_and_leaves_a_picture(open_notebook):
    notebook = open_notebook([CELL], fresh=True, width=1500, height=1000)
    notebook.run_all()
    hand = StudioHand(notebook)
    notebook.wait_for(HIDDEN)
    hand.pick_class("Epithelium")
    for points in STROKES["Epithelium"][:3]:
        hand.paint(points)
    notebook.wait_for_value("studio.project.count()", {"Epithelium": 3, "Stroma": 0, "Lumen": 0})
    notebook.wait_for(KEPT, "Epithelium 3")
    pid = notebook.value("__import__('os').getpid()")

    # In the middle of a stroke: pressed, moved, and not let go.
    box = notebook.page.locator(".hw-pointer").first.bounding_box()
    notebook.page.mouse.move(box["x"] + 150, box["y"] + 150)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + 220, box["y"] + 180, steps=4)
    os.kill(pid, signal.SIGKILL)
    notebook.wait_for(DEAD, seconds=30)
    notebook.page.mouse.up()
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")

    # Opened anew, with a kernel that knows nothing of it, the notebook still shows what was painted.
    notebook.page.reload()
    notebook._wait_for_kernel()
    notebook.wait_for(SHOWN, seconds=40)
    notebook.screenshot("kernel-killed-still")
    assert "Epithelium 3" in notebook.page.locator(".hw-still").inner_text()

    notebook.run_all()
    hand = StudioHand(notebook)
    notebook.wait_for(HIDDEN)
    count = notebook.value("studio.project.count()")
    assert count in ({"Epithelium": 3, "Stroma": 0, "Lumen": 0}, {"Epithelium": 4, "Stroma": 0, "Lumen": 0})
    hand.pick_class("Stroma")
    hand.paint(STROKES["Stroma"][0])
    notebook.wait_for_value("studio.project.count()['Stroma']", 1)
    notebook.execute("studio.close()")
    notebook.wait_for(SHOWN)
    # What JupyterLab says of the view whose kernel is gone, whenever it comes to say it; nothing else.
    notebook.page_errors = [text for text in notebook.page_errors if "widget model not found" not in text]
