"""Threads that end with the process, and what they do when it ends."""

import subprocess
import sys
import threading
import time

import pytest

from histowidgets._threads import BackgroundThread, BackgroundTimer, SerialExecutor, end_threads

LONG = 20


def test_a_thread_is_asked_to_stop_once_and_waited_for():
    go, asked, done = threading.Event(), [], []

    def stop():
        asked.append(1)
        go.set()

    def work():
        go.wait(LONG)
        time.sleep(0.2)  # the step that it ends
        done.append(1)

    thread = BackgroundThread(work, "asked", stop=stop)
    assert (thread.name, thread.daemon) == ("histowidgets-asked", True)
    thread.start()
    assert end_threads(LONG)
    assert (asked, done) == ([1], [1])


def test_a_thread_that_starts_while_others_end_is_asked_too():
    late = threading.Event()
    second = BackgroundThread(lambda: late.wait(LONG), "late", stop=late.set)
    first = threading.Event()

    def work():
        first.wait(LONG)
        second.start()

    BackgroundThread(work, "early", stop=first.set).start()
    assert end_threads(LONG)
    assert not second.is_alive()


def test_waiting_has_a_limit_for_what_does_not_stop():
    go = threading.Event()
    thread = BackgroundThread(lambda: go.wait(LONG), "deaf")
    thread.start()
    began = time.monotonic()
    assert not end_threads(0.2)
    assert time.monotonic() - began < 5
    go.set()
    thread.join(LONG)
    assert end_threads(0)


def test_a_thread_that_fails_is_forgotten(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda error: None)
    thread = BackgroundThread(lambda: 1 / 0, "failing")
    thread.start()
    thread.join(LONG)
    assert end_threads(0)


def test_a_timer_calls_unless_it_is_cancelled():
    called = threading.Event()
    timer = BackgroundTimer(0.01, called.set, "soon")
    timer.start()
    assert called.wait(LONG)
    late = BackgroundTimer(60, pytest.fail, "late")
    late.start()
    late.cancel()
    late.join(LONG)
    assert not late.is_alive()
    asked = BackgroundTimer(60, pytest.fail, "asked")
    asked.start()
    assert end_threads(LONG), "the end of the process cancels timers"


def test_an_executor_works_in_order_and_raises_where_the_result_is_asked_for():
    executor, order = SerialExecutor("ordered"), []
    futures = [executor.submit(order.append, n) for n in range(100)]
    broken = executor.submit(lambda: 1 / 0)
    named = executor.submit(lambda: threading.current_thread().name)
    with pytest.raises(ZeroDivisionError):
        broken.result(LONG)
    assert named.result(LONG) == "histowidgets-ordered"
    assert all(future.done() for future in futures)
    assert order == list(range(100))
    executor.close()
    assert not [t for t in threading.enumerate() if t.name == "histowidgets-ordered"]


def test_a_closed_executor_works_on_the_callers_thread_after_what_was_submitted():
    executor, go, order = SerialExecutor("closed"), threading.Event(), []

    def first():
        go.wait(LONG)
        order.append("first")

    executor.submit(first)
    executor.close(wait=False)
    threading.Timer(0.05, go.set).start()
    assert executor.submit(lambda: order.append(threading.current_thread())).done()
    assert order == ["first", threading.current_thread()]


def test_work_can_be_cancelled_before_it_begins():
    executor, go, done = SerialExecutor("cancelled"), threading.Event(), []
    executor.submit(go.wait, LONG)
    waiting = executor.submit(done.append, 1)
    assert waiting.cancel()
    go.set()
    executor.close()
    assert done == []


END = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from histowidgets._threads import BackgroundThread, SerialExecutor, process_is_ending
executor = SerialExecutor("at the end")
def work():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
    while not process_is_ending():
        time.sleep(0.01)
    time.sleep(0.2)
    import decimal, fractions, statistics  # an import must be possible until the thread has ended
    print(executor.submit(lambda: "worked until the end").result())
BackgroundThread(work, "worker").start()
%s
"""


@pytest.mark.parametrize("last", ["", "sys.exit(0)", "raise SystemExit", "time.sleep(0.1)"])
def test_the_process_waits_for_its_threads(last):
    done = subprocess.run([sys.executable, "-c", END % last], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "worked until the end\n", "")


def test_a_program_that_works_on_a_thread_of_its_own_goes_on():
    code = """
import threading, time
from histowidgets._threads import BackgroundThread, process_is_ending
asked, done = threading.Event(), threading.Event()
def background():
    time.sleep(0.3)
    print("asked" if asked.is_set() or process_is_ending() else "worked", flush=True)
    done.set()
def program():
    BackgroundThread(background, "background", stop=asked.set).start()
    done.wait()
threading.Thread(target=program).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "worked\n", "")


def test_a_forked_process_has_no_threads_to_wait_for():
    code = """
import os, threading, time
from histowidgets._threads import BackgroundThread
go = threading.Event()
BackgroundThread(lambda: go.wait(20), "parent", stop=go.set).start()
child = os.fork()
if child == 0:
    BackgroundThread(lambda: print("child", flush=True), "child").start()
else:
    assert os.waitpid(child, 0)[1] == 0
    print("parent")
"""
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("no fork on this system")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "child\nparent\n", "")
