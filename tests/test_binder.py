"""What Binder builds and starts: the CPU build of torch, the package itself, and limits on threads and memory."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"


def test_the_cpu_build_of_torch_is_pinned_exactly_and_the_package_comes_last():
    lines = [line for line in (BINDER / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "--extra-index-url https://download.pytorch.org/whl/cpu"
    torch, vision = (re.fullmatch(rf"{name}==(\d+)\.(\d+)\.\d+\+cpu", line) for name, line in
                     zip(("torch", "torchvision"), lines[1:3], strict=True))  # fmt: skip
    assert int(vision[2]) == int(torch[2]) + 15, "torchvision 0.(n + 15) belongs to torch 2.n"
    assert lines[-1] == "."


def test_the_python_of_binder_is_one_that_the_package_takes():
    found = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text().strip())
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert int(found[1]) >= int(re.fullmatch(r">=3\.(\d+)", wanted)[1])


def test_start_sets_the_limits_and_gives_over_to_what_it_was_given():
    start = BINDER / "start"
    assert start.stat().st_mode & 0o111
    said = subprocess.run(
        [str(start), "env"], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    limits = dict(line.split("=", 1) for line in said.stdout.splitlines())
    assert limits["OMP_NUM_THREADS"] == limits["MKL_NUM_THREADS"] == "2"
    assert limits["MALLOC_ARENA_MAX"] == "2"
    assert limits["HF_HUB_OFFLINE"] == "1", "nobody is asked for weights that would not fit"


def test_the_badges_open_the_quickstart():
    badge = "mybinder.org/v2/gh/histowidgets/histowidgets/main?urlpath=lab/tree/notebooks/01_quickstart.ipynb"
    assert badge in (ROOT / "README.md").read_text(encoding="utf-8")
