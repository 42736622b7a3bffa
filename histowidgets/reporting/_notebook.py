"""The notebook that replays a session without a page: the same trainings, to the same weights."""

import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import v4

from histowidgets import __version__
from histowidgets.reporting._run_facts import RunFacts

_INTRODUCTION = """# Replay of {name}

This notebook trains again, without a page, what the report *{report}* tells of, and compares the weights with
those in the project. It needs the folder of the project, with its images. Nothing in the project is changed.

It was written by histowidgets {version}. With the same versions, the same kind of processor and the same number of
threads, the weights are equal, bit for bit. {limits}"""

_SETUP = """import numpy as np
import torch
from pathlib import Path
from safetensors.numpy import load_file

import histowidgets as hw

PROJECT = Path({project!r})  # relative to this notebook
torch.set_num_threads({threads})  # sums of numbers depend on how many threads share them
project = hw.Project.open(PROJECT)
print("now", hw.__version__, torch.__version__, "– then", {then!r})"""

_RUN = """run_{number} = hw.repeat_training(PROJECT / "runs" / {run!r}, project{continued})
run_{number}.wait()
if run_{number}.error is not None:
    raise run_{number}.error
for message in run_{number}.messages:
    print(message.text)
print(len(run_{number}.history), "epochs, mIoU on held-out labels:", run_{number}.scores.get("val_miou"))"""

_COMPARE = """stored = load_file(PROJECT / "runs" / {run!r} / "checkpoint.safetensors")
weights = run_{number}.classifier.model.tensors()
largest = max(float(np.abs(stored[name].astype(float) - weights[name].astype(float)).max()) for name in stored)
print("weights are equal" if largest == 0 else f"weights differ by up to {{largest:.3g}}")"""

_PREDICT = """for name in project.image_names:
    image = project.image(name)
    if image.width * image.height <= 4_000_000:
        prediction = run_{number}.classifier.predict(image)
        print(name, prediction.measurements())
project.close()"""


def chain_of(run: RunFacts, runs: Sequence[RunFacts]) -> list[RunFacts] | None:
    """Return the runs to replay, the given one last, each continuing from the one before; None if one is missing."""
    by_id, chain = {one.id: one for one in runs}, [run]
    while chain[0].continued_from is not None:
        before = by_id.get(chain[0].continued_from)
        if before is None or before in chain:
            return None
        chain.insert(0, before)
    return chain


def replay_notebook(name: str, report: str, project: str, chain: Sequence[RunFacts]) -> str:
    """Write the notebook.

    Parameters
    ----------
    name : str
        Name of the project.
    report : str
        File name of the report.
    project : str
        Path of the project's folder; see `project_path`.
    chain : sequence of RunFacts
        The runs to replay, from `chain_of`.

    Returns
    -------
    str
        The content of the file.
    """
    limits = list(dict.fromkeys(text for run in chain for text in run.inexact))
    last = chain[-1].about
    versions = ", ".join(f"{package} {version}" for package, version in last.get("versions", {}).items())
    threads = last.get("threads") or "torch.get_num_threads()"
    known = "Here they may differ: " + " ".join(limits) if limits else ""
    cells = [
        v4.new_markdown_cell(_INTRODUCTION.format(name=name, report=report, version=__version__, limits=known).strip()),
        v4.new_code_cell(_SETUP.format(project=project, threads=threads, then=versions or "unknown versions")),
    ]
    for number, run in enumerate(chain, 1):
        settings = run.settings
        changed = settings.model_dump(mode="json", exclude_defaults=True)
        listed = "\n".join(f"- `{field}`: `{value}`" for field, value in changed.items()) or "- all defaults"
        title = f"## Run {run.id}\n\nSeed {settings.seed}. Settings other than the defaults:\n\n{listed}"
        continued = f", continue_from=run_{number - 1}.classifier" if number > 1 else ""
        cells += [
            v4.new_markdown_cell(title),
            v4.new_code_cell(_RUN.format(number=number, run=run.id, continued=continued)),
            v4.new_code_cell(_COMPARE.format(number=number, run=run.id)),
        ]
    cells += [
        v4.new_markdown_cell("## Prediction with the replayed classifier"),
        v4.new_code_cell(_PREDICT.format(number=len(chain))),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same for the same report
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)
    return text + "\n"


def project_path(folder: Path, notebook: Path) -> str:
    """Return the path of a project's folder for a notebook: relative to it, or absolute on another drive."""
    try:
        return Path(os.path.relpath(folder.resolve(), notebook.resolve().parent)).as_posix()
    except ValueError:
        return str(folder.resolve())
