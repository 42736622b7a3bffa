"""The state of a canvas under several threads: what is not in sight is never edited."""

import random
import threading

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import HistowidgetsError

NAMES = ("one", "other")


@pytest.fixture
def canvas():
    project = hw.Project(["A", "B"])
    for name in NAMES:
        project.add_image(np.zeros((64, 64, 3), np.uint8), name=name)
        for n in range(6):
            project.annotate(name, hw.Stroke([(8 * n + 6, 30)], 4), "AB"[n % 2])
    canvas = hw.AnnotationCanvas(project)
    yield canvas
    canvas.close()


def test_what_was_selected_as_the_image_changed_is_not_deleted(canvas):
    project, before = canvas.project, canvas.project.annotations("other")
    canvas.show_image("one")
    # As another thread leaves it that has checked its selection before the image changed, and sets it after that.
    canvas._state._trait_values["selection"] = (before[0].id,)
    canvas.delete_selection()
    canvas.move_selection(5, 5)
    assert project.annotations("other") == before


@pytest.mark.parametrize("seed", range(3))
def test_random_calls_of_several_threads(canvas, seed):
    project, wrong = canvas.project, []
    calls = [
        lambda rng: canvas.show_image(rng.choice(NAMES)),
        lambda rng: canvas.select_all(),
        lambda rng: canvas.look(canvas.view.zoomed(rng.choice([0.5, 2]))),
        lambda rng: canvas.resize(rng.randint(200, 400), 300),
        lambda rng: setattr(canvas, "tool", rng.choice(["brush", "select", "pan"])),
        lambda rng: setattr(canvas, "class_name", rng.choice("AB")),
        lambda rng: canvas.copy(),
        lambda rng: canvas.paste(),
        lambda rng: setattr(canvas, "selection", ()),
        lambda rng: canvas.undo(),
    ]

    def work(number):
        rng = random.Random(f"{seed} {number}")
        for _ in range(40):
            try:
                rng.choice(calls)(rng)
            except HistowidgetsError:
                pass  # such as a selection of what was on the image before
            except Exception as error:  # noqa: BLE001 - the test wants to see it
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "two threads wait for each other"
    assert wrong == []
    canvas.show_image("one")
    assert canvas.selection == ()
    assert canvas.view.image_width == 64
    canvas.select_all()
    assert set(canvas.selection) == {a.id for a in project.annotations("one")}
