"""What is asked for, checked and planned once."""

from dataclasses import replace

import pytest

from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import PredictOptions
from histowidgets.prediction.inference import Job, _job, _to_disk
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.fixture
def planned(monkeypatch):
    """The regions that tiles were planned for."""
    regions, real = [], _job.plan_grids

    def plan(needs, region, *more):
        regions.append(region)
        return real(needs, region, *more)

    monkeypatch.setattr(_job, "plan_grids", plan)
    return regions


def test_tiles_are_planned_once_in_a_prediction(planned):
    image = picture(150, 200)
    classifier = brightness_classifier(image)
    for options in ({}, {"probabilities": False}, {"grids": 4}):
        classifier.predict(image, **options)
        assert planned == [image.region]
        planned.clear()


def test_each_block_on_disk_has_the_tiles_of_the_whole_image(planned, monkeypatch, tmp_path):
    monkeypatch.setattr(_to_disk, "BLOCK_SIDE", 96)
    image = picture(150, 200)
    brightness_classifier(image).predict_to(image, tmp_path / "labels.zarr", blur_px=2)
    assert set(planned) == {image.region}
    assert len(planned) == 1 + 2 * 3  # the whole, and each block


def test_a_changed_job_is_planned_again():
    image = picture(150, 200)
    job = Job.of(brightness_classifier(image, BrightnessModel(largest_tile=32)).spec, image)
    part = replace(job, region=Region(0, 0, 32, 32))
    assert part.n_tiles < job.n_tiles
    assert job.plans is job.plans


def test_what_cannot_be_predicted_is_refused_before_the_work():
    image = picture(60, 80)
    spec = brightness_classifier(image).spec
    with pytest.raises(RegionError, match="four whole numbers"):
        Job.of(spec, image, (0, 0, 10))
    with pytest.raises(PredictionError, match="the only pixels that may be read"):
        Job.of(spec, image, None, None, (0, 0, 10, 10))
    with pytest.raises(PredictionError, match="blur_um needs the pixel size"):
        Job.of(spec, image, None, PredictOptions(blur_um=1))
