"""Runs take any call, from any thread, at any time: one end, nothing after it, and no one waits for ever."""

import itertools
import random
import threading

import pytest

from histowidgets.errors import TrainingError
from histowidgets.training import (
    BatchEnded,
    EpochEnded,
    Message,
    RunEnded,
    RunLog,
    RunStarted,
    StateChanged,
    replay,
    start_training,
)
from tests.training.helpers import painted, quick

FINAL = ("finished", "stopped", "failed")
LONG = 60


def check(run):
    """The events of a run that is over tell of one life, in order."""
    kinds = [type(event) for event in run.events]
    assert kinds[0] is RunStarted or kinds.count(RunStarted) <= 1
    assert kinds.count(RunEnded) == 1
    after = run.events[kinds.index(RunEnded) + 1 :]
    assert all(isinstance(event, Message) for event in after), after
    states = [event.state for event in run.events if isinstance(event, StateChanged)]
    assert [state for state in states if state in FINAL] == [run.state]
    assert not any(one == other for one, other in itertools.pairwise(states)), states
    if "stopping" in states:
        assert states[states.index("stopping") + 1 :] == [run.state]
    epochs = [event.record["epoch"] for event in run.events if isinstance(event, EpochEnded)]
    assert [record["epoch"] for record in run.history] == sorted(set(epochs))
    assert run.wait(0) == run.state


def hammer(calls, threads=4, times=150, seed=0):
    """Make random calls from several threads; return the errors that are none of ours."""
    wrong = []

    def work(number):
        rng = random.Random(f"{seed} {number}")
        for _ in range(times):
            call = rng.choice(calls)
            try:
                call()
            except TrainingError:
                pass
            except BaseException as error:  # noqa: BLE001 - the test wants to see it
                wrong.append(error)

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in running), "a call never came back"
    return wrong


@pytest.mark.parametrize("seed", range(8))
def test_a_log_survives_any_calls_of_several_threads(seed):
    run = RunLog(epochs=10)
    told = []
    run.subscribe(told.append)
    # Without pauses: a loop that is paused waits for the one who paused it.
    calls = [
        *[lambda: run.epoch(train_loss=1.0), lambda: run.step(1, 2, 0.5), lambda: run.say("a word")] * 4,
        run.resume,
        lambda: run.summary().scores,
        lambda: run.wait(0),
        repr,
        *([lambda: run.stop("best")] if seed % 2 else []),
        *([run.finish] if seed % 3 == 0 else []),
    ]
    calls = [call if call is not repr else lambda: repr(run) for call in calls]
    assert hammer(calls, seed=seed) == []
    run.finish()
    assert run.wait(1) in ("finished", "stopped")
    check(run)
    assert sorted(map(id, told)) == sorted(map(id, run.events[2:])), "every event was told once"


@pytest.mark.parametrize("seed", range(4))
def test_a_replay_survives_any_calls_of_several_threads(seed):
    run = replay([{"train_loss": 1.0 / n} for n in range(1, 400)], interval=None)
    calls = [run.advance] * 8 + [run.pause, run.resume, lambda: run.stop("last") if seed % 2 else None]
    assert hammer(calls, times=120, seed=seed) == []
    run.stop("nothing")
    assert run.state == "stopped" if seed % 2 else run.state in FINAL
    check(run)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_training_survives_any_calls_of_several_threads(seed):
    run = start_training(painted(), quick(epochs=300, pretrained=False))
    calls = [run.pause, run.resume, lambda: run.wait(0.001), run.summary, lambda: run.classifier, lambda: repr(run)]
    assert hammer(calls, seed=seed) == []
    hammer([lambda: run.stop("last"), run.pause, lambda: run.stop("best"), run.leave], times=20, seed=seed)
    assert run.wait(LONG) == "stopped"
    check(run)


def test_a_subscriber_that_waits_for_its_own_run_is_told_so_and_holds_nothing_up(caplog):
    run = start_training(painted(), quick(epochs=1, pretrained=False))
    run.subscribe(lambda event: run.wait())
    assert run.wait(LONG) == "finished"
    assert "waiting for the end of this run, which is waiting for the subscriber" in caplog.text


def test_a_loop_that_was_ended_elsewhere_is_told_so_and_its_steps_are_ignored():
    run = RunLog()
    run.epoch(train_loss=1.0)
    run.finish()
    events = len(run.events)
    run.step(1, 2, 0.5)
    with pytest.raises(TrainingError, match="This RunLog is finished"):
        run.epoch(train_loss=0.5)
    assert len(run.events) == events
    assert not any(isinstance(event, BatchEnded) for event in run.events)


def test_two_can_watch_a_run_and_both_come_back():
    run = replay([{"train_loss": 1.0}] * 20, interval=0.01)
    told, states = [], []
    run.subscribe(told.append)
    watching = [threading.Thread(target=lambda: states.append(run.watch())) for _ in range(2)]
    for thread in watching:
        thread.start()
    for thread in watching:
        thread.join(LONG)
    assert states == ["finished", "finished"]
    assert [event.record["epoch"] for event in told if isinstance(event, EpochEnded)][-1] == 20
