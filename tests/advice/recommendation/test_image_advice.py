from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from histowidgets.advice import check_image, guess_image_type, suggest_normalization
from histowidgets.images import Normalization, open_image, samples
from histowidgets.prediction import check_range
from histowidgets.training import TrainingSettings
from tests.prediction.models import brightness_classifier


def noise(shape, low, high, dtype, seed=0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def test_the_sample_is_brightfield_with_a_brown_stain():
    guess = guess_image_type(samples.colon_ihc())
    assert guess.type == "brightfield"
    assert "brown" in guess.reason
    assert guess.evidence["brown_share"] > 0.1


def test_glands_are_he(shared_data):
    for path in sorted(Path(shared_data, "glands", "images").glob("*.png")):
        assert guess_image_type(open_image(path)).type == "he", path.name


def test_nuclei_are_fluorescence(shared_data):
    for path in sorted(Path(shared_data, "fluorescence", "images").glob("*.png")):
        assert guess_image_type(open_image(path)).type == "fluorescence", path.name


@pytest.mark.parametrize("name", ["hela_cells.tif", "nuclei_tubulin.tif", "nuclei_various.tif", "imc_5ch_float32.tiff"])
def test_multichannel_images_are_fluorescence(shared_data, name):
    assert guess_image_type(open_image(Path(shared_data, "uint16", name))).type == "fluorescence"


def test_an_empty_slide_is_brightfield():
    guess = guess_image_type(open_image(np.full((64, 64, 3), 250, np.uint8), name="empty"))
    assert guess.type == "brightfield"
    assert "hardly anything is stained" in guess.reason


@pytest.mark.parametrize("value", [0, 7, 255])
def test_constant_images_get_an_answer(value):
    assert guess_image_type(open_image(np.full((64, 64), value, np.uint8), name="constant")).type


def test_r48_stained_tissue_in_8_bits_takes_percentiles():
    advice = suggest_normalization(samples.colon_ihc())
    assert advice.patch == {"normalization": "percentile_99", "normalization_per_channel": False}
    assert advice.guide_title == "How pixel values are scaled to 0 to 1"
    assert advice.evidence["p99"] > advice.evidence["p1"]


def test_r48_outliers_call_for_percentiles_and_their_absence_for_the_whole_range():
    even = noise((128, 128), 100, 1000, np.uint16)
    assert suggest_normalization(open_image(even, name="even"), "fluorescence").patch["normalization"] == "min_max"
    even[0, :5] = 30_000
    advice = suggest_normalization(open_image(even, name="spots"), "fluorescence")
    assert advice.patch["normalization"] == "percentile_99"
    assert "outliers" in advice.detail


def test_r48_saturation_calls_for_the_range_of_the_camera():
    pixels = noise((128, 128), 100, 1000, np.uint16)
    pixels[:20] = 4095
    advice = suggest_normalization(open_image(pixels, name="bright"), "fluorescence")
    assert advice.patch == {
        "normalization": "fixed_range",
        "normalization_low": 0.0,
        "normalization_high": 4095.0,
        "normalization_per_channel": False,
    }
    assert TrainingSettings(**advice.patch).normalization_high == 4095


def test_r48_negative_values_and_sparse_signal():
    floats = np.random.default_rng(0).normal(0, 1, (128, 128)).astype(np.float32)
    assert suggest_normalization(open_image(floats, name="phase"), "fluorescence").patch["normalization"] == "z_score"
    sparse = np.zeros((128, 128), np.uint16)
    sparse[0, 0:3] = 500
    assert suggest_normalization(open_image(sparse, name="sparse"), "fluorescence").patch["normalization"] == "min_max"


def test_r48_offers_nothing_where_it_is_set_already():
    advice = suggest_normalization(samples.colon_ihc(), settings=TrainingSettings())
    assert advice.patch is None


def test_n9_an_image_like_those_of_training_passes():
    image = samples.colon_ihc()
    assert check_image(image, brightness_classifier(image)) == []


@pytest.mark.parametrize(
    "change", [lambda p: p // 4, lambda p: 128 + (p.astype(int) - 128) // 4, lambda p: np.full_like(p, 255)]
)
def test_n9_a_darker_flatter_or_empty_image_is_named(change):
    image = samples.colon_ihc()
    other = open_image(change(image.read(0, 0, 512, 512)).astype(np.uint8), name="other")
    (advice,) = check_image(other, brightness_classifier(image))
    assert (advice.id, advice.image_name) == ("image-outside-training", "other")
    assert advice.evidence["sigmas"] >= 3 or advice.evidence["spread_factor"] >= 2


def test_r56_a_classifier_without_statistics_offers_training_again():
    without = SimpleNamespace(check=lambda image: check_range(image, Normalization()))
    (advice,) = check_image(samples.colon_ihc(), without)
    assert (advice.id, advice.guide_title) == ("no-training-statistics", "A classifier without training statistics")
    fixed = SimpleNamespace(check=lambda image: check_range(image, Normalization("fixed_range", low=0, high=255)))
    assert check_image(samples.colon_ihc(), fixed) == []


def test_n9_channels_in_another_order_are_found_by_name():
    pixels = np.stack([noise((64, 64), low, low + 40, np.uint8, low) for low in (10, 100, 200)], axis=-1)
    image = open_image(pixels, name="one", channel_names=["DAPI", "CD3", "CD8"])
    turned = open_image(pixels[..., ::-1], name="other", channel_names=["CD8", "CD3", "DAPI"])
    classifier = brightness_classifier(image)
    assert check_image(turned, classifier) == []
    misnamed = open_image(pixels[..., ::-1], name="other", channel_names=["DAPI", "CD3", "CD8"])
    assert [one.id for one in check_image(misnamed, classifier)] == ["image-outside-training"]
