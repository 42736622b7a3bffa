"""What weights there are, and fetching them: in Python and from a shell."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from histowidgets.cli._main import main
from histowidgets.models import (
    WeightsUnavailableError,
    backbones,
    fetch_backbone,
    find_backbone,
    find_weights,
    hub_address,
    list_weights,
)
from tests.models.stand_in_hub import COMMIT, stand_in_hub

NAME = "resnet18"
CONTENT = save({"weight": torch.arange(4096, dtype=torch.float32)})


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with stand_in_hub(monkeypatch, tmp_path / "cache") as found:
        found.files[hub_address(find_backbone(NAME))[0], "model.safetensors"] = CONTENT
        yield found


def test_every_backbone_of_the_hub_but_two_is_pinned():
    """The commits of these two could not be looked up; the classifier names what was taken."""
    cards = [card for card in backbones(foundation=True) if card.weights == "hub"]
    unpinned = {card.name for card in cards if hub_address(card)[1] is None}
    assert unpinned == {"mobilenetv3-small", "dinov3-small"}
    assert all(len(hub_address(card)[1]) == 40 for card in cards if card.name not in unpinned)


def test_weights_are_listed_fetched_and_found(hub, capsys):
    assert find_weights(NAME).state == "not fetched"
    assert main(["weights", "where", NAME]) == 1
    assert f"histowidgets weights fetch {NAME}" in capsys.readouterr().err
    assert main(["weights", "fetch", NAME]) == 0
    found = find_weights(NAME, check=True)
    assert (found.state, found.n_bytes) == ("fetched", len(CONTENT))
    assert found.path.read_bytes() == CONTENT
    capsys.readouterr()
    assert main(["weights", "where", NAME]) == 0
    assert capsys.readouterr().out.strip() == str(found.path)
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith(f"{NAME} "))
    assert line.split()[1:4] == ["fetched", "0.0", "MB"]
    assert lines[-1] == "1 fetched, 0.0 MB"
    (gated,) = (line for line in lines if line.startswith("uni "))
    assert "not fetched" in gated
    assert gated.endswith("CC-BY-NC-ND-4.0, non-commercial, gated, MahmoodLab/UNI@77ffbca")


def test_the_list_as_json_has_all_backbones_and_other_encoders_of_the_cache(hub, capsys):
    hub.files["timm/resnet10t.c3_in1k", "model.safetensors"] = CONTENT
    fetch_backbone("resnet10t")
    assert main(["weights", "list", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert {card.name for card in backbones(foundation=True)} <= set(found)
    assert found["timm/resnet10t.c3_in1k"]["state"] == "fetched"
    assert found["efficientnet-lite0"]["state"] == "installed"
    assert Path(found["efficientnet-lite0"]["path"]).is_file()


def test_where_says_folder_mirror_and_whether_it_is_asked(hub, tmp_path, capsys, monkeypatch):
    assert main(["weights", "where", "--json"]) == 0
    where = json.loads(capsys.readouterr().out)
    assert where == {"folder": str(tmp_path / "cache"), "hub": hub.address, "offline": False}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["weights", "where"]) == 0
    assert "not asked, because HF_HUB_OFFLINE is set" in capsys.readouterr().out
    assert main(["weights", "fetch", NAME]) == 1
    assert f"{NAME}: not fetched: HF_HUB_OFFLINE is set" in capsys.readouterr().err
    assert hub.asked == []


def test_a_damaged_file_is_found_by_its_hash_and_fetched_again(hub, capsys):
    path = fetch_backbone(NAME).path
    path.resolve().write_bytes(CONTENT[:-1] + b"!")
    assert find_weights(NAME).state == "fetched"
    assert main(["weights", "list", "--check"]) == 1
    assert "damaged" in capsys.readouterr().out
    assert fetch_backbone(NAME).path.read_bytes() == CONTENT
    assert find_weights(NAME, check=True).state == "fetched"


def test_a_part_of_a_file_is_said(hub, tmp_path):
    repository, _ = hub_address(find_backbone(NAME))
    blobs = tmp_path / "cache" / f"models--{repository.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "0123.incomplete").write_bytes(b"half")
    assert find_weights(NAME).state == "interrupted"
    assert next(one for one in list_weights() if one.name == NAME).state == "interrupted"


def test_one_that_is_refused_does_not_keep_others_from_being_fetched(hub, capsys):
    assert main(["weights", "fetch", "resnet34", NAME, "--json"]) == 1
    answer = capsys.readouterr()
    first, second = json.loads(answer.out)
    assert first["state"] == "not fetched"
    assert "the hub answered" in first["reason"]
    assert second["state"] == "fetched"
    assert main(["weights", "fetch"]) == main(["weights", "fetch", "resnet33"]) == 2
    assert "resnet34" in capsys.readouterr().err
    with pytest.raises(WeightsUnavailableError, match="nobody has published"):
        fetch_backbone("vit_base_patch16_gap_224")


def test_terms_of_a_licence_come_before_the_download(hub, capsys):
    hub.files["1aurent/resnet50.lunit_bt", "model.safetensors"] = CONTENT
    assert main(["weights", "fetch", "resnet50-lunit-bt"]) == 0
    assert "must not be used commercially" in capsys.readouterr().err
    assert find_weights("resnet50-lunit-bt").path.parent.name == find_backbone("resnet50-lunit-bt").revision != COMMIT
