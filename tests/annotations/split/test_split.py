"""Row B10: training and validation share no pixel. Rows R16 and B16: what was labelled twice."""

import json

import numpy as np
import pytest
from scipy import ndimage

from histowidgets.annotations import Project, Rectangle, Split, Stroke, class_pixels, conflicts, split_project
from histowidgets.errors import ImageNameError, ProjectError
from histowidgets.images import ArrayImage, Region, samples
from tests.annotations.conftest import CLASSES, blank, random_stroke


def painted(n_strokes=50, size=512, classes=CLASSES, seed=0, images=1):
    rng = np.random.default_rng(seed)
    project = Project(classes)
    for k in range(images):
        name = project.add_image(ArrayImage(np.zeros((size, size), np.uint8), f"image {k}"))
        for i in range(n_strokes):
            project.annotate(name, random_stroke(rng, size, size, brush=8), classes[i % len(classes)])
    return project


def held_mask(split, name, image):
    mask = np.zeros((image.height, image.width), bool)
    for r in split.held_out[name]:
        mask[r.y : r.bottom, r.x : r.right] = True
    return mask


@pytest.mark.parametrize("seed", range(20))
def test_b10_no_held_out_pixel_is_in_any_training_region(seed):
    rng = np.random.default_rng(seed)
    project = painted(int(rng.integers(1, 60)), int(rng.integers(40, 400)), seed=seed, images=3)
    project.set_role("image 1", str(rng.choice(["train", "validation", "both"])))
    snapshot = project.snapshot()
    split = split_project(snapshot, float(rng.uniform(0.05, 0.6)), seed)
    for name, image in snapshot.images.items():
        held = held_mask(split, name, image)
        trained = np.zeros_like(held)
        for r in split.training_regions(name, image):
            assert image.region.contains(r)
            trained[r.y : r.bottom, r.x : r.right] = True
        assert not (held & trained).any()
        assert (held | trained).all()  # and no pixel is lost


def test_training_regions_are_as_large_as_can_be():
    image = blank(100, 80)
    split = Split({"blank": (Region(30, 20, 40, 30),)})
    assert split.training_regions("blank", image) == [
        Region(0, 0, 30, 80),
        Region(70, 0, 30, 80),
        Region(0, 0, 100, 20),
        Region(0, 50, 100, 30),
    ]
    assert split.training_regions("other", image) == [image.region]
    assert Split({"blank": (image.region,)}).training_regions("blank", image) == []


def test_b10_several_held_out_rectangles_share_no_pixel_with_training():
    rng = np.random.default_rng(0)
    image = blank(100, 80)
    for _ in range(50):
        held = tuple(
            Region(int(x), int(y), int(w), int(h))
            for x, y, w, h in rng.integers([0, 0, 5, 5], [60, 50, 40, 30], (3, 4))
        )
        split = Split({"blank": held})
        mask = held_mask(split, "blank", image)
        trained = np.zeros_like(mask)
        regions = split.training_regions("blank", image)
        for r in regions:
            trained[r.y : r.bottom, r.x : r.right] = True
        np.testing.assert_array_equal(trained, ~mask)
        assert len(set(regions)) == len(regions)
        assert not any(a != b and a.contains(b) for a in regions for b in regions)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n_strokes", [6, 15, 60])
def test_each_class_is_on_both_sides_in_about_the_share_asked_for(seed, n_strokes):
    snapshot = painted(n_strokes, seed=seed).snapshot()
    split = split_project(snapshot, 0.25, seed)
    (held,) = split.held_out["image 0"]
    inside = class_pixels(snapshot, "image 0", held)
    everything = class_pixels(snapshot, "image 0")
    share = inside / everything
    assert (inside > 0).all()
    assert (inside < everything).all()
    assert abs(share.mean() - 0.25) < (0.12 if n_strokes > 6 else 0.25)
    assert split.messages == ()


def test_few_strokes_on_a_large_image():
    project = Project(["A", "B"])
    name = project.add_image(ArrayImage(np.zeros((5000, 6000), np.uint8), "large"))
    project.annotate(name, Stroke([[1000, 1000], [1300, 1000]], 8), "A")
    project.annotate(name, Stroke([[1000, 1100], [1300, 1100]], 8), "B")
    split = split_project(project.snapshot())
    (held,) = split.held_out[name]
    inside = class_pixels(project.snapshot(), name, held) / class_pixels(project.snapshot(), name)
    assert ((inside > 0) & (inside < 1)).all()


def test_the_same_arguments_give_the_same_split_and_seeds_differ():
    snapshot = painted().snapshot()
    assert split_project(snapshot, seed=1) == split_project(snapshot, seed=1)
    assert len({split_project(snapshot, seed=s).held_out["image 0"] for s in range(6)}) > 1


def test_a_split_comes_back_from_json_unchanged():
    split = split_project(painted(20, 200, images=2).snapshot())
    assert Split.from_dict(json.loads(json.dumps(split.to_dict()))) == split
    for damaged in ({}, {"held_out": 3, "messages": []}, {"held_out": {"a": [[1, 2]]}, "messages": []}):
        with pytest.raises(ProjectError, match="The split is damaged"):
            Split.from_dict(damaged)


def test_roles_are_respected():
    project = painted(20, 200, images=3)
    project.set_role("image 0", "train")
    project.set_role("image 1", "validation")
    split = split_project(project.snapshot())
    assert split.held_out["image 0"] == ()
    assert split.held_out["image 1"] == (Region(0, 0, 200, 200),)
    assert len(split.held_out["image 2"]) == 1


def test_nothing_is_held_out_where_nothing_is_labelled_or_wanted():
    project = painted(20, 200)
    project.add_image(blank(), name="empty")
    assert split_project(project.snapshot()).held_out["empty"] == ()
    nothing = split_project(project.snapshot(), 0)
    assert nothing.held_out == {"image 0": (), "empty": ()}
    assert nothing.messages == ("No label is held out, so nothing can be validated.",)
    assert split_project(Project(["A"]).snapshot()) == Split({}, ())


@pytest.mark.parametrize("fraction", [-0.1, 1, 5, np.nan])
def test_a_bad_fraction_is_refused(fraction):
    with pytest.raises(ProjectError, match="validation_fraction"):
        split_project(painted(3, 60).snapshot(), fraction)


def test_a_class_that_cannot_be_on_both_sides_is_named():
    project = painted(20, 200, images=2)
    project.add_class("Nerve")
    project.annotate("image 0", Rectangle(50, 50, 2, 2), "Nerve")
    project.set_role("image 0", "train")
    project.add_class("Fat")
    project.add_image(blank(), name="third", role="validation")
    project.annotate("third", Rectangle(5, 5, 20, 20), "Fat")
    messages = split_project(project.snapshot()).messages
    assert any(m.startswith("Nerve is only in training") for m in messages)
    assert any(m.startswith("Fat is only in validation") for m in messages)
    assert len(messages) == 2


def test_one_labelled_dot_stays_in_training():
    project = painted(20, 400, classes=["A", "B"])
    project.add_class("C")
    project.annotate("image 0", Stroke([[200.5, 200.5]], 1), "C")
    split = split_project(project.snapshot())
    assert split.messages == ("C is only in training, so it has no validation score.",)


def test_an_earlier_split_is_kept_when_strokes_are_added():
    project = painted(30, seed=1)
    first = split_project(project.snapshot())
    rng = np.random.default_rng(9)
    for _ in range(30):
        project.annotate("image 0", random_stroke(rng, 512, 512, 8), str(rng.choice(CLASSES)))
    project.add_image(samples.colon_ihc())
    project.annotate("colon_ihc", Rectangle(10, 10, 300, 300), "Gland")
    second = split_project(project.snapshot(), seed=7, previous=first)
    assert second.held_out["image 0"] == first.held_out["image 0"]
    assert len(second.held_out["colon_ihc"]) == 1
    assert not any("moved" in m for m in second.messages)


def test_an_earlier_split_is_given_up_when_it_hides_a_whole_class_or_holds_nothing():
    project = painted(30, seed=1)
    first = split_project(project.snapshot())
    (held,) = first.held_out["image 0"]
    project.add_class("Nerve")
    x, y = held.x + held.width // 2, held.y + held.height // 2
    project.annotate("image 0", Stroke([[x - 15, y], [x + 15, y]], 6), "Nerve")
    second = split_project(project.snapshot(), previous=first)
    assert second.held_out["image 0"] != first.held_out["image 0"]
    assert second.messages[0].startswith("The validation area of image 0 was moved")
    project.undo()
    project.erase("image 0", Rectangle(*held))
    third = split_project(project.snapshot(), previous=first)
    assert third.held_out["image 0"] != first.held_out["image 0"]


def test_an_earlier_split_of_another_image_or_role_does_not_count():
    project = painted(30, 300, seed=1)
    odd = Split({"image 0": (Region(250, 250, 100, 100),)})
    assert split_project(project.snapshot(), previous=odd) == split_project(project.snapshot())
    project.set_role("image 0", "train")
    assert split_project(project.snapshot(), previous=odd).held_out["image 0"] == ()


def test_b10_an_earlier_split_outlives_merged_classes_moved_strokes_and_removed_images():
    project = painted(30, seed=1, images=2)
    first = split_project(project.snapshot())
    project.merge_classes("Stroma", "Lumen")
    project.move(project.annotations("image 0")[3].id, 2, -2)
    project.remove_image("image 1")
    second = split_project(project.snapshot(), seed=7, previous=first)
    assert second.held_out == {"image 0": first.held_out["image 0"]}
    assert second.messages == ()
    project.undo()
    third = split_project(project.snapshot(), seed=8, previous=first)
    assert third.held_out == first.held_out
    (held,) = third.held_out["image 0"]
    counts = class_pixels(project.snapshot(), "image 0", held)
    assert counts.shape == (2,)
    assert (counts > 0).all()


def test_b10_roles_alone_split_by_image_and_name_what_one_side_lacks():
    project = painted(30, seed=1, images=2)
    project.set_role("image 0", "train")
    project.set_role("image 1", "validation")
    whole = project.image("image 1").region
    split = split_project(project.snapshot())
    assert split == Split({"image 0": (), "image 1": (whole,)}, ())
    assert split.training_regions("image 1", project.image("image 1")) == []
    project.remove([a.id for a in project.annotations("image 0") if a.class_name == "Gland"])
    (message,) = split_project(project.snapshot()).messages
    assert message == "Gland is only in validation, so it cannot be learned. Paint more of it."


# --- what was labelled twice ---


def test_b16_pixels_drawn_over_are_counted(project):
    project.annotate("blank", Rectangle(10, 10, 20, 20), "Gland")
    project.annotate("blank", Rectangle(25, 10, 20, 20), "Stroma")
    project.annotate("blank", Rectangle(12, 12, 5, 5), "Gland")  # the same class: no conflict
    (conflict,) = conflicts(project.snapshot(), "blank")
    assert conflict.region == Region(25, 10, 5, 20)
    assert (conflict.pixels, conflict.below, conflict.above) == (100, "Gland", "Stroma")


def test_r16_patches_come_largest_first_and_each_pixel_counts_once(project):
    project.annotate("blank", Rectangle(0, 0, 100, 50), "Stroma")
    project.annotate("blank", Rectangle(10, 10, 5, 5), "Gland")
    project.annotate("blank", Rectangle(40, 10, 20, 20), "Gland")
    project.annotate("blank", Rectangle(40, 10, 20, 20), "Lumen")
    found = conflicts(project.snapshot(), "blank")
    assert [c.pixels for c in found] == [400, 25]
    assert (found[0].below, found[0].above) == ("Gland", "Lumen")


def test_r16_an_eraser_settles_a_conflict(project):
    project.annotate("blank", Rectangle(10, 10, 20, 20), "Gland")
    project.annotate("blank", Rectangle(10, 10, 20, 20), "Stroma")
    project.erase("blank", Rectangle(10, 10, 10, 20))
    project.annotate("blank", Rectangle(10, 10, 5, 20), "Lumen")
    assert [c.region for c in conflicts(project.snapshot(), "blank")] == [Region(20, 10, 10, 20)]
    project.undo()
    project.erase("blank", Rectangle(0, 0, 90, 90))
    assert conflicts(project.snapshot(), "blank") == []


def test_r16_a_class_painted_back_still_counts(project):
    for name in ("Gland", "Stroma", "Gland"):
        project.annotate("blank", Rectangle(10, 10, 4, 4), name)
    (conflict,) = conflicts(project.snapshot(), "blank")
    assert (conflict.below, conflict.above) == ("Stroma", "Gland")


def test_r16_conflicts_match_a_slow_count():
    rng = np.random.default_rng(0)
    project = Project(CLASSES)
    project.add_image(blank())
    now, under = np.full((90, 120), 255), np.full((90, 120), 255)
    for _ in range(60):
        stroke, k = random_stroke(rng), int(rng.integers(-1, 3))
        alone = Project(CLASSES)
        alone.add_image(blank())
        alone.annotate("blank", stroke, "Stroma")
        mask = alone.label_map("blank") == 0
        if k < 0:
            project.erase("blank", stroke)
            now[mask] = under[mask] = 255
            continue
        project.annotate("blank", stroke, CLASSES[k])
        other = mask & (now != 255) & (now != k)
        under[other] = now[other]
        now[mask] = k
    found = conflicts(project.snapshot(), "blank")
    assert sum(c.pixels for c in found) == (under != 255).sum()
    assert len(found) == ndimage.label(under != 255, np.ones((3, 3)))[1]


def test_conflicts_of_an_unknown_image_are_refused(project):
    with pytest.raises(ImageNameError, match="no image named"):
        conflicts(project.snapshot(), "nothing")
    assert conflicts(project.snapshot(), "blank") == []


def test_pixels_are_counted_across_blocks(monkeypatch):
    from histowidgets.annotations.split import _blocks

    project = painted(20, 200)
    snapshot = project.snapshot()
    whole, region = class_pixels(snapshot, "image 0"), class_pixels(snapshot, "image 0", Region(30, 40, 100, 90))
    total = sum(c.pixels for c in conflicts(snapshot, "image 0"))
    split = split_project(snapshot)
    monkeypatch.setattr(_blocks, "BLOCK", 37)
    np.testing.assert_array_equal(class_pixels(snapshot, "image 0"), whole)
    np.testing.assert_array_equal(class_pixels(snapshot, "image 0", Region(30, 40, 100, 90)), region)
    assert sum(c.pixels for c in conflicts(snapshot, "image 0")) == total
    assert split_project(snapshot) == split
    counts = np.bincount(snapshot.labels("image 0").ravel(), minlength=256)[:3]
    np.testing.assert_array_equal(whole, counts)


def test_a_project_is_split_as_its_snapshot_is(project):
    project.annotate("blank", Rectangle(10, 10, 60, 60), CLASSES[0])
    assert split_project(project, seed=1) == split_project(project.snapshot(), seed=1)
    with pytest.raises(ProjectError, match="it must be a Project"):
        split_project("project")
