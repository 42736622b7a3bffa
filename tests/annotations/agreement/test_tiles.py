"""Tiles that several annotators label: drawn at random, kept in the project, and compared."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import UNLABELLED, AgreementTile, AgreementTiles, rasterize, tiles_done
from histowidgets.errors import ImageError, ImageNameError, ProjectError, RegionError
from histowidgets.images import Region

CLASSES = ["A", "B"]


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def project():
    project = hw.Project(CLASSES, annotator="Anna")
    half = noise(300, 400)
    half[:, :200] = 240  # glass
    project.add_image(hw.open_image(half, name="half", pixel_size_um=0.5))
    project.add_image(noise(200, 300, 1), name="plain")
    return project


def test_x12_tiles_have_their_size_do_not_overlap_and_are_not_blank(project):
    found = hw.agreement_tiles(project, 12, size_um=20, seed=3)
    assert len(found) == 12
    by_image = {name: [t.region for t in found.tiles if t.image_name == name] for name in ("half", "plain")}
    assert all(len(some) >= 2 for some in by_image.values())
    assert {(r.width, r.height) for r in by_image["half"]} == {(40, 40)}
    assert {(r.width, r.height) for r in by_image["plain"]} == {(20, 20)}, "pixels, without a pixel size"
    for name, some in by_image.items():
        assert all(project.image(name).region.contains(r) for r in some)
        assert not any(a.intersect(b) for i, a in enumerate(some) for b in some[:i])
    assert all(r.right > 200 for r in by_image["half"]), "none on glass alone"


def test_x12_places_are_uniform_over_the_area_of_the_images(project):
    """Over many seeds the share of tiles on each image is that of its area with something on it."""
    tiles = [hw.agreement_tiles(project, 1, size_um=2, seed=seed).tiles[0] for seed in range(300)]
    share = np.mean([tile.image_name == "plain" for tile in tiles])
    expected = 60_000 / (60_000 + 60_000)  # half of "half" is glass
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 300)
    x = np.array([tile.region.x for tile in tiles if tile.image_name == "plain"])
    assert abs(x.mean() - 149) < 4 * 300 / np.sqrt(12 * len(x))


def test_x12_the_seed_and_the_images_decide_not_the_annotations(project):
    first = hw.agreement_tiles(project, 5, size_um=20)
    project.annotate("plain", hw.Rectangle(0, 0, 50, 50), "A")
    assert hw.agreement_tiles(project, 5, size_um=20) == first
    assert hw.agreement_tiles(project, 5, size_um=20, seed=1) != first
    other = hw.Project(["X", "Y"])
    for name in ("plain", "half"):  # in another order
        other.add_image(project.image(name), name=name)
    assert hw.agreement_tiles(other, 5, size_um=20) == first
    only = hw.agreement_tiles(project, 5, size_um=20, images=["plain"])
    assert {tile.image_name for tile in only.tiles} == {"plain"}


def test_x12_tiles_are_kept_in_the_folder_and_can_be_undone(tmp_path):
    project = hw.Project(CLASSES, folder=tmp_path / "p")
    project.add_image(noise(200, 300), name="a")
    assert project.agreement_tiles is None
    first = hw.agreement_tiles(project, 4, size_um=30)
    second = hw.agreement_tiles(project, 6, size_um=30, seed=2)
    assert project.agreement_tiles == project.snapshot().agreement_tiles == second
    project.undo()
    assert project.agreement_tiles == first
    project.redo()
    project.close()
    again = hw.Project.open(tmp_path / "p")
    assert again.agreement_tiles == second
    again.undo()
    again.undo()
    assert again.agreement_tiles is None
    again.close()


def test_x12_a_tile_is_done_once_the_annotator_has_labelled_any_of_it(project):
    assert tiles_done(project, "Anna") == []
    tiles = hw.agreement_tiles(project, 3, size_um=20).tiles
    assert tiles_done(project, "Anna") == [False] * 3
    for tile, annotator in ((tiles[1], "Anna"), (tiles[2], "Ben")):
        project.annotator = annotator
        x, y = tile.region.x + 5, tile.region.y + 5
        project.annotate(tile.image_name, hw.Stroke([(x, y)], width=4), "A")
    assert tiles_done(project, "Anna") == [False, True, False]
    assert tiles_done(project, "Ben") == [False, False, True]
    project.remove_image(tiles[1].image_name)
    assert not tiles_done(project, "Anna")[1]


def test_x12_only_labels_in_the_tiles_are_compared_and_each_tile_is_a_place():
    project = hw.Project(CLASSES)
    project.add_image(np.zeros((60, 200, 3), np.uint8), name="a")
    places = [Region(x, 10, 20, 20) for x in (0, 40, 80, 120)]
    tiles = AgreementTiles(tuple(AgreementTile("a", r) for r in places), 20, 0)
    project.set_agreement_tiles(tiles)
    # Tile 0: agree, in two separate dots. Tile 1: half of it differs. Tile 2: Anna alone. Outside: they differ.
    for annotator, rectangles in {
        "Anna": [
            (0, 10, 5, 5, "A"),
            (10, 20, 5, 5, "A"),
            (40, 10, 20, 10, "B"),
            (85, 10, 5, 5, "A"),
            (0, 40, 99, 9, "A"),
        ],
        "Ben": [(0, 10, 20, 20, "A"), (40, 10, 10, 20, "A"), (50, 10, 10, 20, "B"), (0, 40, 99, 9, "B")],
    }.items():
        project.annotator = annotator
        for x, y, w, h, name in rectangles:
            project.annotate("a", hw.Rectangle(x, y, w, h), name)
    found = hw.compare_annotators(project, tiles=tiles)
    assert found.places == 2
    np.testing.assert_array_equal(found.confusion, [[50, 0], [100, 100]])
    assert found.agreement.value == pytest.approx(150 / 250)
    assert [(one.region, one.pixels) for one in found.disagreements] == [(Region(40, 10, 10, 10), 100)]
    assert hw.compare_annotators(project).pixels == 250 + 99 * 9
    elsewhere = AgreementTiles((AgreementTile("a", Region(150, 0, 9, 9)),), 9, 0)
    with pytest.raises(ProjectError, match="no pixel of any tile"):
        hw.compare_annotators(project, tiles=elsewhere)


def test_x12_two_projects_are_compared_on_the_same_tiles():
    projects = []
    for annotator, second in (("Anna", "A"), ("Ben", "B")):
        project = hw.Project(CLASSES, annotator=annotator)
        project.add_image(noise(200, 300), name="a")
        for k, tile in enumerate(hw.agreement_tiles(project, 4, size_um=20).tiles):
            project.annotate("a", hw.Rectangle(*tile.region), "A" if k % 2 else second)
        projects.append(project)
    found = hw.compare_annotators(*projects, tiles=projects[0].agreement_tiles)
    assert (found.places, found.agreement.value) == (4, 0.5)


def test_bad_input_is_named(project):
    for arguments in ({"n": 0}, {"n": 1001}, {"n": 2.5}, {"n": True}, {"seed": -1}, {"seed": "x"}, {"size_um": 0}):
        with pytest.raises(ProjectError, match=f"{next(iter(arguments))} is"):
            hw.agreement_tiles(project, **arguments)
    for size in (float("inf"), float("nan"), "large"):
        with pytest.raises(ProjectError, match="size_um is"):
            hw.agreement_tiles(project, size_um=size)
    with pytest.raises(ImageNameError, match="no image named 'x'"):
        hw.agreement_tiles(project, images=["x"])
    with pytest.raises(ProjectError, match="room for"):
        hw.agreement_tiles(project, 50, size_um=90)
    assert project.agreement_tiles is None
    with pytest.raises(ImageError, match="no image to draw"):
        hw.agreement_tiles(hw.Project(CLASSES))
    outside = AgreementTiles((AgreementTile("plain", Region(290, 0, 20, 20)),), 20, 0)
    with pytest.raises(RegionError, match="not inside image 'plain'"):
        project.set_agreement_tiles(outside)


# --- erasing one's own ---------------------------------------------------------------------------------------------


@pytest.fixture
def shared():
    """Ben's stroke lies over Anna's."""
    project = hw.Project(CLASSES, annotator="Anna")
    project.add_image(np.zeros((80, 120, 3), np.uint8), name="a")
    project.annotate("a", hw.Stroke([(20, 40), (100, 40)], width=20), "A")
    project.annotator = "Ben"
    project.annotate("a", hw.Rectangle(50, 20, 20, 40), "B")
    project.annotator = "Anna"
    return project


def by(project, annotator):
    snapshot = project.snapshot()
    own = [one for one in project.annotations("a") if one.annotator == annotator]
    return rasterize(own, snapshot.class_index, snapshot.images["a"].region)


def test_x12_erasing_ones_own_leaves_what_others_drew(shared):
    before, bens = by(shared, "Anna"), by(shared, "Ben")
    ids = shared.erase_own("a", hw.Rectangle(40, 0, 40, 80))
    assert ids == [shared.annotations("a")[0].id]
    np.testing.assert_array_equal(by(shared, "Ben"), bens)
    expected = before.copy()
    expected[:, 40:80] = UNLABELLED
    found = by(shared, "Anna")
    assert (found != expected).sum() <= 4, "a circle's outline may be off by half a percent of its radius"
    assert [one.annotator for one in shared.annotations("a")] == ["Anna", "Anna", "Ben"], "in the same place"
    assert shared.undo()
    np.testing.assert_array_equal(by(shared, "Anna"), before)
    shared.redo()
    np.testing.assert_array_equal(by(shared, "Anna"), found)
    assert (shared.label_map("a")[20:60, 50:70] == 1).all()


def test_x12_what_is_erased_completely_goes_and_nothing_is_no_edit(shared):
    stroke = shared.annotations("a")[0].id
    assert shared.erase_own("a", hw.Rectangle(0, 0, 120, 80)) == [stroke]
    assert [one.annotator for one in shared.annotations("a")] == ["Ben"]
    shared.undo()
    assert shared.annotations("a")[0].id == stroke
    assert shared.erase_own("a", hw.Rectangle(0, 0, 5, 5)) == []
    assert shared.can_redo, "no edit was made"
    with pytest.raises(ImageNameError):
        shared.erase_own("x", hw.Rectangle(0, 0, 5, 5))


def test_x12_cuts_are_kept_in_the_journal(tmp_path):
    project = hw.Project(CLASSES, folder=tmp_path / "p", annotator="Anna")
    project.add_image(np.zeros((80, 120, 3), np.uint8), name="a")
    project.annotate("a", hw.Rectangle(0, 0, 100, 20), "A")
    project.annotate("a", hw.Rectangle(0, 30, 100, 20), "A")
    project.erase_own("a", hw.Rectangle(40, 0, 20, 80))
    expected, ids = project.label_map("a"), [one.id for one in project.annotations("a")]
    assert len(ids) == 4
    project.close()
    again = hw.Project.open(tmp_path / "p")
    np.testing.assert_array_equal(again.label_map("a"), expected)
    assert [one.id for one in again.annotations("a")] == ids
    again.undo()
    assert len(again.annotations("a")) == 2
    again.close()
