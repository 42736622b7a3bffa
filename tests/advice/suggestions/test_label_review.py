"""The review finds what is wrong: a label painted as another class comes first, and only labelled pixels count."""

import math
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.advice import LabelReview, find_label_errors
from histowidgets.errors import AdviceError


class Halves:
    """A classifier that sees Dark at the left of x = 64 and Bright at the right, 90 % sure."""

    classes = ("Dark", "Bright")
    tile_size, downsample = 32, 1

    def __init__(self, held_out=()):
        self.trained_on = {"held_out": {"image": list(held_out)}}

    def predict(self, image, region):
        right = np.arange(region.x, region.right) >= 64
        bright = np.broadcast_to(np.where(right, 0.9, 0.1), (region.height, region.width))
        probabilities = np.stack([1 - bright, bright], axis=-1)
        return type("P", (), {"probabilities": probabilities, "labels": (bright > 0.5).astype(np.uint8)})


@pytest.fixture
def project():
    project = hw.Project(["Dark", "Bright"])
    project.add_image(np.zeros((128, 128, 3), np.uint8), name="image")
    project.annotate("image", hw.Rectangle(4, 4, 20, 20), "Dark")
    project.annotate("image", hw.Rectangle(100, 4, 20, 20), "Bright")
    project.annotate("image", hw.Rectangle(4, 100, 10, 20), "Bright")  # wrong
    project.annotate("image", hw.Rectangle(14, 100, 10, 20), "Dark")
    return project


def test_n6_tiles_are_ranked_by_loss_over_labelled_pixels(project):
    found = find_label_errors(project, Halves(held_out=[(96, 0, 32, 32)]))
    assert tuple(found.tiles[0].region) == (0, 96, 32, 32)
    worst, *right = found.tiles
    assert len(right) == 2
    assert worst.loss == pytest.approx((-math.log(0.1) - math.log(0.9)) / 2, abs=1e-3)
    assert worst.disagreement == 0.5
    assert worst.class_iou == {"Dark": 0.5, "Bright": 0.0}
    assert worst.iou == 0.25
    assert worst.n_labelled == 400
    for tile in right:
        assert tile.loss == pytest.approx(-math.log(0.9), abs=1e-3)
        assert (tile.disagreement, tile.iou) == (0.0, 1.0), "unlabelled pixels count for nothing (B3)"
    assert {tuple(tile.region): tile.held_out for tile in found.tiles}[96, 0, 32, 32]
    assert not worst.held_out


def test_n6_cells_of_the_confusion_matrix_list_their_tiles(project):
    found = find_label_errors(project, Halves())
    np.testing.assert_array_equal(found.confusion, [[600, 0], [200, 400]])
    assert found.class_iou() == {"Dark": 0.75, "Bright": pytest.approx(2 / 3)}
    assert found.tiles_of("Bright", "Dark") == [found.tiles[0]]
    assert found.tiles_of("Dark", "Bright") == []
    assert len(found.tiles_of("Dark", "Dark")) == 2
    with pytest.raises(AdviceError, match="no class 'Fat'"):
        found.tiles_of("Fat", "Dark")


def test_the_heat_is_where_the_label_is_unlikely(project):
    worst = find_label_errors(project, Halves()).tiles[0]
    assert worst.heat.shape == (32, 32)
    assert worst.heat[10, 8] == pytest.approx(0.9)
    assert worst.heat[10, 20] == pytest.approx(0.1)
    assert np.isnan(worst.heat[0, 0])


def test_the_fingerprint_changes_with_the_labels_of_its_tile_alone(project):
    before = {tuple(tile.region): tile.fingerprint for tile in find_label_errors(project, Halves()).tiles}
    project.annotate("image", hw.Rectangle(4, 100, 10, 20), "Dark")
    after = {tuple(tile.region): tile.fingerprint for tile in find_label_errors(project, Halves()).tiles}
    assert [place for place in before if before[place] != after[place]] == [(0, 96, 32, 32)]


def test_it_can_be_stopped_and_tells_how_far_it_is(project):
    told = []
    found = find_label_errors(
        project, Halves(), progress=lambda *done: told.append(done), should_stop=lambda: len(told) == 2
    )
    assert isinstance(found, LabelReview)
    assert (len(found.tiles), told) == (2, [(1, 3), (2, 3)])


def test_what_cannot_be_reviewed_says_why(project):
    project.add_class("Third")
    with pytest.raises(AdviceError, match="train again"):
        find_label_errors(project, Halves())
    empty = hw.Project(["Dark", "Bright"])
    empty.add_image(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(AdviceError, match="Nothing is labelled"):
        find_label_errors(empty, Halves())


def test_a_real_classifier_is_reviewed_and_the_wrong_stroke_comes_first():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (96, 128, 3)).astype(np.uint8)
    pixels[:, 64:] += 150
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(pixels, name="image")
    for y in (20, 50, 80):
        project.annotate(name, hw.Stroke([(8, y), (50, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (120, y)], width=6), "Bright")
    classifier = hw.quick_classifier(project)
    project.annotate(name, hw.Stroke([(100, 35), (120, 35)], width=4), "Dark")
    classifier = hw.Classifier(replace(classifier.spec, tile_size=32, downsample=1))
    found = find_label_errors(project, classifier)
    assert found.tiles[0].region == (96, 32, 32, 32)
    assert found.tiles[0].disagreement > 0.3


def test_annotations_that_are_mostly_predicted_as_another_class_are_listed(project):
    half = project.annotate("image", hw.Rectangle(54, 60, 20, 8), "Bright")  # half of it is right
    most = project.annotate("image", hw.Rectangle(44, 80, 25, 8), "Bright")  # 20 of 25 columns are wrong
    covered = project.annotate("image", hw.Rectangle(80, 50, 40, 8), "Dark")
    project.annotate("image", hw.Rectangle(85, 50, 40, 8), "Bright")  # which leaves 5 columns of it
    project.erase("image", hw.Rectangle(80, 50, 2, 8))  # and 3
    listed = find_label_errors(project, Halves()).contradicted
    wrong = project.annotations("image")[2].id
    assert [(one.id, one.class_name, one.predicted, one.n_pixels) for one in listed] == [
        (wrong, "Bright", "Dark", 200),
        (most, "Bright", "Dark", 200),
        (covered, "Dark", "Bright", 24),
    ]
    assert half not in [one.id for one in listed]
    assert [one.share for one in listed] == [1.0, 0.8, 1.0]
    assert tuple(listed[1].region) == (44, 80, 25, 8)
    project.reclassify(most, listed[1].predicted)
    assert most not in [one.id for one in find_label_errors(project, Halves()).contradicted]


def test_more_annotations_than_a_label_map_has_numbers_are_told_apart(project):
    ids = [project.annotate("image", hw.Rectangle(40 + k % 20, 40 + k // 20, 1, 1), "Bright") for k in range(300)]
    listed = find_label_errors(project, Halves()).contradicted
    assert {one.id for one in listed} >= set(ids)
    assert {one.n_pixels for one in listed if one.id in ids} == {1}
