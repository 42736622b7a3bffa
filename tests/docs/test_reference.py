"""Each public name has a page of its own, with an example, and nothing is documented twice."""

import importlib
import inspect
import re

import pytest

import histowidgets as hw
from tests.docs.fences import DOCS, ROOT, of

REFERENCE = DOCS / "reference"
PACKAGES = ("advice", "annotations", "images", "models", "prediction", "reporting", "training", "widgets")
MODULES = {"errors": "histowidgets.errors", "samples": "histowidgets.samples"}


def page_of(name):
    """Return the page of a public name; classes and functions have a folder each, as `Estimate` and `estimate` differ
    in a letter that some file systems do not tell apart."""
    if name in MODULES:
        return REFERENCE / f"{name}.md"
    return REFERENCE / ("classes" if inspect.isclass(getattr(hw, name)) else "functions") / f"{name}.md"


@pytest.mark.parametrize("name", hw.__all__)
def test_a_public_name_has_a_page_with_an_example(name):
    page = page_of(name)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# hw.{name}\n")
    assert re.findall(r"^::: (\S+)$", text, re.MULTILINE) == [MODULES.get(name, f"histowidgets.{name}")]
    (example,) = of(page, "python")
    assert f"hw.{name}" in example.text or name in {"Advice", "Annotation", "Comparison", "CrossValidation"} | {
        "Agreement",
        "AuditResults",
        "Estimate",
        "Prediction",
        "QuickScore",
        "ShiftSensitivity",
        "Recommendation",
        "StoredPrediction",
        "TrainingRun",
        "UnfinishedRun",
        "Image",
        "ClassifierSpec",
    }  # what a function returns
    path = page.relative_to(DOCS).as_posix()
    assert f" hw.{name}: {path}\n" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"({page.relative_to(REFERENCE).as_posix()})" in (REFERENCE / "index.md").read_text(encoding="utf-8")


def test_no_page_is_of_a_name_that_is_gone():
    pages = {*(REFERENCE / "classes").glob("*.md"), *(REFERENCE / "functions").glob("*.md")}
    assert pages == {page_of(name) for name in hw.__all__ if name not in MODULES}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_of_a_package_lists_what_has_no_page_of_its_own(package):
    module = importlib.import_module(f"histowidgets.{package}")
    rest = [name for name in module.__all__ if name not in hw.__all__ and not inspect.ismodule(getattr(module, name))]
    text = (REFERENCE / f"{package}.md").read_text(encoding="utf-8")
    assert re.findall(r"^        - (\w+)$", text, re.MULTILINE) == rest


def test_troubleshooting_quotes_messages_that_the_package_has():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "histowidgets").rglob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # texts that go on in the next line
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = [one for line in re.findall(r"^### (.*)$", text, re.MULTILINE) for one in re.findall("“(.*?)”", line)]
    assert len(quoted) > 12
    for message in quoted:
        for part in message.split("…"):
            assert part.strip(" ,;.") in source, message


def test_the_citation_is_that_of_the_package():
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    page = (DOCS / "citation.md").read_text(encoding="utf-8")
    title, version, address = (re.search(rf"^{key}: (.+)$", cff, re.MULTILINE)[1] for key in _KEYS)
    assert version == hw.__version__
    assert title in page
    assert f"version = {{{version}}}" in page
    assert f"(version {version})" in page
    assert f"url     = {{{address}}}" in page


_KEYS = ("title", "version", "repository-code")
