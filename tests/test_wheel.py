"""What is installed from the wheel is whole: the widgets' JavaScript and styles travel with the Python."""

import subprocess
import sys
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
