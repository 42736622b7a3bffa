"""Each notebook is what its source makes, holds pictures alone, and runs from top to bottom in a kernel of its own."""

import base64
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from docs import make_notebooks as make

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
APP = FOLDER / "app.ipynb"
NAMES = [
    "01_quickstart",
    "02_your_own_image",
    "03_fluorescence",
    "04_reading_the_chart",
    "05_does_it_generalize",
    "06_strokes_to_numbers",
    "07_your_own_loop",
    "08_for_teachers",
]

# What stands in the cell tagged "parameters" here, so that a notebook takes seconds.
QUICK = {
    "01_quickstart": "seconds = 3",
    "03_fluorescence": "side, n_cells = 300, 40",
    "04_reading_the_chart": 'chosen, epochs = ["class-in-one-split", "one-class-predicted"], 9',
    "05_does_it_generalize": (
        'settings_of_this_notebook = {"max_seconds": None, "epochs": 2, "steps_per_epoch": 8, "downsample": 1, '
        '"precision": "fp32", "memory_format": "contiguous"}\nfolds = 2'
    ),
    "07_your_own_loop": "epochs = 8",
    "08_for_teachers": "stroke_counts, seeds = [2, 10], 1",
}

# Run in the notebook's own kernel when it has come to its end.
HOLDS = {
    "01_quickstart": """
assert run.state == "finished" and run.best_epoch
assert (folder / "areas.geojson").stat().st_size > 1000
assert 15 < prediction.measurements()["Stroma (%)"] < 90
""",
    "02_your_own_image": """
assert image.pixel_size_um == 0.5
assert sum(project.count().values()) == 6 and project.closed
assert Path("biopsy-labels.ome.tif").is_file()
assert 0.9 < sum(v for k, v in stored.measurements().items() if k.endswith("(um2)")) / (256 * 256) < 1.1
""",
    "03_fluorescence": """
assert kind.type == "fluorescence" and advice.patch["normalization"]
assert scores["Marked cell"] > 0.5 and scores["Background"] > 0.7
assert scores["Marked cell"] > scores_dna["Marked cell"] + 0.1
""",
    "04_reading_the_chart": """
for fault in chosen:
    assert fault in found[fault], (fault, found[fault])
    assert fault not in mended[fault], (fault, mended[fault])
""",
    "05_does_it_generalize": """
assert set(run.split.held_out) == set(quarters)
assert {name for name, held in across.split.held_out.items() if held} == {"B1", "B2"}
assert len(result.folds) == 2 and 0 < result.miou()[0] <= 1
for fold in result.folds:
    assert {name[0] for name, held in fold.held_out.items() if held} in ({"A"}, {"B"})
""",
    "06_strokes_to_numbers": """
assert drawn == 9 and back.count() == project.count() and back.classes == project.classes
import csv
found = list(csv.DictReader((folder / "objects.csv").open()))
assert sum(row["Class"] == "Epithelium" for row in found) >= len(objects) >= 2
assert all(float(row["Area (um2)"]) >= 100 for row in found)
assert len(table) == 2 and 99 < sum(v for k, v in table[0].items() if k.endswith("tissue)")) < 101
""",
    "07_your_own_loop": """
assert run.state == "finished" and len(run.history) == epochs
assert run.history[-1]["train_loss"] < 0.8 * run.history[0]["train_loss"]
assert PIL.Image.open("curves.png").size == (1200, 840)
""",
    "08_for_teachers": """
assert len(rivals) == 2 and max(rivals[10]) > max(rivals[2]) - 0.1
assert mean > 0.4 and labels.shape == truth.shape
""",
}


def test_all_are_there():
    assert [path.stem for path in NOTEBOOKS] == NAMES
    assert [path.stem for path in make.sources()] == [*NAMES, "app"]
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == [*NAMES, "app"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, quick_kernels, monkeypatch):
    if quick_kernels is not None:
        monkeypatch.setenv("JUPYTER_PATH", str(quick_kernels))
    notebook = nbformat.read(path, as_version=4)
    replaced = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(replaced) == (path.stem in QUICK)
    for cell in replaced:
        cell.source = QUICK[path.stem]
    notebook.cells.append(nbformat.v4.new_code_cell(HOLDS[path.stem]))
    # The kernel's folder is a new one: a notebook must not depend on where it lies.
    client = NotebookClient(notebook, timeout=120, iopub_timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=dict(os.environ, PYTHONPATH=str(FOLDER.parent)))
    errors = [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
    assert errors == []


def _visit(folder, query, names):
    """Open the app at an address, as Voilà does, and paint as often as the visitor's name comes in `names`."""
    code = (
        "studio.project.annotate(studio.project.image_names[0], hw.Stroke([(9, 9), (40, 9)], width=6), 'Stroma')\n"
        f"names = [p.name for p in sorted(sessions.iterdir())]\nassert names == {names!r} or not {names!r}, names\n"
        "print(sum(studio.project.count().values()))\nstudio.close()"
    )
    notebook = nbformat.read(APP, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    client = NotebookClient(notebook, timeout=120, iopub_timeout=60, resources={"metadata": {"path": str(folder)}})
    client.execute(env=dict(os.environ, PYTHONPATH=str(FOLDER.parent), QUERY_STRING=query))
    outputs = notebook.cells[0].outputs
    assert any("hw-still" in o.get("data", {}).get("text/html", "") for o in outputs), str(outputs)[-3000:]
    return int(notebook.cells[1].outputs[0].text)


@pytest.mark.slow
def test_the_app_gives_each_visitor_a_folder_and_finds_it_again(tmp_path, quick_kernels, monkeypatch):
    if quick_kernels is not None:
        monkeypatch.setenv("JUPYTER_PATH", str(quick_kernels))
    assert _visit(tmp_path, "name=anna", ["anna"]) == 1
    assert _visit(tmp_path, "name=..%2F..%2Fetc%2F", ["anna", "etc"]) == 1
    assert _visit(tmp_path, "x=1&name=anna", ["anna", "etc"]) == 2
    assert _visit(tmp_path, "", []) == 1
    assert len(list((tmp_path / "sessions").iterdir())) == 3, "a name of its own"


@pytest.mark.parametrize("path", [*NOTEBOOKS, APP], ids=lambda path: path.stem)
def test_notebook_is_what_its_source_makes(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert make.without_outputs(notebook) == make.notebook_of(path.with_suffix(".py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_short_and_holds_a_picture_and_no_widget_state(path):
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert 5 <= len(code) <= 9
    outputs = [output for cell in code for output in cell.outputs]
    linked = [cell for cell in notebook.cells if "../docs/pictures/" in cell.source]
    assert outputs or linked
    for output in outputs:
        assert list(output.data) == ["image/png"]
        assert len(base64.b64decode(output.data["image/png"])) < make.MOST_BYTES
    first = notebook.cells[0].source
    assert f"notebooks/{path.name}" in first
    assert "colab.research.google.com" in first
    assert "mybinder.org" in first
