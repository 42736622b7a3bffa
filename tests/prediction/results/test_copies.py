"""Predictions and classifiers can be copied and pickled, as other processes and caches need it."""

import copy
import importlib.util
import pickle

import numpy as np
import pytest

import histowidgets as hw

REGION = (64, 32, 96, 70)
WAYS = [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]  # noqa: S301 - our own bytes


@pytest.mark.parametrize("again", WAYS, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("probabilities", [True, False])
@pytest.mark.parametrize("asked_before", [True, False])
def test_a_prediction_in_memory(small_network_classifier, sample, again, probabilities, asked_before):
    made = small_network_classifier.predict(sample, REGION, probabilities=probabilities)
    if asked_before:
        assert made.labels.shape == (70, 96)
    other = again(made)
    np.testing.assert_array_equal(other.labels, made.labels)
    assert not other.labels.flags.writeable
    assert (other.info, other.has_probabilities) == (made.info, probabilities)
    assert other.measurements() == made.measurements()
    if probabilities:
        np.testing.assert_array_equal(other.probabilities, made.probabilities)


@pytest.mark.parametrize("again", WAYS, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("ending", ["zarr", "ome.tif"])
def test_a_prediction_on_disk(small_network_classifier, sample, tmp_path, monkeypatch, again, ending):
    monkeypatch.chdir(tmp_path)
    made = small_network_classifier.predict_to(sample, f"x.{ending}", REGION)
    other = again(made)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(other.labels[:, :], small_network_classifier.predict(sample, REGION).labels)
    assert (other.info, other.complete) == (made.info, True)


@pytest.fixture(params=["network", "quick", "mean", "onnx"])
def classifier(request, small_network_classifier, quick, painted, tmp_path, kept_exports):
    if request.param == "quick":
        return quick
    if request.param == "mean":
        return hw.ensemble_with_quick(small_network_classifier, painted)
    if request.param == "onnx":
        if not importlib.util.find_spec("onnx"):
            pytest.skip('needs pip install "histowidgets[onnx]"')
        small_network_classifier.export_onnx(tmp_path / "x.onnx")
        return hw.Classifier.from_onnx(tmp_path / "x.onnx")
    return small_network_classifier


def test_a_classifier_of_any_kind(classifier, sample):
    expected = classifier.predict(sample, REGION).probabilities
    for again in WAYS[1:]:
        other = again(classifier)
        assert (other.kind, other.classes, other.scores) == (classifier.kind, classifier.classes, classifier.scores)
        np.testing.assert_array_equal(other.predict(sample, REGION).probabilities, expected)
