"""What is installed from the wheel is whole: the widgets' JavaScript and styles travel with the Python."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    ours = {
        str(path.relative_to(ROOT)): path
        for path in (ROOT / "histowidgets").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel if name.startswith("histowidgets/")} == set(ours)
    scripts = [name for name in ours if name.endswith((".js", ".css"))]
    assert len(scripts) >= 10
    for name in scripts:
        assert wheel[name] == ours[name].read_bytes()


def test_the_wheel_says_that_it_is_typed_and_under_which_licence(wheel):
    (metadata,) = (text.decode() for name, text in wheel.items() if name.endswith(".dist-info/METADATA"))
    assert "License-Expression: BSD-3-Clause" in metadata
    assert "histowidgets/py.typed" in wheel
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_the_source_archive_can_rebuild_what_the_browser_runs(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    static = ROOT / "histowidgets/widgets/static"
    assert {str(path.relative_to(ROOT)) for path in static.rglob("*") if path.is_file()} <= names
    assert {"build.js", "package.json", "package-lock.json"} <= names
    assert not any(name.startswith("node_modules") for name in names)
