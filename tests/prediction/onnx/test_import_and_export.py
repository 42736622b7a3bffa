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
    ours = network_classifier.predict(sample, REGION)
    assert (loaded.predict(sample, REGION).labels == ours.labels).mean() > 0.999
    np.testing.assert_allclose(back.predict(sample, REGION).probabilities, ours.probabilities, atol=1e-4)
    plain, tta = (loaded.predict(sample, REGION, tta=t).probabilities for t in (False, True))
    assert np.abs(plain - tta).max() > 1e-3  # B7


@needs_onnx
def test_r62_what_does_not_fit_is_refused(exported, tmp_path):
    fixed = hw.Normalization("fixed_range")
    with pytest.raises(ClassifierError, match=r"expected .*2 classes, height, width"):
        hw.Classifier.from_onnx(exported, ["A", "B"], fixed)
    with pytest.raises(ClassifierError, match=r"takes 3 channel\(s\), but 1 were named"):
        hw.Classifier.from_onnx(exported, ["A", "B", "C"], fixed, channel_names=["Gray"])
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ClassifierError, match="not an ONNX model"):
        hw.Classifier.from_onnx(tmp_path / "bad.onnx", ["A", "B"], fixed)
    with pytest.raises(ClassifierError, match="cannot be read"):
        hw.Classifier.from_onnx(tmp_path / "missing.onnx", ["A", "B"], fixed)


def convolution(opset=18, shape=("n", 3, "h", "w"), domain="", ir=8, op="Conv"):
    """A model of one layer, 3 channels to 2 classes, as another program may have made it."""
    from onnx import TensorProto, helper

    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2, 3, 1, 1], [1.0, 0, 0, 0, 0, 1.0])
    node = helper.make_node(op, ["pixels", "weights"] if op == "Conv" else ["pixels"], ["logits"])
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("n", 2, "h", "w") if op == "Conv" else shape)
    graph = helper.make_graph([node], "g", [given], [made], [weights])
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir).SerializeToString()


@needs_onnx
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opset": 5}, r"has opset 5; 7 to \d+ are supported .* Export it again with opset 18"),
        ({"opset": 99}, "has opset 99; 7 to"),
        ({"domain": "my.own"}, "operators of 'my.own', which onnxruntime does not support"),
        ({"ir": 99}, "not an ONNX model that can be run"),
        ({"shape": (1, 64, 64, 3)}, r"takes 64 channel\(s\), but 3 were named. Its channels seem to be last"),
        ({"shape": (1, 3, 64, 96)}, "takes tiles of 64 x 96; expected square or variable ones"),
        ({"shape": (1, 3, 64, "w")}, "expected square or variable ones"),
        ({"shape": (4, 3, 64, 64)}, "takes batches of 4 tiles; expected batches of 1, or of any size"),
        ({"shape": ("n", 3, "h"), "op": "Relu"}, "expected one float input .batch, channels, height, width."),
    ],
)
def test_r62_opset_batch_and_size_are_checked(changes, message, tmp_path):
    (tmp_path / "x.onnx").write_bytes(convolution(**changes))
    with pytest.raises(ClassifierError, match=message):
        hw.Classifier.from_onnx(tmp_path / "x.onnx", ["A", "B"], hw.Normalization("fixed_range", low=0, high=255))


@needs_onnx
@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), (1, 3, 64, 64), (1, 3, 256, 256)])
def test_r62_models_of_others_label_a_real_image(shape, tmp_path, sample):
    (tmp_path / "x.onnx").write_bytes(convolution(shape=shape))
    normalization = hw.Normalization("fixed_range", low=0, high=255)
    classifier = hw.Classifier.from_onnx(tmp_path / "x.onnx", ["Red", "Blue"], normalization)
    pixels = sample.read(*REGION)
    expected = (pixels[..., 2] > pixels[..., 0]).astype(np.uint8)
    np.testing.assert_array_equal(classifier.predict(sample, REGION).labels, expected)
    assert classifier.tile_size == (256 if shape[2] == "h" else shape[2])
    if shape[2] != "h":
        with pytest.raises(ClassifierError, match=f"tile_size is 512, but the model takes tiles of {shape[2]}"):
            hw.Classifier.from_onnx(tmp_path / "x.onnx", ["Red", "Blue"], normalization, tile_size=512)
