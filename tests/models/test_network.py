import json

import pytest
import torch
from torch import nn

from histowidgets.errors import BackboneError
from histowidgets.models import ARCHITECTURES, NetworkSpec, backbones, build_network

LIGHT = {"decoder_channels": (64, 48, 32, 16), "output_stride": 2}


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "dpt"])
def test_every_architecture_takes_any_size(architecture):
    network = build_network(NetworkSpec(architecture, n_classes=3)).eval()
    for size in ((64, 64), (45, 70)):
        with torch.inference_mode():
            assert network(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (33, 64), (100, 31)])
def test_odd_sizes_keep_their_size(size):
    network = build_network(NetworkSpec(**LIGHT)).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 3, *size))
    assert logits.shape == (2, 2, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 7, 12, 64])
def test_r8_any_number_of_channels_builds_and_learns(channels):
    network = build_network(NetworkSpec(n_channels=channels, **LIGHT), report=pytest.fail)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    before = network.core.encoder.conv_stem.weight.detach().clone()
    network(torch.rand(2, channels, 64, 64)).square().mean().backward()
    optimizer.step()
    assert before.shape[1] == channels
    assert not torch.equal(before, network.core.encoder.conv_stem.weight)


def test_r8_one_channel_starts_as_the_sum_over_colours():
    three = build_network(NetworkSpec()).core.encoder.conv_stem.weight
    one = build_network(NetworkSpec(n_channels=1)).core.encoder.conv_stem.weight
    assert torch.allclose(one[:, 0], three.sum(1), atol=1e-6)


@pytest.mark.parametrize("card", backbones(), ids=lambda card: card.name)
@pytest.mark.parametrize("channels", [3, 5])
def test_scaling_of_the_weights_is_applied_inside(card, channels):
    network = build_network(NetworkSpec(backbone=card.name, n_channels=channels), pretrained=False).eval()
    seen = []
    network.core.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    x = torch.rand(1, channels, 32, 32)
    with torch.inference_mode():
        network(x)
    mean, std = torch.tensor(card.mean), torch.tensor(card.std)
    if channels != 3:
        mean, std = mean.mean().expand(channels), std.mean().expand(channels)
    assert torch.allclose(seen[0], (x - mean[:, None, None]) / std[:, None, None], atol=1e-6)


def test_scaling_travels_with_the_weights():
    state = build_network(NetworkSpec()).state_dict()
    assert state["input_mean"].flatten().tolist() == [0.5, 0.5, 0.5]


def test_light_decoder_ends_at_half_size_and_is_enlarged():
    network = build_network(NetworkSpec(**LIGHT)).eval()
    with torch.inference_mode():
        assert network.core(torch.rand(1, 3, 64, 64)).shape == (1, 2, 32, 32)
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 2, 64, 64)
    assert len(network.core.decoder.blocks) == 4


def test_spec_survives_json():
    spec = NetworkSpec("unet", "resnet18", 5, 4, (64, 48, 32, 16), 2)
    assert NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "yolo"}, "no architecture called 'yolo'"),
        ({"n_channels": 65}, "1 to 64 channels, not 65"),
        ({"n_classes": 1}, "2 to 254 classes"),
        ({"output_stride": 2, "architecture": "fpn"}, "output_stride is 2 with fpn"),
        ({"decoder_channels": [64, 32]}, "5 positive numbers"),
        ({"architecture": "fpn", "decoder_channels": [5, 5, 5, 5, 5]}, "has no decoder_channels"),
        ({"depth": 3}, "not a description of a network"),
    ],
)
def test_impossible_specs_say_what_is_wrong(values, message):
    with pytest.raises(BackboneError, match=message):
        NetworkSpec.from_dict(values)


def test_seed_gives_the_same_network_and_leaves_torch_alone():
    before = torch.get_rng_state()
    one, two = (build_network(NetworkSpec(**LIGHT), seed=3) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name
    other = build_network(NetworkSpec(**LIGHT), seed=4)
    assert not torch.equal(one.core.segmentation_head[0].weight, other.core.segmentation_head[0].weight)


def test_network_is_a_plain_module():
    network = build_network(NetworkSpec(**LIGHT))
    assert isinstance(network, nn.Module)
    assert network.training
