"""Weights from the hub, asked of a stand-in on this computer."""

import os

import pytest
import torch
from safetensors.torch import save

from histowidgets.errors import BackboneError
from histowidgets.models import DEFAULT_BACKBONE, NetworkSpec, WeightsUnavailableError, build_network, find_backbone
from histowidgets.models import _hub as hub_code
from histowidgets.models._encoders import _as_timm, encoder_of
from histowidgets.models._hub import fetch_weights, hub_address, read_weights
from tests.models.stand_in_hub import stand_in_hub

NAME = "resnet18"
STATE = {"weight": torch.arange(4096, dtype=torch.float32)}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with stand_in_hub(monkeypatch, tmp_path / "cache") as found:
        found.files[hub_address(find_backbone(NAME))[0], "model.safetensors"] = save(STATE)
        yield found


def test_weights_come_from_the_mirror_at_the_pinned_commit_and_then_from_the_cache(hub):
    card = find_backbone(NAME)
    repository, revision = hub_address(card)
    path, source = fetch_weights(card)
    assert torch.equal(read_weights(path)["weight"], STATE["weight"])
    assert source == f"pretrained weights from the hub, {repository} at {revision}"
    assert ("GET", f"/{repository}/resolve/{revision}/model.safetensors", None) in hub.asked
    hub.asked.clear()
    assert fetch_weights(card)[0] == path
    assert hub.asked == []


def test_an_interrupted_download_is_resumed_where_it_stopped(hub):
    card = find_backbone(NAME)
    repository, _ = hub_address(card)
    # The hub's client writes pieces of 10 MB.
    hub.files[repository, "model.safetensors"] = save({"weight": torch.arange(6_000_000, dtype=torch.float32)})
    hub.mode = "cut"
    path, _ = fetch_weights(card)
    assert read_weights(path)["weight"][-1] == 5_999_999
    begun = [ask for method, _, ask in hub.asked if method == "GET"]
    assert begun == [None, f"bytes={10 << 20}-"] or begun[1] == "bytes=10000000-"


def test_a_repository_without_safetensors_gives_its_tensors_and_nothing_else(hub, tmp_path):
    card = find_backbone("uni")
    content = tmp_path / "made.bin"
    torch.save(STATE, content)
    hub.files[card.repository, "pytorch_model.bin"] = content.read_bytes()
    path, _ = fetch_weights(card)
    assert path.name == "pytorch_model.bin"
    assert torch.equal(read_weights(path)["weight"], STATE["weight"])
    torch.save({"weight": STATE["weight"], "epoch": 3}, content)
    with pytest.raises(WeightsUnavailableError, match="holds more than tensors"):
        read_weights(content)


class Runs:
    def __reduce__(self):
        return os.mkdir, ("/nonexistent/ran",)


def test_code_in_a_weight_file_is_not_run(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    torch.save({"weight": Runs()}, path)
    with pytest.raises(WeightsUnavailableError, match="cut off or damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("gated", r"they are gated: ask for access at https://huggingface.co/smp-hub/resnet18.imagenet"),
        ("nonsense", "the hub answered: "),
    ],
)
def test_what_the_hub_refuses_or_garbles_is_said_with_what_is_used_instead(mode, reason, hub):
    hub.mode = mode
    said = []
    network = build_network(NetworkSpec(backbone=NAME), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert len(said) == 1
    assert f"{NAME} could not be loaded ({reason.removeprefix('they')}"[:20] in said[0]
    with pytest.raises(WeightsUnavailableError, match=reason):
        fetch_weights(find_backbone(NAME))
    assert f"The bundled {DEFAULT_BACKBONE} is used instead" in said[0]


def test_a_half_fetched_file_is_named_with_what_is_used_instead(hub):
    repository, _ = hub_address(find_backbone(NAME))
    hub.files[repository, "model.safetensors"] = save(STATE)[:5000]  # the repository itself has half of it
    said = []
    network = build_network(NetworkSpec(backbone=NAME), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert "is cut off or damaged" in said[0]
    assert "delete it to download it again" in said[0]


def test_a_licence_that_forbids_commercial_use_is_respected_where_that_is_set(hub, monkeypatch):
    monkeypatch.setenv(hub_code.COMMERCIAL_USE, "1")
    said = []
    network = build_network(NetworkSpec(backbone="resnet50-lunit-bt"), report=said.append)
    assert network.spec.backbone == DEFAULT_BACKBONE
    assert "their licence, Lunit, non-commercial, forbids commercial use" in said[-1]
    assert hub.asked == []
    fetch_weights(find_backbone(NAME))


def test_an_address_of_a_mirror_that_is_none_is_named(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "not an address")
    with pytest.raises(WeightsUnavailableError, match="not an address could not be reached"):
        fetch_weights(find_backbone(NAME))


def test_weights_that_do_not_fit_are_an_error(hub):
    with pytest.raises(BackboneError, match="do not fit its encoder"):
        build_network(NetworkSpec(backbone=NAME))


def in_transformers_names(state):
    """Name tensors as the library transformers does for DINOv2, from timm's names."""
    found = {"embeddings.mask_token": torch.zeros(1, 1)}
    plain = {
        "cls_token": "embeddings.cls_token",
        "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }
    for name, value in state.items():
        if name in plain:
            found[plain[name]] = value
            continue
        _, number, rest = name.split(".", 2)
        layer = f"encoder.layer.{number}"
        if rest.startswith("attn.qkv."):
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                found[f"{layer}.attention.attention.{part}.{rest.rsplit('.', 1)[1]}"] = third
        else:
            for ours, theirs in (
                ("attn.proj", "attention.output.dense"),
                ("ls1.gamma", "layer_scale1.lambda1"),
                ("ls2.gamma", "layer_scale2.lambda1"),
            ):
                rest = rest.replace(ours, theirs)
            found[f"{layer}.{rest}"] = value
    return found


def test_tensors_of_transformers_get_the_names_of_timm():
    import timm

    state = timm.create_model("vit_tiny_patch16_224", num_classes=0, init_values=1e-5).state_dict()
    theirs = in_transformers_names(state)
    # Phikon-v2 has 24 layers and 439 tensors: 18 for each layer and 7 more.
    assert len(theirs) == 12 * 18 + 7
    ours = _as_timm(theirs)
    assert set(ours) == set(state)
    assert all(torch.equal(ours[name], value) for name, value in state.items())
    assert _as_timm(state) is state


def test_every_foundation_encoder_accepts_the_names_of_its_file():
    with torch.device("meta"):
        encoder = encoder_of(find_backbone("midnight"), 3, 4)
    names = {name.removeprefix("model.") for name in encoder.state_dict()}
    assert {"blocks.39.mlp.fc1.weight", "blocks.39.ls2.gamma", "blocks.0.attn.qkv.bias"} <= names
    # Its file holds 727 tensors: queries, keys and values apart, and one for masked patches.
    assert len(names) == 727 - 40 * 4 - 1
