"""Rules of the house that a reader should not have to check: unpickling, banned libraries."""

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
