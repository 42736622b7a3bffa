"""What is said next: the first rule that applies, as one whole sentence with at most one button."""

from dataclasses import replace

import pytest

from histowidgets.advice import Advice
from histowidgets.images import Region
from histowidgets.widgets.studio._next_step import Situation, next_step

ENOUGH = {"Gland": 15, "Stroma": 17, "Lumen": 20}
FEW = Advice(
    "annotations-few",
    "Lumen needs 6 more strokes, best where it meets Gland",
    "",
    {"count": 9},
    about={"class": "Lumen"},
    region=Region(1, 2, 3, 4),
)
BY_HEART = Advice("overfitting", "The network learns your strokes by heart", "", severity="warning")
GOOD = Advice("good", "Both losses fall smoothly", "", severity="good")


def situation(counts=ENOUGH, **more):
    return Situation(counts=counts, usable=counts, **more)


TRAINED = situation(run_state="finished", has_prediction=True)


@pytest.mark.parametrize(
    ("now", "sentence", "button", "do"),
    [
        (replace(TRAINED, error="The disk is full."), "The disk is full.", "Dismiss", "dismiss"),
        (situation(read_only="process 7 has it open."), "This project is read-only here: process 7 has it op", "", ""),
        (replace(TRAINED, read_only="the disk is full."), "This project is read-only here: the disk is full.", "", ""),
        (situation(unfinished="A run was interrupted after epoch 3 of 60."), "A run was inter", "Resume", "resume"),
        (situation(dict.fromkeys(ENOUGH, 0)), "Pick a class and paint a few strokes", "", ""),
        (situation({**ENOUGH, "Lumen": 0}), "Paint a few strokes of Lumen: it has none yet.", "Paint Lumen", "paint"),
        (situation({"Gland": 6, "Stroma": 6, "Lumen": 4}), "Lumen needs 11 more strokes.", "Paint Lumen", "paint"),
        (situation({**ENOUGH, "Lumen": 9}, coach=[FEW]), f"{FEW.title}.", "Show me where", "show"),
        (situation({**ENOUGH, "Lumen": 8}, coach=[FEW]), "Lumen needs 7 more strokes.", "Show me where", "show"),
        (situation(), "Each class has enough strokes to start: train a network", "Train", "train"),
        (situation(run_state="running"), "The network is learning. You can keep painting", "", ""),
        (situation(run_state="running", findings=[GOOD]), "Both losses fall smoothly.", "", ""),
        (replace(TRAINED, new_strokes=1), "1 stroke is new since the last run", "Train more", "train"),
        (replace(TRAINED, new_strokes=12), "12 strokes are new since the last run", "Train more", "train"),
        (TRAINED, "Look where the prediction is wrong, and paint there.", "Show me where", "show"),
        (replace(TRAINED, learner="The quick one stays."), "The quick one stays. Look where", "Show me where", "show"),
        (replace(TRAINED, places_seen=True), "See where your labels and the prediction disagree.", "Review", "review"),
        (replace(TRAINED, place=FEW, place_number=2, places=8), f"{FEW.title}.", "Next place (2 of 8)", "show"),
        (replace(TRAINED, looking=True), "Looking for the places", "", ""),
    ],
)
def test_the_first_rule_that_applies_speaks(now, sentence, button, do):
    step = next_step(now)
    assert step.sentence.startswith(sentence)
    assert step.sentence.endswith((".", "…"))
    assert step.button.startswith(button)
    assert bool(step.button) == bool(button)
    assert step.do == do


def test_a_serious_finding_comes_before_strokes_until_somebody_paints():
    few = {"Gland": 6, "Stroma": 6, "Lumen": 4}
    now = situation(few, run_state="running", findings=[BY_HEART], finding_button="Freeze the early layers and restart")
    step = next_step(now)
    assert (step.sentence, step.do, step.level) == (f"{BY_HEART.title}.", "follow", "warning")
    assert next_step(replace(now, new_strokes=1)).class_name == "Lumen"
    assert next_step(replace(now, findings=[GOOD])).class_name == "Lumen"


def test_strokes_on_validation_images_alone_teach_nothing_and_it_says_so():
    now = replace(situation({"Gland": 2, "Stroma": 2}), usable={"Gland": 0, "Stroma": 0})
    assert "images for validation only" in next_step(now).sentence
