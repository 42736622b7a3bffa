"""What is in view, predicted tile by tile."""

import gc

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import PredictionCancelled, PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import ViewPredictor
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.fixture
def image():
    return picture(700, 900)


@pytest.mark.parametrize(("downsample", "stride"), [(1, 1), (1, 2), (2, 1), (3, 2)])
def test_a_view_is_the_prediction(image, downsample, stride):
    classifier = brightness_classifier(image, BrightnessModel(output_stride=stride), downsample=downsample)
    view = ViewPredictor(classifier.spec)
    whole = classifier.predict(image).probabilities
    for wanted in (Region(101, 203, 300, 257), Region(-50, -20, 200, 100), Region(750, 600, 500, 500)):
        found = view.predict(image, wanted)
        inside = wanted.intersect(image.region)
        assert found.region == inside
        expected = whole[inside.y : inside.bottom, inside.x : inside.right]
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_a_pan_computes_only_what_is_new(image):
    model = BrightnessModel()
    view = ViewPredictor(brightness_classifier(image, model).spec)
    first = view.missing(image, Region(0, 0, 384, 384))
    view.predict(image, Region(0, 0, 384, 384))
    assert view.computed == first == sum(shape[0] for shape in model.shapes)
    assert 64 <= first <= 81, "tiles of 64 pixels with 8 pixels of context on each side"
    assert view.missing(image, Region(10, 20, 300, 300)) == 0
    view.predict(image, Region(10, 20, 300, 300))
    assert view.computed == first
    new = view.missing(image, Region(100, 0, 384, 384))
    assert 0 < new < first / 2
    view.predict(image, Region(100, 0, 384, 384))
    assert view.computed == first + new


def test_memory_is_bounded_and_what_was_dropped_is_computed_again(image):
    model = BrightnessModel()
    answer = 2 * 64 * 64 * 4
    view = ViewPredictor(brightness_classifier(image, model).spec, max_bytes=4 * answer)
    expected = brightness_classifier(image).predict(image).probabilities[:384, :384]
    found = view.predict(image, Region(0, 0, 384, 384))
    assert view.nbytes <= 4 * answer
    np.testing.assert_array_equal(found.probabilities, expected)


def test_two_images_do_not_mix_and_one_that_is_gone_is_forgotten(image):
    view = ViewPredictor(brightness_classifier(image).spec)
    other = hw.open_image(255 - image.read(0, 0, 900, 700))
    region = Region(0, 0, 128, 128)
    a, b = view.predict(image, region), view.predict(other, region)
    assert (a.labels != b.labels).mean() > 0.5
    kept = view.nbytes
    del other
    gc.collect()
    assert view.nbytes == kept // 2


def test_a_stopped_view_keeps_what_it_has(image):
    model = BrightnessModel()
    view = ViewPredictor(brightness_classifier(image, model).spec)
    view.predict(image, Region(0, 0, 256, 256))
    with pytest.raises(PredictionCancelled):
        view.predict(image, Region(0, 0, 800, 600), lambda: True)
    assert view.missing(image, Region(0, 0, 256, 256)) == 0


def test_what_cannot_be_shown_is_refused(image):
    view = ViewPredictor(brightness_classifier(image).spec)
    with pytest.raises(RegionError, match="is outside image"):
        view.predict(image, Region(5000, 0, 100, 100))
    large = hw.open_image(np.zeros((3000, 3000), np.uint8))
    classifier = brightness_classifier(hw.open_image(picture(64, 64, 1).read(0, 0, 64, 64)))
    with pytest.raises(PredictionError, match="Zoom in"):
        ViewPredictor(classifier.spec).predict(large, large.region)


def test_the_quick_learner_in_view(quick, sample):
    view = ViewPredictor(quick.spec)
    found = view.predict(sample, Region(100, 60, 300, 300))
    expected = quick.predict(sample).labels[60:360, 100:400]
    np.testing.assert_array_equal(found.labels, expected)
