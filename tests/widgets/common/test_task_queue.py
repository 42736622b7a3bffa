"""What takes a while is done on a thread, in order, and each outcome is said."""

import threading

import pytest

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common._task_queue import Errands


@pytest.fixture
def said():
    return []


@pytest.fixture
def errands(said):
    errands = Errands("errand", lambda text, level: said.append((text, level)))
    yield errands
    errands.close()


def test_errands_are_done_in_order_on_a_thread_that_ends(errands, said):
    go, names = threading.Event(), []

    def first():
        assert go.wait(20)
        names.append(threading.current_thread().name)
        return "Wrote one"

    errands.take("Writing one…", first)
    errands.take("Writing two…", lambda: ("Left some out", "warning"))
    assert said == [("Writing one…", "info"), ("Writing two…", "info")]
    assert not errands.wait(0.01)
    go.set()
    assert errands.wait(20)
    assert said[2:] == [("Wrote one", "good"), ("Left some out", "warning")]
    assert names == ["histowidgets-errand"]


@pytest.mark.parametrize(
    ("error", "words"), [(HistowidgetsError("paint first"), "paint first"), (KeyError("x"), "KeyError: 'x'")]
)
def test_what_goes_wrong_is_said_and_the_next_errand_is_done(errands, said, error, words):
    def fail():
        raise error

    errands.take("Writing…", fail, failed="Not saved: ")
    errands.take("Writing…", lambda: "Wrote it")
    assert errands.wait(20)
    assert [one for one in said if one[1] != "info"] == [(f"Not saved: {words}", "error"), ("Wrote it", "good")]


def test_nothing_is_taken_once_they_are_closed(errands, said):
    errands.close()
    errands.take("Writing…", lambda: "Wrote it")
    assert errands.wait(1)
    assert said == []
