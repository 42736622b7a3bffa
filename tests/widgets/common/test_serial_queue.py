"""Drawing from many threads, and after errors."""

import threading

import ipycanvas
import pytest
from ipycanvas.canvas import _CANVAS_MANAGER

from histowidgets.widgets.common._serial_queue import SerialQueue, batch


def test_an_error_in_a_batch_does_not_freeze_all_canvases():
    canvas, anchor = ipycanvas.Canvas(width=4, height=4), ipycanvas.Canvas(width=1, height=1)

    def fail_halfway():
        with batch(anchor):
            canvas.fill_rect(0, 0, 1, 1)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail_halfway()
    assert not _CANVAS_MANAGER._caching
    assert not _CANVAS_MANAGER._commands_cache
    canvas.close()
    anchor.close()


def test_every_batch_names_its_canvas_again(monkeypatch):
    canvas, anchor = ipycanvas.Canvas(width=4, height=4), ipycanvas.Canvas(width=1, height=1)
    sent = []
    monkeypatch.setattr(type(_CANVAS_MANAGER), "_send_custom", lambda self, command, buffers=(): sent.append(command))
    for _ in range(2):
        with batch(anchor):
            canvas.fill_rect(0, 0, 1, 1)
    switch = ipycanvas.canvas.COMMANDS["switchCanvas"]
    assert len(sent) == 2
    for commands in sent:
        assert commands[0][0] == switch
        assert [command[1] for command in commands if command[0] == switch][-1] == [f"IPY_MODEL_{canvas.model_id}"]
    canvas.close()
    anchor.close()


def test_jobs_run_in_order_one_at_a_time_and_none_is_left():
    queue, done, running = SerialQueue(), [], []

    def job(number):
        running.append(number)
        assert len(running) == 1
        done.append(number)
        running.pop()

    threads = [
        threading.Thread(target=lambda first=first: [queue.submit(lambda n=n: job((first, n))) for n in range(200)])
        for first in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 800
    for first in range(4):
        assert [n for one, n in done if one == first] == list(range(200))


def test_a_job_that_brings_a_job_does_not_wait_for_itself():
    queue, done = SerialQueue(), []

    def outer():
        queue.submit(lambda: done.append("inner"))
        done.append("outer")

    queue.submit(outer)
    assert done == ["outer", "inner"]


def test_who_finds_the_queue_busy_does_not_wait():
    queue, inside, leave, done = SerialQueue(), threading.Event(), threading.Event(), []

    def long_job():
        inside.set()
        leave.wait(5)
        done.append("long")

    thread = threading.Thread(target=queue.submit, args=(long_job,))
    thread.start()
    inside.wait(5)
    queue.submit(lambda: done.append("short"))
    assert done == []
    leave.set()
    thread.join(5)
    assert done == ["long", "short"]
