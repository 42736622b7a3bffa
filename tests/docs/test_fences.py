"""Every block of code on a page is run, or, where it is a command, understood, as it stands."""

import ast
import contextlib
import doctest
import io
import itertools
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib

import pytest
import tifffile
from packaging.requirements import Requirement

import histowidgets as hw
from histowidgets.cli import build_parser
from histowidgets.prediction.onnx import _export
from histowidgets.training.settings import _presets
from tests.docs.fences import DOCS, PAGES, ROOT, fences, label, of
from tests.prediction.bioimage.packages import why_unusable
from tests.prediction.exports import KeptExports
from tests.prediction.models import SMALL_BACKBONE

LANGUAGES = {"python", "ipython", "sh", "bash", "powershell", "text", "bibtex", ""}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY = PROJECT["project"]["urls"]["Source"]
#: Commands of our tools, for contributors, and of a shell; their arguments are not looked at.
TOOLS = {"voila", "ruff", "mypy", "lint-imports", "npm", "mkdocs", "cd", "python3", "source"}
#: One run of a few steps; long enough that stopping in the middle of it is possible.
TINY = {
    "backbone": SMALL_BACKBONE,
    "pretrained": False,  # there are no weights for it here, so that the bundled encoder would take its place
    "tile_size": 64,
    "batch_size": 2,
    "epochs": 2,
    "steps_per_epoch": 2,
    "max_seconds": None,
    "precision": "fp32",
    "memory_format": "contiguous",
}
SETUP = DOCS / "reference" / "index.md"
SLURM = DOCS / "how-to" / "slurm.md"
RUN = [page for page in PAGES if of(page, "python") and page not in (SETUP, SLURM)]


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Trace the same network once for all pages: that takes longer than all else on them."""
    return KeptExports(tmp_path_factory.mktemp("exports"), _export.export_in_process)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Make what the pages speak of: a slide, a project, a classifier, as the reference says; and a folder of slides."""
    folder = tmp_path_factory.mktemp("pages")
    with contextlib.chdir(folder):
        (setup,) = of(SETUP, "python")
        exec(compile(setup.text, SETUP.name, "exec"), {})
        (folder / "slides").mkdir()
        for name in ("a", "b"):
            pixels = tifffile.imread("slide.ome.tif")
            microns = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
            path = folder / "slides" / f"{name}.tif"
            tifffile.imwrite(path, pixels, photometric="rgb", metadata={"axes": "YXS", **microns}, ome=True)
    return folder


def run_cell(text, name, names):
    """Run a block as a cell of a notebook: return the value of an expression at its end."""
    tree = ast.parse(text, name)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), names)  # noqa: S307 (the pages are ours)


def run_page(page):
    """Run the Python on a page, and compare what is printed; return the names that it leaves."""
    names, shown, wrong, checker = {}, [], [], doctest.OutputChecker()
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    try:
        for number, fence in enumerate(of(page, "python")):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                shown.append(run_cell(fence.text, f"{label(page)}, block {number + 1}", names))
            got = printed.getvalue()
            if fence.printed is not None and not checker.check_output(fence.printed, got, options):
                wrong.append(f"block {number + 1} printed\n{got}")
    finally:
        for thing in [*names.values(), *shown]:
            close = getattr(thing, "close", None)
            if type(thing).__module__.startswith("histowidgets") and callable(close):
                close()
    assert wrong == []
    return names


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=label)
def test_python_on_a_page_runs(page, things, exports, monkeypatch):
    if page.stem == "bioimage" and (why := why_unusable()):
        pytest.skip(why)
    monkeypatch.chdir(things)
    monkeypatch.setattr(_export, "export_in_process", exports)
    for preset in ("cpu", "workshop"):
        monkeypatch.setitem(_presets.PRESETS, preset, TINY)
    names = run_page(page)
    if page.stem == "train" and page.parent.name == "how-to":
        assert names["run"].state == "finished"
        assert (things / "my_classifier" / "classifier.json").is_file()
        assert names["prediction"].labels.shape == (256, 256)
    if page.stem == "predict-a-folder":
        assert [result.state for result in names["results"]] == ["done", "done"]
    if page.stem == "qupath":
        assert names["other"].count()["Stroma"] == 4


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_no_block_of_a_page_escapes_the_tests(page):
    assert {fence.language for fence in fences(page)} <= LANGUAGES


def test_each_how_to_has_something_to_run():
    pages = sorted((DOCS / "how-to").glob("*.md"))
    assert len(pages) > 14
    assert [page.name for page in pages if not of(page, "python", "sh")] == []


def commands():
    """List the command lines on all pages: page and line."""
    found = []
    for page in PAGES:
        for fence in of(page, "sh", "ipython"):
            lines = fence.text.replace("\\\n", " ").replace(" && ", "\n").splitlines()
            found += [(page, line) for line in lines if line.split("#")[0].strip()]
    return found


@pytest.mark.parametrize(("page", "line"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_on_a_page_is_understood(page, line):
    words = shlex.split(line, comments=True)
    if words[0] == "torchrun":
        words = words[words.index("-m") + 1 :]
    if words[0] == "python" and words[1] == "-m":
        words = words[2:]
    command, arguments = words[0], words[1:]
    if command == "histowidgets":
        build_parser().parse_args(arguments)
    elif command in ("pip", "%pip"):
        check_pip(arguments)
    elif command == "git":
        assert arguments == ["clone", REPOSITORY]
    elif command == "jupyterlab":
        assert all((ROOT / path).is_file() for path in arguments)
    elif command == "pytest":
        assert all((ROOT / path).exists() for path in arguments if path[0] != "-")
    elif command == "python":
        assert (ROOT / arguments[0]).is_file()
    else:
        assert command in TOOLS


def check_pip(arguments):
    """Check what pip is to install: ourselves with extras that we have, from where we are, or a package of ours."""
    assert arguments[0] in ("install", "wheel")
    with_value = {"--index-url", "--find-links", "--wheel-dir"}
    wanted = [
        word for before, word in itertools.pairwise(arguments) if not word.startswith("-") and before not in with_value
    ]
    ours = {re.match(r"[\w.-]+", one).group() for one in PROJECT["project"]["dependencies"]} | {"histowidgets", "voila"}
    assert wanted
    for one in wanted:
        if one.endswith(".whl"):
            assert one == f"histowidgets-{hw.__version__}-py3-none-any.whl"
        elif one.startswith("git+"):
            assert one == f"git+{REPOSITORY}"
        else:
            requirement = Requirement(f"histowidgets{one[1:]}" if one[0] == "." else one)
            assert requirement.name in ours
            assert requirement.extras <= set(PROJECT["project"]["optional-dependencies"])
            assert requirement.url in (None, f"git+{REPOSITORY}")


#: A stand-in for SLURM: `sbatch` runs a script at once, each task of an array in turn, as its `#SBATCH` lines say.
SBATCH = """#!{python}
import os, re, subprocess, sys
arguments = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:-1])
assert set(arguments) <= {{"parsable", "dependency"}}, arguments
count = len(os.listdir("jobs")); os.mkdir(f"jobs/{{count + 1}}")
if "dependency" in arguments:
    assert arguments["dependency"] == f"afterok:{{count}}" and open(f"jobs/{{count}}/code").read() == "0"
text = open(sys.argv[-1]).read()
given = dict(re.findall(r"^#SBATCH --([\\w-]+)(?:=(.*))?$", text, re.M))
known = {{"job-name", "cpus-per-task", "mem", "time", "signal", "requeue", "output", "array"}}
assert set(given) <= known and text.startswith("#!/bin/bash\\n"), given
first, last = (int(n) for n in given.get("array", "1-1").split("-"))
worst = 0
for task in range(first, last + 1):
    extra = {{"SLURM_JOB_ID": str(count + 1), "SLURM_CPUS_PER_TASK": given["cpus-per-task"]}}
    if "array" in given:
        extra["SLURM_ARRAY_TASK_ID"] = str(task)
    name = given["output"].replace("%j", str(count + 1)).replace("%A", str(count + 1)).replace("%a", str(task))
    with open(name, "w") as log:
        done = subprocess.run(["bash", sys.argv[-1]], env={{**os.environ, **extra}}, stdout=log, stderr=log)
    worst = worst or done.returncode
open(f"jobs/{{count + 1}}/code", "w").write(str(worst))
print(count + 1)
"""


@pytest.mark.slow
def test_the_scripts_for_slurm_run_with_a_stand_in_scheduler(things, tmp_path, monkeypatch, quick_python):
    page = SLURM
    for name in ("slides", "my_project"):
        shutil.copytree(things / name, tmp_path / name)
    things = tmp_path
    monkeypatch.chdir(things)
    monkeypatch.setitem(_presets.PRESETS, "cpu", TINY)
    settings, gather = of(page, "python")
    exec(compile(settings.text, page.name, "exec"), names := {})
    commands = {
        "sbatch": SBATCH.format(python=sys.executable),
        "srun": '#!/bin/bash\nexec "$@"\n',
        "histowidgets": f'#!/bin/bash\nexec {shlex.join(quick_python)} -m histowidgets "$@"\n',
    }
    (things / "bin").mkdir()
    (things / "jobs").mkdir()
    for name, text in commands.items():
        (things / "bin" / name).write_text(text)
        (things / "bin" / name).chmod(stat.S_IRWXU)
    for fence in of(page, "bash"):
        (things / fence.title).write_text(fence.text)
    path = os.pathsep.join([str(things / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-e", "submit.sh"], env=environment, capture_output=True, text=True, timeout=550)
    logs = {log.name: log.read_text() for log in sorted(things.glob("*.log"))}
    assert done.returncode == 0, f"{done.stderr}\n{logs}"
    assert [(things / "jobs" / number / "code").read_text() for number in ("1", "2")] == ["0", "0"], logs
    assert json.loads((things / "my_network" / "classifier.json").read_text())["classes"] == [
        "Epithelium",
        "Stroma",
        "Lumen",
    ]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(gather.text, page.name, "exec"), names)
    assert printed.getvalue() == gather.printed
