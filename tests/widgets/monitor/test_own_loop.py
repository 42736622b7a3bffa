"""A loop of your own, watched through a RunLog."""

import pytest

import histowidgets as hw
from tests.widgets.monitor.helpers import overfit, wait_until


def test_an_own_loop_is_watched_through_a_run_log_and_judged(monitor):
    run = hw.RunLog(epochs=40)
    monitor.watch(run)
    with run:
        for epoch in range(1, 31):
            values = overfit(epoch)
            run.epoch(train_loss=values["train_loss"], val_loss=values["val_loss"], val_miou=values["val_miou"])
    wait_until(lambda: len(monitor.history) == 30)
    wait_until(lambda: monitor.diagnosis)
    assert "<b>Finished after 30 of 40 epochs</b>" in monitor._status.value.replace("&nbsp;", " ")
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
