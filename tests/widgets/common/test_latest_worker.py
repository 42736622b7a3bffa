"""The worker that answers the newest request only."""

import logging
import random
import threading
import traceback

import pytest

from histowidgets.widgets.common._latest_worker import LatestWorker

LONG = 10


@pytest.fixture
def gate():
    """Work that waits until it is let through, and what was delivered."""

    class Gate:
        def __init__(self):
            self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
            self.worked, self.delivered, self.stale_seen = [], [], []

        def work(self, payload, is_stale):
            self.worked.append(payload)
            self.begun.release()
            assert self.go.acquire(timeout=LONG)
            self.stale_seen.append(is_stale())
            return payload * 10

        def deliver(self, payload, answer, error):
            self.delivered.append((payload, answer, error))

    gate = Gate()
    gate.worker = LatestWorker("gate", gate.work, gate.deliver)
    yield gate
    for _ in range(50):
        gate.go.release()
    gate.worker.close()


def test_newest_wins_and_a_stale_answer_is_never_delivered(gate):
    assert gate.worker.request(1) == 1
    assert gate.begun.acquire(timeout=LONG)
    assert [gate.worker.request(n) for n in (2, 3, 4)] == [2, 3, 4]
    gate.go.release()
    gate.go.release()
    assert gate.worker.idle.wait(LONG)
    assert gate.worked == [1, 4]
    assert gate.stale_seen == [True, False]
    assert gate.delivered == [(4, 40, None)]


def test_idle_says_when_nothing_is_left(gate):
    assert gate.worker.idle.is_set()
    gate.worker.request(1)
    assert gate.begun.acquire(timeout=LONG)
    assert not gate.worker.idle.is_set()
    gate.go.release()
    assert gate.worker.idle.wait(LONG)
    assert gate.delivered == [(1, 10, None)]


def test_errors_are_delivered_with_their_traceback_and_the_worker_lives_on():
    delivered = []

    def work(payload, is_stale):
        return 1 / payload

    worker = LatestWorker("dividing", work, lambda *args: delivered.append(args))
    worker.request(0)
    assert worker.idle.wait(LONG)
    worker.request(2)
    assert worker.idle.wait(LONG)
    worker.close()
    payload, answer, error = delivered[0]
    assert (payload, answer) == (0, None)
    assert isinstance(error, ZeroDivisionError)
    assert "1 / payload" in "".join(traceback.format_exception(error))
    assert delivered[1] == (2, 0.5, None)


def test_a_failing_delivery_is_logged_and_the_next_request_is_answered(caplog):
    delivered = []

    def deliver(payload, answer, error):
        if payload == "bad":
            raise RuntimeError("no page to write to")
        delivered.append(answer)

    worker = LatestWorker("failing", lambda payload, is_stale: payload, deliver)
    with caplog.at_level(logging.ERROR):
        worker.request("bad")
        assert worker.idle.wait(LONG)
    worker.request("good")
    assert worker.idle.wait(LONG)
    worker.close()
    assert "no page to write to" in caplog.text
    assert delivered == ["good"]


def test_close_joins_and_delivers_nothing_more(gate):
    gate.worker.request(1)
    assert gate.begun.acquire(timeout=LONG)
    closing = threading.Thread(target=gate.worker.close)
    closing.start()
    gate.worker.request(2)
    while not gate.worker._closed:
        pass
    gate.go.release()
    gate.go.release()
    closing.join(LONG)
    assert not closing.is_alive()
    assert not gate.worker._thread.is_alive()
    assert gate.delivered == []
    gate.worker.request(3)
    assert gate.worker.idle.is_set()
    gate.worker.close()


def test_close_from_inside_a_delivery_does_not_wait_for_itself():
    done = threading.Event()

    def deliver(payload, answer, error):
        worker.close()
        done.set()

    worker = LatestWorker("self-closing", lambda payload, is_stale: payload, deliver)
    worker.request(1)
    assert done.wait(LONG)
    worker._thread.join(LONG)
    assert not worker._thread.is_alive()


def test_many_requests_from_many_threads_end_with_the_newest():
    delivered = []
    worker = LatestWorker("busy", lambda payload, is_stale: payload, lambda p, a, e: delivered.append(a))
    last = {}

    def ask(base):
        for i in range(200):
            last[worker.request((base, i))] = (base, i)

    threads = [threading.Thread(target=ask, args=(base,)) for base in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.idle.wait(LONG)
    worker.close()
    assert delivered[-1] == last[800]
    assert len(set(delivered)) == len(delivered)


def test_with_a_rest_it_begins_when_nothing_newer_has_come_for_a_while():
    begun, done = [], threading.Event()
    worker = LatestWorker("resting", lambda payload, is_stale: begun.append(payload), lambda *_: done.set(), rest=0.3)
    for number in range(20):
        worker.request(number)
    assert begun == []
    assert done.wait(LONG)
    assert begun == [19], "and only with the newest"
    worker.request(20)
    worker.close()
    assert begun == [19], "closing does not wait for the rest, nor work"


def test_more_that_is_asked_for_from_deliver_gives_way_to_what_is_newer():
    delivered, done = [], threading.Event()

    def deliver(payload, answer, error):
        delivered.append(payload)
        if payload == "first":
            worker.request("newer")
            worker.request_more("first, more")
        elif payload == "newer":
            worker.request_more("newer, more")
        else:
            done.set()

    worker = LatestWorker("more", lambda payload, is_stale: None, deliver)
    worker.request("first")
    assert done.wait(LONG)
    worker.close()
    assert delivered == ["first", "newer", "newer, more"]


def test_a_request_can_have_a_rest_of_its_own():
    begun, done = [], threading.Event()
    worker = LatestWorker("resting", lambda payload, is_stale: begun.append(payload), lambda *_: done.set(), rest=60)
    worker.request("late")
    worker.request("now", rest=0)
    assert done.wait(LONG)
    assert begun == ["now"]
    worker.request("later", rest=60)
    worker.close()
    assert begun == ["now"]


@pytest.mark.parametrize("seed", range(5))
def test_any_calls_of_several_threads_leave_a_worker_that_ends(seed):
    delivered, closed, late = [], threading.Event(), []

    def deliver(payload, answer, error):
        (late if closed.is_set() else delivered).append(payload)
        if payload % 7 == 0:
            worker.request_more(payload + 1)
        if payload % 5 == 0:
            raise RuntimeError("no page to write to")

    def work(payload, is_stale):
        if payload % 3 == 0:
            raise ValueError(payload)
        return is_stale()

    logging.disable(logging.ERROR)
    worker, numbers = LatestWorker("any", work, deliver), []

    def ask(number):
        rng = random.Random(f"{seed} {number}")
        for _ in range(100):
            what = rng.random()
            if what < 0.9:
                numbers.append(worker.request(rng.randint(1, 1000), rng.choice([None, 0, 0.001])))
            elif what < 0.95:
                worker.idle.wait(0.01)
            elif seed % 2 and what > 0.99:
                worker.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert worker.idle.wait(LONG)
    worker.close()
    closed.set()
    logging.disable(logging.NOTSET)
    assert worker.idle.is_set()
    assert not worker._thread.is_alive()
    assert len(set(numbers)) == len(numbers), "each request has its own number"
    assert late == []
