"""What is in view, predicted cell by cell."""

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
        assert found.region.contains(inside)
        assert found.region.width - inside.width < 2 * downsample * stride
        r = found.region
        expected = whole[r.y : r.bottom, r.x : r.right]
        assert np.abs(found.probabilities - expected).mean() < (1e-3 if downsample == 1 else 0.02)


def test_a_pan_computes_only_what_is_new(image):
    view = ViewPredictor(brightness_classifier(image).spec)
    view.predict(image, Region(0, 0, 384, 384))
    assert view.computed == 9
    assert view.missing(image, Region(10, 20, 300, 300)) == 0
    view.predict(image, Region(10, 20, 300, 300))
    assert view.computed == 9
    assert view.missing(image, Region(100, 0, 384, 384)) == 3 * 128 * 128
    view.predict(image, Region(100, 0, 384, 384))
    assert view.computed == 12
    view.predict(image, Region(100, 100, 384, 384))
    assert view.computed == 16


def test_a_pan_is_predicted_in_few_pieces(image):
    model = BrightnessModel(largest_tile=1024)
    view = ViewPredictor(brightness_classifier(image, model).spec)
    view.predict(image, Region(0, 0, 384, 384))
    assert len(model.shapes) == 1
    view.predict(image, Region(100, 100, 384, 384))  # new: a column on the right and a row below
    assert len(model.shapes) <= 3


def test_memory_is_bounded_and_what_was_dropped_is_computed_again(image):
    model = BrightnessModel()
    cell = 2 * 128 * 128 * 2
    view = ViewPredictor(brightness_classifier(image, model).spec, max_bytes=4 * cell)
    expected = brightness_classifier(image).predict(image).probabilities[:384, :384]
    found = view.predict(image, Region(0, 0, 384, 384))
    assert view.nbytes <= 4 * cell
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-3)


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
    with pytest.raises(RegionError, match="shares no pixel"):
        view.predict(image, Region(5000, 0, 100, 100))
    large = hw.open_image(np.zeros((3000, 3000), np.uint8))
    classifier = brightness_classifier(hw.open_image(picture(64, 64, 1).read(0, 0, 64, 64)))
    with pytest.raises(PredictionError, match="Zoom in"):
        ViewPredictor(classifier.spec).predict(large, large.region)


def test_the_quick_learner_in_view(quick, sample):
    view = ViewPredictor(quick.spec)
    found = view.predict(sample, Region(100, 60, 300, 300))
    expected = quick.predict(sample).labels[60:360, 100:400]
    assert (found.labels == expected).mean() > 0.97
