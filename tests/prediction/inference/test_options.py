"""What can be chosen beside the image: grids, smoothing, blank tiles, labels alone, faster arithmetic."""

import numpy as np
import pytest
from scipy import ndimage

import histowidgets as hw
from histowidgets.errors import PredictionError
from histowidgets.models import ComputeFormat, half_format
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel, PredictOptions
from histowidgets.prediction.pixel_models._precision import fastest_inference, prepared
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.mark.parametrize("keywords", [{}, {"blend": "gaussian"}, {"downsample": 2}, {"blur_px": 2.0}, {"grids": 2}])
@pytest.mark.parametrize("stride", [1, 2])
def test_labels_alone_are_those_of_the_probabilities(keywords, stride):
    image = picture(150, 203)
    classifier = brightness_classifier(image, BrightnessModel(output_stride=stride))
    alone = classifier.predict(image, probabilities=False, **keywords)
    assert (alone.labels == classifier.predict(image, **keywords).labels).mean() > 0.999
    assert not alone.has_probabilities
    assert set(alone.measurements()) == {"Dark area (px2)", "Dark (%)", "Bright area (px2)", "Bright (%)"}
    with pytest.raises(PredictionError, match="labels only"):
        _ = alone.probabilities


def test_smoothing_is_a_gaussian_over_the_whole_map():
    image = picture(200, 150)
    classifier = brightness_classifier(image)
    plain = np.moveaxis(classifier.predict(image).probabilities, -1, 0)
    expected = ndimage.gaussian_filter(plain, (0, 3, 3), mode="nearest", truncate=3)
    found = np.moveaxis(classifier.predict(image, blur_px=3).probabilities, -1, 0)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    calibrated = hw.open_image(image.read(0, 0, 150, 200), pixel_size_um=0.5)
    in_um = np.moveaxis(classifier.predict(calibrated, blur_um=1.5).probabilities, -1, 0)
    np.testing.assert_allclose(in_um, found, atol=2e-3)
    with pytest.raises(PredictionError, match="needs the pixel size"):
        classifier.predict(image, blur_um=1.5)


@pytest.mark.parametrize("grids", [2, 4])
def test_several_grids_bring_tiles_closer_to_the_whole(grids):
    image = picture(260, 330)
    whole = brightness_classifier(image, BrightnessModel(largest_tile=512)).predict(image).probabilities
    # Less context than the model needs, so that tile borders show.
    short = brightness_classifier(image, BrightnessModel(context=0))
    one, more = (short.predict(image, overlap=0, grids=g).probabilities for g in (1, grids))
    inside = np.s_[20:-20, 20:-20]
    assert np.abs(more - whole)[inside].max() < 0.7 * np.abs(one - whole)[inside].max()
    # One tile cannot be shifted, and is computed once.
    model = BrightnessModel(largest_tile=512)
    brightness_classifier(image, model).predict(image, grids=4)
    assert len(model.shapes) == 1


def test_blank_tiles_are_not_computed_and_look_the_same():
    pixels = np.full((320, 320, 3), 240, np.uint8)
    pixels[:100, :100] = picture(100, 100).read(0, 0, 100, 100)
    image = hw.open_image(pixels)
    models = BrightnessModel(), BrightnessModel()
    everything, skipping = (brightness_classifier(image, m) for m in models)
    expected = everything.predict(image)
    found = skipping.predict(image, skip_blank=True)
    assert sum(s[0] for s in models[1].shapes) < 0.5 * sum(s[0] for s in models[0].shapes)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=0.02)
    alone = skipping.predict(image, skip_blank=True, probabilities=False).labels
    assert (alone == found.labels).mean() > 0.9999


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"grids": 3}, "grids is 3; use 1, 2, 4"),
        ({"blur_px": -1}, "blur_px is -1"),
        ({"blur_px": float("nan")}, "blur_px is nan"),
        ({"blur_px": 1, "blur_um": 1}, "give only one of them"),
        ({"precision": "bf16"}, "precision is 'bf16'"),
        ({"downsample": 0}, "downsample is 0"),
        ({"downsample": 1.5}, r"downsample is 1\.5"),
        ({"smoothing": 2}, "no option 'smoothing'; the options are overlap"),
    ],
)
def test_bad_options_are_refused(keywords, message):
    image = picture(64, 64)
    with pytest.raises(PredictionError, match=message):
        brightness_classifier(image).predict(image, **keywords)


def test_each_way_to_compute_gives_the_same_labels(network_classifier):
    """Folded batch norm, the order of pixels and half precision change numbers, but hardly a label."""
    import torch

    model = network_classifier.model
    pixels = np.random.default_rng(0).random((1, 3, 64, 96), dtype=np.float32)
    expected = model.probabilities(pixels)
    formats = [ComputeFormat(), ComputeFormat("fp32", "channels_last")]
    if half_format(torch.device("cpu")) == "bf16":  # not every processor can
        formats.append(ComputeFormat("bf16", "channels_last"))
    for way in formats:
        found = model._compute(way, pixels, labels=False)
        assert np.abs(found - expected).mean() < (1e-4 if way.precision == "fp32" else 0.03)
        labels = model._compute(way, pixels, labels=True)
        assert labels.dtype == np.uint8
        np.testing.assert_array_equal(labels, found.argmax(1))


def test_batch_norm_and_activations_are_folded(network_classifier):
    import torch

    from histowidgets.prediction.pixel_models._conv_fusion import ConvAct, UpsampleBlock

    network = network_classifier.model.network().eval()

    def count(module, kind):
        return sum(isinstance(m, kind) for m in module.modules())

    made = prepared(network, ComputeFormat())
    assert count(network, torch.nn.BatchNorm2d) > 50
    assert count(made, torch.nn.BatchNorm2d) == 0
    assert count(made, ConvAct) > count(network, torch.nn.ReLU)
    assert count(made, UpsampleBlock) == len(network.core.decoder.blocks)
    pixels = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(made(pixels), network(pixels), rtol=1e-4, atol=1e-3)
    assert prepared(network, None) is network


def test_what_cannot_be_folded_whole_is_folded_in_part_or_left(network_classifier, monkeypatch):
    import torch

    from histowidgets.prediction.pixel_models import _conv_fusion as _fold
    from histowidgets.prediction.pixel_models import _precision as _inference

    network = network_classifier.model.network().eval()
    monkeypatch.setattr(_fold, "_named", lambda activation: ("no such activation", []))
    made = prepared(network, ComputeFormat())
    assert not any(isinstance(m, _fold.ConvAct) for m in made.modules())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in made.modules())
    monkeypatch.setattr(_inference, "_same_answer", lambda made, network: False)
    left = prepared(network, ComputeFormat())
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in left.modules()) > 50


def test_the_fastest_way_is_found_once_and_small_regions_stay_exact(network_classifier, monkeypatch):
    from histowidgets.prediction.pixel_models import _precision as _inference

    network = network_classifier.model.network().eval()
    monkeypatch.setattr(_inference, "_known", {})
    found = fastest_inference(network, (1, 3, 64, 64))
    assert found in (None, *_inference._candidates(network.input_mean.device))
    monkeypatch.setattr(_inference, "_probed", lambda *_: pytest.fail("it was known"))
    assert fastest_inference(network, (1, 3, 64, 64)) == found
    pixels = np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)
    exact = network_classifier.model.fastest(64, 1)(pixels, False)
    np.testing.assert_array_equal(exact, network_classifier.model.probabilities(pixels))


def test_many_tiles_take_the_fastest_way(monkeypatch, sample):
    from histowidgets.models import NetworkSpec, build_network
    from histowidgets.prediction.pixel_models import _network as _network_model

    asked = []
    monkeypatch.setattr(_network_model, "fastest_inference", lambda network, shape: asked.append(shape))
    monkeypatch.setattr(NetworkModel, "largest_tile", 128)
    monkeypatch.setattr(NetworkModel, "context", 8)
    spec = NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2)
    network = build_network(spec, pretrained=False, seed=0)
    classifier = Classifier(
        ClassifierSpec(
            NetworkModel(network),
            classes=["A", "B"],
            colors=["#d55e00", "#0072b2"],
            channel_names=sample.channel_names,
            normalization=hw.Normalization().fitted([sample]),
            tile_size=64,
        )
    )
    fast = classifier.predict(sample, probabilities=False).labels
    assert asked == [(1, 3, 128, 128)]
    exact = classifier.predict(sample, precision="fp32")
    assert len(asked) == 1
    first, second = np.moveaxis(exact.probabilities, -1, 0)
    sure = abs(first - second) > 0.002  # elsewhere rounding may decide
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(fast[sure], exact.labels[sure])


@pytest.mark.parametrize(
    "options",
    [
        {"overlap": "a"},
        {"overlap": None},
        {"overlap": True},
        {"overlap": float("nan")},
        {"blur_px": "a"},
        {"blur_px": None},
        {"blur_px": [1]},
        {"blur_um": ""},
        {"blur_um": "a"},
        {"downsample": "2"},
    ],
)
def test_what_is_no_number_is_named(options):
    (name,) = options
    with pytest.raises(PredictionError, match=rf"{name} is .*; expected"):
        PredictOptions(**options)


def test_numbers_of_numpy_are_numbers():
    assert PredictOptions(overlap=np.float32(0.25), blur_px=np.int64(2)).overlap == 0.25
