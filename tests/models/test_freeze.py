import pytest
import torch
from torch import nn

from histowidgets.errors import SettingsError
from histowidgets.models import (
    NetworkSpec,
    apply_freeze,
    backbones,
    build_network,
    freeze_groups,
    frozen_parameters,
)


def network_of(name="efficientnet-lite0", channels=3):
    return build_network(NetworkSpec(backbone=name, n_channels=channels), pretrained=False, seed=0)


def learn(network, steps=2):
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network.train()
    for step in range(steps):
        x = torch.rand(2, network.spec.n_channels, 64, 64, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("name", [card.name for card in backbones()] + ["densenet121", "vgg11_bn", "tu-resnet10t"])
def test_r58_groups_cover_each_encoder_parameter_exactly_once(name):
    network = network_of(name)
    groups = freeze_groups(network)
    members = [parameter for group in groups.values() for parameter in group]
    encoder = [parameter for parameter, _ in network.named_parameters() if parameter.startswith("core.encoder.")]
    assert sorted(members) == sorted(encoder)
    assert all(groups.values())
    assert list(groups) == ["stem", *(f"block{n}" for n in range(1, len(groups)))]


@pytest.mark.parametrize("name", [card.name for card in backbones() if not card.repository])
def test_r58_every_backbone_has_the_groups_of_the_transfer_presets(name):
    assert {"stem", "block1", "block2", "block3"} <= set(freeze_groups(network_of(name)))


@pytest.mark.parametrize("name", [card.name for card in backbones()])
def test_b6_freezing_a_group_freezes_no_more_and_no_less(name):
    network = network_of(name)
    for group, members in freeze_groups(network).items():
        apply_freeze(network, [group])
        assert {n for n, p in network.named_parameters() if not p.requires_grad} == set(members)


def test_r2_early_is_the_stem_and_two_blocks_of_a_resnet():
    groups = freeze_groups(network_of("resnet34"))
    frozen = frozen_parameters(network_of("resnet34"), "early")
    assert frozen == {*groups["stem"], *groups["block1"], *groups["block2"]}
    assert {n.split(".")[2] for n in frozen} == {"conv1", "bn1", "layer1", "layer2"}


def test_r1_frozen_encoder_keeps_weights_and_norm_statistics_also_after_train():
    network = network_of()
    apply_freeze(network, "encoder")
    network.train(False).train(True)
    before = {name: value.clone() for name, value in network.core.encoder.state_dict().items()}
    learn(network)
    for name, value in network.core.encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(p.requires_grad for p in network.core.encoder.parameters())
    assert all(p.requires_grad for p in network.core.decoder.parameters())


def test_r1_adapt_norm_lets_statistics_follow_but_not_weights():
    network = network_of()
    apply_freeze(network, "encoder", adapt_norm=True)
    before = {name: value.clone() for name, value in network.core.encoder.state_dict().items()}
    learn(network)
    for name, value in network.core.encoder.state_dict().items():
        if "running" in name and not name.startswith("bn2"):
            assert not torch.equal(value, before[name]), name
        elif "num_batches" not in name:
            assert torch.equal(value, before[name]), name


def test_partly_frozen_encoder_keeps_only_the_frozen_statistics():
    network = network_of("resnet18")
    apply_freeze(network, "early")
    before = {name: value.clone() for name, value in network.core.encoder.state_dict().items()}
    learn(network)
    after = network.core.encoder.state_dict()
    assert torch.equal(after["layer2.0.bn1.running_mean"], before["layer2.0.bn1.running_mean"])
    assert not torch.equal(after["layer3.0.bn1.running_mean"], before["layer3.0.bn1.running_mean"])
    assert not torch.equal(after["layer3.0.conv1.weight"], before["layer3.0.conv1.weight"])


@pytest.mark.parametrize("name", [card.name for card in backbones()])
def test_r8_first_convolution_is_never_frozen_for_other_than_three_channels(name):
    network = network_of(name, channels=5)
    apply_freeze(network, "encoder")
    first = next(m for m in network.core.encoder.modules() if isinstance(m, nn.Conv2d))
    assert first.weight.requires_grad
    assert first.in_channels == 5
    assert sum(p.requires_grad for p in network.core.encoder.parameters()) == 1
    before = first.weight.detach().clone()
    learn(network, steps=1)
    assert not torch.equal(before, first.weight)


def test_thawing_after_freezing_restores_everything():
    network = network_of()
    apply_freeze(network, "encoder")
    assert apply_freeze(network, "none") == []
    assert all(p.requires_grad for p in network.parameters())
    assert all(m.training for m in network.modules())


def test_asking_for_groups_changes_nothing():
    network = network_of()
    apply_freeze(network, ["block2"])
    network.train()
    modes = [m.training for m in network.modules()]
    wants = [p.requires_grad for p in network.parameters()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    freeze_groups(network)
    assert modes == [m.training for m in network.modules()]
    assert wants == [p.requires_grad for p in network.parameters()]
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_unknown_freeze_names_what_there_is():
    with pytest.raises(SettingsError, match="'none', 'early', 'encoder'"):
        apply_freeze(network_of(), "all")
    with pytest.raises(SettingsError, match="'block9', which efficientnet-lite0 does not have"):
        apply_freeze(network_of(), ["stem", "block9"])
