"""The project in memory: classes, images, edits, undo and redo, label maps, and who is told."""

import gc
import threading

import numpy as np
import pytest
import tifffile

from histowidgets.annotations import (
    MAX_CLASSES,
    Change,
    Line,
    Project,
    Rectangle,
    Stroke,
    rasterize,
)
from histowidgets.errors import (
    ClassNameError,
    GeoJSONError,
    ImageNameError,
    ImageSizeError,
    LabelPngError,
    ProjectError,
    ProjectFolderError,
    RegionError,
    ShapeError,
)
from histowidgets.images import Region, open_image, samples
from tests.annotations.conftest import CLASSES, blank, random_stroke

SQUARE = Rectangle(10, 10, 20, 20)


def fresh_map(project, name, downsample=1):
    """The label map without any cache."""
    index = {c: i for i, c in enumerate(project.classes)}
    return rasterize(project.annotations(name), index, project.image(name).region, downsample)


# --- classes ---


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], "empty"),
        ([""], "not blank"),
        (["A", "  "], "not blank"),
        (["A", "A"], "two classes named 'A'"),
        (["A", " A "], "two classes named 'A'"),
        (["A", 3], "must be text"),
        ("Gland", "list of names"),
        (None, "list of names"),
        ([f"c{i}" for i in range(MAX_CLASSES + 1)], "at most 254"),
    ],
)
def test_bad_class_lists_are_refused(classes, message):
    with pytest.raises(ClassNameError, match=message):
        Project(classes)


@pytest.mark.parametrize("colors", [5, ["#E69F00"]])
def test_colours_are_given_by_class(colors):
    with pytest.raises(ClassNameError, match="pass a dict, such as"):
        Project(["A"], colors=colors)


@pytest.mark.parametrize("path", [None, 5, b"p", "", "a\0b"])
def test_what_is_no_path_is_refused(project, path):
    for call, error in [
        (Project.open, ProjectFolderError),
        (lambda path: project.export_geojson("blank", path), GeoJSONError),
        (lambda path: project.import_geojson("blank", path), GeoJSONError),
        (lambda path: project.export_label_png("blank", path), LabelPngError),
        (lambda path: project.import_label_png("blank", path), LabelPngError),
    ]:
        with pytest.raises(error, match=r"The path is .*; expected"):
            call(path)
    if path is not None:
        with pytest.raises(ProjectFolderError, match=r"The path is .*; expected"):
            Project(["A"], folder=path)


def test_class_names_are_text_whatever_they_hold():
    name = "<img src=x onerror=alert(1)>"
    project = Project([name, "a", "A", "  Épithélium "])
    assert project.classes == [name, "a", "A", "Épithélium"]


def test_default_colours_are_those_of_the_mockup_and_all_differ():
    project = Project([f"c{i}" for i in range(MAX_CLASSES)])
    colors = list(project.colors.values())
    assert colors[:3] == ["#E69F00", "#56B4E9", "#F0E442"]
    assert len(set(colors)) == MAX_CLASSES
    assert "#000000" not in colors


def test_given_colours_are_kept_and_not_given_twice():
    project = Project(["a", "b"], colors={"b": "#e69f00"})
    assert project.colors == {"a": "#56B4E9", "b": "#E69F00"}
    with pytest.raises(ClassNameError, match="#RRGGBB"):
        Project(["a"], colors={"a": "red"})
    with pytest.raises(ClassNameError, match="not classes"):
        Project(["a"], colors={"b": "#123456"})


def test_classes_are_added_renamed_and_recoloured_with_undo(project):
    project.annotate("blank", SQUARE, "Gland")
    before = project.label_map("blank")
    project.add_class("Nerve", "#123456")
    project.rename_class("Gland", "Crypt")
    project.recolor_class("Crypt", "#abcdef")
    assert project.classes == ["Stroma", "Crypt", "Lumen", "Nerve"]
    assert (project.colors["Nerve"], project.colors["Crypt"]) == ("#123456", "#ABCDEF")
    assert project.annotations("blank")[0].class_name == "Crypt"
    assert project.count() == {"Stroma": 0, "Crypt": 1, "Lumen": 0, "Nerve": 0}
    np.testing.assert_array_equal(project.label_map("blank"), before)
    while project.undo():
        pass
    assert project.classes == CLASSES
    assert project.colors == Project(CLASSES).colors
    while project.redo():
        pass
    assert project.classes == ["Stroma", "Crypt", "Lumen", "Nerve"]
    assert list(project.colors) == project.classes
    assert project.count("blank")["Crypt"] == 1


def test_bad_changes_of_classes_are_refused(project):
    with pytest.raises(ClassNameError, match="two classes"):
        project.add_class(" Gland")
    with pytest.raises(ClassNameError, match="not blank"):
        project.rename_class("Gland", " ")
    with pytest.raises(ClassNameError, match="two classes"):
        project.rename_class("Gland", "Lumen")
    with pytest.raises(ClassNameError, match="no class 'Nerve'"):
        project.rename_class("Nerve", "x")
    with pytest.raises(ClassNameError, match="#RRGGBB"):
        project.recolor_class("Gland", "blue")
    assert not project.can_undo
    full = Project([f"c{i}" for i in range(MAX_CLASSES)])
    with pytest.raises(ClassNameError, match="the most possible"):
        full.add_class("one more")


def test_a_class_can_keep_its_name(project):
    project.rename_class("Gland", "Gland ")
    assert project.classes == CLASSES


# --- images ---


def test_images_have_names_and_roles(project):
    assert project.image_names == ["blank"]
    assert project.role("blank") == "both"
    assert project.add_image(samples.colon_ihc(), role="train") == "colon_ihc"
    assert project.add_image(np.zeros((20, 30)), name="array") == "array"
    project.set_role("blank", "validation")
    assert [project.role(n) for n in project.image_names] == ["validation", "train", "both"]
    project.undo()
    assert project.role("blank") == "both"


@pytest.mark.parametrize("downsample", [None, "2", 0.5, np.nan])
def test_a_label_map_asks_for_a_number_also_of_a_map_that_is_kept(project, downsample):
    project.label_map("blank", 2)
    with pytest.raises(RegionError, match="must be a number of at least 1"):
        project.label_map("blank", downsample)


def test_images_without_a_name_of_their_own_are_numbered(tmp_path):
    project = Project(CLASSES, folder=tmp_path / "p")
    arrays = [np.full((20, 30), value, np.uint8) for value in (1, 2, 3)]
    assert [project.add_image(array) for array in arrays] == ["image", "image 2", "image 3"]
    project.remove_image("image 2")
    assert project.add_image(arrays[0]) == "image 4", "undo can bring image 2 back"
    project.undo()
    project.close()
    again = Project.open(tmp_path / "p")
    assert again.image_names == ["image", "image 2", "image 3", "image 4"]
    assert [again.image(name).read(0, 0, 1, 1).item() for name in again.image_names] == [1, 2, 3, 1]
    assert again.add_image(arrays[1]) == "image 5"
    again.close()


def test_an_image_has_the_name_that_the_project_gives_it(tmp_path):
    """Predictions are matched to images by it, also where two folders have files of the same name."""
    shade = {"a": 40, "b": 200}
    for folder, value in shade.items():
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "HE.tif", np.full((32, 48, 3), value, np.uint8), photometric="rgb")
    opened = open_image(tmp_path / "a" / "HE.tif")
    project = Project(["A"], folder=tmp_path / "p")
    names = [
        project.add_image(opened),
        project.add_image(tmp_path / "b" / "HE.tif"),
        project.add_image(opened, "third"),
    ]
    assert names == ["HE", "HE 2", "third"]
    assert [project.image(name).name for name in names] == names
    assert [project.snapshot().images[name].name for name in names] == names
    assert opened.name == "HE", "the image that was given stays as it is"
    del opened
    gc.collect()
    assert [int(project.image(name).read(0, 0, 48, 32).mean()) for name in names] == [40, 200, 40]
    project.close()
    again = Project.open(tmp_path / "p")
    assert [again.image(name).name for name in names] == names
    again.close()


def test_bad_images_are_refused(project):
    with pytest.raises(ImageNameError, match="already"):
        project.add_image(blank(), name="blank")
    with pytest.raises(ImageNameError, match="not be blank"):
        project.add_image(blank(), name=" ")
    with pytest.raises(ImageNameError, match=r"'nothing'.*'blank'"):
        project.image("nothing")
    with pytest.raises(ImageNameError, match=r"no image named \['blank'\]"):
        project.image(["blank"])
    with pytest.raises(ProjectError, match="role 'test'"):
        project.add_image(blank(), name="b", role="test")
    with pytest.raises(ProjectError, match="role 'test'"):
        project.set_role("blank", "test")
    with pytest.raises(ImageSizeError, match="each side"):
        project.add_image(np.zeros((1, 9)), name="thin")
    with pytest.raises(ImageNameError, match="no image named"):
        project.label_map("nothing")
    assert project.image_names == ["blank"]


# --- annotating ---


def test_an_annotation_says_what_when_and_who(project):
    project.annotator = "Ada"
    identity = project.annotate("blank", SQUARE, "Gland")
    (annotation,) = project.annotations("blank")
    assert (annotation.id, annotation.shape, annotation.class_name) == (identity, SQUARE, "Gland")
    assert annotation.annotator == "Ada"
    assert annotation.time > 1.6e9
    assert project.label_map("blank")[15, 15] == 1


@pytest.mark.parametrize("shape", [Stroke([[500, 500]]), Rectangle(-50, 0, 50, 20), Line([[0, 95], [50, 99]], 4)])
def test_a_shape_wholly_outside_is_refused(project, shape):
    with pytest.raises(ShapeError, match="entirely outside image 'blank' of 120 x 90"):
        project.annotate("blank", shape, "Gland")


def test_painting_past_the_edge_is_clipped(project):
    project.annotate("blank", Stroke([[-20, 5], [200, 5]], 4), "Gland")
    labels = project.label_map("blank")
    assert (labels == 1).sum() == 120 * 4


def test_bad_annotations_are_refused(project):
    with pytest.raises(ShapeError, match="is not a shape"):
        project.annotate("blank", [[1, 2]], "Gland")
    with pytest.raises(ClassNameError, match="no class 'gland'"):
        project.annotate("blank", SQUARE, "gland")
    with pytest.raises(ClassNameError, match="no class None"):
        project.annotate("blank", SQUARE, None)
    with pytest.raises(ImageNameError, match="no image named"):
        project.annotate("other", SQUARE, "Gland")
    with pytest.raises(ProjectError, match="no annotation with the id"):
        project.remove("nothing")
    assert not project.can_undo


def test_erasers_are_ordered_and_not_counted(project):
    project.annotate("blank", SQUARE, "Gland")
    project.erase("blank", Rectangle(0, 0, 20, 90))
    project.annotate("blank", Rectangle(12, 12, 2, 2), "Lumen")
    labels = project.label_map("blank")
    assert [labels[15, 15], labels[12, 12], labels[15, 25]] == [255, 2, 1]
    assert project.count() == {"Stroma": 0, "Gland": 1, "Lumen": 1}
    assert len(project.annotations("blank")) == 3


def test_a_removed_annotation_returns_to_its_place(project):
    first = project.annotate("blank", SQUARE, "Gland")
    project.annotate("blank", Rectangle(15, 15, 20, 20), "Lumen")
    before = project.label_map("blank")
    project.remove(first)
    assert project.label_map("blank")[12, 12] == 255
    project.undo()
    np.testing.assert_array_equal(project.label_map("blank"), before)
    assert project.annotations("blank")[0].id == first


# --- undo and redo ---


def test_undo_and_redo_say_whether_they_did_anything(project):
    assert (project.undo(), project.redo(), project.can_undo, project.can_redo) == (False,) * 4
    project.annotate("blank", SQUARE, "Gland")
    assert (project.can_undo, project.can_redo) == (True, False)
    assert project.undo()
    assert (project.can_undo, project.can_redo) == (False, True)
    assert project.redo()
    assert not project.redo()


def test_a_new_edit_ends_redo(project):
    project.annotate("blank", SQUARE, "Gland")
    project.undo()
    project.annotate("blank", SQUARE, "Lumen")
    assert not project.can_redo


def test_undo_has_no_limit(project):
    for _ in range(300):
        project.annotate("blank", SQUARE, "Gland")
    while project.undo():
        pass
    assert project.annotations("blank") == ()
    while project.redo():
        pass
    assert project.count()["Gland"] == 300


# --- label maps ---


@pytest.mark.parametrize("seed", range(8))
def test_a_kept_label_map_is_that_made_anew(project, seed):
    """Random edits, undo and redo, with maps at several downsamples kept all the while."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        dice, some = rng.random(), project.annotations("blank")
        if dice < 0.5:
            project.annotate("blank", random_stroke(rng), str(rng.choice(CLASSES)))
        elif dice < 0.6:
            project.erase("blank", random_stroke(rng))
        elif dice < 0.7 and some:
            project.remove(some[rng.integers(len(some))].id)
        elif dice < 0.75:
            project.add_class(f"c{len(project.classes)}-{rng.integers(1e9)}")
        elif dice < 0.8:
            project.rename_class(project.classes[0], f"r{rng.integers(1e9)}")
            project.rename_class(project.classes[0], CLASSES[0])
        elif dice < 0.92:
            project.undo()
            if CLASSES[0] not in project.classes:
                project.undo()
        else:
            project.redo()
            if CLASSES[0] not in project.classes:
                project.redo()
        for downsample in (1, 2, 3, 2.5):
            np.testing.assert_array_equal(
                project.label_map("blank", downsample), fresh_map(project, "blank", downsample)
            )


def test_a_label_map_is_the_callers(project):
    project.annotate("blank", SQUARE, "Gland")
    project.label_map("blank")[:] = 7
    assert project.label_map("blank")[0, 0] == 255


def test_many_maps_do_not_fill_the_memory(project, monkeypatch):
    from histowidgets.annotations.project import _label_cache

    monkeypatch.setattr(_label_cache, "MAX_KEPT", 12_000)
    monkeypatch.setattr(project._log, "_label_maps", _label_cache.LabelCache())
    project.annotate("blank", SQUARE, "Gland")
    for downsample in (1, 2, 3, 4):
        np.testing.assert_array_equal(project.label_map("blank", downsample), fresh_map(project, "blank", downsample))
    kept = dict(project._log._label_maps._maps.items())
    assert sum(m.size for m in kept.values()) <= 12_000
    assert ("blank", 4.0) in kept


# --- who is told ---


def test_subscribers_hear_what_changed(project):
    heard = []
    stop = project.subscribe(heard.append)
    project.annotate("blank", SQUARE, "Gland")
    project.undo()
    project.add_class("Nerve")
    project.set_role("blank", "train")
    project.add_image(blank(), name="two")
    stop()
    project.redo()
    assert heard == [
        Change("annotations", "blank", Region(10, 10, 20, 20)),
        Change("annotations", "blank", Region(10, 10, 20, 20)),
        Change("classes"),
        Change("roles", "blank"),
        Change("images", "two"),
    ]


def test_a_failing_subscriber_stops_neither_the_edit_nor_the_others(project, caplog):
    heard = []

    def fail(change):
        raise RuntimeError("broken view")

    project.subscribe(fail)
    project.subscribe(heard.append)
    project.annotate("blank", SQUARE, "Gland")
    assert len(heard) == 1
    assert "broken view" in caplog.text


def test_a_subscriber_may_edit_and_wait_for_other_threads(project):
    seen = []

    def look(change):
        thread = threading.Thread(target=lambda: seen.append(project.count()["Gland"]))
        thread.start()
        thread.join(timeout=5)

    project.subscribe(look)
    project.annotate("blank", SQUARE, "Gland")
    assert seen == [1]


def test_threads_edit_at_once(project):
    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            project.annotate("blank", random_stroke(rng), "Gland")
            project.label_map("blank", 2)
            project.snapshot()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert project.count()["Gland"] == 120
    np.testing.assert_array_equal(project.label_map("blank", 2), fresh_map(project, "blank", 2))


# --- snapshots ---


def test_a_snapshot_does_not_follow_the_project(project):
    project.annotate("blank", SQUARE, "Gland")
    snapshot = project.snapshot()
    project.annotate("blank", Rectangle(50, 50, 10, 10), "Lumen")
    project.rename_class("Gland", "Crypt")
    project.add_image(blank(), name="two")
    assert snapshot.classes == tuple(CLASSES)
    assert snapshot.annotated_names() == ["blank"]
    assert list(snapshot.images) == ["blank"]
    assert set(np.unique(snapshot.labels("blank"))) == {1, 255}


def test_a_snapshot_gives_labels_of_a_region(project):
    rng = np.random.default_rng(0)
    for _ in range(30):
        project.annotate("blank", random_stroke(rng), str(rng.choice(CLASSES)))
    snapshot = project.snapshot()
    whole = snapshot.labels("blank")
    np.testing.assert_array_equal(whole, project.label_map("blank"))
    np.testing.assert_array_equal(snapshot.labels("blank", Region(20, 30, 40, 25)), whole[30:55, 20:60])
    np.testing.assert_array_equal(snapshot.labels("blank", downsample=2), project.label_map("blank", 2))
    with pytest.raises(ImageNameError, match="no image named"):
        snapshot.labels("nothing")


def test_an_image_with_erasers_alone_is_not_annotated(project):
    project.erase("blank", SQUARE)
    assert project.snapshot().annotated_names() == []


def test_classes_that_look_alike_are_refused():
    composed, accents = "Nécrose", "Ne\u0301crose"
    with pytest.raises(ClassNameError, match="looks like"):
        Project([composed, accents])
    project = Project([accents, "Stroma"])
    for edit in (lambda: project.add_class(composed), lambda: project.rename_class("Stroma", composed)):
        with pytest.raises(ClassNameError, match="looks like"):
            edit()
    project.rename_class(accents, composed)
    assert project.classes == [composed, "Stroma"]
