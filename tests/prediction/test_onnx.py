"""ONNX out and in."""

import importlib.util

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError
from histowidgets.images import Region

HAVE_ONNX = all(importlib.util.find_spec(n) for n in ("onnx", "onnxscript", "onnxruntime"))
needs_onnx = pytest.mark.skipif(not HAVE_ONNX, reason='needs pip install "histowidgets[onnx]"')
REGION = Region(64, 32, 96, 70)


def test_the_quick_learner_cannot_be_exported(quick, tmp_path):
    with pytest.raises(ClassifierError, match="kind 'quick' has no network to export"):
        quick.export_onnx(tmp_path / "x.onnx")


@pytest.mark.skipif(HAVE_ONNX, reason="the packages are installed")
def test_without_the_packages_the_error_says_what_to_install(network_classifier, tmp_path):
    with pytest.raises(ClassifierError, match=r'pip install "histowidgets\[onnx\]"'):
        network_classifier.export_onnx(tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"")
    with pytest.raises(ClassifierError, match=r'pip install "histowidgets\[onnx\]"'):
        hw.Classifier.from_onnx(tmp_path / "x.onnx", ["A", "B"], hw.Normalization("fixed_range"))


@pytest.fixture(scope="module")
def exported(network_classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "x.onnx"
    network_classifier.export_onnx(path)
    return path


@needs_onnx
def test_r62_our_own_export_comes_back(network_classifier, exported, tmp_path, sample):
    batch = np.random.default_rng(0).random((1, 3, 96, 64), dtype=np.float32)
    back = hw.Classifier.from_onnx(exported, network_classifier.classes, network_classifier.normalization)
    expected = network_classifier.model.probabilities(batch)
    np.testing.assert_allclose(back.model.probabilities(batch), expected, atol=1e-4)
    back.save(tmp_path / "folder")
    loaded = hw.Classifier.load(tmp_path / "folder")
    assert loaded.kind == "onnx"
    labels = network_classifier.predict(sample, REGION).labels
    assert (loaded.predict(sample, REGION).labels == labels).mean() > 0.999
    plain, tta = (loaded.predict(sample, REGION, tta=t).probabilities for t in (False, True))
    assert np.abs(plain - tta).max() > 1e-3  # B7


@needs_onnx
def test_r62_what_does_not_fit_is_refused(exported, tmp_path):
    fixed = hw.Normalization("fixed_range")
    with pytest.raises(ClassifierError, match=r"2 classes, height, width.* is wanted"):
        hw.Classifier.from_onnx(exported, ["A", "B"], fixed)
    with pytest.raises(ClassifierError, match=r"takes 3 channel\(s\), but 1 were named"):
        hw.Classifier.from_onnx(exported, ["A", "B", "C"], fixed, channel_names=["Gray"])
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ClassifierError, match="no ONNX model"):
        hw.Classifier.from_onnx(tmp_path / "bad.onnx", ["A", "B"], fixed)
    with pytest.raises(ClassifierError, match="cannot be read"):
        hw.Classifier.from_onnx(tmp_path / "missing.onnx", ["A", "B"], fixed)
