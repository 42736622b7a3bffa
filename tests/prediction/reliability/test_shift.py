"""The share of pixels whose class changes when the image is moved (row X1)."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import PredictionCancelled, PredictionError
from histowidgets.prediction.inference import Job
from histowidgets.prediction.tiling import mean_over_symmetries
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


class StripesModel(BrightnessModel):
    """Classes are stripes of 16 columns of the tile, whatever the image: as sensitive to moves as can be."""

    def probabilities(self, batch):
        stripes = (np.arange(batch.shape[3]) // 16 % 2).astype(np.float32)
        bright = np.broadcast_to(stripes, (len(batch), *batch.shape[2:]))
        return np.stack([1 - bright, bright], 1)


def test_x1_the_share_is_that_of_the_stripes_that_a_move_crosses():
    image = picture(128, 256)
    found = hw.shift_sensitivity(brightness_classifier(image, StripesModel(largest_tile=512)), image)
    assert found.pixels == (128 - 16) * (256 - 16)
    assert found.by_move == {(128, 128): 0, (1, 1): pytest.approx(1 / 16), (7, 13): pytest.approx(7 / 16)}
    assert found.changed == pytest.approx(8 / 48)
    assert found.to_dict()["moves"][1] == {"move": [1, 1], "changed": pytest.approx(1 / 16)}


def test_x1_a_model_without_strides_does_not_change():
    image = picture(300, 410)
    assert hw.shift_sensitivity(brightness_classifier(image), image).changed == 0


@pytest.mark.parametrize(("downsample", "pixel_size"), [(2, None), (1, 2.0)])
def test_x1_a_classifier_of_a_coarser_image_is_measured_in_its_own_pixels(downsample, pixel_size):
    image = hw.open_image(picture(256, 512).read(0, 0, 512, 256), pixel_size_um=1.0)
    model = StripesModel(largest_tile=512)
    classifier = brightness_classifier(image, model, downsample=downsample, pixel_size_um=pixel_size)
    found = hw.shift_sensitivity(classifier, image)
    odd = 1 if pixel_size else 0.5
    assert found.by_move[1, 1] == pytest.approx(odd / 16, rel=0.1)


def test_of_a_large_image_windows_are_compared():
    image = picture(2000, 3000)
    model = BrightnessModel(largest_tile=256)
    found = hw.shift_sensitivity(brightness_classifier(image, model), image, max_pixels=50_000)
    assert found.pixels == 223**2
    assert sum(shape[0] for shape in model.shapes) < 4 * 10


def test_eight_views_at_four_phases_are_less_sensitive(quick, sample):
    plain, averaged = (hw.shift_sensitivity(quick, sample, max_pixels=40_000, tta=tta) for tta in (False, True))
    assert averaged.changed < 0.8 * plain.changed


def test_turned_views_are_moved_and_moved_back():
    """A model that answers with its input gets its input back, also where a view was pushed over the edge."""
    batch = np.random.default_rng(0).random((2, 3, 32, 64), np.float32)
    np.testing.assert_allclose(mean_over_symmetries(lambda x: x, batch, lambda: None), batch, atol=1e-6)
    slope = np.add.outer(np.arange(32.0), np.arange(64.0)).astype(np.float32)[None, None]

    def halved(x):
        return x.reshape(1, 1, x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5))

    found = mean_over_symmetries(halved, slope, lambda: None)
    np.testing.assert_allclose(found[..., 4:-4, 4:-4], halved(slope)[..., 4:-4, 4:-4], atol=1e-4)


def test_moved_tiles_leave_the_place_of_each_pixel(sample):
    from dataclasses import replace

    from histowidgets.prediction.inference import predict_region

    image = picture(200, 210)
    job = Job.of(brightness_classifier(image, BrightnessModel(output_stride=2)).spec, image)
    plain, moved = (predict_region(replace(job, moved=move)).probabilities for move in ((0, 0), (6, 10)))
    np.testing.assert_allclose(plain[16:-16, 16:-16], moved[16:-16, 16:-16], atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_pixels": 0}, "max_pixels is 0"),
        ({"max_pixels": 2.5}, "max_pixels is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"overlap": 2}, "overlap is 2"),
        ({"unknown": 1}, "no option 'unknown'"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    image = picture(64, 64)
    with pytest.raises(PredictionError, match=message):
        hw.shift_sensitivity(brightness_classifier(image), image, **wrong)


def test_an_image_without_data_is_named_and_a_stop_stops():
    pixels = np.full((64, 64), np.nan, np.float32)
    pixels[0, 0] = 1
    image = hw.open_image(pixels, name="empty")
    classifier = brightness_classifier(hw.open_image(picture(64, 64, 1).read(0, 0, 64, 64).astype(np.float32)))
    with pytest.raises(PredictionError, match="'empty' has no data"):
        hw.shift_sensitivity(classifier, image)
    other = picture(64, 64)
    with pytest.raises(PredictionCancelled):
        hw.shift_sensitivity(brightness_classifier(other), other, should_stop=lambda: True)
