"""Each row of the acceptance table keeps a test that is named after it."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
#: R: the rules of the guide; N: what later practice adds; B: defects that we do not have.
ROWS = [f"{group}{number}" for group, last in (("r", 65), ("n", 16), ("b", 16)) for number in range(1, last + 1)]


def rows_named(source):
    """Return the rows that the names of a source's test functions carry, such as r34 and r35 in test_r34_r35_jitter."""
    names = [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    return {part for name in names for part in name.split("_") if re.fullmatch(r"[rnb]\d+", part)}


@pytest.fixture(scope="module")
def named():
    return set().union(*(rows_named(path.read_text(encoding="utf-8")) for path in TESTS.rglob("test_*.py")))


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_a_test_of_its_name(named, row):
    assert row in named


def test_rows_are_read_from_names_of_tests_alone():
    source = (
        "def test_r1_r2_of_a_network(): ...\ndef helper_r3(): ...\n# test_r4\n"
        "class TestRows:\n    def test_n5(self): ...\ndef test_block1_of_b6(): ...\n"
    )
    assert rows_named(source) == {"r1", "r2", "n5", "b6"}
