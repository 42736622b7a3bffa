"""The studio on a page that takes nothing from threads, as Colab's does: in a real JupyterLab with such comms."""

import json

import pytest

from tests.browser.studio_hand import STROKES, StudioHand

COLAB = """
from ipykernel.comm.comm import BaseComm
from tests.colab import stand_in
page = stand_in(BaseComm)
"""
STUDIO = """
import histowidgets as hw
settings = hw.TrainingSettings.preset("workshop").model_copy(
    update={"max_seconds": None, "epochs": 5000, "precision": "fp32", "memory_format": "contiguous"}
)
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], settings=settings)
studio
"""
WATCH = "studio.run.watch()"
ENDED = """
() => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[2];
  return cell.prompt !== "*" && cell.model.outputs.toJSON();
}
"""


@pytest.fixture
def one_thread(lab_server):
    """Let the page send everything to the kernel's main thread, as Colab's page does."""
    folder = lab_server.notebooks.parent / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    path = folder / "kernels-settings.jupyterlab-settings"
    path.write_text(json.dumps({"commsOverSubshells": "disabled"}))
    yield
    path.unlink()


@pytest.mark.slow
def test_the_loop_works_where_the_page_takes_nothing_from_threads(one_thread, open_notebook):
    notebook = open_notebook([COLAB, STUDIO, WATCH], fresh=True, width=1500, height=1000)
    notebook.run_cell(0)
    notebook.run_cell(1)
    hand = StudioHand(notebook)
    for class_name, lines in STROKES.items():
        hand.pick_class(class_name)
        for points in lines[:3]:
            hand.paint(points)
    hand.wait_for_caption("quick", seconds=60)

    hand.press("Train")
    hand.wait_for_curve(points=3, seconds=120)  # no cell runs: the page calls

    notebook.run_cell(2, wait=False)  # the cell runs, and nothing the page sends is handled
    before = hand.curve_points()
    hand.wait_for_curve(points=before + 2, seconds=120)
    notebook.screenshot("colab-watched")
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel').then(() => null)")
    (output,) = notebook.wait_for(ENDED, seconds=40)
    assert output["output_type"] == "execute_result", output
    assert output["data"]["text/plain"] == "'running'"

    hand.press("Stop")
    notebook.page.locator(".hw-kept-line", has_text="is kept").wait_for(timeout=60_000)
    assert notebook.value("page.dropped") == []
    assert notebook.value("page.custom_widgets_enabled") >= 1
    notebook.execute("studio.close()")
