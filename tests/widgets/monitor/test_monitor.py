"""The monitor shows what a run has learned, whoever reports it, and leaves nothing behind."""

import gc
import inspect
import math
import subprocess
import sys
import threading
import time

import ipywidgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from histowidgets.errors import WidgetError
from histowidgets.training import (
    BatchEnded,
    EpochEnded,
    Message,
    RunEnded,
    RunFailed,
    StateChanged,
    parse_epoch_record,
    replay,
)
from histowidgets.widgets.monitor import CrossValidationChart, LossMonitor
from histowidgets.widgets.monitor._monitor import EARLIER_RUNS
from histowidgets.widgets.monitor._run_curves import MAX_POINTS
from histowidgets.widgets.monitor._styles import visible_on_both
from tests.widgets.monitor.helpers import put, record, wait_until


class PushedRun:
    """Somebody else's loop: no events kept, only a way to be told."""

    def __init__(self, history=()):
        self.history = list(history)
        self.callbacks = []

    def subscribe(self, callback):
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def emit(self, event):
        for callback in list(self.callbacks):
            callback(event)


def line(monitor, chart, name):
    return getattr(monitor._charts, chart).lines[name]


def status(monitor):
    return monitor._status.value.replace("&nbsp;", " ")


def test_without_a_run_it_says_so_and_shows_no_axes(monitor):
    assert "The loss curve appears here" in monitor._placeholder.value
    assert monitor._charts.layout.visibility == "hidden"
    # Hidden, and not taken away: the room is kept, so that nothing jumps.
    assert monitor._charts.layout.display is None


def test_a_run_is_drawn_from_its_first_epoch_and_as_it_goes_on(monitor):
    run = replay([record(e) for e in range(1, 41)], interval=None)
    for _ in range(10):
        run.advance()
    monitor.watch(run)
    wait_until(lambda: len(monitor.history) == 10)
    for _ in range(5):
        run.advance()
    wait_until(lambda: len(monitor.history) == 15)
    train = line(monitor, "loss", "train")
    wait_until(lambda: len(train.x) == 15)
    np.testing.assert_array_equal(train.x, np.arange(1, 16))
    np.testing.assert_allclose(train.y, [math.exp(-e / 10) for e in range(1, 16)])
    assert monitor._charts.layout.visibility is None
    assert "<b>Training</b> · epoch 15/40" in status(monitor)


def test_the_end_of_a_run_marks_its_best_epoch_and_ends_the_bridge(monitor):
    run = replay([record(e) for e in range(1, 41)])
    monitor.watch(run)
    wait_until(lambda: "Finished" in status(monitor))
    assert monitor.best_epoch == run.best_epoch == 31
    assert list(monitor._charts.loss._best_text.text) == ["kept: 31"]
    assert monitor._charts.loss._best_line.visible
    assert list(monitor._charts.score._best_line.x) == [31, 31]
    wait_until(lambda: not monitor._bridge.alive)


def test_status_says_epoch_step_and_time_left(monitor):
    run = PushedRun()
    monitor.watch(run)
    run.emit(StateChanged("running"))
    run.emit(EpochEnded(record(34), True))
    run.emit(BatchEnded(35, 3, 12, 0.2, 1e-3, 70.4))
    wait_until(lambda: "step 3/12" in status(monitor))
    assert "<b>Training</b> · epoch 35 · step 3/12 · 1:10 left" in status(monitor)
    # 68 s of 138 s.
    assert "width:49.1%" in status(monitor)


def test_a_failure_is_a_red_line_with_the_reason_and_the_traceback_under_messages(monitor):
    run = PushedRun()
    monitor.watch(run)
    run.emit(Message("warning", "Lumen is only in training"))
    run.emit(RunFailed("out of <memory>", "Traceback: here"))
    run.emit(RunEnded("failed", None))
    wait_until(lambda: "Failed" in status(monitor))
    assert 'role="alert"' in status(monitor)
    assert "out of &lt;memory&gt;" in status(monitor)
    wait_until(lambda: monitor._message_fold.title == "Messages (3)")
    monitor._message_fold.unfolded = True
    for text in ("Lumen is only in training", "out of &lt;memory&gt;", "Traceback: here"):
        assert text in monitor._message_html.value


def test_a_bad_record_of_a_foreign_run_costs_only_itself(monitor):
    run = PushedRun()
    monitor.watch(run)
    for event in ({"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": "x"}, {"epoch": 3, "train_loss": 0.5}):
        run.emit(event)
    wait_until(lambda: len(monitor.history) == 2)
    assert monitor._message_fold.title == "Messages (1)"


def test_a_run_with_a_history_only_is_shown_from_its_start(monitor):
    run = PushedRun(history=[record(1), record(2)])
    monitor.watch(run)
    run.emit(record(3))
    wait_until(lambda: len(monitor.history) == 3)
    monitor.close()
    assert run.callbacks == []


def test_what_cannot_be_watched_is_refused_with_the_way_out(monitor):
    with pytest.raises(WidgetError, match=r"call monitor\.add\(record\) after each epoch"):
        monitor.watch([record(1)])


def test_an_own_loop_tolerates_missing_and_broken_values(monitor):
    for values in (
        {"epoch": 1, "train_loss": 0.9},
        {"epoch": 2, "train_loss": None, "val_loss": math.nan},
        {"epoch": 3, "train_loss": math.inf, "val_loss": 0.5},
        {"epoch": 4, "train_loss": -0.1, "val_loss": 0.4},
    ):
        monitor.add(values)
    train = line(monitor, "loss", "train")
    wait_until(lambda: len(train.x) == 3)
    np.testing.assert_array_equal(train.y, [0.9, np.nan, -0.1])
    monitor.log_scale = True
    # Nothing after the last value that the axis can hold.
    np.testing.assert_array_equal(train.y, [0.9])
    assert train.marker == "circle"


def test_a_burst_of_records_is_drawn_at_most_five_times_a_second_and_the_last_one_too(monitor):
    drawn = []
    train = line(monitor, "loss", "train")
    train.observe(lambda change: drawn.append(time.monotonic()), names="y")
    begin = time.monotonic()
    for epoch in range(1, 501):
        monitor.add(record(epoch))
    wait_until(lambda: len(train.x) == 500)
    assert len(drawn) <= 5 * (time.monotonic() - begin) + 2
    wait_until(lambda: "histowidgets-monitor" not in [thread.name for thread in threading.enumerate()])


def test_ten_thousand_epochs_stay_two_thousand_points_and_cost_little():
    costs = []
    for epochs in (MAX_POINTS, 10_000):
        monitor = LossMonitor()
        try:
            monitor.watch(PushedRun(history=[record(e) for e in range(1, epochs + 1)]))
            train = line(monitor, "loss", "train")
            wait_until(lambda train=train: len(train.x) > 1000, seconds=20)
            assert len(train.x) <= MAX_POINTS
            costs.append(cost_of_an_epoch(monitor, epochs))
        finally:
            monitor.close()
    # What is drawn is as much; the rest is a pass over the numbers.
    assert costs[1] < 3.5 * costs[0]


def cost_of_an_epoch(monitor, epochs):
    """Median seconds of this thread to draw one more epoch."""
    times = []
    for epoch in range(epochs + 1, epochs + 12):
        with monitor._lock:
            put(monitor, record(epoch))
            begin = time.thread_time()
            monitor._draw()
            times.append(time.thread_time() - begin)
    return sorted(times)[5]


def test_x_and_y_of_a_line_go_to_the_page_in_one_message(monitor):
    train = line(monitor, "loss", "train")
    sent = []
    train.send_state = lambda key=None: sent.append(set(key))
    monitor._charts.loss.draw_lines({"train": monitor._curves.curve("train_loss")})
    put(monitor, record(1))
    put(monitor, record(2))
    monitor._charts.loss.draw_lines({"train": monitor._curves.curve("train_loss")})
    assert len(sent) == 1
    assert {"x", "y"} <= sent[0]


def test_drawing_the_same_again_sends_nothing(monitor):
    for epoch in range(1, 6):
        put(monitor, record(epoch))
    monitor._draw()
    sent = []
    for widget in _instances.values():
        widget.observe(lambda change: sent.append((type(change["owner"]).__name__, change["name"])))
    try:
        monitor._draw()
    finally:
        for widget in _instances.values():
            widget.unobserve_all()
    assert sent == []


def test_losses_go_to_a_log_axis_and_back(monitor):
    for epoch in range(1, 30):
        put(monitor, record(epoch))
    monitor.log_scale = True
    loss = monitor._charts.loss
    train = loss.lines["train"]
    assert train.scales["y"] is loss._logarithmic
    assert loss._log_axis in loss.figure.axes
    assert loss._logarithmic.min > 0
    monitor.log_scale = False
    assert train.scales["y"] is loss._linear
    assert loss._linear.min == 0


def test_classes_are_shown_on_demand_in_their_colours_and_told_apart_by_dashes():
    monitor = LossMonitor(colors={"Stroma": "#56B4E9", "Lumen": "#F0E442"})
    monitor.add(record(5))
    monitor.show_classes = True
    stroma, lumen = line(monitor, "score", "class Stroma"), line(monitor, "score", "class Lumen")
    assert stroma.colors == ["#56B4E9"]
    assert lumen.line_style != stroma.line_style
    assert list(lumen.y) == [0.6]
    monitor.show_classes = False
    assert len(lumen.y) == 0
    monitor.close()


def test_a_light_class_colour_is_darkened_until_it_shows_on_white():
    assert visible_on_both("#0072B2") == "#0072B2"
    red, green, blue = (int(visible_on_both("#F0E442")[i : i + 2], 16) for i in (1, 3, 5))
    assert red < 0xF0
    assert abs(red / green - 0xF0 / 0xE4) < 0.02
    assert blue < green


def test_train_and_validation_differ_in_colour_and_in_dashes(monitor):
    train, validation = line(monitor, "loss", "train"), line(monitor, "loss", "validation")
    assert (train.colors, train.line_style) == (["#0072B2"], "solid")
    assert (validation.colors, validation.line_style) == (["#D55E00"], "dashed")


def test_earlier_runs_lie_faintly_beneath_and_only_a_few_of_them(monitor):
    for number in range(EARLIER_RUNS + 2):
        monitor.watch(replay([record(e, shift=number / 10) for e in range(1, 11)]))
        wait_until(lambda: "Finished" in status(monitor))
    beneath = monitor._charts.loss._beneath["train"]
    assert len(beneath.x) == EARLIER_RUNS * 11 - 1
    assert beneath.opacities[0] < 0.5
    marks = monitor._charts.loss.figure.marks
    assert marks.index(beneath) < marks.index(line(monitor, "loss", "train"))
    monitor.clear()
    assert len(beneath.x) == 0
    assert "The loss curve appears here" in monitor._placeholder.value


def test_watching_the_same_run_again_does_not_double_it(monitor):
    run = replay([record(e) for e in range(1, 6)])
    monitor.watch(run)
    wait_until(lambda: len(monitor.history) == 5)
    monitor.watch(run)
    wait_until(lambda: len(monitor.history) == 5)
    assert len(monitor._earlier) == 0


def test_the_table_has_the_numbers_of_the_charts(monitor):
    for epoch in range(1, 4):
        put(monitor, record(epoch, val_iou={"<b>Gland</b>": 0.25 * epoch}))
    put(monitor, {"epoch": 4, "train_loss": math.nan})
    monitor._table_fold.unfolded = True
    table = monitor._table.value
    assert "IoU &lt;b&gt;Gland&lt;/b&gt;" in table
    for text in ("0.905", "0.750", "not a number", "not measured", ">best<"):
        assert text in table
    assert table.index('row">4') < table.index('row">1')


def test_a_long_table_keeps_the_best_epoch_and_says_what_it_left_out(monitor):
    for epoch in range(1, 1001):
        put(monitor, record(epoch))
    monitor._table_fold.unfolded = True
    table = monitor._table.value
    assert table.count("<tr") <= 202
    assert '<th scope="row">31 <b>best</b></th>' in table
    assert "earlier epochs are left out" in table


def test_heights_never_change(monitor):
    heights = [chart.figure.layout.height for chart in (monitor._charts.loss, monitor._charts.score)]
    monitor.add(record(1))
    monitor.show_classes = True
    assert [c.figure.layout.height for c in (monitor._charts.loss, monitor._charts.score)] == heights
    assert all(chart.figure.animation_duration == 0 for chart in (monitor._charts.loss, monitor._charts.score))


def test_caption_is_text_and_never_html(monitor):
    monitor.caption = "<script>alert(1)</script>"
    assert "<script>" not in monitor._caption_line.value


def test_a_saved_notebook_still_has_the_numbers(monitor):
    monitor.add(record(1))
    bundle = monitor._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "0.905" in bundle["text/html"]


def test_a_monitor_that_was_refused_is_collected_silently(monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        LossMonitor(colour="red")
    gc.collect()
    assert not unraisable


def test_close_ends_the_subscription_the_threads_and_every_widget():
    before = set(_instances)
    monitor = LossMonitor()
    run = PushedRun()
    monitor.watch(run)
    monitor.add(record(1))
    monitor.add(record(2))
    monitor.show_classes = True
    monitor.log_scale = True
    monitor.close()
    monitor.close()
    assert run.callbacks == []
    assert set(_instances) - before == set()
    with pytest.raises(WidgetError, match="closed"):
        monitor.add(record(3))
    with pytest.raises(WidgetError, match="closed"):
        monitor.watch(run)


def test_toggles_pressed_while_a_run_reports_lose_nothing(monitor):
    run = replay([record(e) for e in range(1, 201)], interval=0.005)
    monitor.watch(run)
    while run.state != "finished":
        monitor._charts.log_toggle.set_state({"value": not monitor.log_scale})
        monitor._charts.class_toggle.set_state({"value": not monitor.show_classes})
        threading.Event().wait(0.01)
    wait_until(lambda: len(line(monitor, "loss", "train").x) == 200)


def test_neither_torch_nor_a_model_library_is_loaded():
    code = (
        "import sys, histowidgets.widgets.monitor._monitor, histowidgets.widgets.settings._form;"
        "print([m for m in ('torch', 'timm', 'torchvision', 'segmentation_models_pytorch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_a_widget_that_can_lie_in_a_box(monitor):
    assert isinstance(monitor, ipywidgets.Box)
    ipywidgets.VBox([monitor]).close()


def test_the_curves_are_read_knowing_how_many_strokes_are_held_out(monitor, monkeypatch):
    told = []
    monkeypatch.setattr(
        "histowidgets.widgets.monitor._diagnoser.diagnose", lambda *_, **known: told.append(known) or []
    )
    monitor.held_out = {"Stroma": 3, "Lumen": 0}
    monitor.add(record(1))
    wait_until(lambda: told)
    assert told[0]["held_out_strokes"] == {"Stroma": 3, "Lumen": 0}


def test_a_listener_gets_every_event_once_after_it_is_shown(monitor):
    heard, epochs_shown, threads = [], [], set()

    def listen(state, events):
        heard.extend(events)
        epochs_shown.append((len(state.history), len(monitor.history)))
        threads.add(threading.current_thread().name)
        raise RuntimeError("a widget beside it broke")

    unsubscribe = monitor.on_events(listen)
    run = replay([record(e) for e in range(1, 31)], interval=0.001)
    monitor.watch(run)
    wait_until(lambda: heard and isinstance(heard[-1], RunEnded))
    assert heard == run.events
    assert all(told == shown for told, shown in epochs_shown)
    assert threads == {"histowidgets-bridge"}, "one thread for the monitor and its listeners"
    monitor.clear()
    monitor.add(record(1))
    assert heard[-1] == EpochEnded(parse_epoch_record(record(1)), False)
    unsubscribe()
    monitor.add(record(2))
    assert heard[-1].record["epoch"] == 1


def test_a_listener_may_wait_for_a_thread_that_uses_the_monitor(monitor):
    done = threading.Event()

    def listen(state, events):
        other = threading.Thread(target=lambda: setattr(monitor, "caption", "from elsewhere"), daemon=True)
        other.start()
        other.join(5)
        if not other.is_alive():
            done.set()

    monitor.on_events(listen)
    monitor.watch(replay([record(1)]))
    assert done.wait(10)


def test_a_run_that_another_library_emits_keeps_its_order_and_its_failure(monitor):
    run = PushedRun(history=[{"train_loss": 0.9}, {"train_loss": 0.8}])
    monitor.watch(run)
    run.emit({"train_loss": 0.7})
    run.emit(object())
    run.emit(RunFailed("it broke", ""))
    wait_until(lambda: "Failed" in status(monitor))
    assert [one["epoch"] for one in monitor.history] == [1, 2, 3]


@pytest.mark.parametrize("widget", [LossMonitor, CrossValidationChart])
def test_unknown_keywords_are_refused(widget):
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        inspect.signature(widget).bind(None, colour="#000000")
