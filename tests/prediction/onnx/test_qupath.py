"""The folder for the QuPath extension, and ONNX files that reach outside their folder."""

import json
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.images import Normalization
from histowidgets.prediction import ClassifierSpec
from histowidgets.prediction.onnx._qupath import metadata_of

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def extension_normalize(pixels, config, pooled):
    """What the extension computes, as its code does.

    Versions differ where channels are normalized jointly: earlier ones take the first channel's statistics, later ones
    pool them.
    """
    stats = config["channel_stats"]
    assert config["precomputed"]
    if not config["per_channel"]:
        keys = ("p1", "min"), ("p99", "max")
        one = dict(stats[0])
        if pooled:
            one |= {k: min(s[k] for s in stats) for k in keys[0]} | {k: max(s[k] for s in stats) for k in keys[1]}
            one["mean"] = np.mean([s["mean"] for s in stats])
            one["std"] = np.sqrt(np.mean([s["std"] ** 2 for s in stats]) + np.var([s["mean"] for s in stats]))
        stats = [one] * pixels.shape[-1]
    out = np.empty(pixels.shape, np.float32)
    for c, s in enumerate(stats):
        x = pixels[..., c].astype(np.float32)
        if config["strategy"] == "z_score":
            out[..., c] = (np.clip((x - s["mean"]) / s["std"], -5, 5) + 5) / 10
            continue
        low, high = {"percentile_99": (s["p1"], s["p99"]), "fixed_range": (s["min"], s["max"])}[config["strategy"]]
        out[..., c] = (np.clip(x, low, high) - low) / (high - low)
    return out


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("strategy", ["percentile_99", "min_max", "z_score", "fixed_range"])
def test_its_numbers_are_ours(network_classifier, sample, strategy, per_channel, pooled):
    values = {"low": 20, "high": 230} if strategy == "fixed_range" else {}
    ours = Normalization(strategy, per_channel, **values)
    ours = ours if strategy == "fixed_range" else ours.fitted([sample])
    classifier = hw.Classifier(
        ClassifierSpec(
            network_classifier.model,
            classes=network_classifier.classes,
            colors=network_classifier.colors,
            channel_names=sample.channel_names,
            normalization=ours,
        )
    )
    config = metadata_of(classifier.spec)["input_config"]["normalization"]
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3)).astype(np.uint8)
    np.testing.assert_allclose(extension_normalize(pixels, config, pooled), ours.apply(pixels), atol=1e-5)


def test_the_folder_predicts_what_we_predict(small_network_classifier, sample, tmp_path, kept_exports):
    small_network_classifier.export_qupath(tmp_path / "folder")
    card = json.loads((tmp_path / "folder" / "metadata.json").read_text(encoding="utf-8"))
    assert card["classes"][0] == {"index": 0, "name": "Epithelium", "color": "#D55E00"}
    assert card["channel_config"]["expected_channels"] == list(sample.channel_names)
    assert (card["training_pixel_size_um"], card["architecture"]["downsample"]) == (0.5, 1)
    assert card["training_settings"] == {"epochs": 3}
    session = runtime.InferenceSession(str(tmp_path / "folder" / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input"]
    assert [o.name for o in session.get_outputs()] == ["output"]
    pixels = sample.read(64, 32, 96, 64)
    seen = extension_normalize(pixels, card["input_config"]["normalization"], False)
    (logits,) = session.run(None, {"input": np.ascontiguousarray(np.moveaxis(seen, -1, 0))[None]})
    found = np.exp(logits[0]) / np.exp(logits[0]).sum(0)
    tile = np.moveaxis(small_network_classifier.normalization.apply(pixels), -1, 0)[None]
    expected = small_network_classifier.model.probabilities(np.ascontiguousarray(tile))[0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_classifier_that_matches_stains_says_that_the_extension_does_not(
    small_network_classifier, sample, tmp_path, kept_exports
):
    stained = Normalization(match_stain=True).fitted([sample])
    matching = hw.Classifier(replace(small_network_classifier.spec, normalization=stained))
    with pytest.warns(HistowidgetsWarning, match="match_stain off"):
        matching.export_qupath(tmp_path / "folder")
    assert (tmp_path / "folder" / "metadata.json").exists()


def test_of_an_ensemble_the_network_is_exported_and_that_is_said(
    small_network_classifier, painted, sample, tmp_path, kept_exports
):
    both = hw.ensemble_with_quick(small_network_classifier, painted)
    with pytest.warns(HistowidgetsWarning, match="network alone"):
        both.export_onnx(tmp_path / "both.onnx")
    back = hw.Classifier.from_onnx(
        tmp_path / "both.onnx", both.classes, both.normalization, downsample=small_network_classifier.downsample
    )
    ours = small_network_classifier.predict(sample).probabilities
    assert np.abs(back.predict(sample).probabilities - ours).max() < 2e-3
    with pytest.warns(HistowidgetsWarning, match="network alone"):
        both.export_qupath(tmp_path / "for_qupath")
    written = json.loads((tmp_path / "for_qupath" / "metadata.json").read_text())
    alone = json.loads(json.dumps(metadata_of(small_network_classifier.spec)))
    assert {k: v for k, v in written.items() if alone.get(k) != v}.keys() <= {"id", "name", "createdAt"}


def test_the_quick_learner_has_no_network_to_export(quick, tmp_path):
    with pytest.raises(ClassifierError, match="kind 'quick' has no network"):
        quick.export_qupath(tmp_path / "x")


def model_with_weights_in(location):
    """Write a 1 x 1 convolution whose weights lie in another file."""
    weights = onnx.numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"])],
        "g",
        [info("x", 1, ["n", 3, "h", "w"])],
        [info("y", 1, ["n", 2, "h", "w"])],
        [weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    raw = graph.initializer[0].raw_data
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return model.SerializeToString(), raw


def opened(path):
    return hw.Classifier.from_onnx(path, ["A", "B"], Normalization("fixed_range"))


def test_weights_beside_the_file_are_read(tmp_path):
    content, raw = model_with_weights_in("weights.bin")
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ClassifierError, match=r"'weights\.bin', which is missing"):
        opened(tmp_path / "m.onnx")
    (tmp_path / "weights.bin").write_bytes(raw)
    classifier = opened(tmp_path / "m.onnx")
    classifier.save(tmp_path / "folder")  # whole: it needs no other file any more
    assert hw.Classifier.load(tmp_path / "folder").kind == "onnx"


@pytest.mark.parametrize("location", ["../secret", "a/../../secret", "{absolute}", "C:\\secret", "..\\secret", ""])
def test_weights_elsewhere_are_not_opened(tmp_path, location):
    content, raw = model_with_weights_in(location.format(absolute=tmp_path / "secret"))
    (tmp_path / "secret").write_bytes(raw)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "m.onnx").write_bytes(content)
    with pytest.raises(ClassifierError, match="outside its own folder"):
        opened(tmp_path / "inner" / "m.onnx")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    content, raw = model_with_weights_in("weights.bin")
    (tmp_path / "secret").write_bytes(raw)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "m.onnx").write_bytes(content)
    (tmp_path / "inner" / "weights.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(ClassifierError, match="outside its own folder"):
        opened(tmp_path / "inner" / "m.onnx")


def test_a_classifier_folder_cannot_smuggle_other_files_in(tmp_path):
    from histowidgets.prediction.onnx._model import OnnxModel

    content, _ = model_with_weights_in("weights.bin")
    with pytest.raises(ClassifierError, match="keeps weights in another file"):
        OnnxModel(content, 3, 2)


def test_a_range_that_ends_at_0_stays_one(network_classifier):
    low_range = Normalization("fixed_range", low=-5, high=0)
    classifier = hw.Classifier(replace(network_classifier.spec, normalization=low_range))
    config = metadata_of(classifier.spec)["input_config"]["normalization"]
    assert (config["min"], config["max"]) == (-5, 0)
