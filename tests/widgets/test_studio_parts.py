"""The small parts of the studio: the notice, the log, an advice, the list of classes."""

import pytest
import traitlets

from histowidgets.advice import Action, Advice
from histowidgets.images import Region
from histowidgets.widgets._advice_line import AdviceLine
from histowidgets.widgets._class_list import ClassList
from histowidgets.widgets._notice import LogPanel, Notice

HTML_NAME = "<img src=x onerror=alert(1)>"


def _buttons(line):
    return {button.description: button for button in line.children[1].children}


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


def test_advice_line_shows_the_numbers_and_what_can_be_done():
    applied, shown, stopped = [], [], []
    line = AdviceLine(
        "nothing yet", applied.append, lambda: applied.append("undone"), lambda: stopped.append(1), shown.append
    )
    assert "nothing yet" in line.children[0].value
    advice = Advice(
        "lr-too-high",
        f"The loss swings {HTML_NAME}",
        "Lower the learning rate.",
        {"swing": 0.4567},
        {"learning_rate": 1e-4},
        "R29",
        "warning",
        region=Region(1, 2, 3, 4),
        actions=(
            Action("Lower to 1e-4", {"learning_rate": 1e-4}),
            Action("Stop", None, "stop"),
            Action("Paint more", None, "annotate"),
        ),
    )
    line.show(advice)
    text = line.children[0].value
    assert "<img" not in text
    assert "0.457" in text
    assert 'data-level="warning"' in text
    assert list(_buttons(line)) == ["Lower to 1e-4", "Stop", "Show me where"]

    _buttons(line)["Stop"].click()
    _buttons(line)["Show me where"].click()
    _buttons(line)["Lower to 1e-4"].click()
    assert (stopped, shown, applied) == ([1], [advice], [{"learning_rate": 1e-4}])
    _buttons(line)["Undo"].click()
    assert applied == [{"learning_rate": 1e-4}, "undone"]
    assert "Lower to 1e-4" in _buttons(line)


def test_the_same_advice_with_new_numbers_keeps_its_buttons():
    line = AdviceLine(on_apply=lambda patch: None)
    action = (Action("Lower", {"learning_rate": 1e-4}),)
    line.show(Advice("a", "t", "d", {"n": 1}, actions=action))
    before = line.children[1].children
    line.show(Advice("a", "t", "d", {"n": 2}, actions=action))
    assert line.children[1].children == before
    assert "n 2" in line.children[0].value


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
