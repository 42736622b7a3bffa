"""Nothing is unpickled or run, names stay names, what is shown is escaped, and nobody is called without being asked."""

import hashlib
import html.parser
import json
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import ipywidgets
import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Project
from histowidgets.errors import BackboneError, ClassifierError, HistowidgetsError, ImageError, TrainingError
from histowidgets.images import open_image
from histowidgets.prediction import Classifier
from histowidgets.training.checkpoint import read_checkpoint
from tests.faults.conftest import contents, halves, heavy_classifier

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "histowidgets").rglob("*.py"))
SCRIPTS = sorted((ROOT / "histowidgets").rglob("*.js"))
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b onmouseover=alert(3)>&amp;"

FORBIDDEN = {
    "pickle": r"\b(import|from)\s+(_?pickle|cPickle|dill|cloudpickle|joblib|shelve|marshal)\b",
    "torch.load": r"\btorch\.load\((?![^)]*weights_only=True)",
    "np.load": r"\bnp\.load\(|allow_pickle\s*=\s*True",
    "eval and exec": r"(?<![\w.])(eval|exec|compile|__import__)\(",
    "yaml": r"\byaml\.(unsafe_)?load\(",
    "a shell": r"\bos\.system\(|shell\s*=\s*True",
    "torch.jit and hub": r"\btorch\.(jit\.load|hub\.)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_source_unpickles_or_runs_what_it_reads(what):
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in SOURCES
        for match in re.finditer(FORBIDDEN[what], path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_the_page_makes_html_or_code_of_text(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\.(innerHTML|outerHTML)\s*\+?=(?!=)\s*(?!\"\"|'')", text)
    assert not re.search(r"insertAdjacentHTML|document\.write|\beval\(|new Function\(", text)


class Bomb:
    def __reduce__(self):
        return (open, (str(Path(Bomb.mark)), "w"))


@pytest.fixture
def bomb(tmp_path):
    """A pickle that makes a file when it is loaded, plain and as torch.save writes it."""
    import torch

    Bomb.mark = tmp_path / "exploded"
    torch.save({"network": Bomb()}, tmp_path / "torch.pt")
    np.save(tmp_path / "array.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    return [pickle.dumps(Bomb()), (tmp_path / "torch.pt").read_bytes(), (tmp_path / "array.npy").read_bytes()]


def test_a_malicious_pickle_does_not_explode_wherever_it_is_put(tmp_path, bomb):
    heavy_classifier().save(tmp_path / "classifier")
    card = json.loads((tmp_path / "classifier" / "classifier.json").read_text())
    for content in bomb:
        for name in ("model.safetensors", "classifier.json"):
            heavy_classifier().save(tmp_path / "classifier")
            (tmp_path / "classifier" / name).write_bytes(content)
            if name == "model.safetensors":
                told = {**card, "weights": {**card["weights"], "sha256": hashlib.sha256(content).hexdigest()}}
                (tmp_path / "classifier" / "classifier.json").write_text(json.dumps(told))
            with pytest.raises(ClassifierError):
                Classifier.load(tmp_path / "classifier")
        (tmp_path / "resume.safetensors").write_bytes(content)
        with pytest.raises(TrainingError):
            read_checkpoint(tmp_path / "resume.safetensors")
        for name in ("image.png", "image.npy", "image.tif", "model.pt"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ImageError):
                open_image(tmp_path / name)
        (tmp_path / "model.onnx").write_bytes(content)
        with pytest.raises(ClassifierError):
            Classifier.from_onnx(tmp_path / "model.onnx", ["A", "B"], heavy_classifier().normalization)
    assert not Bomb.mark.exists()


NAMES = [
    "../../up",
    "/etc/evil",
    "..",
    "CON",
    "nul.txt",
    "C:\\evil",
    "a/b",
    "x" * 5000,
    "\n",
    "~root",
    "\ud800",
    "é" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_never_become_paths_outside_the_folder(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    project = Project(["A"], root / "project")
    for edit in (lambda: project.add_class(name), lambda: project.add_image(halves(16), name=name)):
        try:
            edit()
        except HistowidgetsError:
            continue
    classifier = Classifier(replace(heavy_classifier().spec, name=name))
    classifier.save(root / "classifier")
    project.close()
    Project.open(root / "project").close()
    assert sorted(p.name for p in root.iterdir()) == ["classifier", "project"]
    assert all(p.startswith(("classifier/", "project/")) for p in contents(root))
    assert all(len(Path(p).name) < 100 for p in contents(root))


def test_a_name_with_nul_is_refused_before_it_locks_the_project(tmp_path):
    project = Project(["A"], tmp_path / "project")
    with pytest.raises(HistowidgetsError, match="NUL"):
        project.add_image(halves(16), name="a\0b")
    project.close()
    Project.open(tmp_path / "project").close()


class Tags(html.parser.HTMLParser):
    """Notes what a browser would take for an element or a handler."""

    def __init__(self):
        super().__init__()
        self.wrong = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs if name.startswith("on")]
        if (tag in ("script", "img", "iframe") and ("src", "x") in attrs) or tag == "script" or names:
            self.wrong.append((tag, attrs))


def html_of(widget, seen=None):
    """Every piece of HTML of a widget and of those inside it."""
    seen = set() if seen is None else seen
    if id(widget) in seen:
        return []
    seen.add(id(widget))
    found = [widget.value] if isinstance(widget, ipywidgets.HTML | ipywidgets.HTMLMath) else []
    for child in getattr(widget, "children", ()):
        found += html_of(child, seen)
    return found


def require_harmless(texts):
    texts = [text for text in texts if text]
    assert texts
    for text in texts:
        parser = Tags()
        parser.feed(text)
        assert parser.wrong == [], text[:400]


def test_a_studio_whose_names_are_scripts_shows_them_as_text():
    names = [EVIL, EVIL + " 2"]
    project = hw.Project(names)
    name = project.add_image(halves(), name=EVIL)
    for number, class_name in enumerate(names):
        project.annotate(name, hw.Stroke([(10 + 50 * number, 10), (20 + 50 * number, 60)], 8), class_name)
    studio = hw.Studio(project)
    try:
        studio.canvas.say(EVIL, "error")
        texts = html_of(studio)
        assert any("&lt;script&gt;" in text for text in texts)
        require_harmless(texts)
    finally:
        studio.close()


def test_every_other_maker_of_html_escapes():
    from histowidgets.widgets import LossMonitor
    from histowidgets.widgets.monitor._html import legend_html, messages_html, table_html
    from histowidgets.widgets.monitor._styles import class_styles
    from histowidgets.widgets.studio._log_panel import LogPanel

    log = LogPanel()
    log.add(EVIL)
    run = hw.RunLog(epochs=2, name=EVIL)
    monitor = LossMonitor(run)
    run.epoch(train_loss=1.0, val_loss=1.0, val_iou={EVIL: 0.5})
    run.finish()

    texts = [*html_of(log), *html_of(monitor)]
    texts += [messages_html([("info", EVIL)]), table_html(monitor.history, [EVIL], 1)]
    styles = class_styles([EVIL], {EVIL: "#123456"})
    texts.append(legend_html(EVIL, [(EVIL, styles[EVIL], 0.5)]))
    require_harmless(texts)
    for widget in (monitor, log):
        widget.close()


def external(tmp_path, location):
    import onnx
    from onnx import TensorProto, helper

    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 3, 1, 1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    node = helper.make_node("Conv", ["pixels", "w"], ["out"])
    value = helper.make_tensor_value_info
    shape = ["n", 3, "h", "w"]
    graph = helper.make_graph(
        [node], "g", [value("pixels", 1, shape)], [value("out", 1, ["n", 2, "h", "w"])], initializer=[tensor]
    )
    path = tmp_path / "folder" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)]).SerializeToString())
    return path


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "C:\\secret", "link", ""])
def test_weights_of_an_onnx_file_outside_its_folder_are_not_opened(tmp_path, location):
    (tmp_path / "secret").write_bytes(np.zeros(6, np.float32).tobytes())
    path = external(tmp_path, location)
    (path.parent / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ClassifierError, match=r"outside its own folder|weights in"):
        Classifier.from_onnx(path, ["A", "B"], heavy_classifier().normalization)


OFFLINE = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError(f"network: {args}")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
sys.addaudithook(lambda event, args: refuse(event, args) if event in ("socket.connect", "socket.getaddrinfo") else None)
import histowidgets as hw
from tests.training.helpers import painted, quick
project = painted(side=128, strokes=3)
studio = hw.Studio(project)
classifier = hw.quick_classifier(project)
classifier.predict(project.image(project.image_names[0]))
run = hw.train(project, quick(epochs=1))
assert run.state == "finished" and run.classifier is not None
assert not [m.text for m in run.messages if "could not" in m.text], run.messages
studio.close()
print("no call")
"""


def test_nobody_is_called_without_being_asked():
    """Import, studio, quick classifier and a training with the default backbone, with every socket refused."""
    child = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, cwd=ROOT, timeout=240, check=False
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert child.stdout.splitlines()[-1] == "no call"
    assert "network:" not in child.stderr


def test_hf_hub_offline_is_honoured_before_any_connection(monkeypatch, tmp_path):
    from histowidgets.models import _hub, find_backbone

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def refuse(*args, **kwargs):
        raise AssertionError("the network was tried")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr(_hub, "_reach", refuse)
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE is set"):
        _hub.fetch_weights(find_backbone("convnext_tiny"))


def test_weights_of_the_hub_are_held_against_the_hash_that_it_stated(tmp_path, monkeypatch):
    from huggingface_hub import constants

    from histowidgets.models import _hub, find_backbone

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    card = find_backbone("resnet18")
    repository, revision = _hub.hub_address(card)
    content = b"what the hub sent"
    digest = hashlib.sha256(content).hexdigest()
    folder = tmp_path / f"models--{repository.replace('/', '--')}"
    revision = revision or "0" * 40
    for name in ("blobs", "refs", f"snapshots/{revision}"):
        (folder / name).mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    (folder / "blobs" / digest).write_bytes(content)
    (folder / "snapshots" / revision / "model.safetensors").symlink_to(folder / "blobs" / digest)
    path, _ = _hub.fetch_weights(card)
    assert path.read_bytes() == content
    (folder / "blobs" / digest).write_bytes(content[:-1] + b"!")
    with pytest.raises(BackboneError, match=r"SHA-256 .* the hub stated"):
        _hub.fetch_weights(card)


def test_weights_that_were_changed_are_refused_by_their_hash(tmp_path):
    heavy_classifier().save(tmp_path / "classifier")
    path = tmp_path / "classifier" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ClassifierError, match="SHA-256"):
        Classifier.load(tmp_path / "classifier")
