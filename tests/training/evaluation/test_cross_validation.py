import math

import pytest

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.images import Region, open_image
from histowidgets.training import cross_validate
from histowidgets.training.evaluation._cross_validation import make_folds
from histowidgets.training.loop import _setup as prepare_module
from tests.training.helpers import painted, quick, striped


def held_of(folds):
    return [(name, region) for split in folds for name, regions in split.held_out.items() for region in regions]


def test_r64_few_images_are_cut_into_rectangles_that_share_no_pixel():
    project = painted(n_images=2, strokes=10)
    snapshot = project.snapshot()
    folds = make_folds(snapshot, quick(), 5)
    held = held_of(folds)
    assert len(held) == 10
    for i, (name, region) in enumerate(held):
        for other, apart in held[i + 1 :]:
            assert name != other or region.intersect(apart) is None
    for name in snapshot.images:
        assert sum(region.area for other, region in held if other == name) == 256 * 256
        for split in folds:
            labelled = sum((snapshot.labels(name, region) != 255).sum() for region in split.held_out[name])
            assert labelled > 0


def test_r64_an_image_is_cut_so_that_each_class_is_on_both_sides():
    """One class on the left and one on the right: across the longer side would leave one to learn from."""
    project = Project(["Dark", "Bright"])
    name = project.add_image(striped(128), name="wide")
    for y in range(10, 120, 20):
        project.annotate(name, Stroke([(10, y), (40, y)], width=6), "Dark")
        project.annotate(name, Stroke([(90, y), (120, y)], width=6), "Bright")
    snapshot = project.snapshot()
    for split in make_folds(snapshot, quick(), 2):
        (region,) = split.held_out[name]
        assert region.width == 128
        assert set(snapshot.labels(name, region).ravel()) == {0, 1, 255}


def test_r64_many_images_are_held_out_whole_each_once():
    project = painted(n_images=5, strokes=2, side=128)
    folds = make_folds(project.snapshot(), quick(), 3)
    held = held_of(folds)
    assert sorted(name for name, _ in held) == sorted(project.image_names)
    assert all((region.width, region.height) == (128, 128) for _, region in held)
    assert all(1 <= sum(bool(r) for r in split.held_out.values()) <= 2 for split in folds)


def test_r64_images_of_a_group_are_held_out_together():
    project = painted(n_images=6, strokes=2, side=128)
    patients = {"image 0": "A", "image 1": "A", "image 2": "A", "image 3": "B", "image 4": "B"}
    folds = make_folds(project.snapshot(), quick(), 3, patients)
    held = [{name for name, regions in split.held_out.items() if regions} for split in folds]
    assert sorted(map(sorted, held)) == [["image 0", "image 1", "image 2"], ["image 3", "image 4"], ["image 5"]]
    with pytest.raises(SettingsError, match="form 3 groups, too few for 4 folds"):
        make_folds(project.snapshot(), quick(), 4, patients)
    with pytest.raises(SettingsError, match="groups names 'image 9', which is not an image"):
        cross_validate(project, quick(), groups={"image 9": "A"})


def test_r64_sides_of_a_fold_read_no_pixel_in_common_context_included(monkeypatch):
    """What training and validation really read of the images, by fold."""
    from histowidgets.images import Image
    from histowidgets.training.evaluation import _inline as here

    read = {"training": [], "validation": []}
    side = ["training"]
    real_read, real_cut, real_loop = Image.read, prepare_module.cut_validation_tiles, here.run_loop

    def listen(image, x, y, width, height, downsample=1):
        read[side[0]].append((image.name, Region(x, y, width, height)))
        return real_read(image, x, y, width, height, downsample)

    def cut(*arguments, **options):
        side[0] = "validation"
        try:
            return real_cut(*arguments, **options)
        finally:
            side[0] = "training"

    def loop(request, *rest):
        read["training"].clear()
        read["validation"].clear()
        real_loop(request, *rest)
        assert read["training"]
        assert read["validation"]
        for name, one in read["training"]:
            for other, two in read["validation"]:
                assert name != other or one.intersect(two) is None

    monkeypatch.setattr(Image, "read", listen)
    monkeypatch.setattr(prepare_module, "cut_validation_tiles", cut)
    monkeypatch.setattr(here, "run_loop", loop)
    answer = cross_validate(painted(strokes=10), quick(epochs=1, rotation=180, scale=1.5), folds=3)
    assert len(answer.folds) == 3


def test_r64_images_for_training_alone_are_never_held_out():
    project = painted(n_images=3, strokes=4, roles=["train", "both", "both"])
    for split in make_folds(project.snapshot(), quick(), 2):
        assert split.held_out["image 0"] == ()


def test_r64_mean_and_deviation_for_each_class():
    told = []
    answer = cross_validate(
        painted(strokes=10), quick(steps_per_epoch=6), folds=3, progress=lambda *what: told.append(what)
    )
    assert not answer.cancelled
    assert [(fold, folds, record["epoch"]) for fold, folds, record in told] == [
        (fold, 3, epoch) for fold in (1, 2, 3) for epoch in (1, 2)
    ]
    values = [fold.record["val_iou"]["Dark"] for fold in answer.folds]
    mean, deviation = answer.iou("Dark")
    assert mean == pytest.approx(sum(values) / 3)
    assert deviation == pytest.approx(math.sqrt(sum((v - mean) ** 2 for v in values) / 2))
    assert 0 < answer.miou()[0] <= 1
    assert "3 of 3 folds" in str(answer)
    assert "Bright" in str(answer)


def test_r64_can_be_cancelled_keeping_finished_folds():
    told = []
    answer = cross_validate(
        painted(strokes=8),
        quick(epochs=1),
        folds=2,
        progress=lambda fold, folds, record: told.append(fold),
        should_stop=lambda: bool(told),
    )
    assert told == [1], "the second fold ends before its first batch"
    assert answer.cancelled
    assert len(answer.folds) == 1
    assert math.isnan(answer.miou()[1])


def test_r64_interrupt_keeps_finished_folds():
    def interrupt(fold, folds, record):
        if fold == 2:
            raise KeyboardInterrupt

    answer = cross_validate(painted(strokes=8), quick(epochs=1), folds=2, progress=interrupt)
    assert len(answer.folds) == 1


def test_too_many_folds_for_the_labels_are_refused():
    with pytest.raises(SettingsError, match="folds is 1; use 2 to 20"):
        cross_validate(painted(), quick(), folds=1)
    project = Project(["Dark", "Bright"])
    name = project.add_image(open_image(striped(), name="image"))
    project.annotate(name, Stroke([(16, 16)], width=4), "Dark")
    project.annotate(name, Stroke([(200, 200)], width=4), "Bright")
    with pytest.raises(TrainingDataError, match="Use fewer folds, or paint more"):
        cross_validate(project, quick(), folds=2)
