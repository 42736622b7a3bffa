"""Every advice has a page, every page an advice, and every page a picture and few words."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from histowidgets.advice import DIAGNOSES, Advice
from histowidgets.advice._guide import GUIDE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "guide"
MAKERS = ("Advice", "RangeWarning")  # the second is made where images are predicted, and passed on as the first
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def ids_in_source():
    """Every text that the code gives to an advice as its id."""
    found = set()
    for path in (ROOT / "histowidgets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                given = [k.value for k in node.keywords if k.arg == "id"] or node.args[:1]
                branches = [given[0].body, given[0].orelse] if isinstance(given[0], ast.IfExp) else given
                found |= {branch.value for branch in branches if isinstance(branch, ast.Constant)}
    return found


def page_of(advice_id):
    address = Advice(advice_id, "", "").guide
    assert address.startswith(f"{GUIDE}/")
    return address.removeprefix(f"{GUIDE}/")


def test_r65_every_advice_has_a_page_and_every_page_an_advice():
    ids = ids_in_source()
    assert set(DIAGNOSES) <= ids
    assert {page_of(name) for name in ids} == {path.name for path in PAGES}


def test_no_text_of_advice_cites_a_numbered_rule():
    for path in (ROOT / "histowidgets" / "advice").rglob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        cited = [text for text in texts if isinstance(text, str) and re.search(r"\b[RNB]\d{1,2}\b", text)]
        assert cited == [], path.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_short_and_has_a_picture(path):
    text = path.read_text()
    words = [word for line in text.splitlines() if line[:1] not in ("#", "!", "") for word in line.split()]
    assert 95 <= len(words) <= 215
    assert "## What it means" in text
    assert "## What to do" in text
    picture = FOLDER / "pictures" / f"{path.stem}.svg"
    assert f"](pictures/{picture.name})" in text
    assert ElementTree.fromstring(picture.read_text()).tag.endswith("svg")
    assert Advice(path.stem, "", "").guide_title == text.splitlines()[0].removeprefix("# ")
    assert f"({path.name})" in (FOLDER / "README.md").read_text()


def test_the_pictures_of_curves_show_what_their_pages_say():
    from docs import make_guide_pictures as pictures

    for name, how in {**pictures.LOSSES, **pictures.CLASSES}.items():
        assert name in DIAGNOSES
        # Drawn only if `diagnose` says so; compared in what it shows, since the last digit may differ elsewhere.
        drawn, kept = pictures.curve(name, *how), (pictures.PICTURES / f"{name}.svg").read_text()
        shown = [len(text.split("L")) for text in (drawn, kept)]
        assert shown[0] == shown[1], f"{name}.svg is out of date: run python -m docs.make_guide_pictures"
