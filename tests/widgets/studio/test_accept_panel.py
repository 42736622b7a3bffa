"""Accepting predicted areas as labels in the studio: the count first, then one step of undo."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import UNLABELLED
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.widgets.studio._accept_panel import SELECTED, AcceptPanel
from histowidgets.widgets.studio._state import StudioState

CLASSES = ["Stroma", "Gland"]


class Bench:
    """A panel with a prediction: Gland, 95 % sure, at the left of x = 40, of which the top 10 rows are 60 % sure."""

    def __init__(self):
        self.project = hw.Project(CLASSES)
        self.project.add_image(np.zeros((60, 100, 3), np.uint8), name="a")
        gland = np.full((60, 100), 0.05, np.float32)
        gland[:, :40] = 0.95
        gland[:10, :40] = 0.6
        self.prediction = Prediction(
            np.stack([1 - gland, gland], axis=-1),
            classes=CLASSES,
            colors=["#d55e00", "#0072b2"],
            region=Region(0, 0, 100, 60),
            pixel_size_um=0.5,
            image_name="a",
        )
        self.view, self.selection, self.said = Region(0, 0, 100, 60), (), []
        state = StudioState(
            self.project,
            region=lambda: self.view,
            selection=lambda: tuple(self.project.annotation(one) for one in self.selection),
            notify=lambda text, level: self.said.append(text),
        )
        self.panel = AcceptPanel(state, lambda: self.prediction)
        self.project.subscribe(lambda change: self.panel.refresh())

    def counted(self):
        assert self.panel.worker.idle.wait(30)
        return self.panel._said.value

    @property
    def labels(self):
        return self.project.label_map("a")


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.panel.close()


def test_the_number_is_shown_before_anything_is_added(bench):
    panel = bench.panel
    assert panel._body.layout.display == "none"
    panel.switch.value = True
    said = bench.counted()
    # 40 x 50 px of gland at 0.25 um2 each; the strip of 60 % is left out.
    assert "Stroma: 1 area, 900 µm²; Gland: 1 area, 500 µm²." in said
    assert bench.project.annotations("a") == ()
    panel.classes.value = ("Gland",)
    panel.least.value = 0.5
    assert "Gland: 1 area, 600 µm²." in bench.counted()
    bench.view = Region(30, 0, 50, 20)
    panel.refresh()
    assert "Gland: 1 area, 50 µm²." in bench.counted()  # 10 x 20 px
    panel.area.value = 51
    assert "No area is accepted" in bench.counted()
    panel.accept()
    assert bench.project.annotations("a") == ()


def test_what_was_counted_is_added_in_one_step_and_painted_labels_stay(bench):
    bench.project.annotate("a", hw.Rectangle(0, 20, 20, 10), "Stroma")
    bench.panel.switch.value = True
    bench.counted()
    bench.panel.accept()
    expected = np.full((60, 100), 0, np.uint8)
    expected[:, :40] = 1
    expected[:10, :40] = UNLABELLED
    expected[20:30, :20] = 0
    np.testing.assert_array_equal(bench.labels, expected)
    assert bench.said == ["2 areas added as labels. Ctrl+Z takes them back."]
    assert "No area is accepted" in bench.counted(), "all of it is labelled now"
    bench.project.undo()
    assert len(bench.project.annotations("a")) == 1
    bench.project.undo()
    assert bench.project.annotations("a") == ()


def test_the_selected_annotation_is_the_frame_and_is_replaced(bench):
    panel = bench.panel
    panel.where.value = SELECTED
    panel.switch.value = True
    assert "Select annotations with the select tool first." in bench.counted()
    frame = bench.project.annotate("a", hw.Rectangle(30, 20, 20, 10), "Stroma")
    bench.selection = (frame,)
    panel.refresh()
    assert "Stroma: 1 area, 25 µm²; Gland: 1 area, 25 µm². The selected" not in bench.counted(), "below the least area"
    panel.area.value = 0
    assert "Stroma: 1 area, 25 µm²; Gland: 1 area, 25 µm². The selected annotations are replaced" in bench.counted()
    panel.accept()
    assert (bench.labels[20:30, 30:40] == 1).all()
    assert (bench.labels[20:30, 40:50] == 0).all()
    assert len(bench.project.annotations("a")) == 2
    bench.selection = ()
    bench.project.undo()
    assert [one.id for one in bench.project.annotations("a")] == [frame]


def test_labels_that_changed_after_the_count_are_counted_again(bench):
    panel = bench.panel
    panel.switch.value = True
    bench.counted()
    found = panel._found
    bench.project.annotate("a", hw.Rectangle(0, 0, 100, 60), "Stroma")
    bench.counted()
    panel._found = found  # as if the click came just before the new count
    panel.accept()
    assert len(bench.project.annotations("a")) == 1
    assert "No area is accepted" in bench.counted()


def test_nothing_predicted_is_said(bench):
    bench.prediction = None
    bench.panel.switch.value = True
    assert "Nothing is predicted on this image yet." in bench.counted()
    bench.panel.accept()
    assert bench.project.annotations("a") == ()
