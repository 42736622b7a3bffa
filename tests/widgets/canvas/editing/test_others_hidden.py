"""While others' annotations are hidden, nothing on the canvas shows, selects or changes them."""

import threading

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import UNLABELLED
from histowidgets.errors import ProjectError
from histowidgets.images import Region
from tests.widgets.canvas.helpers import message, parts


@pytest.fixture
def project():
    """Anna's and Ben's rectangles, and a ring of Ben's inside Anna's ring."""
    project = hw.Project(["A", "B"], annotator="Ben")
    project.add_image(np.zeros((100, 200, 3), np.uint8), name="a")
    project.annotate("a", hw.Rectangle(10, 10, 40, 40), "B")
    project.annotator = "Anna"
    project.annotate("a", hw.Rectangle(100, 10, 40, 40), "A")
    return project


@pytest.fixture
def canvas(project):
    canvas = hw.AnnotationCanvas(project, width=200, height=100)
    canvas.others_hidden = True
    yield canvas
    canvas.close()


def ids(project):
    return [one.id for one in project.annotations("a")]


def drawn(canvas):
    return parts(canvas).renderer._read_labels(Region(0, 0, 200, 100), 1)


def test_x12_only_ones_own_annotations_are_drawn_and_described(project, canvas):
    labels = drawn(canvas)
    assert (labels[10:50, 100:140] == 0).all()
    assert (labels[10:50, 10:50] == UNLABELLED).all()
    describe = parts(canvas).renderer.describe
    assert "painted" not in describe(20, 20)
    assert "painted A" in describe(110, 20)
    canvas.others_hidden = False
    assert (drawn(canvas)[10:50, 10:50] == 1).all()
    assert "painted B" in describe(20, 20)


def test_x12_a_change_of_the_switch_draws_the_picture_again(canvas):
    picture = np.array(parts(canvas).renderer.static_picture(0, 1))
    canvas.others_hidden = False
    assert (np.array(parts(canvas).renderer.static_picture(0, 1)) != picture).any()


def test_x12_others_annotations_cannot_be_selected(project, canvas):
    bens, annas = ids(project)
    assert not canvas.pick(20, 20)
    assert canvas.pick(110, 20)
    assert canvas.selection == (annas,)
    canvas.select_all()
    assert canvas.selection == (annas,)
    canvas.select_in(Region(0, 0, 200, 100))
    assert canvas.selection == (annas,)
    with pytest.raises(ProjectError):
        canvas.selection = (bens,)
    canvas.others_hidden = False
    canvas.select_all()
    assert canvas.selection == (bens, annas)
    canvas.others_hidden = True
    done = threading.Event()
    parts(canvas).queue.submit(done.set)
    assert done.wait(20)
    assert canvas.selection == (annas,)


def test_x12_the_eraser_touches_only_ones_own(project, canvas):
    bens, annas = ids(project)
    assert canvas.draw(hw.Stroke([(20, 30), (120, 30)], width=10), None) == ""
    project_labels = project.label_map("a")
    assert (project_labels[10:50, 10:50] == 1).all()
    assert project_labels[30, 110] == UNLABELLED
    assert ids(project)[0] == bens
    assert not any(one.class_name is None for one in project.annotations("a")), "no eraser is left for others' labels"
    project.undo()
    assert ids(project) == [bens, annas]
    canvas.draw(hw.Stroke([(20, 30)], width=10), None)
    assert "nothing of yours" in message(canvas)
    assert ids(project) == [bens, annas]
    canvas.others_hidden = False
    canvas.draw(hw.Stroke([(20, 30)], width=10), None)
    assert project.label_map("a")[30, 20] == UNLABELLED


def test_x12_a_ring_is_filled_as_if_others_labels_were_not_there(project, canvas):
    project.annotator = "Ben"
    project.annotate("a", hw.Rectangle(165, 65, 4, 4), "B")
    project.annotator = "Anna"
    ring = [(155, 55), (185, 55), (185, 85), (155, 85), (155, 55)]
    project.annotate("a", hw.Stroke(ring, width=4), "A")
    canvas.fill_ring()
    assert (drawn(canvas)[58:82, 158:182] == 0).all(), "a hole would tell where Ben labelled"


def test_x12_a_new_name_shows_what_that_person_drew(project, canvas):
    project.annotator = "Ben"
    labels = drawn(canvas)
    assert (labels[10:50, 10:50] == 1).all()
    assert (labels[10:50, 100:140] == UNLABELLED).all()
