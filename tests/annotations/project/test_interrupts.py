"""An interrupt may come at any moment, and several threads may edit: what is on disk is what is in memory."""

import os
import random
import signal
import threading

import numpy as np
import pytest

from histowidgets._interrupts import delayed_interrupt
from histowidgets.annotations import Project, Stroke
from histowidgets.errors import ProjectError


@pytest.fixture(autouse=True)
def interrupts():
    """Python's own handler, also where the shell that started the tests ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_takes_effect_at_the_end_of_the_block():
    done = []

    def interrupted():
        with delayed_interrupt():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["the rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with delayed_interrupt(), delayed_interrupt():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_on_another_thread_and_without_a_handler_it_does_nothing():
    seen = []

    def work():
        with delayed_interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with delayed_interrupt():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def summary(project):
    return {name: [(a.id, a.class_name) for a in project.annotations(name)] for name in project.image_names}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of POSIX")
@pytest.mark.parametrize("seed", range(3))
def test_interrupts_at_random_moments_leave_disk_and_memory_alike(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # more moments in the same time
    project = Project(["A", "B"], folder=tmp_path / "project")
    name = project.add_image(np.zeros((64, 64, 3), np.uint8), name="image")
    rng, interrupted = random.Random(seed), 0
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        for n in range(600):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 5e-4))
                    if n % 5 == 3:
                        project.undo()
                    elif n % 5 == 4:
                        project.redo()
                    else:
                        project.annotate(name, Stroke([(n % 60, 9)], 3), "AB"[n % 2])
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 20, "the moments were chosen badly"
    known, undoable = summary(project), (project.can_undo, project.can_redo)
    project.close()
    reopened = Project.open(tmp_path / "project")
    assert summary(reopened) == known
    assert (reopened.can_undo, reopened.can_redo) == undoable
    reopened.close()


@pytest.mark.parametrize("seed", range(3))
def test_threads_that_edit_while_the_project_is_closed_leave_disk_and_memory_alike(tmp_path, seed):
    project = Project(["A", "B"], folder=tmp_path / "project")
    name = project.add_image(np.zeros((64, 64, 3), np.uint8), name="image")
    heard, wrong, enough = [], [], threading.Event()
    project.subscribe(heard.append)

    def edit(number):
        rng = random.Random(f"{seed} {number}")
        calls = [
            lambda: project.annotate(name, Stroke([(rng.randint(0, 60), 9)], 3), rng.choice("AB")),
            project.undo,
            project.redo,
            lambda: project.remove([a.id for a in project.annotations(name)][:1]),
            lambda: project.subscribe(heard.append)(),
        ]
        for _ in range(200):
            try:
                rng.choices(calls, [4, 2, 2, 1, 1])[0]()
            except ProjectError as error:
                if "closed" in str(error):
                    return
            except Exception as error:  # noqa: BLE001 - the test wants to see it
                wrong.append(error)
            if len(heard) > 60:
                enough.set()

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    project.close()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    known, undoable = summary(project), (project.can_undo, project.can_redo)
    reopened = Project.open(tmp_path / "project")
    assert summary(reopened) == known
    assert (reopened.can_undo, reopened.can_redo) == undoable
    reopened.close()
