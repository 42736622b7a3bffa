"""The documentation is built without a warning, and what it tells people to type works."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import tifffile

import histowidgets as hw
from docs import make_backbones_reference, make_packages_picture, make_settings_reference
from histowidgets.cli import build_parser
from histowidgets.training.settings import _presets

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *(DOCS / "how-to").glob("*.md"),
        DOCS / "index.md",
        DOCS / "reference" / "settings.md",
        DOCS / "reference" / "backbones.md",
    ]
)
TINY = {
    "tile_size": 64,
    "batch_size": 2,
    "epochs": 2,
    "steps_per_epoch": 3,
    "max_seconds": None,
    "precision": "fp32",
    "memory_format": "contiguous",
}
STROKES = {
    "Epithelium": [[(60, 70), (90, 110)], [(118, 60), (150, 92)], [(190, 40), (200, 90)], [(20, 200), (50, 240)]],
    "Stroma": [[(226, 236), (246, 244)], [(150, 245), (190, 248)], [(120, 232), (130, 250)], [(240, 215), (252, 240)]],
}


def blocks(page, language):
    """Return the fenced blocks of a language; what is not to be run is fenced as `py`."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Make what the pages speak of: a slide, a folder of slides, a project, a classifier."""
    folder = tmp_path_factory.mktemp("pages")
    pixels = hw.samples.colon_ihc().read(0, 0, 256, 256)
    (folder / "slides").mkdir()
    microns = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    for path in (folder / "slide.ome.tif", folder / "slides" / "a.tif"):
        tifffile.imwrite(path, pixels, photometric="rgb", metadata={"axes": "YXS", **microns}, ome=True)
    project = hw.Project([*STROKES, "Lumen"], folder=folder / "my_project")
    name = project.add_image(folder / "slide.ome.tif")
    for class_name, lines in STROKES.items():
        for points in lines:
            project.annotate(name, hw.Stroke(points, width=8), class_name)
    hw.quick_classifier(project).save(folder / "my_classifier")
    project.close()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_on_a_page_runs(page, things, monkeypatch):
    monkeypatch.chdir(things)
    monkeypatch.setitem(_presets.PRESETS, "cpu", TINY)
    names = {}
    try:
        for number, text in enumerate(blocks(page, "python")):
            exec(compile(text, f"{page.name}, block {number + 1}", "exec"), names)
    finally:
        for thing in names.values():
            if isinstance(thing, hw.Studio | hw.Project):
                thing.close()
    if page.stem == "train":
        assert names["run"].state == "finished"
        assert (things / "my_classifier" / "classifier.json").is_file()
        assert names["prediction"].labels.shape == (256, 256)
    if page.stem == "predict-a-folder":
        assert [result.state for result in names["results"]] == ["done"]
    if page.stem == "qupath":
        assert names["other"].count()["Stroma"] == len(STROKES["Stroma"])


def test_each_how_to_has_something_to_run():
    assert len(PAGES) > 10
    assert [page.stem for page in PAGES if not blocks(page, "python") + blocks(page, "sh")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_on_a_page_are_understood(page):
    for line in "".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line)
        if words[:1] == ["torchrun"]:
            words = words[words.index("-m") + 1 :]
        assert words[0] == "histowidgets"
        build_parser().parse_args(words[1:])


@pytest.mark.parametrize("made", [make_settings_reference, make_backbones_reference], ids=["settings", "backbones"])
def test_a_reference_is_up_to_date(made):
    written = made.PAGE.read_text(encoding="utf-8")
    assert written == made.page(), f"run python docs/{made.__name__.split('.')[-1]}.py"
    names = [card.name for card in hw.backbones(foundation=True)]
    for name in names if made is make_backbones_reference else hw.TrainingSettings.model_fields:
        assert f"`{name}`" in written


def test_the_picture_of_the_packages_is_up_to_date():
    written = (DOCS / "pictures" / "packages.svg").read_text(encoding="utf-8")
    assert written == make_packages_picture.picture(), "run python docs/make_packages_picture.py"


def test_the_picture_of_the_packages_shows_them_in_the_order_of_the_contract():
    layers = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL).group(1)
    packages = [name for name in re.findall(r"histowidgets\.(\w+)", layers) if name != "errors" and name[0] != "_"]
    assert packages == [name for name, *_ in make_packages_picture.PACKAGES]


def test_the_picture_of_the_packages_shows_all_sub_packages():
    drawn = {name: layers for name, _, _, layers in make_packages_picture.PACKAGES}
    for name, layers in {**drawn, "widgets/canvas": make_packages_picture.CANVAS}.items():
        there = sorted(path.parent.name for path in (ROOT / "histowidgets" / name).glob("*/__init__.py"))
        assert sorted(chain.from_iterable(layers)) == there, name


def test_the_ways_through_the_code_name_files_and_count_them():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    there = [f"/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "histowidgets").rglob("*.[jp][sy]")]
    tables = re.findall(
        r"^\| step \| before \| now \|\n(.*?)^\| \*\*together\*\* \|(.*?)$", text, re.MULTILINE | re.DOTALL
    )
    assert len(tables) == 4
    for body, counted in tables:
        rows = [line.split("|")[2:4] for line in body.splitlines()[1:]]
        before, now = ([name for row in rows for name in re.findall(r"`(.+?)`", row[column])] for column in (0, 1))
        found = [f"{len(names)} times, {len(set(names))} files" for names in (before, now)]
        assert [part.strip() for part in counted.strip(" |").split("|")] == found
        assert [name for name in now if sum(path.endswith(f"/{name}") for path in there) != 1] == []


def test_each_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    listed = [*project["project"]["dependencies"], *chain.from_iterable(extras), *project["build-system"]["requires"]]
    names = {re.match(r"[\w.-]+", one).group() for one in listed} - {"histowidgets"}
    names |= {name.split("/")[-1].removesuffix("js") for name in _node_packages()}
    rows = re.findall(r"^\| ([^|]+) \|", (DOCS / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
    explained = {name.strip() for row in rows for name in re.sub(r"\(.*?\)", "", row).split(",")}
    assert sorted(names - explained) == []


def _node_packages():
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]


def test_links_and_notebooks_that_pages_name_are_there():
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
        for name in re.findall(r"\b(0\d_\w+)(?:\.ipynb)?`", text):
            assert (ROOT / "notebooks" / f"{name}.ipynb").is_file(), f"{page.name} names {name}"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra docs")
def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stderr
    for name in (
        "training.start_training",
        "training.RunLog.epoch",
        "prediction.Classifier.load",
        "annotations.Stroke",
    ):
        api = (tmp_path / "site" / "reference" / name.split(".")[0] / "index.html").read_text(encoding="utf-8")
        assert f'id="histowidgets.{name}"' in api


def test_the_list_of_benchmarks_is_whole():
    listed = re.findall(
        r"^\| `(\w+\.py)`", (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == sorted(path.name for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
