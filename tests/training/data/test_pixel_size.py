"""All images of a project are trained on at one pixel size."""

import warnings

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Split
from histowidgets.errors import HistowidgetsWarning, SettingsError, TrainingDataError
from histowidgets.images import Region
from histowidgets.training import TrainingSettings, start_training
from histowidgets.training.data import at_common_pixel_size, common_pixel_size, make_request
from tests.training.helpers import quick


def halves(scale=1.0, um=None, name="image", seed=0):
    """An image whose right half is bright, of 128 x 96 pixels times `scale`."""
    height, width = round(96 * scale), round(128 * scale)
    pixels = np.random.default_rng(seed).integers(0, 60, (height, width, 3)).astype(np.uint8)
    pixels[:, width // 2 :] += 150
    return hw.open_image(pixels, name=name, pixel_size_um=um)


def project_of(*sizes):
    """A project of images of the same tissue, of these pixel sizes (None: 0.5, not known)."""
    project = hw.Project(["Dark", "Bright"])
    for number, um in enumerate(sizes):
        s = 0.5 / (um or 0.5)
        name = project.add_image(halves(s, um, f"image {number}", number))
        for y in range(10, 90, 16):
            project.annotate(name, hw.Stroke([(8 * s, y * s), (50 * s, y * s)], width=6 * s), "Dark")
            project.annotate(name, hw.Stroke([(76 * s, y * s), (120 * s, y * s)], width=6 * s), "Bright")
    return project


def sized(*sizes):
    return [halves(um=um) for um in sizes]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0.5, 0.25, 0.5), 0.5),
        ((0.25, 0.5), 0.5),  # of two, the one that invents no detail
        ((0.25, 0.25, 1.0), 0.25),
        ((0.5, 0.52, 0.52), 0.5),  # as good as the same: that of the first
        ((None, 0.25), 0.25),
        ((None, None), None),
    ],
)
def test_the_pixel_size_of_training_is_the_median(sizes, expected):
    assert common_pixel_size(sized(*sizes)) == expected


def test_images_of_one_size_are_left_as_they_are():
    snapshot = project_of(0.5, 0.52, None).snapshot()
    working = at_common_pixel_size(snapshot)
    assert working.snapshot is snapshot
    assert (working.pixel_size_um, working.resampled, working.unknown) == (0.5, (), ("image 2",))
    split = Split({"image 0": (Region(3, 4, 5, 6),)})
    assert working.training_split(split) is split
    assert working.validation_split(split) is split


@pytest.mark.parametrize("um", [0.25, 0.3, 1.0])
def test_annotations_follow_their_image(um):
    snapshot = project_of(0.5, 0.5, um).snapshot()
    working = at_common_pixel_size(snapshot)
    assert working.resampled == ("image 2",)
    seen = working.snapshot
    assert (seen.images["image 2"].width, seen.images["image 2"].height) == (128, 96)
    a, b = (seen.labels(name) for name in ("image 0", "image 2"))
    # What was drawn at another scale covers the same tissue.
    assert (a != b).mean() < 0.01
    pixels = seen.images["image 2"].read(0, 0, 128, 96)
    assert pixels[:, 68:].mean() - pixels[:, :60].mean() == pytest.approx(150, abs=2)


def test_shapes_of_every_kind_are_scaled():
    shapes = [
        hw.Stroke([(1, 2), (3, 4)], width=[2, 4]),
        hw.Line([(1, 2), (3, 4)], width=5),
        hw.Polygon([(0, 0), (4, 0), (4, 4)], [[(1, 1), (2, 1), (2, 2)]]),
        hw.Rectangle(1, 2, 3, 4),
    ]
    for shape in shapes:
        left, top, right, bottom = shape.bounds
        np.testing.assert_allclose(shape.scaled(2, 2).bounds, (2 * left, 2 * top, 2 * right, 2 * bottom))
        np.testing.assert_allclose(shape.scaled(2, 2).scaled(0.5, 0.5).bounds, shape.bounds)
    wide = hw.Rectangle(1, 2, 3, 4).scaled(2, 0.5)
    assert wide.bounds == (2, 1, 8, 3)
    assert hw.Stroke([(1, 2)], width=8).scaled(4, 1).width == 16


@pytest.mark.parametrize("um", [0.3, 1.3])
def test_what_is_held_out_is_not_read_by_training_nor_more_by_validation(um):
    working = at_common_pixel_size(project_of(0.5, 0.5, um).snapshot())
    image = working.snapshot.images["image 2"]
    held = Region(11, 13, 30, 21)
    split = Split({"image 2": (held,)})
    (outer,), (inner,) = (
        one.held_out["image 2"] for one in (working.training_split(split), working.validation_split(split))
    )
    assert outer.contains(inner)
    pixels = image.image.read(*image.image.region)
    other = pixels.copy()
    other[held.y : held.bottom, held.x : held.right] = 255 - other[held.y : held.bottom, held.x : held.right]
    changed = hw.open_image(other, pixel_size_um=um)
    seen = hw.images.at_pixel_size(changed, 0.5)
    differs = (seen.read(*seen.region) != image.read(*image.region)).any(-1)
    # Training reads none of the pixels that what is held out goes into; validation reads only those that are all of it.
    mask = np.zeros(differs.shape, bool)
    mask[outer.y : outer.bottom, outer.x : outer.right] = True
    assert not (differs & ~mask).any()
    outside = np.where(np.ones_like(pixels), 0, pixels)
    outside[held.y : held.bottom, held.x : held.right] = pixels[held.y : held.bottom, held.x : held.right]
    alone = hw.images.at_pixel_size(hw.open_image(outside, pixel_size_um=um), 0.5)
    np.testing.assert_array_equal(alone.read(*inner), image.read(*inner))


def test_a_run_says_so_and_its_classifier_knows_the_size():
    request = make_request(project_of(0.5, 0.25, 0.5, None), quick())
    said = {message.text: message.level for message in request.messages}
    resampled = "Training uses 0.5 µm per pixel. Resampled images: image 1 (0.25)."
    assert said[resampled] == "info"
    unknown = next(text for text in said if "is not known" in text)
    assert said[unknown] == "warning"
    assert unknown.startswith("The pixel size of image 3 is not known: it is assumed to be 0.5 µm")
    run = start_training(project_of(0.5, 0.25), quick(epochs=1, pixel_size_um=0.25))
    run.wait()
    assert run.error is None
    assert run.classifier.pixel_size_um == 0.25


def test_what_is_continued_keeps_the_size_that_was_learned():
    run = start_training(project_of(0.5), quick(epochs=1))
    run.wait()
    finer = project_of(0.25)
    request = make_request(finer, quick(), continue_from=run.classifier)
    assert (request.working.pixel_size_um, request.start is not None) == (0.5, True)
    other = make_request(finer, quick(pixel_size_um=0.25), continue_from=run.classifier)
    assert other.start is None
    assert any("works at 0.5 µm per pixel, the settings at 0.25" in message.text for message in other.messages)


def test_sizes_far_apart_are_refused():
    project = project_of(0.5)
    name = project.add_image(halves(1, 50.0, "overview"))
    project.annotate(name, hw.Stroke([(5, 5)]), "Dark")
    with pytest.raises(TrainingDataError, match=r"'overview'.*times apart.*erase its annotations"):
        make_request(project, quick(pixel_size_um=0.5))
    with pytest.raises(TrainingDataError, match="times apart"):
        hw.quick_classifier(project)
    with pytest.raises(SettingsError, match="pixel_size_um"):
        TrainingSettings(pixel_size_um=0)


def test_the_quick_learner_learns_at_one_size_and_finds_it_again():
    project = project_of(0.5, 0.25, 0.5)
    classifier = hw.quick_classifier(project)
    assert classifier.pixel_size_um == 0.5
    for um in (0.5, 0.25, 0.4):
        image = halves(0.5 / um, um, seed=9)
        labels = classifier.predict(image).labels
        truth = np.zeros(labels.shape, np.uint8)
        truth[:, image.width // 2 :] = 1
        assert labels.shape == (image.height, image.width)
        assert (labels == truth).mean() > 0.97
    assert hw.quick_classifier(project, pixel_size_um=0.25).pixel_size_um == 0.25


def test_the_quick_learner_warns_of_a_size_that_is_not_known():
    with pytest.warns(HistowidgetsWarning, match="pixel size of image 1 is not known"):
        classifier = hw.quick_classifier(project_of(0.5, None))
    assert classifier.pixel_size_um == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hw.quick_classifier(project_of(None, None)).pixel_size_um is None
