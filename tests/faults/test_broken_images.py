"""Images that break while they are in use, and numbers that are none: the kernel lives and the image is named."""

import os

import numpy as np
import pytest
import tifffile

from histowidgets.annotations import Project, Stroke
from histowidgets.errors import ImageError, ImageOpenError, ImageValueError, TrainingError
from histowidgets.images import open_image
from histowidgets.training import RunFailed, quick_classifier, start_training, train
from histowidgets.training.loop import _trainer as loop_module
from histowidgets.training.runs import _run as run_module
from tests.prediction.models import brightness_classifier
from tests.training.helpers import QUICK, painted, quick, striped

LAYOUTS = {
    "tiles": {"tile": (64, 64), "compression": "zlib"},
    "plain": {},
    "strips": {"rowsperstrip": 16, "compression": "lzw"},
}


@pytest.fixture(params=LAYOUTS)
def slide(request, tmp_path, monkeypatch):
    """A TIFF that is read in parts."""
    monkeypatch.setattr("histowidgets.images.readers._tiff.EAGER_BYTES", 0)
    path = tmp_path / "slide.tif"
    tifffile.imwrite(path, striped(512), photometric="rgb", **LAYOUTS[request.param])
    return path


def cut_in_the_middle(path):
    os.truncate(path, path.stat().st_size // 3)


def project_on(path, side=512):
    project = Project(["Dark", "Bright"])
    name = project.add_image(path)
    for i in range(12):
        x, y = 32 * i % side + 16, 20 + (side - 60) * i // 12
        project.annotate(name, Stroke([(x, y), (x + 3, y + 20)], width=8), ["Dark", "Bright"][i % 2])
    return project, name


def test_an_image_cut_in_the_middle_while_it_is_predicted_is_named(slide, monkeypatch):
    monkeypatch.setattr("histowidgets._byte_cache.ByteCache.put", lambda self, key, value: None)
    image = open_image(slide)
    classifier = brightness_classifier(image)
    ask = classifier.model.probabilities

    def cut_and_ask(batch):
        if len(classifier.model.shapes) == 2:
            cut_in_the_middle(slide)
        return ask(batch)

    monkeypatch.setattr(classifier.model, "probabilities", cut_and_ask)
    size = slide.stat().st_size
    with pytest.raises(ImageError, match=rf"slide.tif is truncated: it has {size // 3:,} bytes"):
        classifier.predict(image)


def test_an_image_cut_in_the_middle_while_it_is_trained_on_ends_the_run_with_a_reason(slide, monkeypatch):
    project, _ = project_on(slide)
    drawn = project.count()
    monkeypatch.setattr("histowidgets._byte_cache.ByteCache.put", lambda self, key, value: None)
    measure = run_module.fitted_normalization

    def measure_and_cut(request):
        normalization = measure(request)
        cut_in_the_middle(slide)
        return normalization

    monkeypatch.setattr(run_module, "fitted_normalization", measure_and_cut)
    run = start_training(project, quick(pretrained=False))
    assert run.wait(120) == "failed"
    reason = next(event.reason for event in run.events if isinstance(event, RunFailed))
    assert "slide.tif is truncated" in reason
    assert "Copy it again" in reason
    assert project.count() == drawn
    with pytest.raises(ImageOpenError, match="truncated"):
        open_image(slide)


def bad_float_project(value):
    pixels = striped(256).astype(np.float32)
    pixels[100:104, 180:184] = value
    return pixels


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused_wherever_they_turn_up(tmp_path, monkeypatch, value):
    pixels = bad_float_project(value)
    with pytest.raises(ImageValueError, match="infinite"):
        open_image(pixels)
    path = tmp_path / "holes.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(64, 64), compression="zlib")
    monkeypatch.setattr("histowidgets.images.readers._tiff.EAGER_BYTES", 0)
    project, _ = project_on(path, 256)
    with pytest.raises(ImageValueError, match="holes"):
        quick_classifier(project)
    with pytest.raises((ImageValueError, TrainingError), match="holes"):
        train(project, quick(pretrained=False))


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was_best(monkeypatch, value):
    step, made = loop_module.Trainer.take_step, []

    def sometimes(self, scores):
        made.append(1)
        return value if len(made) > QUICK["steps_per_epoch"] else step(self, scores)

    monkeypatch.setattr(loop_module.Trainer, "take_step", sometimes)
    run = start_training(painted(side=128, strokes=3), quick(epochs=5, pretrained=False))
    assert run.wait(120) == "failed"
    assert isinstance(run.error, TrainingError)
    assert "Lower the learning rate" in str(run.error)
    assert run.best_epoch == 1
    assert run.classifier is not None
    weights = run.classifier.model.tensors().values()
    assert all(np.isfinite(tensor).all() for tensor in weights)
