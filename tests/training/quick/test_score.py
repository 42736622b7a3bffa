"""The score while a person annotates: every stroke held out once, from a learner that has not seen it."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import class_pixels
from histowidgets.errors import SettingsError
from histowidgets.training import quick_score
from histowidgets.training.loop._metrics import Confusion
from histowidgets.training.quick._learner import held_out_pairs, quick_classifier

SIDE = 192


def _tissue(seed=0):
    """Left half bright and striped, right half dark and smooth, mirrored below."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    first = (columns < SIDE // 2) ^ (rows >= SIDE // 2)
    base = np.where(first, 190 + 40 * np.sin(rows / 3), 80)
    return np.clip(base[..., None] + rng.normal(0, 8, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def _quarters(project, name, first="Bright", second="Dark", per_quarter=3, seed=0):
    """Paint strokes in each quarter of the image with the class that is there."""
    rng = np.random.default_rng(seed)
    half = SIDE // 2
    for top in (0, half):
        for left in (0, half):
            bright = (left < half) ^ (top >= half)
            for _ in range(per_quarter):
                x, y = left + rng.uniform(12, half - 34), top + rng.uniform(12, half - 12)
                project.annotate(name, hw.Stroke([(x, y), (x + 20, y)], width=6), first if bright else second)


def _project():
    project = hw.Project(["Bright", "Dark"])
    name = project.add_image(hw.open_image(_tissue(), name="tissue"))
    _quarters(project, name)
    return project


@pytest.fixture
def project():
    return _project()


@pytest.fixture(scope="module")
def scored():
    project = _project()
    return project, quick_score(project)


def test_every_label_is_held_out_once_and_never_learned_from(scored):
    """Rows B3 and B10."""
    project, score = scored
    assert score.miou > 0.9
    assert score.strokes == 12
    snapshot, image = project.snapshot(), project.image("tissue")
    held = [region for part in score.parts for region in part.held_out["tissue"]]
    assert sum(region.area for region in held) == image.width * image.height
    assert not any(a.intersect(b) for i, a in enumerate(held) for b in held[:i])
    assert sum(class_pixels(snapshot, "tissue", r) for r in held).tolist() == class_pixels(snapshot, "tissue").tolist()
    for part in score.parts:
        learned = sum(quick_classifier(snapshot, split=part, score=False).trained_on["labelled_pixels"].values())
        hidden = sum(class_pixels(snapshot, "tissue", r).sum() for r in part.held_out["tissue"])
        # The learner takes its labels at half the size, so each counts four times, give or take an edge.
        assert learned == pytest.approx(class_pixels(snapshot, "tissue").sum() - hidden, rel=0.1)


def test_labels_that_say_nothing_score_as_chance_though_they_are_learned_by_heart():
    project = hw.Project(["One", "Other"])
    name = project.add_image(
        hw.open_image(
            np.full((SIDE, SIDE, 3), 128, np.uint8)
            + np.random.default_rng(0).integers(0, 9, (SIDE, SIDE, 3)).astype(np.uint8),
            name="noise",
        )
    )
    rng = np.random.default_rng(1)
    for number in range(40):
        x, y = rng.uniform(10, SIDE - 30, 2)
        project.annotate(name, hw.Stroke([(x, y), (x + 14, y)], width=5), ("One", "Other")[number % 2])
    assert quick_score(project).miou < 0.55


def test_a_class_that_is_in_one_place_alone_is_not_measured(project):
    """Row B12."""
    project.add_class("Rare")
    project.annotate("tissue", hw.Stroke([(20, 20), (40, 20)], width=6), "Rare")
    score = quick_score(project)
    assert score.iou["Rare"] is None
    assert score.strokes == 12, "its stroke does not count"
    assert score.miou == pytest.approx(np.mean([score.iou["Bright"], score.iou["Dark"]]))


def test_it_is_the_sum_over_the_parts(scored):
    project, score = scored
    snapshot = project.snapshot()
    confusion = Confusion(2)
    for part in score.parts:
        learner = quick_classifier(snapshot, split=part, score=False)
        for found, truth in held_out_pairs(learner, snapshot, part):
            for k in range(2):
                for j in range(2):
                    confusion.counts[k, j] += int(((truth == k) & (found == j)).sum())
    assert list(score.iou.values()) == pytest.approx(confusion.iou())


def test_parts_are_kept_while_they_fit(scored, project):
    _, first = scored
    project.annotate("tissue", hw.Stroke([(30, 60), (50, 60)], width=6), "Bright")
    second = quick_score(project, previous=first)
    assert second.parts == first.parts
    assert second.strokes == 13
    for number in range(40):  # all in one corner: that part would hold nearly everything
        project.annotate("tissue", hw.Stroke([(10 + number, 10), (12 + number, 12)], width=4), "Bright")
    assert quick_score(project, previous=second).parts != first.parts


def test_roles_are_kept(project):
    project.add_image(hw.open_image(_tissue(1), name="unseen"), role="validation")
    project.add_image(hw.open_image(_tissue(2), name="learned"), role="train")
    _quarters(project, "unseen", per_quarter=1, seed=1)
    _quarters(project, "learned", per_quarter=1, seed=2)
    score = quick_score(project)
    assert [part.held_out["learned"] for part in score.parts] == [()] * 4
    assert [bool(part.held_out["unseen"]) for part in score.parts] == [True, False, False, False]
    assert score.strokes == 12 + 4


def test_too_little_to_hold_out_gives_none():
    project = hw.Project(["Bright", "Dark"])
    name = project.add_image(hw.open_image(_tissue(), name="tissue"))
    assert quick_score(project) is None
    project.annotate(name, hw.Stroke([(20, 20), (40, 20)], width=6), "Bright")
    project.annotate(name, hw.Stroke([(160, 20), (180, 20)], width=6), "Dark")
    assert quick_score(project) is None


def test_it_can_be_given_up_and_checks_its_folds(project):
    assert quick_score(project, should_stop=lambda: True) is None
    with pytest.raises(SettingsError, match="2 to 20"):
        quick_score(project, folds=1)


def test_an_image_without_annotations_may_have_other_channels(scored, project):
    project.add_image(hw.open_image(_tissue()[..., 0], name="gray"))
    assert quick_score(project).miou == pytest.approx(scored[1].miou, abs=0.05)
