"""The small parts of the studio: the log and the list of classes."""

import pytest
import traitlets

from histowidgets.widgets.studio._class_list import ClassList
from histowidgets.widgets.studio._log_panel import LogPanel

HTML_NAME = "<img src=x onerror=alert(1)>"


def test_log_keeps_the_newest_lines_and_escapes_them():
    log = LogPanel()
    for number in range(500):
        log.add(f"line {number} {HTML_NAME}")
    assert "line 499" in log.text
    assert "line 0 " not in log.text
    assert "<img" not in log._text.value


def test_class_list_keeps_the_selected_class_and_refuses_unknown_ones():
    classes = ClassList()
    rows = [{"name": name, "color": "#123456", "count": 0, "goal": 15, "good": 40} for name in ("A", "B")]
    classes.show(rows)
    assert classes.selected == "A"
    heard = []
    classes.on_select(heard.append)
    classes.selected = "B"
    assert heard == ["B"]
    with pytest.raises(traitlets.TraitError, match="There is no class 'C'"):
        classes.selected = "C"
    classes.show(rows[:1])
    assert classes.selected == "A"
