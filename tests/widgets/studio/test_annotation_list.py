"""The list of annotations: filters, next and previous, and what the prediction says about each (row X13)."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Rectangle, Stroke
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.widgets.studio._annotation_list import (
    ALL,
    ALL_CLASSES,
    ALL_IMAGES,
    CONTRADICTED,
    EVERYBODY,
    MOST_ROWS,
    THIS_IMAGE,
    AnnotationList,
)
from histowidgets.widgets.studio._state import StudioState

CLASSES = ["Gland", "Stroma"]


def prediction_of(name, pixel_size_um=None):
    """The left 60 columns of 100 are Gland, the others Stroma."""
    probabilities = np.zeros((80, 100, 2), np.float32)
    probabilities[:, :60, 0] = probabilities[:, 60:, 1] = 1
    colors = dict.fromkeys(CLASSES, "#000000")
    options = {"colors": colors, "region": Region(0, 0, 100, 80), "pixel_size_um": pixel_size_um}
    return Prediction(probabilities, classes=CLASSES, image_name=name, **options)


@pytest.fixture
def project():
    project = hw.Project(CLASSES)
    for name in ("a", "b"):
        project.add_image(hw.open_image(np.full((80, 100, 3), 200, np.uint8), name=name, pixel_size_um=0.5))
    project.annotator = "Anna"
    project.annotate("a", Rectangle(10, 10, 20, 20), "Gland")
    project.annotate("a", Rectangle(50, 30, 20, 20), "Stroma")  # half of it is predicted as each
    project.annotate("a", Rectangle(30, 10, 10, 10), "Stroma")  # contradicted entirely
    project.annotator = "Ben"
    project.annotate("a", Rectangle(55, 60, 20, 10), "Gland")  # 25 % of it is predicted as Gland
    project.erase("a", Stroke([(5, 70), (9, 70)], width=2))
    project.annotate("b", Rectangle(0, 0, 40, 10), "Gland")
    return project


class Screen:
    """Selects what the list shows, as the studio does."""

    def __init__(self, project):
        self.selected, self.shown = (), []
        self.said = []
        self.state = StudioState(
            project,
            selection=lambda: self.selected,
            notify=lambda text, level: self.said.append(text),
            log=self.said.append,
        )
        self.list = AnnotationList(self.state, self._show)

    def _show(self, row):
        self.state.image_name = row.image_name
        self.shown.append(row)
        self.selected = (self.state.project.annotation(row.annotation.id),)

    @property
    def texts(self):
        assert self.list.idle.wait(20)
        assert self.said == []
        return list(self.list.list.options)

    @property
    def count(self):
        return self.list._count.value.split(">", 1)[1].removesuffix("</p>")

    @property
    def about(self):
        return self.list._about.value.split(">", 1)[1].removesuffix("</p>")


@pytest.fixture
def screen(project):
    screen = Screen(project)
    screen.list.visible = True
    yield screen
    screen.list.close()


def test_x13_all_annotations_of_the_image_are_listed_in_drawing_order(screen):
    assert screen.texts == [
        "Gland, rectangle",
        "Stroma, rectangle",
        "Stroma, rectangle",
        "Gland, rectangle",
        "Eraser, stroke",
    ]
    assert screen.count == "5 annotations."
    assert screen.list.next.disabled is False
    assert screen.list.list.index is None


def test_x13_filters_by_class_image_and_person(screen):
    panel = screen.list
    panel.class_name.value = "Stroma"
    assert screen.texts == ["Stroma, rectangle"] * 2
    panel.class_name.value, panel.image.value = "Gland", ALL_IMAGES
    assert screen.texts == ["Gland, rectangle (a)", "Gland, rectangle (a)", "Gland, rectangle (b)"]
    panel.annotator.value = "Ben"
    assert screen.texts == ["Gland, rectangle (a)", "Gland, rectangle (b)"]
    panel.class_name.value, panel.image.value = "Eraser", THIS_IMAGE
    assert screen.texts == ["Eraser, stroke"]
    panel.annotator.value = "Anna"
    assert screen.texts == []
    assert screen.count == "No such annotation."


def test_x13_what_the_prediction_contradicts_is_listed_the_most_contradicted_first(screen):
    panel = screen.list
    panel.which.value = CONTRADICTED
    assert screen.texts == []
    assert screen.count == "No annotation is contradicted by the prediction. Nothing is predicted yet."
    panel.follow(prediction_of("a"))
    assert screen.texts == ["Stroma, rectangle → Gland 100 %", "Gland, rectangle → Stroma 75 %"]
    assert screen.count == "2 annotations, the most contradicted first."
    panel.image.value = ALL_IMAGES
    assert screen.texts == ["Stroma, rectangle → Gland 100 % (a)", "Gland, rectangle → Stroma 75 % (a)"]
    assert screen.count.endswith("1 image is not compared: show it once.")
    panel.follow(prediction_of("b"))
    assert screen.texts == ["Stroma, rectangle → Gland 100 % (a)", "Gland, rectangle → Stroma 75 % (a)"]
    assert screen.count == "2 annotations, the most contradicted first."


def test_x13_next_and_previous_show_each_and_go_round(screen, project):
    panel = screen.list
    assert len(screen.texts) == 5
    for _ in range(6):
        panel.step(1)
    panel.step(-1)
    panel.step(-1)
    ids = [one.id for one in project.annotations("a")]
    assert [row.annotation.id for row in screen.shown] == [*ids, ids[0], ids[4], ids[3]]
    assert panel.list.index == 3
    assert screen.about.startswith("4 of 5: Gland, 50 µm² by Ben, 20")
    assert screen.about.endswith("No prediction covers it yet.")
    panel.follow(prediction_of("a"))
    assert len(screen.texts) == 5
    assert screen.about.endswith("Predicted there: Stroma 75 %, Gland 25 %.")


def test_x13_an_annotation_of_another_image_is_shown_there(screen):
    screen.list.image.value = ALL_IMAGES
    assert len(screen.texts) == 6
    screen.list.list.index = 5  # as a click does
    assert screen.state.image_name == "b"
    assert screen.shown[-1].view() == Region(-100, -115, 240, 240)
    assert screen.texts[5] == "Gland, rectangle (b)"
    assert screen.list.list.index == 5


def test_what_is_selected_on_the_image_is_marked_in_the_list(screen, project):
    assert len(screen.texts) == 5
    screen.selected = (project.annotations("a")[2],)
    screen.list.follow_selection()
    assert screen.list.list.index == 2
    assert screen.shown == []  # nothing moves because of it
    screen.selected = ()
    screen.list.follow_selection()
    assert screen.list.list.index is None
    assert screen.about == ""


def test_relabelling_is_one_undo_and_goes_on_to_the_next(screen, project):
    panel = screen.list
    panel.follow(prediction_of("a"))
    panel.which.value = CONTRADICTED
    assert len(screen.texts) == 2
    assert panel.relabel.disabled
    panel.step(1)
    assert panel.relabel.description == "Relabel as Gland"
    relabelled = screen.shown[-1].annotation.id
    panel.relabel.click()
    assert screen.texts == ["Gland, rectangle → Stroma 75 %"]
    assert project.annotation(relabelled).class_name == "Gland"
    assert panel.list.index == 0
    assert screen.shown[-1].annotation.annotator == "Ben"
    project.undo()
    assert len(screen.texts) == 2
    assert project.annotation(relabelled).class_name == "Stroma"


def test_deleting_is_one_undo_and_the_next_takes_its_place(screen, project):
    assert len(screen.texts) == 5
    screen.list.step(1)
    screen.list.step(1)
    third = project.annotations("a")[2].id
    screen.list.delete.click()
    assert len(screen.texts) == 4
    assert screen.shown[-1].annotation.id == third
    assert screen.list.list.index == 1
    project.undo()
    assert len(screen.texts) == 5
    assert screen.list.list.index == 2


def test_an_annotation_that_was_deleted_meanwhile_is_an_error_that_is_said(screen, project):
    assert len(screen.texts) == 5
    screen.list.visible = False  # so that it does not follow
    project.remove([project.annotations("a")[0].id])
    screen.list.step(1)
    assert "no annotation" in screen.said[0].lower()


def test_annotations_of_others_are_not_listed_while_they_are_hidden(screen, project):
    assert len(screen.texts) == 5
    screen.list.follow(prediction_of("a"))
    project.annotator = "Ben"
    screen.state.others_hidden = True
    assert screen.texts == ["Gland, rectangle", "Eraser, stroke"]  # nor what the prediction learned from the others
    assert screen.list.annotator.layout.display == "none"
    screen.state.others_hidden = False
    assert len(screen.texts) == 5
    assert screen.texts[3] == "Gland, rectangle → Stroma 75 %"


def test_a_renamed_class_and_a_new_one_are_offered(screen, project):
    assert len(screen.texts) == 5
    screen.list.class_name.value = "Stroma"
    project.rename_class("Gland", "Tubule")
    assert screen.texts == ["Stroma, rectangle"] * 2
    project.rename_class("Stroma", "Tissue")
    assert "Tissue, rectangle" in screen.texts
    assert screen.list.class_name.value == ALL_CLASSES
    assert list(screen.list.class_name.options) == [ALL_CLASSES, "Tubule", "Tissue", "Eraser"]


def test_nothing_is_listed_while_the_list_is_not_on_the_screen(project):
    screen = Screen(project)
    screen.list.follow(prediction_of("a"))
    assert screen.texts == []
    assert (screen.list.which.value, screen.list.annotator.value) == (ALL, EVERYBODY)
    screen.list.close()


def test_of_very_many_the_first_are_sent_to_the_page(project):
    for n in range(MOST_ROWS):
        project.annotate("a", Rectangle(n % 90, n % 70, 5, 5), "Gland")
    screen = Screen(project)
    screen.list.visible = True
    assert len(screen.texts) == MOST_ROWS
    assert screen.count == f"The first {MOST_ROWS} of 505 annotations; choose a class or an image to see others."
    screen.list.close()


def test_a_project_that_is_read_only_can_be_looked_at(project, tmp_path, monkeypatch):
    monkeypatch.setattr(type(project), "read_only", property(lambda self: True))
    screen = Screen(project)
    screen.list.visible = True
    assert len(screen.texts) == 5
    screen.list.step(1)
    assert screen.list.delete.disabled
    assert screen.list.relabel.disabled
    screen.list.close()
