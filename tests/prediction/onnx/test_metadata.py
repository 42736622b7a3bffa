"""What an ONNX file says of how it is to be used."""

import json
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import ClassifierSpec, NetworkModel
from tests.prediction.models import SMALL_BACKBONE

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

FIXED = hw.Normalization("fixed_range")
NAMES = ("DAPI", "CD3", "CD8", "PanCK")


@pytest.fixture(scope="module")
def image():
    pixels = np.random.default_rng(0).integers(0, 4000, (150, 170, 4)).astype(np.uint16)
    return hw.open_image(pixels, name="cells", channel_names=NAMES)


@pytest.fixture(scope="module")
def classifier(image):
    spec = NetworkSpec(
        backbone=SMALL_BACKBONE, n_classes=2, n_channels=4, decoder_channels=(8, 8, 8, 8), output_stride=2
    )
    return hw.Classifier(
        ClassifierSpec(
            NetworkModel(build_network(spec, pretrained=False, seed=0)),
            classes=["Tumor", "Überrest"],
            colors=["#112233", "#445566"],
            channel_names=image.channel_names,
            normalization=hw.Normalization("min_max").fitted([image]),
            pixel_size_um=0.5,
            downsample=2,
            tile_size=96,
            name="cells",
        )
    )


@pytest.fixture(scope="module")
def exported(classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "exported.onnx"
    classifier.export_onnx(path)
    return path


def probabilities(classifier, image):
    return classifier.predict(image, precision="fp32").probabilities


def facts(classifier):
    names = ["name", "classes", "colors", "channel_names", "normalization", "pixel_size_um", "downsample", "tile_size"]
    return {name: getattr(classifier, name) for name in names} | {"largest": classifier.model.largest_tile}


def test_r62_our_own_file_says_how_it_is_used(classifier, exported, image):
    back = hw.Classifier.from_onnx(exported)
    assert facts(back) == facts(classifier)
    np.testing.assert_allclose(probabilities(back, image), probabilities(classifier, image), atol=1e-4)
    named = hw.Classifier.from_onnx(exported, classes=classifier.classes, normalization=classifier.normalization)
    assert facts(named) == facts(classifier)


def test_what_the_caller_says_comes_first(exported):
    given = {"colors": ["#000001", "#000002"], "channel_names": list("abcd"), "pixel_size_um": 2.0}
    back = hw.Classifier.from_onnx(exported, ["A", "B"], FIXED, **given, downsample=1, tile_size=64)
    assert (back.classes, back.colors) == (["A", "B"], {"A": "#000001", "B": "#000002"})
    assert (back.channel_names, back.normalization, back.pixel_size_um) == (tuple("abcd"), FIXED, 2.0)
    assert (back.downsample, back.tile_size) == (1, 64)
    with pytest.raises(
        ClassifierError, match=r"takes 4 channel\(s\), but 3 were named. Name all channels.* channel_names="
    ):
        hw.Classifier.from_onnx(exported, channel_names=["a", "b", "c"])


def test_qupaths_file_says_it_too(small_network_classifier, tmp_path, kept_exports):
    classes = ["Tumor", "Überrest", "Lumen"]
    changes = {"classes": classes, "colors": ["#112233", "#445566", "#778899"], "name": "cells"}
    classifier = hw.Classifier(replace(small_network_classifier.spec, **changes, downsample=2, tile_size=96))
    classifier.export_qupath(tmp_path)
    back = hw.Classifier.from_onnx(tmp_path / "model.onnx")
    assert facts(back) == facts(classifier)


def convolution(path, n_channels=3, card=None, key="histowidgets", channels_in_shape=True):
    """Write a model of one layer to 2 classes, with a card if one is given."""
    from onnx import TensorProto, helper

    shape = ["n", n_channels if channels_in_shape else "c", "h", "w"]
    weights = helper.make_tensor("weights", 1, [2, n_channels, 1, 1], np.arange(2.0 * n_channels).tolist())
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2, "h", "w"])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["pixels", "weights"], ["logits"])], "g", [given], [made], [weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    if card is not None:
        helper.set_model_props(model, {key: card})
    path.write_bytes(model.SerializeToString())
    return path


def card(**changes):
    """Return a good card with changes; a value of ... leaves the entry out."""
    good = {
        "version": 1,
        "name": "n",
        "classes": ["A", "B"],
        "colors": {"A": "#000000", "B": "#ffffff"},
        "channel_names": ["Red", "Green", "Blue"],
        "normalization": FIXED.to_dict(),
        "pixel_size_um": None,
        "downsample": 4,
        "tile_size": 128,
        "largest_tile": 64,
    }
    return json.dumps({name: value for name, value in {**good, **changes}.items() if value is not ...})


def test_a_card_survives_a_folder(tmp_path):
    read = hw.Classifier.from_onnx(convolution(tmp_path / "x.onnx", card=card()))
    assert facts(read) | {"downsample": 4, "tile_size": 128, "largest": 64} == facts(read)
    read.save(tmp_path / "folder")
    assert facts(hw.Classifier.load(tmp_path / "folder")) == facts(read)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "3",
        "[" * 100_000,
        " " * 1_000_001,
        card(version=2),
        card(classes=...),
        card(classes=5),
        card(classes="AB"),
        card(classes=["A", "A"]),
        card(classes=[["A"], {}]),
        card(colors={"A": "#000000"}),
        card(colors={"A": "reddish", "B": 5}),
        card(channel_names="RGB"),
        card(channel_names=[]),
        card(normalization=None),
        card(normalization={"strategy": "magic"}),
        card(normalization={"strategy": "min_max", "statistics": {"channels": 3}}),
        card(normalization={"strategy": "fixed_range", "low": "a"}),
        card(pixel_size_um="0.5"),
        card(pixel_size_um=-1),
        card(pixel_size_um=float("nan")),
        card(downsample=0),
        card(downsample=True),
        card(downsample=1.5),
        card(downsample=10**30),
        card(tile_size="64"),
        card(tile_size=1_000_000),
        card(largest_tile=None),
    ],
)
def test_a_damaged_card_is_told_of_and_not_used(text, tmp_path):
    path = convolution(tmp_path / "x.onnx", card=text)
    with pytest.warns(HistowidgetsWarning, match="how to use it cannot be read: .* Give classes="):
        read = hw.Classifier.from_onnx(path, ["A", "B"], FIXED)
    assert (read.downsample, read.tile_size, read.name) == (1, 256, "x")
    with (
        pytest.warns(HistowidgetsWarning, match="cannot be read"),
        pytest.raises(ClassifierError, match="does not name its classes"),
    ):
        hw.Classifier.from_onnx(path)


def test_a_card_that_does_not_fit_the_network_is_refused_by_name(tmp_path):
    path = convolution(tmp_path / "x.onnx", n_channels=4, card=card())
    with pytest.raises(ClassifierError, match=r"takes 4 channel\(s\), but 3 were named"):
        hw.Classifier.from_onnx(path)
    three = card(classes=["A", "B", "C"], colors=["#000000", "#111111", "#222222"])
    with pytest.raises(ClassifierError, match="Name as many classes as it has"):
        hw.Classifier.from_onnx(convolution(tmp_path / "y.onnx", card=three))


@pytest.mark.parametrize(
    ("n_channels", "names"),
    [(1, ("Gray",)), (3, ("Red", "Green", "Blue")), (4, tuple(f"Channel {i}" for i in (1, 2, 3, 4)))],
)
@pytest.mark.parametrize("in_shape", [True, False])
def test_channels_of_other_files_get_usual_names(n_channels, names, in_shape, tmp_path):
    path = convolution(tmp_path / "x.onnx", n_channels, card(), "somebody else", in_shape)
    image = hw.open_image(np.random.default_rng(0).integers(0, 255, (40, 50, n_channels)).astype(np.uint8))
    read = hw.Classifier.from_onnx(path, ["A", "B"], hw.Normalization("min_max").fitted([image]))
    assert (read.channel_names, read.downsample) == (names, 1)
    assert read.predict(image).labels.shape == (40, 50)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"classes": None}, r"does not name its classes. Give classes=\[…\]"),
        ({"classes": "AB"}, "classes is 'AB'; expected a list of names"),
        ({"classes": 5}, "classes is 5; expected a list"),
        ({"channel_names": 5}, "channel_names is 5; expected a list"),
        ({"channel_names": "RGB"}, "channel_names is 'RGB'; expected a list"),
        ({"colors": 5}, "colours are 5; expected a dict"),
        ({"normalization": None}, "does not say how to normalize its input. Give normalization="),
        ({"normalization": "min_max"}, "normalization is 'min_max'; expected a Normalization"),
        ({"normalization": {"strategy": "min_max"}}, "expected a Normalization"),
        ({"normalization": hw.Normalization("min_max")}, "has no statistics"),
        ({"tile_size": "a"}, "tile_size is 'a'; expected a whole number"),
        ({"downsample": "a"}, "downsample is 'a'; expected a whole number"),
        ({"path": None}, "The path is None; expected text or a Path"),
    ],
)
def test_what_a_caller_gets_wrong_is_named(given, message, tmp_path):
    path = convolution(tmp_path / "x.onnx")
    with pytest.raises(ClassifierError, match=message):
        hw.Classifier.from_onnx(**{"path": path, "classes": ["A", "B"], "normalization": FIXED, **given})
