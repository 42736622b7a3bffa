"""A classifier as a folder."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError
from histowidgets.images import Region
from histowidgets.prediction import Classifier

REGION = Region(64, 32, 128, 96)


@pytest.fixture
def folder(tmp_path, network_classifier):
    network_classifier.save(tmp_path / "colon")
    return tmp_path / "colon"


def test_the_folder_holds_json_and_safetensors(folder, network_classifier, sample):
    assert sorted(p.name for p in folder.iterdir()) == ["classifier.json", "model.safetensors"]
    card = json.loads((folder / "classifier.json").read_text())
    assert card["version"] == 1
    assert card["kind"] == "network"
    assert card["classes"] == ["Epithelium", "Stroma", "Lumen"]
    assert card["normalization"]["statistics"]["joint"]["p99"] > 0
    assert set(card["versions"]) >= {"histowidgets", "python", "torch"}
    loaded = Classifier.load(folder)
    fields = ["classes", "colors", "channel_names", "normalization", "pixel_size_um", "downsample", "tile_size"]
    for name in [*fields, "settings", "scores", "history", "trained_on", "name", "kind"]:
        assert getattr(loaded, name) == getattr(network_classifier, name), name
    expected = network_classifier.predict(sample, REGION)
    np.testing.assert_array_equal(loaded.predict(sample, REGION).probabilities, expected.probabilities)
    assert (loaded.predict(sample, REGION).colors) == expected.colors


def test_a_new_process_gives_the_same_labels(tmp_path, network_classifier, quick, sample):
    region = Region(64, 32, 384, 288)
    classifiers = {"network": network_classifier, "quick": quick}
    for kind, classifier in classifiers.items():
        classifier.save(tmp_path / kind)
    code = (
        "import os, sys, numpy as np, histowidgets as hw\n"
        "os.chdir(sys.argv[1])\n"
        "for kind in ('network', 'quick'):\n"
        "    classifier = hw.Classifier.load(kind)\n"
        f"    np.save(kind, classifier.predict(hw.samples.colon_ihc(), {tuple(region)}).labels)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    for kind, classifier in classifiers.items():
        labels = np.load(tmp_path / f"{kind}.npy")
        assert len(np.unique(labels)) > 1, kind
        np.testing.assert_array_equal(labels, classifier.predict(sample, region).labels, kind)


def test_the_quick_learners_folder_stands_alone(tmp_path, quick, sample):
    quick.save(tmp_path / "quick")
    loaded = Classifier.load(tmp_path / "quick")
    assert loaded.kind == "quick"
    expected = quick.predict(sample).probabilities
    np.testing.assert_allclose(loaded.predict(sample).probabilities, expected, atol=2e-3)


def test_loading_never_unpickles(folder, monkeypatch):
    import pickle

    import torch

    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    Classifier.load(folder)


def test_saving_again_replaces_and_leaves_nothing_behind(folder, network_classifier):
    network_classifier.save(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["colon"]
    Classifier.load(folder)


def test_a_save_that_breaks_off_leaves_the_old_classifier(folder, network_classifier, monkeypatch):
    import histowidgets.prediction.storage._folder as room

    before = (folder / "classifier.json").read_bytes()

    def full(path, content):
        path.write_bytes(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "_write", full)
    with pytest.raises(ClassifierError, match="colon cannot be written: No space left on device"):
        network_classifier.save(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["colon"]
    assert (folder / "classifier.json").read_bytes() == before
    Classifier.load(folder)


def test_other_peoples_files_are_not_deleted(tmp_path, network_classifier):
    (tmp_path / "thesis.docx").write_text("ten years of work")
    with pytest.raises(ClassifierError, match=r"holds other files \(thesis.docx\)"):
        network_classifier.save(tmp_path)
    with pytest.raises(ClassifierError, match="is a file"):
        network_classifier.save(tmp_path / "thesis.docx")
    assert (tmp_path / "thesis.docx").exists()


def test_a_folder_that_cannot_be_made(tmp_path, network_classifier):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClassifierError, match="cannot be written"):
        network_classifier.save(tmp_path / "file" / "classifier")


def test_what_is_missing_is_named(tmp_path, folder):
    with pytest.raises(ClassifierError, match=r"There is no .*nowhere.classifier\.json"):
        Classifier.load(tmp_path / "nowhere")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ClassifierError, match=r"model\.safetensors is missing: the folder is not complete"):
        Classifier.load(folder)


def _edited(folder, **changes):
    path = folder / "classifier.json"
    card = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del card[key]
        else:
            card[key] = value
    path.write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, r"classifier\.json has version 2, but this program reads only up to 1"),
        ({"version": "1"}, r"classifier\.json is damaged: its version is '1'"),
        ({"format": "something"}, r"classifier\.json is damaged: it does not say"),
        ({"kind": "pickle"}, "the kind 'pickle' is unknown"),
        ({"classes": ["A", "B"]}, r"classifier\.json is damaged: 2 class name"),
        ({"classes": None}, r"classifier\.json is damaged: 'classes' is missing"),
        ({"normalization": {"strategy": "magic"}}, r"classifier\.json is damaged"),
        ({"normalization": 3}, r"classifier\.json is damaged"),
        ({"model": {"network": {"architecture": "unet", "n_classes": 2}}}, r"classifier\.json is damaged"),
        ({"model": []}, r"classifier\.json is damaged"),
        ({"weights": []}, r"model\.safetensors is damaged"),
        ({"downsample": "four"}, r"classifier\.json is damaged: downsample is 'four'"),
    ],
)
def test_a_damaged_or_newer_card_is_named(folder, changes, message):
    _edited(folder, **changes)
    with pytest.raises(ClassifierError, match=message):
        Classifier.load(folder)


def test_damaged_files_are_named(folder):
    weights = (folder / "model.safetensors").read_bytes()
    for content in (weights[:-1], weights[:-1] + b"x", b"", b"\x80\x04 a pickle"):
        (folder / "model.safetensors").write_bytes(content)
        with pytest.raises(ClassifierError, match=r"model\.safetensors is damaged: its SHA-256"):
            Classifier.load(folder)
    (folder / "classifier.json").write_text('{"format": ')
    with pytest.raises(ClassifierError, match=r"classifier\.json is damaged: it is not JSON"):
        Classifier.load(folder)
    (folder / "classifier.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClassifierError, match=r"classifier\.json is damaged"):
        Classifier.load(folder)


def test_names_of_any_script_survive(tmp_path, sample, painted):
    project = hw.Project(classes=["Größe", "<script>"])
    name = project.add_image(sample)
    project.annotate(name, hw.Stroke([(10, 10), (40, 40)]), "Größe")
    project.annotate(name, hw.Stroke([(300, 10), (340, 40)]), "<script>")
    hw.quick_classifier(project).save(tmp_path / "ä b")
    assert Classifier.load(tmp_path / "ä b").classes == ["Größe", "<script>"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, "damaged: name is 3; it should be"),
        ({"classes": [1, 2, 3]}, "damaged: classes.0 is 1; it should be"),
        ({"tile_size": True}, "damaged: tile_size is True; it should be a valid integer"),
        ({"history": {}}, "damaged: history is {}; it should be a valid list"),
        ({"scores": None}, "damaged: 'scores' is missing"),
        ({"normalization": {"strategy": "min_max", "statistics": {}}}, "damaged: The image statistics are damaged"),
    ],
)
def test_an_entry_of_the_wrong_type_is_named(folder, changes, message):
    _edited(folder, **changes)
    with pytest.raises(ClassifierError, match=message):
        Classifier.load(folder)


def test_an_entry_that_nobody_knows_is_ignored(folder):
    _edited(folder, note="the good one")
    assert Classifier.load(folder).name == "colon"


def test_half_a_character_in_a_name_survives(tmp_path, network_classifier):
    Classifier(replace(network_classifier.spec, name="\ud800")).save(tmp_path / "half")
    assert Classifier.load(tmp_path / "half").name == "\ud800"
