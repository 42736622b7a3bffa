"""A widget refuses an unknown keyword, and says nothing else."""

import gc
import sys

import pytest

import histowidgets as hw

WIDGETS = ["AnnotationCanvas", "CrossValidationChart", "LossMonitor", "SettingsForm", "Studio"]


@pytest.mark.parametrize("name", WIDGETS)
def test_an_unknown_keyword_is_named_and_nothing_is_printed(name, monkeypatch):
    printed = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    project = [hw.Project(["A", "B"])] if name in ("AnnotationCanvas", "Studio") else []
    with pytest.raises(TypeError, match="no_such_keyword"):
        getattr(hw, name)(*project, no_such_keyword=1)
    gc.collect()
    assert [str(entry.exc_value) for entry in printed] == []
