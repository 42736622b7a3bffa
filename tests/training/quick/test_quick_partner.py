"""The network joined with the quick learner."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Stroke, split_project
from histowidgets.errors import ClassifierError, TrainingDataError
from histowidgets.training import QuickPartner, train
from tests.training.helpers import painted, quick, striped


@pytest.fixture(scope="module")
def trained():
    project = painted(side=256, strokes=8)
    return project, train(project, quick(pretrained=False, epochs=1))


def test_the_mean_is_scored_on_what_the_network_held_out(trained):
    project, run = trained
    both = hw.ensemble_with_quick(run.classifier, project, run.split)
    assert both.kind == "mean"
    assert [part.kind for part in both.parts] == ["network", "quick"]
    assert set(both.scores) == {"val_miou", "val_iou", "val_accuracy", "network_alone"}
    assert set(both.scores["val_iou"]) == {"Dark", "Bright"}
    assert hw.ensemble_with_quick(run.classifier, project).scores == {}


@pytest.mark.parametrize(("classes", "weights"), [(2, (0.5, 0.5)), (3, (0.35, 0.65))])
def test_with_many_classes_the_network_counts_less(classes, weights):
    names = ("Dark", "Bright", "Third")[:classes]
    project = painted(side=128, strokes=4, classes=names)
    if classes == 3:
        project.annotate("image 0", Stroke([(10, 100), (60, 110)], width=8), "Third")
    both = hw.ensemble_with_quick(train(project, quick(pretrained=False, epochs=1)).classifier, project)
    assert both.model.weights == pytest.approx(weights)


def test_b10_who_judges_the_mean_has_not_seen_what_was_held_out(trained):
    project, run = trained
    split = split_project(project.snapshot(), 0.3)
    honest = QuickPartner(project.snapshot(), run.classifier, split)
    lied = painted(side=256, strokes=8)
    inside = [
        a
        for regions in split.held_out.values()
        for a in lied.annotations("image 0")
        if any(region.contains(a.shape.region()) for region in regions)
    ]
    assert inside
    for annotation in inside:
        lied.annotate("image 0", annotation.shape, "Dark" if annotation.class_name == "Bright" else "Bright")
    judge = QuickPartner(lied.snapshot(), run.classifier, split)._for_scores
    image = project.image("image 0")
    assert np.array_equal(judge.predict(image).labels, honest._for_scores.predict(image).labels)


def test_new_strokes_are_taken_in_without_training_and_only_they_make_a_new_fit(trained):
    project, run = trained
    snapshot = project.snapshot()
    partner = QuickPartner(snapshot, run.classifier, run.split)
    assert partner.fits(project.snapshot(), run.classifier, run.split)
    assert not partner.fits(snapshot, run.classifier, None)
    image = project.image("image 0")
    before = partner.join(run.classifier).predict(image).probabilities
    project.annotate("image 0", Stroke([(100, 100), (140, 130)], width=30), "Bright")
    assert not partner.fits(project.snapshot(), run.classifier, run.split)
    after = hw.ensemble_with_quick(run.classifier, project, run.split).predict(image).probabilities
    assert after[115, 120, 1] > before[115, 120, 1]
    project.undo()


def test_training_goes_on_from_its_network(trained):
    project, run = trained
    both = hw.ensemble_with_quick(run.classifier, project)
    again = train(project, quick(pretrained=False, epochs=1), continue_from=both)
    assert any("continues from the classifier" in getattr(event, "text", "") for event in again.events)


def test_the_quick_learner_sees_the_channels_that_the_network_was_trained_on():
    project = painted(side=128, strokes=4)
    run = train(project, quick(pretrained=False, epochs=1, channels=["Green", "Red"]))
    both = hw.ensemble_with_quick(run.classifier, project, run.split)
    assert both.channel_names == ("Green", "Red")
    image = project.image("image 0")
    pixels = image.read(0, 0, image.width, image.height).copy()
    pixels[..., 2] = 0
    assert np.array_equal(both.predict(image).labels, both.predict(pixels).labels)


def test_a_stroke_costs_no_new_features_where_the_network_sees_chosen_channels(monkeypatch):
    project = painted(side=128, strokes=4)
    run = train(project, quick(pretrained=False, epochs=1, channels=["Green", "Red"]))
    hw.ensemble_with_quick(run.classifier, project, run.split)
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick.quick_features", None)
    project.annotate("image 0", Stroke([(60, 60), (70, 70)], width=8), "Bright")
    hw.ensemble_with_quick(run.classifier, project, run.split)


def test_the_quick_learner_finds_channels_by_their_places_as_prediction_does():
    project = painted(n_images=2, side=128, strokes=4)
    run = train(project, quick(pretrained=False, epochs=1))
    other = hw.Project(project.classes)
    other.add_image(hw.open_image(striped(128), name="image 0", channel_names=["a", "b", "c"]))
    for annotation in project.annotations("image 0"):
        other.annotate("image 0", annotation.shape, annotation.class_name)
    assert hw.ensemble_with_quick(run.classifier, other).channel_names == ("Red", "Green", "Blue")
    with pytest.raises(TrainingDataError, match="training uses Red, Green, Blue"):
        hw.ensemble_with_quick(run.classifier, painted(side=128, strokes=4, channels=2))


def test_a_network_of_other_classes_cannot_be_joined(trained):
    _, run = trained
    with pytest.raises(ClassifierError, match="another classes"):
        hw.ensemble_with_quick(run.classifier, painted(side=128, strokes=4, classes=("Dark", "Light")))
