"""Slow tasks are done on a thread, in order, and each outcome is reported."""

import threading

import pytest

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common import TaskQueue


@pytest.fixture
def said():
    return []


@pytest.fixture
def queue(said):
    queue = TaskQueue("files", lambda text, level: said.append((text, level)))
    yield queue
    queue.close()


def test_tasks_are_done_in_order_on_a_thread_that_ends(queue, said):
    go, names = threading.Event(), []

    def first():
        assert go.wait(20)
        names.append(threading.current_thread().name)
        return "Wrote one"

    queue.submit("Writing one…", first)
    queue.submit("Writing two…", lambda: ("Left some out", "warning"))
    assert said == [
        ("Writing one…", "info"),
        ("Writing two… Waiting for earlier tasks.", "info"),
    ]
    assert not queue.wait(0.01)
    go.set()
    assert queue.wait(20)
    assert said[2:] == [("Wrote one", "good"), ("Writing two…", "info"), ("Left some out", "warning")]
    assert names == ["histowidgets-files"]


@pytest.mark.parametrize(
    ("error", "words"), [(HistowidgetsError("paint first"), "paint first"), (KeyError("x"), "KeyError: 'x'")]
)
def test_what_goes_wrong_is_said_and_the_next_task_is_done(queue, said, error, words):
    def fail():
        raise error

    queue.submit("Writing…", fail, failed="Not saved: ")
    queue.submit("Writing…", lambda: "Wrote it")
    assert queue.wait(20)
    assert [one for one in said if one[1] != "info"] == [(f"Not saved: {words}", "error"), ("Wrote it", "good")]


def test_nothing_is_accepted_once_it_is_closed(queue, said):
    queue.close()
    queue.submit("Writing…", lambda: "Wrote it")
    assert queue.wait(1)
    assert said == []


def test_closing_waits_for_what_was_submitted_and_ends_the_thread(said):
    queue, go = TaskQueue("files", lambda text, level: said.append((text, level))), threading.Event()
    queue.submit("Writing one…", lambda: f"Wrote one: {go.wait(20)}")
    queue.submit("Writing two…", lambda: "Wrote two")
    threading.Timer(0.05, go.set).start()
    queue.close()
    assert said[2:] == [("Wrote one: True", "good"), ("Writing two…", "info"), ("Wrote two", "good")]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("histowidgets-files")]


def test_a_long_task_learns_that_the_queue_is_closed(said):
    queue, begun = TaskQueue("files", lambda text, level: said.append((text, level))), threading.Event()

    def task():
        begun.set()
        while not queue.is_closing:
            threading.Event().wait(0.01)
        return "Left off", "info"

    queue.submit("Writing…", task)
    assert begun.wait(20)
    queue.close()
    assert said == [("Writing…", "info"), ("Left off", "info")]
