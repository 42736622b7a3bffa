"""What `import histowidgets` gives, and what it costs."""

import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import histowidgets
import histowidgets.training

ROOT = Path(__file__).resolve().parents[1]

HEAVY = [
    "torch",
    "torchvision",
    "segmentation_models_pytorch",
    "ipywidgets",
    "ipycanvas",
    "bqplot",
    "anywidget",
    "IPython",
]


def test_exports_are_sorted_and_all_there():
    assert histowidgets.__all__ == sorted(histowidgets.__all__)
    for name in histowidgets.__all__:
        assert getattr(histowidgets, name) is not None
    assert set(histowidgets.__all__) <= set(dir(histowidgets))


def test_unknown_name_is_an_attribute_error():
    assert not hasattr(histowidgets, "no_such_name")


def test_training_functions_refuse_unknown_keywords():
    for name in histowidgets.training.__all__:
        thing = getattr(histowidgets.training, name)
        if callable(thing) and name[0].islower():
            kinds = [parameter.kind for parameter in inspect.signature(thing).parameters.values()]
            assert inspect.Parameter.VAR_KEYWORD not in kinds, name


def test_import_loads_neither_torch_nor_widgets():
    code = f"import sys, json, histowidgets; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_annotating_loads_neither_torch_nor_widgets():
    code = (
        "import sys, json, histowidgets as hw; p = hw.Project(classes=['A', 'B']);"
        "n = p.add_image(hw.samples.colon_ihc()); p.annotate(n, hw.Stroke([(5, 5), (20, 20)]), 'A');"
        f"p.label_map(n); hw.coach(p); print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_version_is_that_of_the_package():
    from importlib.metadata import version

    assert version("histowidgets") == histowidgets.__version__


@pytest.mark.parametrize(
    ("package", "least", "what"),
    [
        ("huggingface-hub", "0.25", "huggingface_hub.errors has GatedRepoError"),
        ("segmentation-models-pytorch", "0.6", "DiceLoss takes class_weights"),
    ],
)
def test_the_least_version_of_a_dependency_has_what_the_package_uses(package, least, what):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = next(one for one in map(Requirement, pyproject["project"]["dependencies"]) if one.name == package)
    (lower,) = (Version(each.version) for each in wanted.specifier if each.operator == ">=")
    assert lower >= Version(least), what
