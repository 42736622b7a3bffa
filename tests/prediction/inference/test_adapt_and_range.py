"""Norm statistics measured again (N11), and images outside the training statistics (N9)."""

import warnings

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError, OutsideTrainingWarning, PredictionError, RegionError
from histowidgets.prediction import check_range
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.fixture(scope="module")
def other_stain(sample):
    pixels = sample.read(0, 0, 512, 512).astype(float)
    return hw.open_image((255 - (255 - pixels) * [0.9, 0.5, 0.3]).astype(np.uint8), name="other")


def moments(model):
    found = {n: t for n, t in model.tensors().items() if n.endswith(("running_mean", "running_var"))}
    return {n: t.copy() for n, t in found.items()}


def test_n11_tensors_change_and_the_original_does_not(network_classifier, sample, other_stain):
    before = moments(network_classifier.model)
    small = (64, 32, 200, 150)
    adapted = network_classifier.adapted_to(other_stain, small)
    after = moments(adapted.model)
    assert len(before) > 50
    changed = sum(not np.allclose(before[name], after[name], rtol=1e-3) for name in before)
    assert changed == len(before)
    for name, value in moments(network_classifier.model).items():
        np.testing.assert_array_equal(value, before[name])
    weights = network_classifier.model.tensors()
    for name, value in adapted.model.tensors().items():
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_array_equal(value, weights[name])
    region = (0, 0, 96, 96)
    plain = network_classifier.predict(other_stain, region).probabilities
    assert np.abs(adapted.predict(other_stain, region).probabilities - plain).mean() > 0.01
    # The same seed, the same numbers.
    again = moments(network_classifier.adapted_to(other_stain, small).model)
    np.testing.assert_array_equal(after[name_of(after)], again[name_of(after)])
    assert not np.array_equal(
        after[name_of(after)], moments(network_classifier.adapted_to(sample, small).model)[name_of(after)]
    )


def test_n11_a_share_mixes_what_is_measured_with_what_was_trained(network_classifier, other_stain):
    place = (64, 32, 200, 150)
    before, whole = moments(network_classifier.model), moments(network_classifier.adapted_to(other_stain, place).model)
    third = moments(network_classifier.adapted_to(other_stain, place, share=0.3).model)
    name = name_of(third)
    np.testing.assert_allclose(third[name], 0.7 * before[name] + 0.3 * whole[name], rtol=1e-5, atol=1e-6)
    with pytest.raises(PredictionError, match=r"share is 1\.5"):
        network_classifier.adapted_to(other_stain, place, share=1.5)


def name_of(found):
    return next(iter(found))


def test_n11_the_first_layer_has_the_mean_of_the_image(network_classifier, other_stain):
    """A single tile over a region: the statistics are those of what the first convolution gives for it."""
    import torch

    adapted = network_classifier.adapted_to(other_stain, region=(0, 0, 256, 256))
    network = adapted.model.network().eval()
    encoder = network_classifier.model.network().eval().encoder
    first = next(n for n, m in encoder.named_modules() if type(m) is torch.nn.Conv2d)
    norm = next(m for m in network.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d))
    from histowidgets.prediction import Tile

    tile = Tile(other_stain, hw.images.Region(0, 0, 256, 256), network_classifier.normalization).read()
    with torch.no_grad():
        pixels = (torch.from_numpy(tile)[None] - network.input_mean) / network.input_std
        seen = encoder.get_submodule(first)(pixels)
    np.testing.assert_allclose(norm.running_mean.numpy(), seen.mean((0, 2, 3)).numpy(), rtol=1e-3, atol=1e-3)


def test_n11_it_is_said_and_kept(network_classifier, other_stain, tmp_path):
    adapted = network_classifier.adapted_to([other_stain], region=(0, 0, 128, 128))
    assert adapted.scores == {"adapted_to": ["other"], "before_adaptation": {"val_miou": 0.5}}
    assert adapted.trained_on["norm_statistics_of"] == ["other"]
    assert "adapted to other" in repr(adapted)
    assert network_classifier.scores == {"val_miou": 0.5}
    adapted.save(tmp_path / "x")
    loaded = hw.Classifier.load(tmp_path / "x")
    np.testing.assert_array_equal(*(moments(c.model)[name_of(moments(c.model))] for c in (loaded, adapted)))


def test_n11_what_cannot_be_adapted_is_refused(quick, network_classifier, sample):
    with pytest.raises(ClassifierError, match="kind 'quick' has no batch norm"):
        quick.adapted_to(sample)
    with pytest.raises(PredictionError, match="batch-norm statistics need at least one"):
        network_classifier.adapted_to([])
    with pytest.raises(RegionError):
        network_classifier.adapted_to(sample, region=(0, 0, 9999, 10))


def test_n9_prediction_warns_with_the_numbers():
    image = picture(96, 96)
    darker = hw.open_image(image.read(0, 0, 96, 96) // 8, name="darker")
    classifier = brightness_classifier(image)
    with pytest.warns(OutsideTrainingWarning, match="Image darker differs") as caught:
        classifier.predict(darker)
    assert caught[0].filename == __file__
    evidence = caught[0].message.evidence
    assert evidence["spread_factor"] >= 2 or evidence["sigmas"] >= 3
    (found,) = classifier.check(darker)
    assert (found.id, found.severity, found.image_name) == (
        "image-outside-training",
        "warning",
        "darker",
    )
    assert found.evidence == evidence


def test_n9_a_known_image_and_a_region_are_quiet(tmp_path):
    image = picture(96, 96)
    classifier = brightness_classifier(image)
    assert classifier.check(image) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.predict(image)
        classifier.predict_to(image, tmp_path / "x.zarr")
        # What is in view is predicted at each pan: nobody wants to be told each time.
        classifier.predict(hw.open_image(image.read(0, 0, 96, 96) // 8), (0, 0, 50, 50))
    with pytest.warns(OutsideTrainingWarning):
        classifier.predict_to(hw.open_image(image.read(0, 0, 96, 96) // 8), tmp_path / "y.zarr")


def test_n9_channels_are_compared_by_name():
    pixels = (picture(64, 64, 3, np.uint16).read(0, 0, 64, 64) * [1, 0.2, 5]).astype(np.uint16)
    image = hw.open_image(pixels, channel_names=["DAPI", "GFP", "RFP"])
    turned = hw.open_image(np.ascontiguousarray(pixels[..., ::-1]), channel_names=["RFP", "GFP", "DAPI"])
    classifier = brightness_classifier(image, BrightnessModel())
    assert classifier.check(turned) == []
    (found,) = check_range(turned, classifier.normalization)
    assert found.about["channel"] in ("RFP", "DAPI")
