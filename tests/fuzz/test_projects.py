"""Projects, journals, GeoJSON and label maps with damage in them: only our errors, nothing outside the folder."""

import json
import shutil
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.errors import HistowidgetsError
from histowidgets.images import ArrayImage
from tests.annotations.io.test_other_programs import ASAP, RLE, coco, layer, of, region, roi
from tests.annotations.project.edit_model import HEIGHT, WIDTH
from tests.fuzz.case import a_case
from tests.fuzz.conftest import CALM
from tests.fuzz.damage import damaged_bytes, damaged_json

#: Each of these opens and writes folders.
SOME = {**CALM, "max_examples": max(40, CALM["max_examples"] // 4)}


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


def check_folder(folder, good, **changed):
    """Try a project folder with other contents of some files."""
    for file in ("project.json", "journal.jsonl"):
        (folder / file).write_bytes(changed.get(file.split(".")[0], (good / "project" / file).read_bytes()))
    with a_case(f"{next(iter(changed))} file", folder):
        use(folder)


def as_bytes(values):
    return json.dumps(values).encode()


@pytest.mark.parametrize("what", ["project", "journal"])
@settings(**SOME)
@given(data=st.data())
def test_a_damaged_folder_gives_only_our_errors_and_stays_in_its_place(tmp_path_factory, good, what, data):
    description = (good / "project" / "project.json").read_bytes()
    lines = (good / "project" / "journal.jsonl").read_bytes()
    if data.draw(st.integers(0, 3)) == 0:
        content = data.draw(damaged_bytes(description if what == "project" else lines))
    elif what == "project":
        content = as_bytes(data.draw(damaged_json(json.loads(description))))
    else:
        records = data.draw(damaged_json([json.loads(line) for line in lines.splitlines()]))
        content = b"".join(as_bytes(record) + b"\n" for record in records)
    folder = tmp_path_factory.mktemp("damaged") / "project"
    folder.mkdir()
    check_folder(folder, good, **{what: content})
    shutil.rmtree(folder.parent)


@settings(**CALM)
@given(data=st.data())
def test_damaged_geojson_gives_only_our_errors(good, data):
    whole = (good / "x.geojson").read_bytes()
    if data.draw(st.integers(0, 3)) == 0:
        content = data.draw(damaged_bytes(whole))
    else:
        content = as_bytes(data.draw(damaged_json(json.loads(whole))))
    with a_case("GeoJSON", good):
        try_import(good, content, "import_geojson", "damaged.geojson")


REGIONS = region(0, [(1, 1), (9, 1), (9, 9)]) + region(2, [(1, 1), (9, 9)])
FOREIGN = {
    "a.xml": ASAP.encode(),
    "i.xml": f"<Annotations>{layer(REGIONS)}</Annotations>".encode(),
    "one.roi": roi([(1, 1), (9, 1), (9, 9)], name="A"),
    "coco.json": coco([of(1, 1, [[1, 1, 9, 1, 9, 9]]), of(1, 1, RLE), of(1, 2, [], bbox=[1, 2, 3, 4])]).encode(),
}


@pytest.mark.parametrize("name", sorted(FOREIGN))
@settings(**SOME)
@given(data=st.data())
def test_damaged_files_of_other_programs_give_only_our_errors(good, name, data):
    whole = FOREIGN[name]
    if name.endswith(".json") and data.draw(st.integers(0, 3)):
        content = as_bytes(data.draw(damaged_json(json.loads(whole))))
    else:
        content = data.draw(damaged_bytes(whole))
    with a_case(f"annotations of other programs, {name}", good):
        try_import(good, content, "import_annotations", name)


@settings(**SOME)
@given(data=st.data())
def test_a_damaged_png_gives_only_our_errors(good, data):
    whole = (good / "x.png").read_bytes()
    if data.draw(st.booleans()):
        content = data.draw(damaged_bytes(whole))
    else:  # with checksums that fit, so that what they guard is read
        content = whole[:8] + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in data.draw(damaged_chunk(png_chunks(whole)))
        )
    with a_case("label PNG", good):
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
