"""Predictions turned into annotations: which pixels become labels, and that one undo takes them back."""

import numpy as np
import pytest
from scipy import ndimage

import histowidgets as hw
from histowidgets.annotations import UNLABELLED
from histowidgets.errors import PredictionCancelled, PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import Prediction

CLASSES = ["Stroma", "Gland", "Artefact*"]
COLORS = ["#d55e00", "#0072b2", "#999999"]
SIDE = 60


@pytest.fixture(scope="module")
def likely():
    """Smooth random probabilities of three classes, in areas of some size."""
    noise = np.random.default_rng(4).normal(size=(3, SIDE, SIDE))
    smooth = np.exp(25 * np.stack([ndimage.gaussian_filter(one, 3) for one in noise], axis=-1))
    return (smooth / smooth.sum(-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def prediction(likely):
    region = Region(10, 20, SIDE, SIDE)
    return Prediction(likely, classes=CLASSES, colors=COLORS, region=region, pixel_size_um=0.5, image_name="a")


@pytest.fixture
def project():
    project = hw.Project(CLASSES)
    project.add_image(np.zeros((100, 90, 3), np.uint8), name="a")
    return project


def painted(project):
    """Return the labels of the predicted region."""
    return project.label_map("a")[20 : 20 + SIDE, 10 : 10 + SIDE]


def large_enough(accepted, labels, least):
    """Return the accepted pixels in areas of one class of at least so many pixels."""
    kept = np.zeros(accepted.shape, bool)
    for k in range(len(CLASSES)):
        numbered, n = ndimage.label(accepted & (labels == k))
        for i in range(1, n + 1):
            if (numbered == i).sum() >= least:
                kept |= numbered == i
    return kept


def test_exactly_the_accepted_pixels_are_labelled_in_one_step_of_undo(prediction, project, likely):
    labels = likely.argmax(-1)
    steps = np.rint(likely.max(-1) * 255)
    accepted = (steps >= 0.6 * 255) & (labels != 2)
    expected = np.where(large_enough(accepted, labels, 5 / 0.25), labels, UNLABELLED)
    found = prediction.annotations(min_probability=0.6, min_area_um2=5)
    project.paste("a", found)
    np.testing.assert_array_equal(painted(project), expected)
    assert 0.2 < (expected != UNLABELLED).mean() < 0.8, "the case must be able to fail"
    assert project.undo()
    assert project.annotations("a") == ()


def test_classes_and_a_place_can_be_chosen(prediction, project, likely):
    labels = likely.argmax(-1)
    place = Region(20, 30, 25, 31)  # in pixels of the image
    project.paste("a", prediction.annotations(["Gland"], within=place, min_area_um2=0))
    inside = np.zeros(labels.shape, bool)
    inside[10:41, 10:35] = True
    np.testing.assert_array_equal(painted(project) == 1, inside & (labels == 1))
    assert set(np.unique(painted(project))) == {1, UNLABELLED}
    project.undo()
    circle = hw.Stroke([(40, 50)], width=31)
    project.paste("a", prediction.annotations(within=circle, min_area_um2=0))
    yy, xx = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = np.hypot(xx + 10 - 40, yy + 20 - 50) <= 15.5
    np.testing.assert_array_equal(painted(project) != UNLABELLED, inside & (labels != 2))


def test_existing_labels_stay_as_they_were_drawn(prediction, project, likely):
    labels = likely.argmax(-1)
    project.annotate("a", hw.Rectangle(15, 25, 20, 40), "Gland")
    project.erase("a", hw.Rectangle(20, 30, 5, 5))
    before = painted(project).copy()
    project.paste("a", prediction.annotations(existing=project.annotations("a"), min_area_um2=0))
    free = np.where(labels == 2, UNLABELLED, labels)
    np.testing.assert_array_equal(painted(project), np.where(before != UNLABELLED, before, free))


def test_the_blocks_of_a_prediction_on_disk_make_no_difference(prediction, project, monkeypatch):
    whole = [(one.class_name, one.shape.to_dict()) for one in prediction.annotations(min_probability=0.5)]
    monkeypatch.setattr("histowidgets.prediction.results._base.BLOCK_SIDE", 17)
    in_blocks = prediction.annotations(min_probability=0.5)
    assert len(in_blocks) == len(whole)
    project.paste("a", in_blocks)
    first = painted(project).copy()
    project.undo()
    monkeypatch.undo()
    project.paste("a", prediction.annotations(min_probability=0.5))
    np.testing.assert_array_equal(painted(project), first)


def test_selected_annotations_are_replaced_in_the_same_step(prediction, project):
    frame = project.annotate("a", hw.Rectangle(20, 30, 30, 30), "Stroma")
    found = prediction.annotations(within=project.annotation(frame))
    project.paste("a", found, replacing=frame)
    assert frame not in [one.id for one in project.annotations("a")]
    assert len(project.annotations("a")) == len(found) > 0
    project.undo()
    assert [one.id for one in project.annotations("a")] == [frame]
    project.redo()
    assert len(project.annotations("a")) == len(found)


def test_replacing_is_kept_in_the_journal(prediction, tmp_path):
    with_folder = hw.Project(CLASSES, folder=tmp_path / "p")
    with_folder.add_image(np.zeros((100, 90, 3), np.uint8), name="a")
    frame = with_folder.annotate("a", hw.Rectangle(20, 30, 30, 30), "Stroma")
    with_folder.paste("a", prediction.annotations(within=with_folder.annotation(frame)), replacing=[frame])
    ids = [one.id for one in with_folder.annotations("a")]
    with_folder.close()
    again = hw.Project.open(tmp_path / "p")
    assert [one.id for one in again.annotations("a")] == ids
    again.close()


def test_bad_input_is_named(prediction, likely):
    with pytest.raises(PredictionError, match="no class 'Fat'; the classes are Stroma, Gland"):
        prediction.annotations(["Fat"])
    with pytest.raises(PredictionError, match="pass a list of classes"):
        prediction.annotations("Gland")
    for value in (-0.1, 1.1, float("nan"), "high"):
        with pytest.raises(PredictionError, match="min_probability is"):
            prediction.annotations(min_probability=value)
    with pytest.raises(PredictionError, match="min_area_um2"):
        prediction.annotations(min_area_um2=-1)
    with pytest.raises(RegionError, match="outside the predicted region"):
        prediction.annotations(within=(500, 500, 10, 10))
    with pytest.raises(PredictionError, match="existing must be annotations"):
        prediction.annotations(existing=["x"])
    bare = Prediction(
        None,
        classes=CLASSES,
        colors=COLORS,
        region=prediction.region,
        labels=likely.argmax(-1).astype(np.uint8),
    )
    with pytest.raises(PredictionError, match="labels only"):
        bare.annotations(min_probability=0.5)
    assert bare.annotations()
    with pytest.raises(PredictionCancelled):
        prediction.annotations(should_stop=lambda: True)
    assert prediction.annotations(min_probability=1.0) == []
