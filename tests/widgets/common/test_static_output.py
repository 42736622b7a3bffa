"""A saved notebook keeps a picture of the last state of a studio, whether or not anybody could see the widget."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

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
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
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
