"""The features of frozen encoders: where their values lie, their principal components, and their files."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import histowidgets as hw
from histowidgets.errors import BackboneError
from histowidgets.images import Region
from histowidgets.models import encoder_without_weights, find_backbone
from histowidgets.prediction import FeatureStore, FrozenEncoder, Tile
from histowidgets.prediction.pixel_models._feature_store import feature_key
from histowidgets.prediction.pixel_models._quick_encoder import QuickEncoder, principal_components

PLAIN = replace(find_backbone("resnet18"), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class Halvings(nn.Module):
    """Averages over 3 x 3 pixels with stride 2 and padding 1: each value lies half a pixel of its own too early."""

    def __init__(self, kernel=3):
        super().__init__()
        self.kernel = kernel
        self.weight = nn.Parameter(torch.full((3, 1, kernel, kernel), 1 / kernel**2))

    def forward(self, x):
        maps = [x]
        for _ in range(4):
            maps.append(nn.functional.conv2d(maps[-1], self.weight, stride=2, padding=self.kernel // 3, groups=3))
        return maps


class Patches(nn.Module):
    """Averages over patches, like the tokens of a transformer that look only at themselves."""

    def __init__(self, patch):
        super().__init__()
        self.output_stride = patch
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return [nn.functional.avg_pool2d(x, self.output_stride) * self.weight] * 4, [None] * 4


def ramp(rows, cols):
    """An image whose value is its column plus twice its row, at pixel centres, divided by 1000."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    return ((x + 2 * y + 1.5) / 1000).expand(1, 3, -1, -1)


@pytest.mark.parametrize("kernel", [2, 3])
def test_values_of_convolutions_lie_at_the_centre_of_their_pixels(kernel):
    encoder = FrozenEncoder(PLAIN, Halvings(kernel), "made")
    assert encoder.early == (kernel == 3)
    maps = encoder(ramp(128, 192))
    assert [128 // one.shape[-2] for one in maps] == [4, 4, 8, 16]
    for one in maps:
        stride = 128 // one.shape[-2]
        expected = nn.functional.avg_pool2d(ramp(128, 192), stride)
        inner = (slice(None), slice(None), slice(2, -3), slice(2, -3))
        torch.testing.assert_close(one[inner], expected[inner], atol=1e-5, rtol=0)


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_x11_patch_tokens_are_resized_to_a_grid_that_covers_the_tile(patch):
    card = replace(PLAIN, family="transformer")
    encoder = FrozenEncoder(card, Patches(patch), "made")
    maps = encoder(ramp(256, 384))
    assert len(maps) == 4
    stride = 8 if patch == 8 else 16
    expected = nn.functional.avg_pool2d(ramp(256, 384), stride)
    assert maps[0].shape == expected.shape
    inner = (slice(None), slice(None), slice(1, -2), slice(1, -2))
    torch.testing.assert_close(maps[0][inner], expected[inner], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "strides", "early"),
    [
        ("resnet18", [4, 4, 8, 16], True),
        ("convnext_atto", [4, 8, 16], False),
        ("vit_tiny_patch16_224", [16] * 4, False),
    ],
)
def test_encoders_of_smp_and_timm_give_maps_of_several_strides_or_layers(name, strides, early):
    card = find_backbone(name)
    torch.manual_seed(0)
    encoder = FrozenEncoder(card, encoder_without_weights(card), "random")
    assert encoder.early == early
    for rows, cols in ((64, 96), (16, 48)):
        with torch.inference_mode():
            maps = encoder(torch.rand(1, 3, rows, cols))
        assert [(rows // one.shape[-2], cols // one.shape[-1]) for one in maps] == [(s, s) for s in strides]
        assert sum(one.shape[1] for one in maps) == encoder.width


def test_an_encoder_for_one_size_of_tile_only_is_refused_by_name():
    card = find_backbone("maxvit_tiny_tf_224")
    with pytest.raises(BackboneError, match=r"maxvit_tiny_tf_224 cannot compute features .* Choose one that can"):
        FrozenEncoder(card, encoder_without_weights(card), "random")


def test_the_projection_is_that_of_a_full_decomposition():
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(600, 8)) * [9, 8, 7, 6, 5, 4, 3, 2]) @ rng.normal(size=(8, 300)) + rng.normal(
        size=(600, 300)
    )
    values[:, 5] *= 1e3  # whatever the unit of a value
    x = torch.from_numpy(values.astype(np.float32))
    projection = principal_components(x, 8, seed=0)
    standardized = (values - values.mean(0)) / (values.std(0) + 1e-4)
    _, _, vectors = np.linalg.svd(standardized, full_matrices=False)
    found = x.numpy() @ projection.weight.numpy().T + projection.bias.numpy()
    expected = standardized @ vectors[:8].T
    # Components are the same but for their signs.
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=0.02 * np.abs(expected).max())
    again = principal_components(x, 8, seed=0)
    assert torch.equal(again.weight, projection.weight)
    assert again.digest == projection.digest != principal_components(x, 7, seed=0).digest


def test_projecting_before_enlarging_equals_enlarging_before_projecting():
    maps = (torch.rand(1, 5, 16, 24), torch.rand(1, 7, 8, 12), torch.rand(1, 4, 4, 6))
    large = torch.cat(
        [nn.functional.interpolate(one, (16, 24), mode="bilinear", align_corners=False) for one in maps], 1
    )
    projection = principal_components(large[0].flatten(1).T, 6, seed=0)
    expected = nn.functional.conv2d(large, projection.weight[:, :, None, None], projection.bias)
    torch.testing.assert_close(projection.apply(maps), expected, atol=1e-4, rtol=0)


def test_features_in_files_stay_below_a_size_and_the_oldest_go_first(tmp_path):
    maps = (torch.arange(500, dtype=torch.float16).reshape(1, 5, 10, 10), torch.ones(1, 2, 5, 5).half())
    FeatureStore(tmp_path / "one").put("a", maps)
    size = (tmp_path / "one" / "a.safetensors").stat().st_size
    store = FeatureStore(tmp_path / "features", max_bytes=3 * size - 1)
    assert store.get("a") is None
    for key in "abc":
        store.put(key, maps)
        store.get("a")
    assert all(torch.equal(one, other) for one, other in zip(store.get("a"), maps, strict=True))
    assert store.get("b") is None, "a was used after b"
    assert sum(path.stat().st_size for path in store.folder.iterdir()) == 2 * size
    store.put("large", (torch.ones(1, 1, 200, 200).half(),))
    assert store.get("large") is None
    (store.folder / "a.safetensors").write_bytes(b"half of")
    assert store.get("a") is None
    assert not (store.folder / "a.safetensors").exists()


def test_a_store_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "features").write_text("a file in the way")
    store = FeatureStore(tmp_path / "features")
    store.put("a", (torch.ones(1, 1, 4, 4).half(),))
    assert store.get("a") is None


def test_the_name_of_a_file_follows_all_that_the_features_depend_on():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (64, 64, 4), dtype=np.uint8)
    changed = pixels.copy()
    changed[5, 5, 1] ^= 1
    plain = hw.Normalization("fixed_range", low=0, high=255)
    region = Region(0, 0, 64, 64)

    def key(values=pixels, channels=(0, 1, 2), downsample=1, digest="a", normalization=plain):
        image = hw.open_image(values, name="x")
        tile = Tile(image, region, normalization, downsample, channels)
        return feature_key(torch.from_numpy(tile.read())[None], digest)

    assert key() == key(pixels.copy())
    others = [
        key(changed),
        key(channels=(0, 2, 1)),
        key(downsample=2),
        key(digest="b"),
        key(normalization=hw.Normalization("fixed_range", low=0, high=200)),
    ]
    assert len({key(), *others}) == 6


def test_features_on_disk_are_used_by_the_next_process(tmp_path, monkeypatch):
    card = find_backbone("resnet18")
    encoder = FrozenEncoder(card, encoder_without_weights(card), "random")
    pixels = torch.rand(1, 3, 64, 64)
    first = QuickEncoder(encoder, store=FeatureStore(tmp_path))(pixels)
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick_encoder.features_of", None)
    again = QuickEncoder(encoder, store=FeatureStore(tmp_path))(pixels)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
