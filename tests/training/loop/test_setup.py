import pytest

from histowidgets.models import NetworkSpec, apply_freeze, build_network
from histowidgets.training import TrainingSettings
from histowidgets.training.loop._setup import make_optimizer


def test_b13_encoder_keeps_its_ratio_to_the_decoder():
    settings = TrainingSettings(freeze="none", learning_rate=1e-3)
    network = build_network(NetworkSpec())
    apply_freeze(network, "none")
    optimizer, max_lrs = make_optimizer(network, settings)
    assert max_lrs == pytest.approx((1e-3, 1e-4))
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 1e-4])
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in network.parameters())


def test_frozen_encoder_is_in_no_group_and_a_random_one_learns_at_full_rate():
    network = build_network(NetworkSpec(), pretrained=False)
    _, max_lrs = make_optimizer(network, TrainingSettings(freeze="none", learning_rate=1e-3))
    assert max_lrs == pytest.approx((1e-3, 1e-3))
    apply_freeze(network, "encoder")
    optimizer, max_lrs = make_optimizer(network, TrainingSettings())
    assert len(max_lrs) == 1
    frozen = {id(p) for p in network.core.encoder.parameters()}
    assert not frozen & {id(p) for p in optimizer.param_groups[0]["params"]}
