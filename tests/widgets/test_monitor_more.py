"""The monitor beyond its curves: the diagnosis and its buttons, smoothing, the learning rate, files."""

import math
import threading
import time

import numpy as np
import PIL.Image
import pytest

import histowidgets as hw
from histowidgets.advice import Action, Advice
from histowidgets.errors import WidgetError
from histowidgets.training import TrainingSettings, replay
from histowidgets.widgets.monitor._curves import Curve, smoothed
from histowidgets.widgets.monitor._diagnosis_line import IDLE, DiagnosisLine
from histowidgets.widgets.monitor._monitor import LossMonitor


def overfit(epoch):
    """Training falls all the while; validation turns at epoch 12."""
    return {
        "epoch": epoch,
        "train_loss": math.exp(-epoch / 10),
        "val_loss": 0.4 + 0.03 * abs(epoch - 12),
        "train_miou": 1 - math.exp(-epoch / 6),
        "val_miou": 0.6 - abs(epoch - 12) / 100,
        "val_iou": {"Stroma": 0.6, "Lumen": 0.5},
        "val_accuracy": 0.8,
        "learning_rate": 5e-3,
        "seconds": 2.0 * epoch,
    }


@pytest.fixture
def monitor():
    monitor = LossMonitor()
    yield monitor
    monitor.close()


def wait_until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)


def buttons(monitor):
    line = monitor.line
    shown = line._buttons.children + line._more_buttons.children + line._undo_box.children
    return {button.description: button for button in shown}


def test_r65_the_diagnosis_stands_in_the_monitor_itself_with_its_numbers(monitor):
    assert IDLE.replace("'", "&#x27;") in monitor.line._text.value
    run = replay([overfit(e) for e in range(1, 31)], TrainingSettings(scheduler="none"))
    monitor.watch(run)
    wait_until(lambda: monitor.diagnosis)
    first = monitor.diagnosis[0]
    assert first.id in ("overfitting", "stop-rising", "stop-diverged")
    assert first.title in monitor.line._text.value
    name = next(iter(first.evidence)).replace("_", " ")
    assert name in monitor.line._numbers.value


def test_r30_the_class_that_a_poor_one_is_mostly_taken_for_is_named_from_the_best_epoch(monitor, monkeypatch):
    def poor(epoch):
        iou = {"Stroma": 0.85, "Lumen": 0.2, "Gland": 0.8}
        return {"epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1 / epoch + 0.1, "val_miou": 0.62, "val_iou": iou}

    run = replay([poor(e) for e in range(1, 21)], TrainingSettings())
    counts = [[90, 5, 5], [4, 20, 76], [2, 3, 95]]  # Lumen is mostly taken for Gland
    monkeypatch.setattr(type(run), "scores", {**poor(20), "confusion": counts})
    monitor.watch(run)
    wait_until(lambda: [one for one in monitor.diagnosis if one.id == "class-poor"])
    (advice,) = [one for one in monitor.diagnosis if one.id == "class-poor"]
    assert "mostly taken for Gland" in advice.detail


def test_r42_alone_the_stop_button_ends_the_run_and_changes_are_words(monitor):
    run = replay([overfit(e) for e in range(1, 61)], TrainingSettings(scheduler="none"), interval=None)
    for _ in range(30):
        run.advance()
    monitor.watch(run)
    wait_until(lambda: any("Stop" in words for words in buttons(monitor)))
    words = buttons(monitor)
    assert all("Stop" in word for word in words), "without a handler nothing can change the settings"
    monitor.line._more.value = True
    assert "model_copy" in monitor.line._rest.value
    assert monitor.diagnosis[0].guide in monitor.line._rest.value
    next(iter(words.values())).click()
    assert run.state == "stopped"
    wait_until(lambda: not any("Stop" in word for word in buttons(monitor)))


def test_as_many_buttons_as_fit_are_in_sight_and_the_others_are_counted():
    line = DiagnosisLine(lambda action: True, lambda action, advice: None)
    labels = ("Stop and keep epoch 31", "Wait", "Lower the learning rate to 1e-4")
    line.show([Advice("x", "Title", "", actions=tuple(Action(label, {"epochs": 3}) for label in labels))])
    assert [button.description for button in line._buttons.children] == list(labels[:2])
    assert line._more.description == "more (1)"
    line.offer("Try", "tip", lambda: None)
    assert [button.description for button in line._buttons.children] == list(labels[:2]), "only while nothing is found"
    line.show([])
    assert [button.description for button in line._buttons.children] == ["Try"]
    line.close()


def test_a_handler_gets_the_action_and_its_advice():
    heard = []
    monitor = LossMonitor(on_action=lambda action, advice: heard.append((action, advice)))
    monitor.line.restarts = True
    monitor.watch(replay([overfit(e) for e in range(1, 31)], TrainingSettings(scheduler="none")))
    wait_until(lambda: buttons(monitor))
    word, button = next((word, one) for word, one in buttons(monitor).items() if word.endswith(" and restart"))
    button.click()
    assert heard[0][0].patch
    assert heard[0][1] == monitor.diagnosis[0]
    monitor.line.offer_undo(lambda: heard.append("undone"))
    buttons(monitor)["Undo"].click()
    assert heard[-1] == "undone"
    assert "Undo" not in buttons(monitor)
    assert word in buttons(monitor)
    monitor.close()


def test_the_same_diagnosis_with_new_numbers_keeps_its_buttons(monitor):
    run = replay([overfit(e) for e in range(1, 61)], TrainingSettings(scheduler="none"), interval=None)
    for _ in range(40):
        run.advance()
    monitor.watch(run)
    wait_until(lambda: buttons(monitor))
    before, numbers = buttons(monitor), monitor.line._numbers.value
    run.advance()
    wait_until(lambda: monitor.line._numbers.value != numbers)
    assert buttons(monitor) == before


def test_an_own_loop_is_watched_through_a_run_log_and_judged(monitor):
    run = hw.RunLog(epochs=40)
    monitor.watch(run)
    with run:
        for epoch in range(1, 31):
            values = overfit(epoch)
            run.epoch(train_loss=values["train_loss"], val_loss=values["val_loss"], val_miou=values["val_miou"])
    wait_until(lambda: len(monitor.history) == 30)
    wait_until(lambda: monitor.diagnosis)
    assert "<b>Finished</b> · epoch 30/40" in monitor._status.value.replace("&nbsp;", " ")
    assert all(action.patch is None for action in monitor.diagnosis[0].actions if "backbone" in action.label.lower())


def test_a_plain_pytorch_loop_feeds_the_monitor(monitor):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(64, 3)
    y = (x[:, :1] > 0).float()
    net = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    run = hw.RunLog(epochs=20, name="logistic regression")
    monitor.watch(run)
    with run:
        for _ in range(20):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.epoch(train_loss=loss.item(), learning_rate=0.5)
    wait_until(lambda: len(monitor._charts.loss.lines["train"].x) == 20)
    assert monitor.history[-1]["train_loss"] < monitor.history[0]["train_loss"]
    assert "logistic regression" in monitor._caption_line.value


# -- smoothing and switches --------------------------------------------------------------------------


def test_smoothing_is_an_average_that_starts_right_and_keeps_gaps():
    y = np.array([4.0, 2.0, np.nan, 2.0])
    done = smoothed(Curve(np.arange(4.0), y), 0.5)
    weights = [np.array(w) for w in ([1], [1, 2], None, [1, 2, 8])]
    assert done.y[0] == 4.0
    assert done.y[1] == pytest.approx((4 * weights[1][0] + 2 * weights[1][1]) / 3)
    assert np.isnan(done.y[2])
    assert done.y[3] == pytest.approx((4 * 1 + 2 * 2 + 2 * 8) / 11)
    assert smoothed(Curve(np.arange(4.0), y), 0.0).y is y


def test_a_smoothed_curve_has_its_own_values_thinly_beneath(monitor):
    rng = np.random.default_rng(0)
    for epoch in range(1, 101):
        monitor._log.add({"epoch": epoch, "train_loss": 1 + 0.3 * rng.standard_normal()})
    monitor._draw()
    chart = monitor._charts.loss
    raw = chart.lines["train"].y.copy()
    assert len(chart._raw["train"].x) == 0
    monitor.smoothing = "strong"
    assert np.std(chart.lines["train"].y[20:]) < 0.5 * np.std(raw[20:])
    np.testing.assert_array_equal(chart._raw["train"].y, raw)
    assert chart._raw["train"].opacities[0] < 0.5
    assert chart.figure.marks.index(chart._raw["train"]) < chart.figure.marks.index(chart.lines["train"])
    with pytest.raises(WidgetError, match="'light'"):
        monitor.smoothing = "much"


def test_the_learning_rate_has_a_chart_on_demand(monitor):
    for epoch in range(1, 11):
        monitor._log.add(overfit(epoch) | {"learning_rate": 1e-3 * epoch})
    monitor._draw()
    assert monitor._charts._rate_box.layout.display == "none"
    monitor._charts.rate_toggle.value = True
    assert monitor._charts._rate_box.layout.display is None
    np.testing.assert_allclose(monitor._charts.rate.lines["rate"].y, 1e-3 * np.arange(1, 11))


def test_earlier_runs_can_be_switched_off(monitor):
    assert monitor._charts.earlier_toggle.disabled
    for _ in range(2):
        monitor.watch(replay([overfit(e) for e in range(1, 11)]))
        wait_until(lambda: len(monitor.history) == 10)
    beneath = monitor._charts.loss._beneath["train"]
    assert not monitor._charts.earlier_toggle.disabled
    assert len(beneath.x) == 10
    monitor._charts.earlier_toggle.value = False
    assert len(beneath.x) == 0


# -- files ---------------------------------------------------------------------------------------------


def test_the_numbers_go_to_a_csv_as_they_are(monitor, tmp_path):
    monitor._log.add(overfit(1) | {"val_iou": {"Stroma": 0.1 + 0.2, 'a "b", c': None}})
    monitor._log.add({"epoch": 2, "train_loss": math.nan})
    path = monitor.to_csv(tmp_path / "run.csv")
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["iou_Stroma"]) == 0.1 + 0.2
    assert rows[0]['iou_a "b", c'] == ""
    assert rows[1]["train_loss"] == "nan"
    assert rows[1]["val_loss"] == ""


def test_the_charts_go_to_a_png_with_both_curves(monitor, tmp_path):
    for epoch in range(1, 31):
        monitor._log.add(overfit(epoch))
    monitor.show_classes = True
    pixels = np.array(PIL.Image.open(monitor.to_png(tmp_path / "run.png")))
    assert pixels.shape == (840, 1200, 3)
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x1A, 0x7F, 0x37)):
        found = (pixels == color).all(axis=2)
        assert found[:420].sum() > 100
        assert found[420:].sum() > 100
    empty = LossMonitor()
    empty.to_png(tmp_path / "empty.png")
    empty.close()


def test_a_button_hands_the_file_to_the_page(monitor):
    monitor._log.add(overfit(1))
    ways_out = monitor._table_fold._body.children[0]
    sent = []
    ways_out._page.send = lambda content, buffers: sent.append((content, bytes(buffers[0])))
    for button in ways_out.children[:2]:
        button.click()
    assert [content["name"] for content, _ in sent] == ["training.csv", "training.png"]
    assert sent[0][1].startswith(b"epoch,train_loss")
    assert sent[1][1].startswith(b"\x89PNG")
