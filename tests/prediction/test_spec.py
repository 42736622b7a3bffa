"""What a classifier consists of."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.fixture
def classifier():
    return brightness_classifier(picture(64, 64), scores={"val_miou": 0.5}, history=[{"epoch": 1}], name="one")


def test_a_classifier_has_all_fields_of_its_spec(classifier):
    for field in fields(hw.ClassifierSpec):
        assert getattr(classifier, field.name) is getattr(classifier.spec, field.name)


def test_a_spec_does_not_change_and_a_changed_copy_is_checked(classifier):
    with pytest.raises(FrozenInstanceError):
        classifier.spec.name = "other"
    with pytest.raises(AttributeError):
        classifier.name = "other"
    other = hw.Classifier(replace(classifier.spec, name="other"))
    assert (classifier.name, other.name, other.scores) == ("one", "other", {"val_miou": 0.5})
    with pytest.raises(ClassifierError, match="tile_size is 0"):
        replace(classifier.spec, tile_size=0)


def test_a_spec_keeps_copies_of_what_it_is_given():
    scores = {"val_iou": {"Dark": 0.5}}
    spec = brightness_classifier(picture(64, 64), scores=scores).spec
    scores["val_iou"]["Dark"] = 0.0
    assert spec.scores == {"val_iou": {"Dark": 0.5}}


def test_a_model_alone_is_refused_with_what_to_do():
    with pytest.raises(ClassifierError, match=r"made of a ClassifierSpec, not of <.*BrightnessModel.*Classifier\.load"):
        hw.Classifier(BrightnessModel())


def test_unknown_keywords_are_refused(classifier, tmp_path):
    image = picture(64, 64)
    for call in (
        lambda: classifier.predict(image, smooth_px=1),
        lambda: classifier.predict_to(image, tmp_path / "x.zarr", smooth_px=1),
        lambda: hw.predict_images(classifier, [], tmp_path / "out", smooth_px=1),
    ):
        with pytest.raises(hw.errors.PredictionError, match=r"no option .smooth_px.; the options are .*blur_px"):
            call()
