"""Classifiers, checkpoints, settings and names with junk in them: only our errors, nothing outside the folder."""

import contextlib
import hashlib
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
from histowidgets.training import TrainingSettings, quick_classifier
from histowidgets.training.checkpoint import read_checkpoint, read_header
from tests.faults.conftest import halves
from tests.fuzz.case import a_case
from tests.fuzz.conftest import CALM
from tests.fuzz.damage import damaged_bytes, damaged_json
from tests.prediction.models import brightness_classifier
from tests.training.helpers import painted

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
    quick_classifier(painted(side=96, strokes=2)).save(folder / "quick")
    header = {"format": "histowidgets run", "version": "1", "checksum": "0", "state": json.dumps({"history": []})}
    save_file({"network/a": torch.zeros(4), "kept/b": torch.ones(2, 2)}, folder / "resume.safetensors", header)
    return folder


@st.composite
def damaged_head(draw, whole):
    """The head of a file of tensors with bytes changed, or another header, whose length may be a lie."""
    length = struct.unpack("<Q", whole[:8])[0]
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged_bytes(whole[: 8 + length]))
    header = json.dumps(draw(damaged_json(json.loads(whole[8 : 8 + length])))).encode()
    size = draw(st.sampled_from([*[len(header)] * 6, 0, 2**63, 2**64 - 1, len(header) + 5]))
    return struct.pack("<Q", size) + header


def damaged_tensors(data, whole):
    """A file of tensors with another head, now and then cut short; drawn are its changes, not its megabytes."""
    length = struct.unpack("<Q", whole[:8])[0]
    rest = whole[8 + length :]
    return data.draw(damaged_head(whole)) + rest[: data.draw(st.sampled_from([len(rest)] * 4 + [len(rest) // 2]))]


@pytest.fixture(scope="module")
def card(good):
    """What stands in the classifier's JSON."""
    return json.loads((good / "classifier" / "classifier.json").read_text())


@settings(**{**CALM, "max_examples": max(40, CALM["max_examples"] // 4)})
@given(data=st.data())
def test_a_damaged_classifier_card_gives_only_our_errors(tmp_path_factory, good, card, data):
    folder = tmp_path_factory.mktemp("damaged") / "classifier"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(good / "classifier" / "model.safetensors")
    if data.draw(st.integers(0, 3)) == 0:
        content = data.draw(damaged_bytes((good / "classifier" / "classifier.json").read_bytes()))
    else:
        content = json.dumps(data.draw(damaged_json(card))).encode()
    (folder / "classifier.json").write_bytes(content)
    with a_case("classifier.json", folder), contextlib.suppress(HistowidgetsError):
        Classifier.load(folder)
    shutil.rmtree(folder.parent)


@settings(**CALM)
@given(data=st.data())
def test_damaged_weights_that_claim_to_be_whole_give_only_our_errors(tmp_path_factory, good, card, data):
    whole = (good / "quick" / "model.safetensors").read_bytes()
    told = json.loads((good / "quick" / "classifier.json").read_text())
    content = damaged_tensors(data, whole)
    folder = tmp_path_factory.getbasetemp() / "damaged weights"
    folder.mkdir(exist_ok=True)
    told["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "classifier.json").write_text(json.dumps(told))
    (folder / "model.safetensors").write_bytes(content)
    with a_case("safetensors of a classifier", folder), contextlib.suppress(HistowidgetsError):
        Classifier.load(folder)


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
    path.write_bytes(damaged_tensors(data, (good / "resume.safetensors").read_bytes()))
    with a_case("safetensors of a checkpoint"):
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
    with a_case("settings"), contextlib.suppress(HistowidgetsError):
        TrainingSettings.from_json(text)


@settings(**{**CALM, "max_examples": max(40, CALM["max_examples"] // 4)})
@given(name=NAMES, image_name=NAMES)
def test_names_stay_names(tmp_path_factory, name, image_name):
    root = tmp_path_factory.mktemp("names")
    folder = root / "project"
    with a_case("names of classes and images", folder):
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
    assert [p.name for p in root.iterdir()] == ["project"]
    shutil.rmtree(root)
