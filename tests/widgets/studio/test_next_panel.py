"""The box under the classes in a studio without a page: what it shows, and what its button does."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.advice import Action, Advice


@pytest.fixture
def studio():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (96, 128, 3)).astype(np.uint8)
    pixels[:, 64:] += 150
    studio = hw.Studio(hw.open_image(pixels, name="halves"), classes=["Dark", "<b>Bright</b>"], fresh=True)
    yield studio
    studio.close()


def paint(studio, lines=(20, 50, 80), classes=("Dark", "<b>Bright</b>")):
    for y in lines:
        for x, name in zip((8, 76), ("Dark", "<b>Bright</b>"), strict=True):
            if name in classes:
                studio.project.annotate("halves", hw.Stroke([(x, y), (x + 40, y)], width=6), name)
    assert studio._classes.coach.idle.wait(30)


def test_it_names_the_class_without_strokes_and_its_button_makes_the_brush_ready(studio):
    box = studio._next
    assert box.text.startswith("Pick a class")
    assert box._button.layout.display == "none"
    paint(studio, lines=(20,), classes=("Dark",))
    assert box.text == "Paint a few strokes of <b>Bright</b>: it has none yet."
    assert "<b>Bright" not in box._text.value
    studio.canvas.tool = "pan"
    box._button.click()
    assert (studio.canvas.class_name, studio.canvas.tool) == ("<b>Bright</b>", "brush")


def test_show_me_where_marks_the_place_picks_the_class_and_zooms_at_most_to_two(studio):
    paint(studio)
    paint(studio, lines=(35,), classes=("Dark",))
    box = studio._next
    assert box.step.class_name == "<b>Bright</b>"
    place = box.step.advice
    studio.canvas.class_name = "Dark"
    box._button.click()
    assert studio.canvas.class_name == "<b>Bright</b>"
    assert studio.canvas.view.zoom <= 2
    assert studio.canvas._pointer.marked == list(place.region)
    assert box._button.description == "Next place"
    paint(studio, lines=(65,), classes=("<b>Bright</b>",))
    assert studio.canvas._pointer.marked == [], "a stroke there answers it"
    assert box.places.current is None


def test_what_went_wrong_stands_there_until_it_is_dismissed_or_somebody_paints(studio):
    box = studio._next
    studio.notify("The disk is <full>.", "error")
    assert box.text == "The disk is <full>."
    assert 'role="alert"' in box._text.value
    box._button.click()
    assert box.text.startswith("Pick a class")
    studio.notify("The disk is full.", "error")
    paint(studio, lines=(20,), classes=("Dark",))
    assert "disk" not in box.text
    assert "The disk is full." in studio.log


def test_behind_the_i_are_the_reason_the_other_ways_out_and_the_guide(studio):
    paint(studio)
    box, training = studio._next, studio._training
    actions = (Action("Freeze more", {"freeze": "all"}), Action("Fewer epochs", {"epochs": 7}))
    heart = Advice(
        "overfitting", "It learns by heart", "Give it less freedom.", {"n": 1}, None, "warning", actions=actions
    )
    training.monitor._line.show([heart])
    training._tell_change()
    assert box.text == "It learns by heart."
    assert box._button.description == "Freeze more and restart"
    assert box._rest.layout.display == "none"
    box._more.value = True
    assert "Give it less freedom." in box._detail.value
    assert heart.guide in box._detail.value
    assert [button.description for button in box._actions.children] == ["Fewer epochs and restart"]
    followed = []
    training.follow = lambda action, advice: followed.append((action, advice))
    box._actions.children[0].click()
    box._button.click()
    assert followed == [(actions[1], heart), (actions[0], heart)]


def test_a_click_does_what_the_button_said_when_it_was_clicked(studio):
    paint(studio)
    box, training = studio._next, studio._training
    first = Advice(
        "overfitting", "By heart", "", {"n": 1}, None, "warning", actions=(Action("Freeze", {"freeze": "all"}),)
    )
    second = Advice("underfitting", "Slow", "", {"n": 1}, None, "warning", actions=(Action("Longer", {"epochs": 9}),))
    training.monitor._line.show([first])
    training._tell_change()
    shown_on_the_page = box._button.action
    training.monitor._line.show([second])
    training._tell_change()
    assert box._button.description == "Longer and restart"
    followed = []
    training.follow = lambda action, advice: followed.append((action.label, advice.title))
    box._button._on_message(box._button, {"kind": "click", "action": shown_on_the_page}, [])
    assert followed == [("Freeze", "By heart")]
    for broken in ({"kind": "click", "action": "9999"}, {"kind": "click"}, {"kind": "click", "action": 3}, {}, "click"):
        box._button._on_message(box._button, broken, [])
    assert len(followed) == 1
