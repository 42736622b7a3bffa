"""Rows R44 to R50, B1 and B2: the one function that makes numbers from 0 to 1 of pixels."""

import json

import numpy as np
import pytest

from histowidgets.errors import ImageError
from histowidgets.images import (
    ImageStatistics,
    Normalization,
    Region,
    measure_statistics,
    open_image,
    read_padded,
    samples,
)

STRATEGIES = ["percentile_99", "min_max", "z_score", "fixed_range"]


def image_of(dtype, n_channels=3, seed=0):
    rng = np.random.default_rng(seed)
    scale = {"uint8": 200, "uint16": 4000, "float32": 3.5, "float64": 1e6}[np.dtype(dtype).name]
    pixels = rng.gamma(2.0, scale / 8, (60, 80, n_channels)) * np.linspace(0.3, 1, n_channels)
    return open_image(np.clip(pixels, 0, scale).astype(dtype), channel_names=[f"c{i}" for i in range(n_channels)])


def whole(image):
    return image.read(0, 0, image.width, image.height)


def reference(pixels, values, strategy):
    """The formulas, straight from NumPy. `values` is what the statistics rest on."""
    values, pixels = values.astype(float), pixels.astype(float)
    if strategy == "percentile_99":
        low, high = np.percentile(values, 1), np.percentile(values, 99)
        return (np.clip(pixels, low, high) - low) / (high - low)
    if strategy == "min_max":
        return (pixels - values.min()) / (values.max() - values.min())
    z = np.clip((pixels - values.mean()) / values.std(), -5, 5)
    return (z + 5) / 10


def check_against_numpy(strategy, dtype):
    image = image_of(dtype)
    pixels = whole(image)
    joint = Normalization(strategy, per_channel=False).fitted([image]).apply(pixels)
    np.testing.assert_allclose(joint, reference(pixels, pixels, strategy), atol=1e-6)
    assert joint.dtype == np.float32
    each = Normalization(strategy, per_channel=True).fitted([image]).apply(pixels)
    for c in range(3):
        np.testing.assert_allclose(each[..., c], reference(pixels[..., c], pixels[..., c], strategy), atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_r44_percentile_matches_numpy(dtype):
    check_against_numpy("percentile_99", dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_r45_min_max_matches_numpy(dtype):
    check_against_numpy("min_max", dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_r46_z_score_matches_numpy(dtype):
    check_against_numpy("z_score", dtype)


def test_r47_fixed_range_matches_numpy():
    pixels = whole(image_of("uint16"))
    normalized = Normalization("fixed_range", low=0, high=4095).apply(pixels)
    np.testing.assert_allclose(normalized, np.clip(pixels, 0, 4095) / 4095, atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(5, 5), (10, 2), (np.nan, 2), (0, np.inf)])
def test_r47_a_bad_range_is_refused(low, high):
    with pytest.raises(ImageError, match="low must be below high"):
        Normalization("fixed_range", low=low, high=high)


def test_r47_a_range_belongs_to_fixed_range_alone():
    with pytest.raises(ImageError, match="takes none"):
        Normalization("min_max", low=0, high=1)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("value", [0, 1, 240, 65535])
def test_r44_to_r47_a_constant_image_is_finite_and_in_range(strategy, value):
    image = open_image(np.full((20, 20, 3), value, np.uint16))
    normalized = Normalization(strategy).fitted([image]).apply(whole(image))
    assert np.isfinite(normalized).all()
    assert normalized.min() >= 0
    assert normalized.max() <= 1


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("per_channel", [False, True])
def test_b2_blank_tile_stays_in_range(strategy, per_channel):
    normalization = Normalization(strategy, per_channel).fitted([samples.colon_ihc()])
    for value in (0, 240, 255):
        normalized = normalization.apply(np.full((16, 16, 3), value, np.uint8))
        assert np.isfinite(normalized).all()
        assert 0 <= normalized.min() <= normalized.max() <= 1


@pytest.mark.parametrize("strategy", ["percentile_99", "min_max", "z_score"])
def test_b2_values_beyond_the_training_range_stay_in_range(strategy):
    normalization = Normalization(strategy).fitted(
        [open_image(np.full((8, 8), 100, np.uint16) + np.eye(8, dtype=np.uint16))]
    )
    normalized = normalization.apply(np.array([[[0]], [[100]], [[60000]]], np.uint16))
    assert 0 <= normalized.min() <= normalized.max() <= 1


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_b1_training_and_prediction_agree_bit_for_bit(strategy, per_channel):
    image = samples.colon_ihc()
    training = Normalization(strategy, per_channel).fitted([image])
    prediction = Normalization.from_dict(json.loads(json.dumps(training.to_dict())))
    assert prediction == training
    whole_image = prediction.apply(whole(image))
    tile = training.apply(read_padded(image, Region(100, 60, 128, 96)))
    np.testing.assert_array_equal(tile, whole_image[60:156, 100:228])


def test_b1_joint_statistics_are_not_those_of_the_first_channel():
    image = image_of("uint8")
    joint = Normalization(per_channel=False).fitted([image]).apply(whole(image))
    means = joint.reshape(-1, 3).mean(0)
    assert means[0] < means[1] < means[2]  # the channels were made so, and stay so


def test_r49_statistics_are_of_the_image_and_not_of_the_tile():
    image = samples.colon_ihc()
    normalization = Normalization().fitted([image])
    dark, light = normalization.apply(image.read(0, 0, 64, 64)), normalization.apply(np.full((4, 4, 3), 255, np.uint8))
    assert normalization.statistics.joint.p99 == np.percentile(whole(image), 99)
    assert light.min() == 1
    assert dark.mean() < 1


def test_r50_every_dtype_gives_the_same_number_for_the_same_value():
    normalization = Normalization(per_channel=False).fitted([samples.colon_ihc()])
    values = np.arange(256).reshape(16, 16, 1).repeat(3, 2)
    as_bytes = normalization.apply(values.astype(np.uint8))
    for dtype in (np.uint16, np.float32, np.float64):
        np.testing.assert_array_equal(normalization.apply(values.astype(dtype)), as_bytes)


@pytest.mark.parametrize(("n_channels", "expected"), [(1, False), (3, False), (4, True), (7, True)])
def test_n8_per_channel_is_on_above_three_channels(n_channels, expected):
    assert Normalization().by_channel(n_channels) is expected


@pytest.mark.parametrize("spelling", ["PERCENTILE_99", "Percentile_99", "percentile_99"])
def test_any_case_is_accepted(spelling):
    assert Normalization(spelling).strategy == "percentile_99"


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ImageError, match="choose one of percentile_99"):
        Normalization("median")


def test_missing_statistics_are_asked_for():
    with pytest.raises(ImageError, match="fitted"):
        Normalization().apply(np.zeros((4, 4, 3), np.uint8))


def test_other_channels_are_refused():
    with pytest.raises(ImageError, match=r"for 3 channel\(s\), but the pixels have 5"):
        Normalization().fitted([samples.colon_ihc()]).apply(np.zeros((4, 4, 5), np.uint8))


@pytest.mark.parametrize(
    "values", [{"strategy": "min_max", "colour": 1}, {"strategy": "min_max", "statistics": {"joint": {}}}, 3]
)
def test_a_damaged_description_is_refused(values):
    with pytest.raises(ImageError, match=r"fields|damaged"):
        Normalization.from_dict(values)


def test_one_image_or_an_array_is_enough_to_fit():
    image, array = samples.colon_ihc(), whole(samples.colon_ihc())
    expected = Normalization("min_max").fitted([image])
    for given in (image, array, [array], (image,), iter([image])):
        assert Normalization("min_max").fitted(given) == expected
    with pytest.raises(ImageError, match="cannot be made from a NoneType"):
        Normalization("min_max").fitted(None)
    with pytest.raises(ImageError, match="at least one image"):
        Normalization("min_max").fitted([])


def test_lists_of_numbers_are_normalized_too_and_other_things_are_named():
    fixed = Normalization("fixed_range", low=0, high=2)
    np.testing.assert_array_equal(fixed.apply([[0, 1], [2, 3]]), [[0, 0.5], [1, 1]])
    for bad in (None, "abc", 5, [[1], [1, 2]], [["a"]], [1j]):
        with pytest.raises(ImageError, match="The pixels"):
            fixed.apply(bad)
    for name in ("low", "high"):
        for value in ("a", "1", True, [1]):
            with pytest.raises(ImageError, match=rf"fixed_range got {name}=.*; it must be a number"):
                Normalization("fixed_range", **{name: value})


# --- statistics ---


def test_statistics_pool_all_images():
    images = [image_of("uint8", seed=0), image_of("uint8", seed=1)]
    pooled = np.concatenate([whole(i).reshape(-1, 3) for i in images])
    statistics = measure_statistics(images)
    assert statistics.n_pixels == len(pooled)
    assert statistics.joint.p99 == np.percentile(pooled, 99)
    for c in range(3):
        channel = statistics.channels[c]
        assert channel.p1 == np.percentile(pooled[:, c], 1)
        assert (channel.minimum, channel.maximum) == (pooled[:, c].min(), pooled[:, c].max())
        assert channel.mean == pytest.approx(pooled[:, c].mean())
        assert channel.std == pytest.approx(pooled[:, c].std())


def test_a_large_image_is_sampled_all_over_and_the_seed_decides():
    ramp = np.broadcast_to(np.linspace(0, 1000, 2000), (2000, 2000)).astype(np.uint16)
    image = open_image(ramp)
    first, again, other = (measure_statistics([image], seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first.n_pixels < 2000 * 2000
    assert first.joint.mean == pytest.approx(500, abs=40)
    assert first.joint.minimum < 130
    assert first.joint.maximum > 870


def test_every_image_has_its_share(monkeypatch):
    from histowidgets.images import _statistics

    monkeypatch.setattr(_statistics, "STATISTICS_POOL", 4000)
    large, small = open_image(np.full((300, 300), 10, np.uint8)), open_image(np.full((45, 45), 20, np.uint8))
    assert measure_statistics([large, small]).joint.mean == pytest.approx(15, abs=0.1)


def test_statistics_survive_json():
    statistics = measure_statistics([samples.colon_ihc()])
    assert ImageStatistics.from_dict(json.loads(json.dumps(statistics.to_dict()))) == statistics


def test_statistics_need_images_that_fit():
    with pytest.raises(ImageError, match="at least one image"):
        measure_statistics([])
    with pytest.raises(ImageError, match="must have the same channels"):
        measure_statistics([samples.colon_ihc(), samples.cell()])
