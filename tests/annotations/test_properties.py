"""Random edits against a simple model, and random damage to files: only our errors, nothing outside the folder."""

import copy
import json
import os
import shutil
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.errors import HistowidgetsError
from histowidgets.images import ArrayImage
from tests.annotations.edit_model import EDITS, HEIGHT, WIDTH, Model

CALM = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate, Phase.shrink],
}
#: The same cases each time: a run that fails can be run again. The slow test looks elsewhere each time.
SAME = {**CALM, "derandomize": True}
#: Cases of the slow test: 20,000 take about two minutes of a processor.
MANY = int(os.environ.get("HISTOWIDGETS_CASES", "2000"))


def edited(project, edits, check_each=False):
    """Make edits on a project and its model."""
    model = Model(project)
    model.edit("add_image", 0)
    model.edit("add_image", 1)
    for edit in edits:
        model.edit(*edit)
        if check_each:
            model.check()
    return model


def seen(project):
    """All that comes back from a folder."""
    images = [
        (name, project.role(name), project.annotations(name), project.label_map(name).tobytes())
        for name in project.image_names
    ]
    return list(project.colors.items()), images, project.count(), project.removed_images


def compare_with_model(edits):
    """Hold a project in memory against the model after each edit, then through all of undo and redo."""
    model = edited(Project(["A", "B", "C"]), edits, check_each=True)
    states = [seen(model.project)]
    while model.project.undo():
        states.append(seen(model.project))
    for state in reversed(states[:-1]):
        assert model.project.redo()
        assert seen(model.project) == state


@settings(max_examples=100, **SAME)
@given(st.lists(EDITS, min_size=8, max_size=30))
def test_any_edits_give_what_a_simple_model_gives(edits):
    compare_with_model(edits)


@pytest.mark.slow
@settings(max_examples=MANY, **CALM)
@given(st.lists(EDITS, min_size=4, max_size=12))
def test_many_cases_of_edits_give_what_a_simple_model_gives(edits):
    compare_with_model(edits)


@settings(max_examples=15, **SAME)
@given(edits=st.lists(EDITS, min_size=8, max_size=30))
def test_the_journal_gives_the_same_state_again(tmp_path_factory, edits):
    folder = tmp_path_factory.mktemp("project") / "project"
    project = edited(Project(["A", "B", "C"], folder), edits).project
    states = [seen(project)]
    while project.undo():
        states.append(seen(project))
    for state in reversed(states[:-1]):
        assert project.redo()
        assert seen(project) == state
    project.close()
    again = Project.open(folder)
    for state in states:
        assert seen(again) == state
        again.undo()
    assert not again.can_undo
    again.close()


# --- damage ---

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 255, 256, 10**30, 10**400, 2**63, 0.5, -1e308, float("nan"), float("inf")]),
    st.sampled_from(
        ["", " ", "A", "undo", "../../outside", "/etc/passwd", "\ud800", "\0", "#12345G", "nan", "é" * 300]
    ),
    st.sampled_from([[], {}, [[]], [None], {"": None}, [1, 2], ["A"], [[1e999, 2]], {"type": "stroke"}]),
)


@st.composite
def damaged_bytes(draw, whole):
    """The bytes with pieces cut out, doubled, overwritten or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        a = draw(st.integers(0, len(content)))
        b = min(len(content), a + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["cut", "double", "overwrite", "end"])):
            case "cut":
                del content[a:b]
            case "double":
                content[a:a] = content[a:b]
            case "overwrite":
                content[a:b] = draw(st.binary(min_size=b - a, max_size=b - a))
            case "end":
                del content[a:]
    return bytes(content)


@st.composite
def damaged_json(draw, values):
    """Values with some replaced by junk, some taken out."""
    values = copy.deepcopy(values)
    for _ in range(draw(st.integers(1, 3))):
        at = values
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 4)):
                at = at[key]
                continue
            if draw(st.integers(0, 3)):
                at[key] = copy.deepcopy(draw(JUNK))
            else:
                del at[key]
            break
    return values


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A closed project folder with every kind of edit in its journal, and the files that it exports."""
    root = tmp_path_factory.mktemp("good")
    project = Project(["A", "B", "C"], root / "project")
    for name in ("one", "two"):
        project.add_image(ArrayImage(np.zeros((HEIGHT, WIDTH), np.uint8), name))
    first = project.annotate("one", Stroke([[3, 3], [20, 9]], [2, 6]), "A")
    project.annotate("one", Polygon([[5, 5], [20, 5], [20, 15]], [[[15, 6], [18, 6], [18, 8]]]), "B")
    project.erase("one", Rectangle(0, 0, 5, 5))
    project.annotate("one", Line([[1, 17], [20, 10]], 2), "C")
    project.export_geojson("one", root / "x.geojson")
    project.export_label_png("one", root / "x.png")
    project.move(first, 1, 1)
    project.reclassify(first, "B")
    project.paste("two", project.annotations("one"))
    project.merge_classes("A", "B")
    project.add_class("D", "#123456")
    project.delete_class("D")
    project.rename_class("B", "E")
    project.recolor_class("E", "#654321")
    project.set_role("two", "train")
    project.undo()
    project.redo()
    project.remove_image("two")
    project.undo()
    project.remove(first)
    project.close()
    return root


def listing(root):
    """Every file below a folder, with its content."""
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}


def use(folder):
    """Open a folder that may be damaged, and do what writes files; only our errors are allowed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            project = Project.open(folder)
        except HistowidgetsError:
            return
    try:
        for name in project.image_names:
            if project.image(name).region.area < 1e6:
                project.label_map(name)
            project.annotate(name, Rectangle(0, 0, 5, 5), project.classes[0])
            project.export_geojson(name, folder / "out.geojson")
            project.export_label_png(name, folder / "out.png")
        project.add_image(ArrayImage(np.zeros((9, 9), np.uint8), "../../outside"))
    except HistowidgetsError:
        pass
    finally:
        project.close()
    Project.open(folder).close()


def check_folder(tmp_path_factory, good, **changed):
    """Try a folder with other contents of some files; what lies beside it must stay as it was."""
    root = tmp_path_factory.mktemp("damaged")
    (root / "beside.txt").write_text("untouched")
    (root / "project").mkdir()
    for file in ("project.json", "journal.jsonl"):
        (root / "project" / file).write_bytes(changed.get(file.split(".")[0], (good / "project" / file).read_bytes()))
    before = listing(root.parent)
    use(root / "project")
    after = listing(root.parent)
    outside = {p for p in {*before, *after} if before.get(p) != after.get(p) and root / "project" not in p.parents}
    assert outside == set()
    shutil.rmtree(root)


def as_bytes(values):
    return json.dumps(values).encode()


@settings(max_examples=40, **SAME)
@given(data=st.data())
def test_a_damaged_folder_gives_only_our_errors_and_stays_in_its_place(tmp_path_factory, good, data):
    description = (good / "project" / "project.json").read_bytes()
    lines = (good / "project" / "journal.jsonl").read_bytes()
    what = data.draw(st.sampled_from(["project", "journal"]))
    if data.draw(st.integers(0, 3)) == 0:
        content = data.draw(damaged_bytes(description if what == "project" else lines))
    elif what == "project":
        content = as_bytes(data.draw(damaged_json(json.loads(description))))
    else:
        records = data.draw(damaged_json([json.loads(line) for line in lines.splitlines()]))
        content = b"".join(as_bytes(record) + b"\n" for record in records)
    check_folder(tmp_path_factory, good, **{what: content})


@settings(max_examples=100, **SAME)
@given(data=st.data())
def test_damaged_geojson_gives_only_our_errors(tmp_path_factory, good, data):
    whole = (good / "x.geojson").read_bytes()
    if data.draw(st.integers(0, 3)) == 0:
        content = data.draw(damaged_bytes(whole))
    else:
        content = as_bytes(data.draw(damaged_json(json.loads(whole))))
    try_import(good, content, "import_geojson", "damaged.geojson")


@settings(max_examples=100, **SAME)
@given(data=st.data())
def test_a_damaged_png_gives_only_our_errors(good, data):
    whole = (good / "x.png").read_bytes()
    if data.draw(st.booleans()):
        content = data.draw(damaged_bytes(whole))
    else:  # with checksums that fit, so that what they guard is read
        chunks = data.draw(st.lists(damaged_chunk(png_chunks(whole)), min_size=1, max_size=1))[0]
        content = whole[:8] + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
    try_import(good, content, "import_label_png", "damaged.png")


def png_chunks(whole):
    """Kind and body of each chunk."""
    at, chunks = 8, []
    while at < len(whole):
        (length,) = struct.unpack(">I", whole[at : at + 4])
        chunks.append((whole[at + 4 : at + 8], whole[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


@st.composite
def damaged_chunk(draw, chunks):
    at = draw(st.integers(0, len(chunks) - 1))
    kind, body = chunks[at]
    return [*chunks[:at], (kind, draw(damaged_bytes(body))), *chunks[at + 1 :]]


def try_import(good, content, method, file):
    """Import a file into a project in memory: only our errors, and then nothing was changed."""
    path = good / file
    path.write_bytes(content)
    project = Project(["A", "B", "C"])
    project.add_image(ArrayImage(np.zeros((HEIGHT, WIDTH), np.uint8), "one"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what was left out
        try:
            getattr(project, method)("one", path, unknown_classes="add")
        except HistowidgetsError:
            assert not project.can_undo
    project.label_map("one")
    project.export_geojson("one", good / "again.geojson")
    project.export_label_png("one", good / "again.png")
