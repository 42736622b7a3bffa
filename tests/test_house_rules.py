"""Rules that a reader should not have to check: private modules, unpickling, banned libraries."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "histowidgets"
FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_unpickled_and_no_banned_library_is_used(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(import|from)\s+(pickle|cPickle|dill|joblib|albumentations)\b", text)
    assert "smp.utils" not in text
    for call in re.finditer(r"torch\.load\(([^)]*)\)", text):
        assert "weights_only=True" in call.group(1)
    assert "allow_pickle=True" not in text


def private_imports(source, package):
    """Return the private modules that a source in a package imports from outside that package."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom | ast.Import)]
    names = [
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in nodes
        for alias in node.names
    ]
    owners = {name: re.match(r"(histowidgets(?:\.[a-z]\w*)*)\._[a-z]\w*", name) for name in names}
    return [name for name, found in owners.items() if found and f"{package}.".find(f"{found.group(1)}.") != 0]


def test_the_check_for_private_modules_finds_one():
    source = "from histowidgets.training.loop._loss import Loss\nfrom histowidgets._io import atomic_write\n"
    assert private_imports(source, "histowidgets.training.runs") == ["histowidgets.training.loop._loss.Loss"]
    assert private_imports(source, "histowidgets.training.loop") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_private_module_is_imported_from_outside_its_package(path):
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    assert private_imports(path.read_text(encoding="utf-8"), package) == []
