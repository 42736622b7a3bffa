"""Classifier folders, checkpoints, settings and names with junk in them: only our errors, nothing outside the folder.

Projects, journals, GeoJSON and label maps are fuzzed in ``tests/annotations/test_properties.py``.
"""

import contextlib
import json
import shutil
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, NetworkModel
from histowidgets.training import TrainingSettings
from histowidgets.training._checkpoint import read_checkpoint
from histowidgets.training._checkpoint_header import read_header
from tests.annotations.test_properties import damaged_bytes, damaged_json
from tests.faults.conftest import contents, halves
from tests.fuzz.conftest import CALM
from tests.prediction.models import brightness_classifier

NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["../../outside", "/etc/passwd", "..", ".", "CON", "nul", "a\0b", "\ud800", "x" * 3000, "C:\\x", "~root", "\n"]
    ),
)
DEEP = b"[" * 100_000


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small network saved as a classifier, and a file as a checkpoint has it."""
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("good")
    spec = NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2)
    network = build_network(spec, pretrained=False, seed=0).eval()
    brightness_classifier(halves(), NetworkModel(network)).save(folder / "classifier")
    header = {"format": "histowidgets run", "version": "1", "checksum": "0", "state": json.dumps({"history": []})}
    save_file({"network/a": torch.zeros(4), "kept/b": torch.ones(2, 2)}, folder / "resume.safetensors", header)
    return folder


def load(folder, card):
    (folder / "classifier.json").write_bytes(card)
    with contextlib.suppress(HistowidgetsError):
        Classifier.load(folder)


@settings(**{**CALM, "max_examples": max(60, CALM["max_examples"] // 10)})
@given(data=st.data())
def test_a_damaged_classifier_card_gives_only_our_errors(tmp_path_factory, good, data):
    folder = tmp_path_factory.mktemp("damaged") / "classifier"
    shutil.copytree(good / "classifier", folder)
    whole = (folder / "classifier.json").read_bytes()
    if data.draw(st.integers(0, 3)) == 0:
        card = data.draw(damaged_bytes(whole))
    else:
        card = json.dumps(data.draw(damaged_json(json.loads(whole)))).encode()
    load(folder, card)
    assert sorted(p.name for p in folder.parent.iterdir()) == ["classifier"]
    shutil.rmtree(folder.parent)


@pytest.mark.parametrize("content", [DEEP, b"", b"\xff\xfe", b"null", b"9" * 5000, b'{"a":' * 50_000])
def test_json_that_is_deep_or_none_is_refused(tmp_path, good, content):
    shutil.copytree(good / "classifier", tmp_path / "classifier")
    (tmp_path / "classifier" / "classifier.json").write_bytes(content)
    with pytest.raises(HistowidgetsError):
        Classifier.load(tmp_path / "classifier")
    (tmp_path / "settings.json").write_bytes(content)
    with pytest.raises(HistowidgetsError):
        TrainingSettings.from_json(content.decode("utf-8", "replace"))


@settings(**CALM)
@given(data=st.data())
def test_a_damaged_checkpoint_gives_only_our_errors(tmp_path_factory, good, data):
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    whole = (good / "resume.safetensors").read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    if data.draw(st.booleans()):
        content = data.draw(damaged_bytes(whole))
    else:
        header = json.dumps(data.draw(damaged_json(json.loads(whole[8 : 8 + length])))).encode()
        size = data.draw(st.sampled_from([len(header), 0, 2**63, 2**64 - 1, len(header) + 5]))
        content = struct.pack("<Q", size) + header + whole[8 + length :]
    path.write_bytes(content)
    for read in (read_header, read_checkpoint):
        with contextlib.suppress(HistowidgetsError):
            read(path)


@settings(**CALM)
@given(data=st.data())
def test_damaged_settings_give_only_our_errors(data):
    whole = TrainingSettings().to_json()
    if data.draw(st.integers(0, 3)) == 0:
        text = data.draw(damaged_bytes(whole.encode())).decode("utf-8", "replace")
    else:
        text = json.dumps(data.draw(damaged_json(json.loads(whole))))
    with contextlib.suppress(HistowidgetsError):
        TrainingSettings.from_json(text)


@settings(**{**CALM, "max_examples": max(40, CALM["max_examples"] // 10)})
@given(name=NAMES, image_name=NAMES)
def test_names_stay_names(tmp_path_factory, name, image_name):
    root = tmp_path_factory.mktemp("names")
    (root / "beside.txt").write_text("untouched")
    folder = root / "project"
    project = Project(["A"], folder)
    try:
        for edit in (
            lambda: project.add_class(name),
            lambda: project.rename_class("A", name),
            lambda: project.add_image(halves(8), name=image_name),
        ):
            with contextlib.suppress(HistowidgetsError):
                edit()
        seen = project.classes, project.image_names
    finally:
        project.close()
    again = Project.open(folder)
    assert (again.classes, again.image_names) == seen
    again.close()
    outside = [path for path in contents(root) if not path.startswith("project/")]
    assert outside == ["beside.txt"]
    assert sorted(p.name for p in root.iterdir()) == ["beside.txt", "project"]
    shutil.rmtree(root)
