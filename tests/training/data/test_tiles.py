import numpy as np
import pytest
import torch

from histowidgets.annotations import Line, Project, Rectangle, Split, Stroke, split_project
from histowidgets.images import ArrayImage, Normalization, Region, open_image
from histowidgets.training.data import _tiles as tiles_module
from histowidgets.training.data._pixel_cache import mirror_into
from histowidgets.training.data._sampling import plan_sampling
from tests.training.helpers import painted, quick, striped, tiles_from, validation_tiles

FIXED = Normalization("fixed_range", low=0, high=255)


class Guarded(ArrayImage):
    """An image that notes which pixels are read."""

    def __init__(self, pixels, name):
        super().__init__(pixels, name=name)
        self.reads = []

    def read(self, x, y, width, height, downsample=1):
        self.reads.append(Region(x, y, width, height))
        return super().read(x, y, width, height, downsample)


def guarded_project(side=300):
    project = Project(["Dark", "Bright"])
    image = Guarded(striped(side), "guarded")
    name = project.add_image(image)
    for i in range(8):
        x, y = 16 + 32 * i, 30 + 30 * i
        project.annotate(name, Stroke([(x, y), (x + 3, y + 15)], width=8), ("Dark", "Bright")[i % 2])
    return project, image


def tiles_of(project, settings, split=None, normalization=FIXED):
    snapshot = project.snapshot()
    split = split or split_project(snapshot, settings.validation_fraction, settings.seed)
    plan = plan_sampling(snapshot, split, settings.tile_size, settings.downsample, settings.tile_overlap, settings.seed)
    return tiles_from(plan, snapshot, normalization, settings), plan, snapshot, split


def test_r35_bending_pulls_in_the_tissue_around_a_tile():
    project = Project(["Dark", "Bright"])
    name = project.add_image(striped(256), name="all")
    project.annotate(name, Rectangle(0, 0, 256, 256), "Dark")
    project.annotate(name, Rectangle(120, 120, 16, 16), "Bright")
    settings = quick(downsample=1, elastic=1.0, rotation=0, scale=1, rotate90=False, batch_size=16)
    tiles, *_ = tiles_of(project, settings, Split({name: ()}))
    around_the_middle = [tiles.draw().labels for _ in range(4)]
    unlabelled = [float((mask == 255).float().mean()) for batch in around_the_middle for mask in batch]
    # Tiles around the small rectangle lie well inside the image: none of them shows where it ends.
    assert sorted(unlabelled)[len(unlabelled) // 4] == 0
    assert {tuple(mask.shape) for batch in around_the_middle for mask in batch} == {(64, 64)}


@pytest.mark.parametrize("downsample", [1, 2, 4])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_b10_training_reads_no_held_out_pixel_and_validation_no_other(downsample, seed):
    project, image = guarded_project()
    settings = quick(downsample=downsample, seed=seed, rotation=180, scale=2)
    tiles, _, snapshot, split = tiles_of(project, settings)
    held = split.held_out["guarded"]
    assert held
    image.reads.clear()
    for _ in range(10):
        tiles.draw()
    assert image.reads
    assert all(read.intersect(region) is None for read in image.reads for region in held)
    image.reads.clear()
    assert validation_tiles(snapshot, split, FIXED, settings).n_tiles > 0
    assert image.reads
    assert all(any(region.contains(read) for region in held) for read in image.reads)


def test_b10_held_out_pixels_reach_no_training_tile():
    """Held-out pixels are painted red; no training tile has a trace of red."""
    pixels = striped(300)
    project = Project(["Dark", "Bright"])
    name = project.add_image(open_image(pixels, name="plain"))
    for i in range(8):
        project.annotate(name, Stroke([(16 + 32 * i, 40), (16 + 32 * i, 240)], width=6), ("Dark", "Bright")[i % 2])
    split = Split({name: (Region(101, 77, 90, 101),)})
    pixels[77:178, 101:191] = (255, 0, 0)
    red = Project(["Dark", "Bright"])
    red.add_image(open_image(pixels, name="plain"))
    for annotation in project.annotations(name):
        red.annotate(name, annotation.shape, annotation.class_name)
    settings = quick(brightness=0, contrast=0, color_jitter=0, stain_jitter=0, rotation=180, scale=2, batch_size=8)
    tiles, *_ = tiles_of(red, settings, split)
    for _ in range(20):
        batch = tiles.draw().pixels
        assert (batch[:, 0] - batch[:, 1]).max() < 0.5


def test_held_out_pixels_are_filled_with_the_mirror_image_of_their_surroundings():
    pixels = np.random.default_rng(0).random((40, 50, 2)).astype(np.float32)
    hole = np.zeros((40, 50), bool)
    hole[10:20, 0:50] = True
    filled = pixels.copy()
    mirror_into(filled, hole)
    assert np.array_equal(filled[~hole], pixels[~hole])
    assert np.array_equal(filled[10:14], pixels[5:9][::-1])
    assert np.array_equal(filled[16:20], pixels[21:25][::-1])


def test_each_annotation_is_covered_and_classes_take_turns():
    """One long line against many dots: each class comes as often, and each dot is visited."""
    project = Project(["Line", "Dot"])
    name = project.add_image(open_image(striped(512), name="image"), role="train")
    project.annotate(name, Line([(10, 10), (500, 10)], width=9), "Line")
    dots = [(x, y) for x in range(40, 500, 90) for y in range(100, 500, 90)]
    for x, y in dots:
        project.annotate(name, Stroke([(x, y)], width=5), "Dot")
    settings = quick(batch_size=10, augmentation=False)
    tiles, plan, *_ = tiles_of(project, settings)
    assert len(plan.samples) == 1 + len(dots)
    drawn = [tiles._next_annotation() for _ in range(40 * len(dots))]
    share = np.mean([one.class_index == 0 for one in drawn])
    assert 0.4 < share < 0.6
    visits = {id(a): sum(d is a for d in drawn) for a in plan.samples if a.class_index == 1}
    assert max(visits.values()) - min(visits.values()) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_every_tile_holds_a_label(seed):
    settings = quick(seed=seed, rotation=180, scale=2, batch_size=16)
    tiles, *_ = tiles_of(painted(), settings)
    for _ in range(5):
        labels = tiles.draw().labels
        assert labels.shape == (16, 64, 64)
        assert all((tile != 255).any() for tile in labels)


@pytest.mark.parametrize("downsample", [1, 2, 4, 8])
def test_r60_thin_strokes_survive_downsampling(downsample):
    project = Project(["A", "B"])
    name = project.add_image(open_image(striped(512), name="image"), role="train")
    project.annotate(name, Stroke([(100, 100), (100, 400)], width=8), "A")
    project.annotate(name, Stroke([(300, 100), (300, 400)], width=8), "B")
    _, plan, *_ = tiles_of(project, quick(downsample=downsample))
    assert plan.classes() == {0, 1}


def test_image_smaller_than_a_tile_works():
    project = Project(["Dark", "Bright"])
    name = project.add_image(open_image(striped(48), name="small"), role="train")
    project.annotate(name, Stroke([(10, 10), (12, 30)], width=4), "Dark")
    project.annotate(name, Stroke([(40, 10), (42, 30)], width=4), "Bright")
    for settings in (quick(downsample=4), quick(downsample=1, augmentation=False)):
        tiles, *_ = tiles_of(project, settings)
        batch = tiles.draw()
        assert batch.pixels.shape == (2, 3, 64, 64)
        assert torch.isfinite(batch.pixels).all()
        assert (batch.labels == 255).any()
        assert (batch.labels != 255).any()


def test_erased_strokes_are_not_sampled():
    project = painted(strokes=3)
    name = project.image_names[0]
    project.erase(name, Stroke([(0, 128), (256, 128)], width=300))
    _, plan, *_ = tiles_of(project, quick(), Split({name: ()}))
    assert plan.samples == []


def test_large_image_is_read_in_windows(monkeypatch):
    """With a small limit for one piece, windows are cut, and tiles are as from one piece."""
    from histowidgets.training.data import _sampling as _sampling

    project = painted(side=1024, strokes=10)
    settings = quick(augmentation=False, downsample=1, seed=5)
    whole, plan, *_ = tiles_of(project, settings)
    assert len(plan.windows) <= 4
    monkeypatch.setattr(_sampling, "WHOLE_PIXELS", 100_000)
    cut, pieces, *_ = tiles_of(project, settings)
    assert len(pieces.windows) > len(plan.windows)
    assert all(window.region.area < 700 * 700 for window in pieces.windows)
    for _ in range(10):
        one, other = whole.draw(), cut.draw()
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.pixels, other.pixels)


@pytest.mark.parametrize("held", [Region(0, 0, 256, 256), Region(33, 17, 150, 201), Region(5, 5, 50, 70)])
@pytest.mark.parametrize("downsample", [1, 2])
def test_validation_counts_each_labelled_pixel_once(held, downsample):
    project = painted(strokes=8)
    name = project.image_names[0]
    snapshot = project.snapshot()
    labels = snapshot.labels(name, held, downsample)
    tiles = validation_tiles(snapshot, Split({name: (held,)}), FIXED, quick(downsample=downsample))
    for index in range(2):
        assert tiles.counts[index] == (labels == index).sum()
    assert sum(len(batch.labels) for batch in tiles) == tiles.n_tiles


def test_validation_tiles_show_what_their_labels_are_on():
    project = painted(strokes=8)
    name = project.image_names[0]
    split = Split({name: (Region(33, 17, 150, 201),)})
    tiles = validation_tiles(project.snapshot(), split, FIXED, quick(downsample=1))
    for batch in tiles:
        grey = batch.pixels.mean(1)
        assert grey[batch.labels == 0].mean() < 0.45 < grey[batch.labels == 1].mean()


def test_training_tiles_show_what_their_labels_are_on():
    settings = quick(rotation=180, scale=1.5, brightness=0, contrast=0, color_jitter=0, stain_jitter=0, downsample=1)
    tiles, *_ = tiles_of(painted(), settings)
    for _ in range(20):
        batch = tiles.draw()
        grey = batch.pixels.mean(1)
        for index, test in ((0, lambda g: g < 0.45), (1, lambda g: g > 0.45)):
            values = grey[batch.labels == index]
            assert len(values) == 0 or test(values.mean())


def test_more_validation_than_memory_is_thinned_and_counted(monkeypatch):
    from histowidgets.training.data import _tiles

    project = painted(strokes=8, side=512)
    split = Split({project.image_names[0]: (Region(0, 0, 512, 512),)})
    everything = validation_tiles(project.snapshot(), split, FIXED, quick(downsample=1))
    monkeypatch.setattr(_tiles, "VALIDATION_BYTES", 3 * 64 * 64 * 13)
    some = validation_tiles(project.snapshot(), split, FIXED, quick(downsample=1))
    assert some.n_tiles == 3
    assert some.n_tiles + some.n_left_out == everything.n_tiles


def test_same_seed_same_tiles_another_seed_others():
    one, same, other = (tiles_of(painted(), quick(seed=s))[0] for s in (3, 3, 4))
    for _ in range(3):
        a, b, c = one.draw(), same.draw(), other.draw()
        assert torch.equal(a.pixels, b.pixels)
        assert torch.equal(a.labels, b.labels)
        assert not torch.equal(a.pixels, c.pixels)


@pytest.mark.parametrize(("names", "brightfield"), [(None, True), (("DAPI", "FITC", "TRITC"), False)])
def test_b5_what_is_varied_follows_from_the_image(names, brightfield, monkeypatch):
    seen = []
    monkeypatch.setattr(tiles_module, "vary_color", lambda batch, settings, rng, one: seen.append(one) or batch)
    project = Project(["Dark", "Bright"])
    name = project.add_image(open_image(striped(128), name="colours", channel_names=names))
    project.annotate(name, Stroke([(16, 20), (16, 60)], width=8), "Dark")
    project.annotate(name, Stroke([(48, 20), (48, 60)], width=8), "Bright")
    tiles_of(project, quick(downsample=1), Split({name: ()}))[0].draw()
    assert set(seen) == {brightfield}


def test_b5_all_images_tell_what_is_varied_not_the_first_stroke_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(tiles_module, "vary_color", lambda batch, settings, rng, one: seen.append(one) or batch)
    project = Project(["Dark", "Bright"])
    for number, value in enumerate((20, 200, 210)):  # a fold of the tissue, and two fields of it
        name = project.add_image(open_image(np.full((128, 128, 3), value, np.uint8), name=f"scan {number}"))
        project.annotate(name, Stroke([(16, 20), (16, 60)], width=8), "Dark")
        project.annotate(name, Stroke([(48, 20), (48, 60)], width=8), "Bright")
    tiles_of(project, quick(downsample=1), Split(dict.fromkeys(project.image_names, ())))[0].draw()
    assert set(seen) == {True}
