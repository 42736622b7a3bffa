"""The bridge hands every event over, once, in order, in few batches, and ends with the run."""

import itertools
import threading
import time

import pytest

from histowidgets.training import RunEnded
from histowidgets.widgets.common._bridge import RunBridge

ENDED = RunEnded("finished", 1)


class StandInRun:
    """The face of a run, driven by hand."""

    def __init__(self):
        self.events, self._callbacks = [], []

    def subscribe(self, callback):
        self._callbacks.append(callback)
        return lambda: callback in self._callbacks and self._callbacks.remove(callback)

    def emit(self, *events):
        for event in events:
            self.events.append(event)
            for callback in list(self._callbacks):
                callback(event)

    def end(self):
        self.emit(ENDED)

    @property
    def listeners(self):
        return len(self._callbacks)


def test_events_before_and_after_come_once_and_in_order():
    run, batches = StandInRun(), []
    run.emit(*range(100))
    bridge = RunBridge(run, batches.append, rate_hz=50)
    for number in range(100, 1000):
        run.emit(number)
    run.end()
    bridge.join(5)
    assert not bridge.alive
    assert [event for batch in batches for event in batch] == [*range(1000), ENDED]
    assert run.listeners == 0


def test_batches_come_no_faster_than_the_rate():
    run, times = StandInRun(), []
    bridge = RunBridge(run, lambda batch: times.append(time.perf_counter()), rate_hz=20)
    stop = time.perf_counter() + 1.0
    while time.perf_counter() < stop:
        run.emit("step")
        threading.Event().wait(0.001)
    run.end()
    bridge.join(5)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) <= 23
    assert min(gaps) >= 0.045


def test_what_apply_raises_does_not_end_the_bridge(caplog):
    run, seen = StandInRun(), []

    def apply(batch):
        seen.extend(batch)
        raise RuntimeError("a widget broke")

    bridge = RunBridge(run, apply, rate_hz=100)
    run.emit("first")
    run.end()
    bridge.join(5)
    assert seen[-1] is ENDED
    assert "a widget broke" in caplog.text


def test_close_ends_the_thread_and_the_subscription():
    run = StandInRun()
    bridge = RunBridge(run, lambda batch: None)
    bridge.close()
    assert not bridge.alive
    assert run.listeners == 0


def test_close_from_within_apply_does_not_hang():
    run, done = StandInRun(), threading.Event()
    bridge = RunBridge(run, lambda batch: (bridge.close(), done.set()), rate_hz=100)
    run.emit("event")
    assert done.wait(5)
    bridge.join(5)
    assert not bridge.alive


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="rate_hz"):
        RunBridge(StandInRun(), lambda batch: None, rate_hz=0)
