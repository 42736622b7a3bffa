"""Which backbone carries which architecture: those on offer do, and what cannot is refused with what can."""

from dataclasses import replace

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from histowidgets.errors import BackboneError
from histowidgets.models import (
    ARCHITECTURES,
    DEFAULT_BACKBONE,
    NetworkSpec,
    apply_freeze,
    backbones,
    build_network,
    check_network,
    find_backbone,
    freeze_groups,
)
from histowidgets.models import _hub as hub
from histowidgets.models._encoders import encoder_of, load_pretrained
from histowidgets.training import start_training, train
from tests.training.helpers import painted, quick

PYRAMIDS = [name for name in ARCHITECTURES if name != "dpt"]
TRIED = {"efficientnet-lite0": 1, "resnet18": 64, "mobilenet_v2": 3, "mobilenetv3-small": 5}
TINY = "vit_tiny_patch16_224"
FOUNDATION = [card for card in backbones(foundation=True) if card.foundation]


def learns(network):
    """Take a step on noise; say whether the head's weights moved."""
    network.train()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    before = [p.detach().clone() for p in network.core.segmentation_head.parameters()]
    logits = network(torch.rand(2, network.spec.n_channels, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (2, network.spec.n_classes, 64, 64)
    logits.square().mean().backward()
    optimizer.step()
    return any(
        not torch.equal(one, other)
        for one, other in zip(before, network.core.segmentation_head.parameters(), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("architecture", PYRAMIDS)
def test_architectures_and_backbones_build_and_learn(architecture):
    for name, channels in TRIED.items():
        network = build_network(NetworkSpec(architecture, name, channels, 3), pretrained=False, seed=0)
        assert learns(network), name


@pytest.mark.slow
@pytest.mark.parametrize("architecture", PYRAMIDS)
def test_every_backbone_on_offer_carries_every_architecture_but_dpt(architecture):
    for card in {card.encoder: card for card in backbones()}.values():
        check_network(NetworkSpec(architecture, card.name))


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_a_transformer_carries_dpt(channels):
    network = build_network(NetworkSpec("dpt", TINY, channels), pretrained=False, seed=0)
    assert learns(network)
    with torch.inference_mode():
        assert network.eval()(torch.rand(1, channels, 45, 70)).shape == (1, 2, 45, 70)


def test_r58_groups_of_a_transformer_cover_it_and_freezing_it_leaves_the_decoder():
    network = build_network(NetworkSpec("dpt", TINY), pretrained=False, seed=0)
    groups = freeze_groups(network)
    own = sorted(name for name, _ in network.named_parameters() if name.startswith("core.encoder."))
    assert sorted(name for group in groups.values() for name in group) == own
    assert sorted(apply_freeze(network, "encoder")) == own
    assert learns(network)


@pytest.mark.parametrize(
    ("architecture", "backbone", "message"),
    [
        (
            "dpt",
            "resnet34",
            "resnet34 does not work with dpt, which needs .*phikon, uni, phikon-v2, dinov3-small, or.*such as unet",
        ),
        (
            "unet",
            TINY,
            f"{TINY} does not work with unet: it is a vision transformer, for architecture 'dpt' only.*lite0",
        ),
        ("unet", "phikon", "phikon does not work with unet: it is a vision transformer"),
        ("dpt", "vit_small_patch14_dinov2", "has patches of 14 pixels, but dpt needs 16"),
        (
            "pan",
            "densenet121",
            r"densenet121 does not work with pan \(DenseNet .*hw.backbones\(\) do.*try unet",
        ),
        ("linknet", "mit_b0", "mit_b0 does not work with linknet .*try unet or fpn"),
        ("fpn", "efficientformer_l1", r"cannot compute on tiles of any size .*any from hw.backbones\(\)"),
    ],
)
def test_what_cannot_work_is_refused_before_training_with_what_fits(architecture, backbone, message):
    settings = quick(architecture=architecture, backbone=backbone, decoder="full")
    with pytest.raises(BackboneError, match=message):
        start_training(painted(), settings)


def test_checking_leaves_random_numbers_alone_and_remembers():
    spec, before = NetworkSpec("fpn", "resnet18", 7), torch.get_rng_state()
    check_network(spec)
    check_network(spec)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("card", FOUNDATION, ids=lambda card: card.name)
def test_n15_foundation_encoders_state_size_licence_and_use(card):
    with torch.device("meta"):
        encoder = encoder_of(card, 3, 4)
    assert sum(p.numel() for p in encoder.parameters()) == card.parameters
    assert card.weights == "hub"
    assert (card.commercial_use is False) == ("non-commercial" in card.licence)
    assert encoder.output_stride == card.patch
    assert card not in backbones()


@pytest.mark.parametrize("card", [card for card in FOUNDATION if card.patch == 16], ids=lambda card: card.name)
def test_n15_offline_a_foundation_encoder_is_replaced_and_said(card, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    # Small, for the random weights are made before those of the hub are missed.
    monkeypatch.setattr(
        "histowidgets.models._network.find_backbone",
        lambda name: replace(find_backbone(name), encoder=f"tu-{TINY}") if name == card.name else find_backbone(name),
    )
    said = []
    network = build_network(NetworkSpec("dpt", card.name), report=said.append)
    assert (network.spec.architecture, network.spec.backbone) == ("unet", DEFAULT_BACKBONE)
    known = card.commercial_use is False
    assert ("must not be used commercially" if known else "It is not known whether") in said[0]
    assert f"{card.name} could not be loaded (HF_HUB_OFFLINE is set" in said[1]
    assert "so unet is used" in said[2]


def test_n15_gated_weights_say_where_to_ask(monkeypatch, tmp_path):
    import httpx
    from huggingface_hub.errors import GatedRepoError

    def refuse(repository, *arguments, local_files_only=False, **others):
        if local_files_only:
            raise OSError
        answer = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co"))
        raise GatedRepoError("403 Client Error", response=answer)

    monkeypatch.setattr(hub, "hf_hub_download", refuse)
    monkeypatch.setattr(hub, "_reach", lambda endpoint: None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(
        hub.WeightsUnavailableError, match=r"gated: ask for access at https://huggingface.co/MahmoodLab/UNI"
    ):
        hub.fetch_weights(find_backbone("uni"))


def test_n15_weights_in_the_cache_reach_the_transformer(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    card = replace(find_backbone("uni"), encoder=f"tu-{TINY}")
    torch.manual_seed(5)
    state = timm.create_model(TINY, num_classes=0, init_values=1e-5).state_dict()
    folder = tmp_path / f"models--{card.repository.replace('/', '--')}"
    (folder / "snapshots" / card.revision).mkdir(parents=True)
    save_file(state, folder / "snapshots" / card.revision / "model.safetensors")
    encoder = encoder_of(card, 3, 4)
    assert "histology weights" in load_pretrained(encoder, card, 3, 4)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, state[name.removeprefix("model.")]), name


def test_n15_a_foundation_encoder_is_frozen_unless_told_otherwise_and_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert quick(backbone="phikon", architecture="dpt").freeze == "encoder"
    card = find_backbone("phikon")
    small = replace(card, encoder=f"tu-{TINY}")
    monkeypatch.setattr(
        "histowidgets.models._network.find_backbone", lambda name: small if name == card.name else find_backbone(name)
    )
    for freeze, told in (("encoder", False), ("early", True)):
        settings = quick(backbone="phikon", architecture="dpt", freeze=freeze, epochs=1, pretrained=False)
        run = train(painted(), settings)
        assert any("is a foundation encoder" in message.text for message in run.messages) == told
