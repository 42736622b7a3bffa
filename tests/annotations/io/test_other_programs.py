"""Annotations of ASAP, ImageScope, HALO, ImageJ, COCO and labelme, with the pixels that they mean."""

import base64
import io
import json
import zipfile

import numpy as np
import PIL.Image
import pytest
import roifile

from histowidgets.annotations import Project
from histowidgets.errors import AnnotationFileError, GeoJSONError, SeveralEntriesError
from tests.annotations.conftest import blank


def project_of(*classes, width=120, height=90):
    project = Project(classes or ["Tumor", "Stroma"])
    project.add_image(blank(width, height))
    return project


def imported(path, content, project=None, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    project, said = project or project_of(), []
    project.import_annotations("blank", path, tell=said.append, **options)
    return project, " ".join(said)


def box(project, class_name):
    """Return left, top, right, bottom and the number of the pixels of a class."""
    rows, columns = np.nonzero(project.label_map("blank") == project.classes.index(class_name))
    if not len(rows):
        return None
    return (*(int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)), len(rows))


# --- ASAP ---

ASAP = """<?xml version="1.0"?>
<ASAP_Annotations>
 <Annotations>
  <Annotation Name="Annotation 0" Type="Polygon" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
   <Coordinate Order="1" X="40.0" Y="10.0"/><Coordinate Order="0" X="10.0" Y="10.0"/>
   <Coordinate Order="2" X="40,0" Y="30,0"/><Coordinate Order="3" X="10.0" Y="30.0"/></Coordinates></Annotation>
  <Annotation Name="r" Type="Rectangle" PartOfGroup="Nerve" Color="#F4FA58"><Coordinates>
   <Coordinate Order="0" X="60" Y="10"/><Coordinate Order="1" X="70" Y="10"/>
   <Coordinate Order="2" X="70" Y="20"/><Coordinate Order="3" X="60" Y="20"/></Coordinates></Annotation>
  <Annotation Name="my stroma" Type="Spline" PartOfGroup="None" Color="#F4FA58"><Coordinates>
   <Coordinate Order="0" X="80" Y="40"/><Coordinate Order="1" X="90" Y="40"/>
   <Coordinate Order="2" X="90" Y="50"/></Coordinates></Annotation>
  <Annotation Name="d" Type="Dot" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
   <Coordinate Order="0" X="5" Y="5"/></Coordinates></Annotation>
  <Annotation Name="bad" Type="Polygon" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
   <Coordinate Order="0" X="x" Y="5"/></Coordinates></Annotation>
 </Annotations>
 <AnnotationGroups><Group Name="Nerve" PartOfGroup="None" Color="#00ff00"><Attributes/></Group></AnnotationGroups>
</ASAP_Annotations>"""


def test_asap(tmp_path):
    project, said = imported(tmp_path / "a.xml", ASAP, unknown_classes="add", classes={"my stroma": "Stroma"})
    assert box(project, "Tumor") == (10, 10, 40, 30, 600)
    assert box(project, "Nerve") == (60, 10, 70, 20, 100)
    assert project.colors["Nerve"] == "#00FF00"
    assert project.count() == {"Tumor": 1, "Stroma": 1, "Nerve": 1}
    assert "1 point(s) or measurement(s)" in said
    assert "Object 5 cannot be read: The coordinate is 'x'" in said


def test_slides_of_openslide_count_from_the_corner_of_the_glass(tmp_path, monkeypatch):
    project = project_of("Tumor", "Nerve")
    monkeypatch.setattr(type(project.image("blank")), "slide_origin", (5, 3), raising=False)
    project, said = imported(tmp_path / "a.xml", ASAP, project)
    assert box(project, "Tumor") == (5, 7, 35, 27, 600)
    assert "(-5, -3)" in said


# --- ImageScope and HALO ---


def region(kind, corners, negative=0, text="", flag="NegativeROA", tag="Vertex"):
    vertices = "".join(f'<{tag} X="{x}" Y="{y}" Z="0"/>' for x, y in corners)
    return f'<Region Id="1" Type="{kind}" {flag}="{negative}" Text="{text}"><Vertices>{vertices}</Vertices></Region>'


def layer(regions, name="", attribute="", color=255, layer_id=1):
    attributes = f'<Attributes><Attribute Name="Description" Id="0" Value="{attribute}"/></Attributes>'
    head = f'<Annotation Id="{layer_id}" Name="{name}" LineColor="{color}">'
    return f"{head}{attributes}<Regions>{regions}</Regions></Annotation>"


def test_imagescope(tmp_path):
    square = [(10, 10), (50, 10), (50, 50), (10, 50)]
    drawn = region(0, square) + region(0, [(20, 20), (30, 20), (30, 30), (20, 30)], 1)
    drawn += region(0, [(45, 20), (60, 20), (60, 30), (45, 30)], 1)  # sticks out
    drawn += region(0, [(100, 80), (110, 80), (110, 89)], 1)  # lies in nothing
    other = region(1, [(60, 60), (70, 80)]) + region(2, [(80, 20), (110, 60)]) + region(4, [(1, 1), (9, 9)])
    layers = layer(drawn, "Tumor") + layer(other, "", "Nerve", 65280 + 16, 2)
    layers += layer(region(0, [(1, 1), (9, 1), (9, 9)]), layer_id=7)
    content = f'<?xml version="1.0" encoding="UTF-8"?><Annotations MicronsPerPixel="0.25">{layers}</Annotations>'
    project, said = imported(tmp_path / "a.xml", content, unknown_classes="add", classes={"Layer 7": "Stroma"})
    assert box(project, "Tumor")[-1] == 1600 - 100 - 50
    assert project.label_map("blank")[25, 55] == 255
    nerve = project.label_map("blank") == project.classes.index("Nerve")
    assert nerve[:, 80:].sum() == pytest.approx(np.pi * 15 * 20, rel=0.01)
    assert nerve[60:80, 60:70].all()
    assert project.colors["Nerve"] == "#10FF00"
    assert project.count()["Stroma"] == 1
    assert "1 negative region(s) that lie in no other region" in said
    assert "1 line(s), arrow(s) or ruler(s)" in said


def test_halo(tmp_path):
    corners = [(10, 10), (50, 10), (50, 50), (10, 50)]
    drawn = region("Polygon", corners, flag="NegativeROI", tag="V")
    drawn += region("Rectangle", [(20, 20), (30, 30)], 1, flag="NegativeROI", tag="V")
    content = "\ufeff<Annotations>" + layer(drawn, "Tumor") + "</Annotations>"
    project, _ = imported(tmp_path / "case.annotations", content)
    assert box(project, "Tumor") == (10, 10, 50, 50, 1500)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Annotations>&b;</Annotations>', "entities"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Annotations>&a;</Annotations>', "entities"),
        ("<Annotations><Annotation>", "damaged XML"),
        ('<annotation verified="yes"><object/></annotation>', "root <annotation>"),
        ("\xff\xd8\xff\xe0 JFIF", "JPEG"),
        ("words", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_what_is_something_else_is_said(tmp_path, content, words):
    with pytest.raises(AnnotationFileError, match=words):
        imported(tmp_path / "a.xml", content.encode("latin-1"))


# --- ImageJ ---


def roi(points=None, **fields):
    one = roifile.ImagejRoi.frompoints(np.array(points, np.float32)) if points is not None else roifile.ImagejRoi()
    for name, value in fields.items():
        setattr(one, name, value)
    return one.tobytes()


def test_imagej(tmp_path):
    square = [(10, 10), (40, 10), (40, 30), (10, 30)]
    rois = {
        "a.roi": roi(square, name="lesion 1"),
        "b.roi": roi(roitype=roifile.ROI_TYPE.RECT, left=50, top=10, right=60, bottom=30, name="lesion 2"),
        "c.roi": roi(roitype=roifile.ROI_TYPE.OVAL, left=70, top=10, right=110, bottom=40, name="lesion 3"),
        "d.roi": roi([(5, 60), (60, 60)], roitype=roifile.ROI_TYPE.POLYLINE, stroke_width=4, name="vessel"),
        "e.roi": roi([(5, 5)], roitype=roifile.ROI_TYPE.POINT),
        "f.roi": roi(square, position=3, name="lesion 4"),
        "g.roi": b"Iout" + bytes(10),
    }
    with zipfile.ZipFile(tmp_path / "RoiSet.zip", "w") as archive:
        for name, data in rois.items():
            archive.writestr(name, data)
    project, said = project_of(), []
    table = {None: "Tumor", "vessel": "Stroma"}
    assert project.import_annotations("blank", tmp_path / "RoiSet.zip", classes=table, tell=said.append) == 4
    labels = project.label_map("blank")
    assert (labels[:, :45] == 0).sum() == 600
    assert (labels[:, 45:65] == 0).sum() == 200
    assert (labels[:, 65:] == 0).sum() == pytest.approx(np.pi * 20 * 15, rel=0.01)
    assert abs((labels == 1).sum() - 55 * 4 - np.pi * 4) <= 8  # round at its ends
    for words in ("1 on another plane (z 2, t 0)", "1 point(s)", "Object 7 cannot be read", "damaged"):
        assert words in said[0]
    (tmp_path / "one.roi").write_bytes(rois["a.roi"])
    with pytest.warns(UserWarning, match="named 'lesion 1'"):
        assert project_of().import_annotations("blank", tmp_path / "one.roi") == 0
    assert project_of().import_annotations("blank", tmp_path / "one.roi", classes="Tumor") == 1
    with pytest.raises(GeoJSONError, match=r"ImageJ \(ROI\): import_annotations reads them"):
        project.import_geojson("blank", tmp_path / "one.roi")


def test_regions_of_imagej_with_holes_and_parts(tmp_path):
    path = []
    for left, top, right, bottom in ((10, 10, 50, 50), (20, 20, 30, 30), (70, 10, 80, 20)):
        path += [0, left, top, 1, right, top, 1, right, bottom, 1, left, bottom, 4]
    one = roifile.ImagejRoi()
    one.roitype, one.multi_coordinates = roifile.ROI_TYPE.RECT, np.array(path, np.float32)
    one.shape_roi_size, one.left, one.top, one.right, one.bottom = len(path), 10, 10, 80, 50
    project, _ = imported(tmp_path / "a.roi", one.tobytes(), classes="Tumor")
    assert box(project, "Tumor") == (10, 10, 80, 50, 1500 + 100)
    assert project.label_map("blank")[25, 25] == 255


# --- COCO ---

#: Written by pycocotools 2.0.11 for 30 x 40 pixels: rows 5-20 and columns 8-30 without rows 10-14 and columns 12-18,
#: and rows 25-29 and columns 33-39.
RLE = {"size": [30, 40], "counts": "e7??000000FE1;OE1;OE1;OE1;OE1;OE1;90000000000000000000000^3EmL0000000005"}


def coco(annotations, images=(), **more):
    categories = [{"id": 1, "name": "Tumor"}, {"id": 2, "name": "Stroma"}]
    return json.dumps({"images": list(images), "categories": categories, "annotations": annotations, **more})


def of(image_id, category, segmentation, **more):
    return {"id": 1, "image_id": image_id, "category_id": category, "segmentation": segmentation, **more}


def test_coco_polygons_of_one_image_of_several(tmp_path):
    images = [
        {"id": 5, "file_name": "folder/other.png", "width": 10, "height": 10},
        {"id": 9, "file_name": "folder/blank.png", "width": 120, "height": 90},
    ]
    annotations = [
        of(9, 1, [[10, 10, 40, 10, 40, 30, 10, 30], [50, 10, 60, 10, 60, 20, 50, 20]]),
        of(5, 1, [[0, 0, 9, 0, 9, 9]]),
        of(9, 2, [], bbox=[70, 40, 10, 20]),
        of(9, 2, [[1, 2]]),
        of(9, 3, [[80, 60, 90, 60, 90, 70]]),
    ]
    content = coco(annotations, images)
    project, said = imported(tmp_path / "a.json", content)
    assert box(project, "Tumor") == (10, 10, 60, 30, 700)
    assert box(project, "Stroma") == (70, 40, 80, 60, 200)
    for words in ("1 had no outline, so their boxes", "Object 4 cannot be read", "'category 3'"):
        assert words in said
    assert imported(tmp_path / "a.json", content, entry="folder/other.png")[0].count()["Tumor"] == 1
    images[1]["file_name"] = "else.png"
    with pytest.raises(SeveralEntriesError, match=r"'folder/other\.png', 'else\.png'"):
        imported(tmp_path / "a.json", coco(annotations, images))


@pytest.mark.parametrize("compressed", [True, False])
def test_coco_run_lengths(tmp_path, compressed):
    mask = np.zeros((30, 40), bool)
    mask[5:20, 8:30], mask[10:14, 12:18], mask[25:29, 33:39] = True, False, True
    if compressed:
        segmentation = RLE
    else:
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]]).astype(int)))
        segmentation = {"size": [30, 40], "counts": np.diff([0, *edges]).tolist()}
    project = project_of(width=40, height=30)
    project, said = imported(tmp_path / "a.json", coco([of(1, 1, segmentation)]), project)
    np.testing.assert_array_equal(project.label_map("blank") == 0, mask)
    assert said == ""
    # On a picture three times as large.
    project, said = imported(tmp_path / "a.json", coco([of(1, 1, segmentation)]))
    np.testing.assert_array_equal(project.label_map("blank") == 0, np.kron(mask, np.ones((3, 3), bool)))
    assert "multiplied by 3" in said


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [30, 40], "counts": [5, 9]},
        {"size": [30, 40], "counts": [-5, 1205]},
        {"size": [30, 40], "counts": "\x01"},
        {"size": [100_000, 100_000], "counts": [10**10]},
        {"counts": [5]},
        {"size": [0, 0], "counts": []},
        3,
    ],
)
def test_damaged_run_lengths_are_reported(tmp_path, segmentation):
    content = coco([of(1, 1, segmentation), of(1, 1, [[10, 10, 40, 10, 40, 30]])])
    project, said = imported(tmp_path / "a.json", content)
    assert project.count()["Tumor"] == 1
    assert "Object 1 cannot be read" in said


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [([[0, 0, 10, 0, 10]], "odd number of coordinates"), ({"size": [30, 40], "counts": [-5, 1205]}, "is below 0")],
)
def test_what_is_wrong_with_an_outline_is_said(tmp_path, segmentation, words):
    with pytest.raises(AnnotationFileError, match=words):
        imported(tmp_path / "a.json", coco([of(1, 1, segmentation)]))


# --- labelme ---


def test_labelme(tmp_path):
    mask = np.zeros((11, 21), bool)
    mask[3:8, 2:19] = True
    packed = io.BytesIO()
    PIL.Image.fromarray(mask).save(packed, "PNG")
    text = base64.b64encode(packed.getvalue()).decode()
    shapes = [
        {"label": "Tumor", "points": [[10, 10], [40, 10], [40, 30], [10, 30]], "shape_type": "polygon"},
        {"label": "tumor", "points": [[60, 30], [50, 10]], "shape_type": "rectangle"},
        {"label": "Tumor", "points": [[90, 30], [90, 50]], "shape_type": "circle"},
        {"label": "Stroma", "points": [[5, 80], [60, 80]], "shape_type": "linestrip"},
        {"label": "Stroma", "points": [[5, 5]], "shape_type": "point"},
        {"label": "Stroma", "points": [[10, 50], [30, 60]], "shape_type": "mask", "mask": text},
        {"label": "Tumor", "points": [[1, 1]], "shape_type": "circle"},
        {"points": [[1, 1]]},
    ]
    content = {
        "version": "5.4",
        "imagePath": "blank.png",
        "imageData": None,
        "imageWidth": 120,
        "imageHeight": 90,
        "shapes": shapes,
    }
    project, said = imported(tmp_path / "a.json", json.dumps(content))
    labels = project.label_map("blank")
    assert (labels[:, :45] == 0).sum() == 600
    assert (labels[:, 45:65] == 0).sum() == 200
    assert (labels[:, 65:] == 0).sum() == pytest.approx(np.pi * 400, rel=0.01)
    assert (labels[50:61, 10:31] == 1).sum() == mask.sum()
    np.testing.assert_array_equal(labels[50:61, 10:31] == 1, mask)
    assert "1 point(s)" in said
    assert "Object 7 cannot be read: a circle has 1 point(s)" in said
    content |= {"imageWidth": 60, "imageHeight": 45}
    project, said = imported(tmp_path / "a.json", json.dumps(content))
    assert "multiplied by 2" in said
    assert (project.label_map("blank")[:60, :85] == 0).sum() == 4 * 600
    content |= {"imageWidth": 60, "imageHeight": 90}
    assert "not a smaller or larger copy" in imported(tmp_path / "a.json", json.dumps(content))[1]


@pytest.mark.parametrize("option", [{"offset": (10, 10)}, {"scale": 3}, {"unit": "um"}, {"plane": "all"}])
def test_options_that_a_label_map_cannot_follow_are_refused(option):
    project = Project(["Gland"])
    name = project.add_image(np.full((30, 40), 200, np.uint8))
    labels = np.zeros((30, 40), np.uint8)
    for ask in (project.import_annotations, project.preview_import):
        with pytest.raises(AnnotationFileError, match=f"{next(iter(option))} has no effect on a label map"):
            ask(name, labels, classes={0: "Gland"}, **option)
    assert project.count() == {"Gland": 0}
