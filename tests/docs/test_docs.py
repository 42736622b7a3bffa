"""The documentation is built without a warning, and what it tells people to type works."""

import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import chain

import pytest

import histowidgets as hw
from docs import make_backbones_reference, make_packages_picture, make_settings_reference, site_hooks
from tests.docs.fences import DOCS, ROOT


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
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if target.startswith(site_hooks.GITHUB):
                assert (ROOT / target.removeprefix(site_hooks.GITHUB)).exists(), f"{page.name} links to {target}"
            elif "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
        for name in re.findall(r"\b(0\d_\w+)(?:\.ipynb)?`", text):
            assert (ROOT / "notebooks" / f"{name}.ipynb").is_file(), f"{page.name} names {name}"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    ids = {
        "functions/start_training": "start_training",
        "classes/RunLog": "RunLog.epoch",
        "classes/Classifier": "Classifier.load",
        "classes/Stroke": "Stroke",
        "training": "training.ComparedRun",
    }
    for page, name in ids.items():
        assert f'id="histowidgets.{name}"' in (site / "reference" / page / "index.html").read_text(encoding="utf-8")
    for source, target in site_hooks.served().items():
        page = (site / target).with_suffix("") / "index.html"
        assert page.is_file(), source
    for path in site_hooks.notebooks():
        text = (site / "notebooks" / path.stem / "index.html").read_text(encoding="utf-8")
        assert '="../docs/' not in text
        for target in re.findall(r'src="(\.\./[^"]+\.png)"', text):
            assert (site / "notebooks" / path.stem / target).is_file(), target
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="notebooks/01_quickstart/"' in home


def test_the_list_of_benchmarks_is_whole():
    listed = re.findall(
        r"^\| `(\w+\.py)`", (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == sorted(path.name for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
