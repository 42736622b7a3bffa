"""Features and model of the quick learner."""

import numpy as np
import pytest
import torch

import histowidgets as hw
from histowidgets.images import Region
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import forget_features, pyramid_width, quick_tiles
from histowidgets.prediction.pixel_models._quick_features import (
    DeepStages,
    as_three_channels,
    deep_stages,
    pyramid_features,
    quick_features,
)


@pytest.mark.parametrize(("channels", "values"), [(1, 21), (2, 42), (3, 63), (6, 126), (12, 76), (40, 216)])
def test_pyramid_has_63_values_for_rgb_and_a_bounded_number_for_many_channels(channels, values):
    maps = pyramid_features(torch.rand(1, channels, 64, 96))
    assert [m.shape[-2:] for m in maps] == [(32, 48), (16, 24), (8, 12), (4, 6)]
    assert sum(m.shape[1] for m in maps) == values == pyramid_width(channels)
    assert all(torch.isfinite(m).all() for m in maps)


def test_a_blank_tile_has_finite_features():
    features = quick_features(torch.zeros(1, 3, 64, 64), deep_stages())
    for values in features.full():
        assert torch.isfinite(values).all()


def test_fused_stages_equal_the_encoder():
    network = build_network(NetworkSpec()).eval()
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network.core.encoder((pixels - network.input_mean) / network.input_std)[1:5]
        found = DeepStages(build_network(NetworkSpec()), centred=False)(pixels)
    torch.testing.assert_close(found[0], torch.nn.functional.avg_pool2d(expected[0], 2), atol=1e-3, rtol=1e-3)
    for a, b in zip(found[1:], expected[1:], strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
    assert sum(m.shape[1] for m in found) == 208


def test_the_encoders_values_lie_at_the_centres_of_their_pixels():
    """Where the image must change to change a value in the middle of a map, compared with where the value lies."""
    network = build_network(NetworkSpec())
    pixels = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)).requires_grad_()
    places = torch.arange(256) + 0.5
    early = {}
    for centred in (False, True):
        for number, found in enumerate(DeepStages(network, centred)(pixels)):
            middle = found.shape[-1] // 2
            (slopes,) = torch.autograd.grad(found[0, :, middle, middle].square().sum(), pixels, retain_graph=True)
            weights = slopes[0].abs().sum(0)
            lies = (middle + 0.5) * 256 / found.shape[-1]
            early[centred, number] = [lies - float(weights.sum(axis) @ places / weights.sum()) for axis in (0, 1)]
    for number in (1, 2, 3):  # the first one is off by half a pixel only
        for before, after in zip(early[False, number], early[True, number], strict=True):
            assert before > 1
            assert abs(after) < 0.6 * before


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 12])
def test_any_number_of_channels_becomes_three(channels):
    pixels = torch.rand(1, channels, 4, 4)
    three = as_three_channels(pixels)
    assert three.shape == (1, 3, 4, 4)
    if channels == 1:
        assert (three == pixels).all()
    if channels > 3:
        torch.testing.assert_close(three[:, 0], pixels[:, : -(-channels // 3)].mean(1))


def test_sampled_features_equal_the_enlarged_ones():
    features = quick_features(torch.rand(1, 3, 64, 96), deep_stages())
    pyramid, deep = features.full()
    rows, cols = torch.tensor([0, 5, 31]), torch.tensor([0, 40, 47])
    points = torch.stack([(cols + 0.5) / 48, (rows + 0.5) / 32], 1)
    torch.testing.assert_close(features.at(points)[0], pyramid[0][:, rows, cols].T, atol=1e-4, rtol=1e-4)
    rows, cols = torch.tensor([0, 5, 15]), torch.tensor([0, 20, 23])
    points = torch.stack([(cols + 0.5) / 24, (rows + 0.5) / 16], 1)
    torch.testing.assert_close(features.at(points)[1], deep[0][:, rows, cols].T, atol=1e-4, rtol=1e-4)


def test_probabilities_sum_to_one_at_half_size(quick):
    batch = np.random.default_rng(0).random((2, 3, 64, 96), dtype=np.float32)
    found = quick.model.probabilities(batch)
    assert found.shape == (2, 3, 32, 48)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_kept_features_give_the_same_answer_as_new_ones(quick, sample):
    first = quick.predict(sample).probabilities
    again = quick.predict(sample).probabilities
    forget_features()
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(quick.predict(sample).probabilities, first)


def test_features_are_kept_only_while_the_image_lives(quick):
    import gc

    from histowidgets.prediction.pixel_models._quick import _cache

    forget_features()
    image = hw.open_image(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    quick.predict(image)
    assert _cache.nbytes > 0
    del image
    gc.collect()
    assert _cache.nbytes == 0


def test_of_a_large_image_only_blocks_around_strokes_are_read():
    image = hw.open_image(np.zeros((3000, 4000, 3), np.uint8))
    normalization = hw.Normalization("fixed_range")
    wanted = [Region(1000, 2000, 100, 10), Region(3990, 2990, 10, 10)]
    tiles = quick_tiles(image, normalization, wanted)
    cores = [core for _, core in tiles]
    assert len(cores) == 3
    for region in wanted:
        assert sum(core.intersect(region).area for core in cores if core.intersect(region)) == region.area
    for tile, core in tiles:
        assert tile.region.contains(core)
        assert image.region.contains(tile.region)
        assert tile.region.area < 500 * 500


def test_tiles_of_a_small_image_are_those_of_its_prediction(quick, sample, monkeypatch):
    """Else each stroke would compute the features twice."""
    from histowidgets.prediction.pixel_models import _quick as _quick_model

    forget_features()
    for tile, _ in quick_tiles(sample, quick.normalization, [Region(5, 5, 2, 2)]):
        _quick_model.tile_features(tile)

    def refuse(*args):
        raise AssertionError("computed again")

    monkeypatch.setattr(_quick_model, "quick_features", refuse)
    quick.predict(sample)
