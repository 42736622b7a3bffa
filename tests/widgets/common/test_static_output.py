"""A saved notebook keeps a picture of the last state of a widget, whether or not anybody could see the widget."""

import os
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from histowidgets.widgets.common import StaticOutput

ROOT = Path(__file__).resolve().parents[3]
CELLS = [
    """
import numpy as np
import histowidgets as hw
from histowidgets.widgets.common import _static_output as _still
_still.QUIET_SECONDS = 0.3
pixels = np.full((96, 96, 3), 60, np.uint8)
pixels[:, 48:] = 200
studio = hw.Studio(hw.open_image(pixels, name="<script>alert(1)</script>"), classes=["Dark", "Bright & <b>"])
studio
""",
    """
import threading
renewed, update = threading.Event(), studio._static_output._handle.update
def renew(html):
    update(html)
    if "Dark 3" in html.data:
        renewed.set()
studio._static_output._handle.update = renew
name = studio.project.image_names[0]
for y in (20, 50, 80):
    studio.project.annotate(name, hw.Stroke([(8, y), (40, y)], width=6), "Dark")
assert renewed.wait(60)
""",
    """
studio.project.annotate(name, hw.Stroke([(56, 50), (90, 50)], width=6), "Bright & <b>")
studio.close()
studio.close()
assert not [t for t in threading.enumerate() if t.name == "histowidgets-static-output"]
""",
]


def stills(notebook):
    return [output.data["text/html"] for output in notebook.cells[0].outputs if "text/html" in output.data]


def test_a_studio_leaves_a_picture_of_its_last_state_in_the_notebook(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    client = NotebookClient(notebook, timeout=120, iopub_timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    seen = []
    client.on_cell_executed = lambda cell, cell_index, execute_reply: seen.append(stills(notebook))
    client.execute(env=dict(os.environ, PYTHONPATH=str(ROOT)))
    first, painted, closed = ("".join(found) for found in seen)
    assert all(len(found) == 1 for found in seen), "one picture, renewed in its place"
    assert "Dark 0, Bright &amp; &lt;b&gt; 0" in first
    assert "Dark 3, Bright &amp; &lt;b&gt; 0" in painted
    assert "Dark 3, Bright &amp; &lt;b&gt; 1" in closed
    for html in (first, painted, closed):
        assert html.startswith('<div class="hw-still hw-still-picture"><img alt=')
        assert "data:image/jpeg;base64," in html
        assert "<script>" not in html
        assert len(html) < 250_000
    (view,) = (o for o in notebook.cells[0].outputs if "application/vnd.jupyter.widget-view+json" in o.data)
    assert "text/html" not in view.data


ALONE = (
    """
import histowidgets as hw
project = hw.Project(["Epithelium", "Stroma"])
name = project.add_image(hw.samples.colon_ihc())
canvas = hw.AnnotationCanvas(project)
canvas
""",
    """
monitor = hw.LossMonitor()
for epoch in (1, 2, 3):
    monitor.add({"epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1.2 / epoch, "val_miou": 0.125 * epoch})
monitor
""",
    """
form = hw.SettingsForm(hw.TrainingSettings.preset("cpu").model_copy(update={"focal_gamma": 2.75}))
form
""",
    """
project.annotate(name, hw.Stroke([(100, 100), (200, 150)], width=10), "Stroma")
monitor.add({"epoch": 4, "train_loss": 0.2, "val_loss": 0.4321})
form.patch({"epochs": 321})
for widget in (canvas, monitor, form):
    widget.close()
    widget.close()
""",
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A notebook that was run, with a canvas, a monitor and a form that are no part of a studio."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in ALONE])
    folder = tmp_path_factory.mktemp("alone")
    client = NotebookClient(notebook, timeout=120, iopub_timeout=60, resources={"metadata": {"path": str(folder)}})
    client.execute(env=dict(os.environ, PYTHONPATH=str(ROOT)))
    return notebook


def test_canvas_monitor_and_form_leave_pictures_of_their_last_state_in_exported_html(alone):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(template_name="lab").from_notebook_node(alone)
    assert page.count('class="hw-still hw-still-picture"') == 1
    assert '<img alt="colon_ihc with its annotations; run the cell to paint" src="data:image/jpeg' in page
    assert page.count('class="hw-still hw-still-chart"') == 1
    assert '<img alt="Loss and mIoU of each epoch' in page
    assert "0.432" in page, "the last epoch"
    assert page.count('class="hw-still hw-still-form"') == 1
    assert '<th scope="row">Focal gamma</th><td>2.75</td>' in page, "what differs from the preset"
    assert '<th scope="row">Epochs</th><td>321 epochs</td>' in page, "what was changed last"


def test_a_notebook_without_a_kernel_names_the_widget_and_does_not_list_its_parts(alone):
    for cell, name in zip(alone.cells, ("AnnotationCanvas", "LossMonitor", "SettingsForm"), strict=False):
        view, still = (output.data for output in cell.outputs)
        assert view["text/plain"] == f"{name}: run this cell to use it."
        assert "application/vnd.jupyter.widget-view+json" in view
        assert "application/vnd.jupyter.widget-view+json" not in still


def test_changes_in_a_row_are_one_update_and_delay_it_no_longer_than_the_limit(monkeypatch):
    from histowidgets.widgets.common import _static_output

    class Handle:
        def __init__(self):
            self.updates, self.updated = [], threading.Event()

        def update(self, html):
            self.updates.append(html.data)
            self.updated.set()

    monkeypatch.setattr(_static_output, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(_static_output, "LONGEST_SECONDS", 0.5)
    state = []
    output = StaticOutput("Canvas", lambda: str(len(state)), "picture")
    output.changed()  # it is not shown
    output._handle = handle = Handle()
    began = time.monotonic()
    while not handle.updated.is_set():
        state.append(1)
        output.changed()
        threading.Event().wait(0.01)
        assert time.monotonic() < began + 30
    assert time.monotonic() - began >= 0.5
    assert len(handle.updates) == 1
    output.close()
    assert handle.updates[-1] == f'<div class="hw-still hw-still-picture">{len(state)}</div>'
    output.changed()
    assert output._timer is None
