"""Held-out scores as a list: a number, the strokes it rests on, the range it probably lies in."""

from histowidgets.training import replay
from histowidgets.widgets.monitor._held_out_list import held_out_html
from tests.widgets.monitor.helpers import wait_until

RECORD = {"epoch": 31, "val_miou": 0.87, "val_iou": {"Gland": 1.0, "<b>Lumen</b>": 0.74, "Fat": None}}


def test_each_score_has_its_strokes_and_its_range():
    html = held_out_html(RECORD, {"Gland": 3, "<b>Lumen</b>": 12, "Fat": 0})
    assert "Test area (rough: 15 strokes)" in html
    assert "0.44–1.00 · 3 strokes" in html
    assert "probably 0.44 to 1.00" in html, "for screen readers"
    assert "&lt;b&gt;Lumen&lt;/b&gt;" in html
    assert "no stroke in the test area" in html


def test_many_strokes_need_no_caveat_and_unknown_ones_give_no_range():
    assert "rough" not in held_out_html(RECORD, {"Gland": 30, "<b>Lumen</b>": 40, "Fat": 0})
    html = held_out_html(RECORD, {})
    assert "0.87" in html
    assert "–" not in html
    assert held_out_html({"epoch": 1, "val_miou": None, "val_iou": {}}, {}) == ""
    assert held_out_html(None, {}) == ""
    assert held_out_html(None, {}, ["<b>Lumen</b>"]).count("–") == 2, "the rows keep their room before a score"


def test_the_monitor_lists_those_of_the_best_epoch(monitor):
    monitor.held_out = {"Gland": 4}
    run = replay(
        [
            {"epoch": e, "train_loss": 1 / e, "val_miou": score, "val_iou": {"Gland": score}}
            for e, score in enumerate((0.5, 0.9, 0.7), 1)
        ],
        interval=None,
    )
    while run.advance():
        pass
    monitor.watch(run)
    wait_until(lambda: "0.90" in monitor._scores.value)
    assert "4 strokes" in monitor._scores.value
