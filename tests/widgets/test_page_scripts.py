"""What the browser runs: bundles that match their sources, and messages that the kernel's schema knows."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from histowidgets.widgets.canvas.pointer._messages import Message, parse_message

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "histowidgets/widgets/static"
PYTHON = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "histowidgets").rglob("*.py"))


def _skip_or_fail(reason):
    if os.environ.get("HISTOWIDGETS_REQUIRE_BROWSER") == "1":
        pytest.fail(f"HISTOWIDGETS_REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def node():
    path = shutil.which("node")
    if path is None:
        _skip_or_fail("there is no Node: install version 20 or later")
    return path


def test_every_bundle_is_what_its_sources_give(node):
    if not (ROOT / "node_modules/esbuild").is_dir():
        _skip_or_fail("esbuild is missing: npm ci")
    done = subprocess.run([node, "build.js", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_bundle_that_is_not_what_its_sources_give_is_named(node, tmp_path):
    if not (ROOT / "node_modules/esbuild").is_dir():
        _skip_or_fail("esbuild is missing: npm ci")
    copied = tmp_path / "histowidgets/widgets/static"
    shutil.copytree(STATIC, copied)
    shutil.copy(ROOT / "build.js", tmp_path)
    shutil.copy(ROOT / "package.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (copied / "pulse/widget.js").write_text("export default {};\n", encoding="utf-8")
    (copied / "bundles/review.js").unlink()
    (copied / "bundles/left_over.js").write_text("", encoding="utf-8")
    done = subprocess.run([node, "build.js", "--check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "left_over.js, pulse.js, review.js." in done.stderr


def test_every_widget_has_a_bundle_that_python_loads():
    widgets = {path.parent.name for path in STATIC.glob("*/widget.js")}
    assert {path.stem for path in (STATIC / "bundles").iterdir()} == widgets
    assert set(re.findall(r'\bbundle\("(\w+)"\)', PYTHON)) == widgets


def test_every_style_sheet_is_loaded_by_python():
    calls = re.findall(r"\bstyle_(?:sheet|widget)\(([^()]*)\)", PYTHON)
    loaded = {name for call in calls for name in re.findall(r'"([\w/]+)"', call)}
    assert loaded == {str(path.relative_to(STATIC).with_suffix("")) for path in STATIC.rglob("*.css")}


def test_what_the_canvas_sends_is_what_the_kernel_takes(node):
    example = ROOT / "tests/javascript/message_examples.js"
    done = subprocess.run([node, str(example)], capture_output=True, text=True, check=True)
    sent = [parse_message(content) for content in json.loads(done.stdout)]
    known = {kind for model in get_args(Message) for kind in get_args(model.model_fields["kind"].annotation)}
    assert {message.kind for message in sent} == known


def test_the_canvas_makes_its_messages_in_one_place():
    for path in (STATIC / "canvas").glob("*.js"):
        inline = re.findall(r"\b(?:send|choose|edit)\(\{\s*kind\b", path.read_text(encoding="utf-8"))
        assert not inline, f"{path.name} makes a message that messages.js does not have"
