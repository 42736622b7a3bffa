"""Make the notebooks from their sources: `python docs/make_notebooks.py` (`--run` runs them and keeps their pictures).

A source is `notebooks/<name>.py` in the percent format, which editors and jupytext understand: `# %%` begins a cell,
`# %% [markdown]` a text cell, and `tags=["parameters"]` marks the cell that a test replaces with quicker values. Of the
outputs of a run, only PNG pictures are kept.
"""

import argparse
import base64
import io
import os
import tempfile
from pathlib import Path

import nbformat
import PIL.Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
MOST_BYTES = 150_000
REPOSITORY = "histowidgets/histowidgets"
BADGES = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb) "
    "[![Open in Binder](https://mybinder.org/badge_logo.svg)]"
    "(https://mybinder.org/v2/gh/{repository}/main?urlpath=lab/tree/notebooks/{name}.ipynb)\n\n"
    "On Colab, first run `%pip install git+https://github.com/{repository}` in a separate cell, and see "
    "[what is different there](https://github.com/{repository}/blob/main/docs/how-to/colab-binder-cluster.md)."
)


def sources():
    """List the sources: the lessons in order, then the app for Voilà."""
    return [*sorted(FOLDER.glob("[0-9][0-9]_*.py")), FOLDER / "app.py"]


def notebook_of(source):
    """Return the notebook made from a source, without outputs; the badges go under the title in its first cell."""
    cells = []
    for number, (head, lines) in enumerate(_parts(source.read_text(encoding="utf-8"))):
        if "[markdown]" in head:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
            if number == 0:
                title, _, rest = text.partition("\n")
                text = f"{title}\n\n{BADGES.format(repository=REPOSITORY, name=source.stem)}\n{rest}"
            cell = nbformat.v4.new_markdown_cell(text)
        else:
            cell = nbformat.v4.new_code_cell("\n".join(lines))
        if "parameters" in head:
            cell.metadata["tags"] = ["parameters"]
        cell["id"] = f"cell-{number:02d}"
        cells.append(cell)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _parts(text):
    """Split a source into pairs: the text after `# %%`, and the lines of the cell without blank ones at the ends."""
    parts = []
    for line in text.splitlines():
        if line.startswith("# %%"):
            parts.append((line.removeprefix("# %%"), []))
        elif parts:
            parts[-1][1].append(line)
    return [(head, "\n".join(lines).strip("\n").split("\n")) for head, lines in parts]


def without_outputs(notebook):
    """Return a notebook as it would be made from its source alone."""
    plain = nbformat.from_dict(notebook)
    for cell in plain.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return plain


def pictures_of(outputs):
    """Return the PNG pictures among the outputs, each small enough to commit."""
    found = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [nbformat.v4.new_output("display_data", {"image/png": _small(png)}) for png in found]


def _small(png):
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    for colors in (None, 256, 64, 32):
        small = picture if colors is None else picture.quantize(colors, kmeans=2, dither=PIL.Image.Dither.NONE)
        file = io.BytesIO()
        small.save(file, "PNG", optimize=True)
        if file.tell() < MOST_BYTES:
            break
    return base64.b64encode(file.getvalue()).decode()


def run(notebook):
    """Run a notebook in a new folder, and keep only its pictures."""
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=600, iopub_timeout=60, resources={"metadata": {"path": folder}})
        client.execute(env=dict(os.environ, PYTHONPATH=str(ROOT)))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = pictures_of(cell.outputs), None
            cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}


def main():
    """Write the notebooks; without `--run`, cells that did not change keep their pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run them, and keep their pictures")
    parser.add_argument("only", nargs="*", help="beginnings of names, such as 03")
    chosen = parser.parse_args()
    for source in sources():
        if chosen.only and not source.name.startswith(tuple(chosen.only)):
            continue
        path, notebook = source.with_suffix(".ipynb"), notebook_of(source)
        if chosen.run:
            run(notebook)
        elif path.exists():
            kept = {cell.source: cell.outputs for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"}
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = kept.get(cell.source, [])
        nbformat.validate(notebook)
        nbformat.write(notebook, path)
        print(path.name)


if __name__ == "__main__":
    main()
