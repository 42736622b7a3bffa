"""Probabilities: how far they hold on held-out labels, and the temperature that makes them hold."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.special

import histowidgets as hw
from histowidgets.annotations import Split
from histowidgets.errors import ClassifierError
from histowidgets.images import Region
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Calibration, NetworkModel, fit_temperature
from tests.prediction.models import SMALL_BACKBONE

RIGHT_HALF = Split({"colon_ihc": (Region(256, 0, 256, 512),)})


def test_the_errors_are_those_that_are_worked_out_by_hand():
    p = np.array([[0.95, 0.05], [0.91, 0.09], [0.7, 0.3], [0.4, 0.6]])
    truth = np.array([0, 1, 0, 1])
    found = Calibration.of(p, truth)
    # Bins: 0.9 to 1 has two pixels, 0.93 sure on average and half right; the others are right.
    assert found.expected_error == pytest.approx((2 * abs(0.93 - 0.5) + abs(0.7 - 1) + abs(0.6 - 1)) / 4)
    assert found.brier == pytest.approx((2 * 0.05**2 + 2 * 0.91**2 + 2 * 0.3**2 + 2 * 0.4**2) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.95, 0.09, 0.7, 0.6]).mean())
    assert found.accuracy == 0.75
    bins = [(b.confidence, b.accuracy, b.pixels) for b in found.bins]
    np.testing.assert_allclose(bins, [(0.6, 1, 1), (0.7, 1, 1), (0.93, 0.5, 2)])
    assert found.diagram().count("<circle") == 3
    assert found.to_dict()["bins"][2] == {"confidence": pytest.approx(0.93), "accuracy": 0.5, "pixels": 2}
    certain = Calibration.of(np.array([[1.0, 0.0]]), np.array([1]))
    assert (certain.expected_error, certain.brier) == (1, 2)
    assert np.isfinite(certain.log_loss)


@pytest.mark.parametrize("true_temperature", [1.0, 1.7, 3.0])
def test_the_temperature_is_found_that_made_the_data(true_temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (40_000, 3))
    truth = (logits / true_temperature + rng.gumbel(size=logits.shape)).argmax(1)  # drawn from the softened softmax
    p = scipy.special.softmax(logits, 1)
    assert fit_temperature(p, truth) == pytest.approx(true_temperature, rel=0.03)


def test_probabilities_that_are_too_careful_stay():
    p, truth = np.full((100, 2), [0.6, 0.4]), np.zeros(100, int)
    assert fit_temperature(p, truth) == 1


@pytest.mark.parametrize("architecture", ["unet", "fpn", "deeplabv3plus", "segformer", "pan", "linknet"])
def test_the_last_layer_of_each_architecture_takes_the_temperature_in(architecture):
    spec = NetworkSpec(architecture=architecture, backbone=SMALL_BACKBONE, n_classes=3)
    model = NetworkModel(build_network(spec, pretrained=False, seed=0), owned=True)
    batch = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    before, after = model.probabilities(batch), model.with_temperature(2.5).probabilities(batch)
    np.testing.assert_allclose(after, scipy.special.softmax(np.log(before) / 2.5, axis=1), atol=1e-5)
    np.testing.assert_array_equal(model.probabilities(batch), before)


@pytest.fixture(scope="module")
def held_out(painted):
    return hw.quick_classifier(painted, split=RIGHT_HALF)


def test_x4_calibrated_probabilities_hold_better_and_stay_in_what_is_saved(held_out, painted, sample, tmp_path):
    before = hw.measure_calibration(held_out, painted, RIGHT_HALF)
    # The same from the labels and the prediction of the right half.
    p = held_out.predict(sample, RIGHT_HALF.held_out["colon_ihc"][0], within=RIGHT_HALF.held_out["colon_ihc"][0])
    labels = painted.snapshot().labels("colon_ihc", RIGHT_HALF.held_out["colon_ihc"][0])
    assert before == Calibration.of(p.probabilities[labels != 255], labels[labels != 255])

    calibrated = hw.calibrate(held_out, painted, RIGHT_HALF)
    assert calibrated.spec.scores["calibration_pixels"] == before.pixels
    after = hw.measure_calibration(calibrated, painted, RIGHT_HALF)
    assert after.log_loss <= before.log_loss
    temperature = calibrated.spec.scores["temperature"]
    assert 1 <= temperature <= 5

    softer = hw.Classifier(replace(held_out.spec, model=held_out.spec.model.with_temperature(2)))
    region = Region(100, 100, 96, 64)
    plain, soft = held_out.predict(sample, region), softer.predict(sample, region)
    np.testing.assert_array_equal(plain.labels, soft.labels)
    assert soft.probabilities.max(2).mean() < plain.probabilities.max(2).mean()
    softer.save(tmp_path / "softer")
    again = hw.Classifier.load(tmp_path / "softer")
    np.testing.assert_array_equal(again.predict(sample, region).probabilities, soft.probabilities)


def test_x4_the_temperature_is_inside_exported_models(small_network_classifier, sample, kept_exports, tmp_path):
    pytest.importorskip("onnxruntime")
    spec = small_network_classifier.spec
    calibrated = hw.Classifier(replace(spec, model=spec.model.with_temperature(3.0)))
    calibrated.export_onnx(tmp_path / "soft.onnx")
    region = Region(100, 100, 96, 64)
    from_file = hw.Classifier.from_onnx(tmp_path / "soft.onnx").predict(sample, region).probabilities
    np.testing.assert_allclose(from_file, calibrated.predict(sample, region).probabilities, atol=1e-3)
    plain = small_network_classifier.predict(sample, region).probabilities
    assert np.abs(from_file - plain).max() > 0.02
    with pytest.raises(ClassifierError, match="Calibrate the original"):
        hw.Classifier.from_onnx(tmp_path / "soft.onnx").spec.model.with_temperature(2)


def test_a_mean_is_softened_as_a_whole(held_out, small_network_classifier, sample):
    from histowidgets.prediction import MeanModel
    from histowidgets.prediction.pixel_models._mean_model import Member

    mean = MeanModel([Member(held_out.spec.model, 1), Member(small_network_classifier.spec.model, 1)])
    batch = sample.read(0, 0, 64, 64).astype(np.float32).transpose(2, 0, 1)[None] / 255
    before, after = mean.probabilities(batch), mean.with_temperature(2).probabilities(batch)
    np.testing.assert_allclose(after, scipy.special.softmax(np.log(before) / 2, axis=1), atol=1e-5)
    restored = MeanModel.restore(mean.with_temperature(2).spec(), mean.tensors())
    np.testing.assert_allclose(restored.probabilities(batch), after, atol=1e-6)


def test_labels_where_the_image_has_no_data_do_not_count():
    pixels = np.random.default_rng(0).normal(0.3, 0.02, (96, 128)).astype(np.float32)
    pixels[:, 64:] += 0.4
    pixels[:20, :20] = np.nan
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(pixels)
    for y in (30, 50, 70):
        project.annotate(name, hw.Rectangle(20, y, 12, 12), "Dark")
        project.annotate(name, hw.Rectangle(90, y, 12, 12), "Bright")
    classifier, split = hw.quick_classifier(project), Split({name: (Region(0, 0, 128, 60),)})
    before = hw.measure_calibration(classifier, project, split)
    project.annotate(name, hw.Rectangle(0, 0, 20, 20), "Bright")  # 400 pixels of nothing
    assert hw.measure_calibration(classifier, project, split) == before
    with pytest.raises(ClassifierError, match="no labels in the test area"):
        hw.measure_calibration(classifier, project, Split({name: (Region(0, 0, 20, 20),)}))


def test_bad_input_is_named(held_out, painted, network_classifier):
    with pytest.raises(ClassifierError, match="held nothing out in training"):
        hw.calibrate(held_out, painted)
    with pytest.raises(ClassifierError, match="no labels in the test area"):
        hw.calibrate(held_out, painted, Split({"colon_ihc": (Region(0, 500, 10, 10),)}))
    # One stroke of stroma lies there, and nothing else.
    with pytest.raises(ClassifierError, match="All held-out labels are 'Stroma'; a temperature needs"):
        hw.calibrate(held_out, painted, Split({"colon_ihc": (Region(250, 220, 60, 80),)}))
    other = hw.Project(["A", "B"])
    with pytest.raises(ClassifierError, match="Give the project that it was trained on"):
        hw.measure_calibration(network_classifier, other, RIGHT_HALF)
    with pytest.raises(ClassifierError, match="with at least one pixel"):
        Calibration.of(np.zeros((0, 2)), np.zeros(0, int))
    with pytest.raises(ClassifierError, match="classes from 0 to 2, of 2"):
        Calibration.of(np.full((2, 2), 0.5), np.array([0, 2]))
    spec = held_out.spec.model.spec()
    for broken in (0, -1, "2", float("nan"), True):
        with pytest.raises(ClassifierError, match="temperature of a model is"):
            type(held_out.spec.model).restore({**spec, "temperature": broken}, held_out.spec.model.tensors())
