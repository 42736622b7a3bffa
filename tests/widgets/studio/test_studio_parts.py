"""The small parts of the studio: the notice, the log, an advice, the list of classes."""

import pytest
import traitlets

from histowidgets.advice import Advice
from histowidgets.images import Region
from histowidgets.widgets.common._advice_line import AdviceLine
from histowidgets.widgets.studio._class_list import ClassList
from histowidgets.widgets.studio._notifications import LogPanel, Notice

HTML_NAME = "<img src=x onerror=alert(1)>"


def test_notice_shows_text_never_html():
    notice = Notice()
    notice.show(HTML_NAME, "error")
    assert "<img" not in notice.value
    assert "&lt;img" in notice.value
    assert 'role="alert"' in notice.value
    with pytest.raises(ValueError, match="level"):
        notice.show("text", "loud")


def test_log_keeps_the_newest_lines_and_escapes_them():
    log = LogPanel()
    for number in range(500):
        log.add(f"line {number} {HTML_NAME}")
    assert "line 499" in log.text
    assert "line 0 " not in log.text
    assert "<img" not in log._text.value


def test_advice_line_shows_the_advice_with_its_numbers_and_goes_there():
    shown = []
    line = AdviceLine("nothing yet", shown.append)
    text, button = line.children[0], line.children[1].children[0]
    assert "nothing yet" in text.value
    assert button.layout.display == "none"
    advice = Advice(
        "few-boundaries",
        f"Hardly any stroke {HTML_NAME}",
        "Paint some.",
        {"boundary_percent": 0.4567, "quoted": '"'},
        severity="warning",
        region=Region(1, 2, 3, 4),
    )
    line.show(advice)
    assert "<img" not in text.value
    assert "boundary 0.457 %" in text.value
    line._more.value = True
    assert advice.guide in text.value, "all of it, with the page of the guide"
    assert text.value.count("boundary 0.457 %") == 2
    line._more.value = False
    assert 'data-level="warning"' in text.value
    assert button.layout.display is None
    button.click()
    assert shown == [advice]
    line.show(None)
    assert "nothing yet" in text.value
    assert button.layout.display == "none"


def test_class_list_keeps_the_selected_class_and_refuses_unknown_ones():
    classes = ClassList()
    rows = [{"name": name, "color": "#123456", "count": 0, "recommended": 40, "level": "red"} for name in ("A", "B")]
    classes.show(rows)
    assert classes.selected == "A"
    heard = []
    classes.on_select(heard.append)
    classes.selected = "B"
    assert heard == ["B"]
    with pytest.raises(traitlets.TraitError, match="no class is called 'C'"):
        classes.selected = "C"
    classes.show(rows[:1])
    assert classes.selected == "A"
