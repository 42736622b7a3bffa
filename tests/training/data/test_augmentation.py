import math

import numpy as np
import pytest
import torch
from skimage.color import hed_from_rgb

from histowidgets.images import Normalization, open_image
from histowidgets.training import TrainingSettings
from histowidgets.training.data._augmentation import (
    HED_FROM_RGB,
    Augmentation,
    Geometry,
    cut_tile,
    deform,
    draw_geometry,
    vary_color,
)
from histowidgets.training.data._normalization import is_scan
from tests.training.helpers import training_tiles

OFF = {
    "flip": False,
    "rotate90": False,
    "rotation": 0,
    "scale": 1,
    "brightness": 0,
    "contrast": 0,
    "color_jitter": 0,
    "stain_jitter": 0,
    "channel_jitter": 0,
}


def only(**changes):
    return Augmentation(**{**OFF, **changes})


def window(channels=3, height=90, width=120, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.array([1, 2, 255], np.uint8), (height, width))
    pixels = rng.random((channels, height, width)).astype(np.float32) * 0.8 + 0.1
    return torch.from_numpy(pixels), torch.from_numpy(labels)


def batch(channels=3, n=4, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((n, channels, 32, 32)).astype(np.float32))


def test_without_geometry_a_tile_is_a_piece_of_the_window():
    pixels, labels = window()
    image, mask = cut_tile(pixels, labels, (50, 40), 32, Geometry())
    assert torch.equal(image, pixels[:, 24:56, 34:66])
    assert torch.equal(mask, labels[24:56, 34:66])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
def test_quarter_turns_agree_with_resampling(mirrored, quarter):
    """The quick way for exact turns, and the general one, give the same tile."""
    pixels, labels = window()
    geometry = Geometry(1.0, quarter * math.pi / 2, mirrored)
    nearly = Geometry(1.0, quarter * math.pi / 2 + 1e-6, mirrored)
    assert geometry.is_exact
    assert not nearly.is_exact
    image, mask = cut_tile(pixels, labels, (50, 40), 32, geometry)
    same, same_mask = cut_tile(pixels, labels, (50, 40), 32, nearly)
    assert torch.allclose(image, same, atol=1e-3)
    assert (mask == same_mask).float().mean() > 0.99


@pytest.mark.parametrize("seed", range(5))
def test_r34_r35_masks_hold_only_their_own_labels_and_255(seed):
    rng = np.random.default_rng(seed)
    pixels, labels = window(seed=seed)
    everything = only(flip=True, rotate90=True, rotation=180, scale=2, elastic=1)
    for _ in range(20):
        center = tuple(rng.uniform(0, 90, 2))
        image, mask = cut_tile(pixels, labels, center, 64, draw_geometry(everything, rng))
        image, mask = deform(image, mask, 1.0, rng)
        assert set(mask.unique().tolist()) <= {1, 2, 255}
        assert mask.shape == (64, 64)
        assert image.shape == (3, 64, 64)
        assert torch.isfinite(image).all()


def test_b5_no_augmentation_writes_class_0_into_borders():
    pixels = torch.rand(3, 40, 40)
    labels = torch.full((40, 40), 255, dtype=torch.uint8)
    rng = np.random.default_rng(0)
    for _ in range(20):
        geometry = draw_geometry(only(rotation=180, scale=2), rng)
        _, mask = cut_tile(pixels, labels, (0, 40), 64, geometry)
        _, mask = deform(torch.rand(3, 64, 64), mask, 1.0, rng)
        assert (mask == 255).all()


def test_outside_the_window_is_its_mirror_image():
    pixels = torch.full((1, 40, 40), 0.5)
    labels = torch.zeros(40, 40, dtype=torch.uint8)
    image, mask = cut_tile(pixels, labels, (20, 20), 96, Geometry(1.0, 0.4))
    assert torch.allclose(image, torch.full_like(image, 0.5))
    assert (mask == 0).sum() == pytest.approx(1600, rel=0.05)
    assert (mask == 255).sum() + (mask == 0).sum() == 96 * 96


def test_zoom_enlarges():
    labels = torch.full((100, 100), 255, dtype=torch.uint8)
    labels[45:55, 45:55] = 1
    _, mask = cut_tile(torch.rand(1, 100, 100), labels, (50, 50), 64, Geometry(2.0))
    assert (mask == 1).sum() == pytest.approx(400, rel=0.1)
    _, mask = cut_tile(torch.rand(1, 100, 100), labels, (50, 50), 64, Geometry(0.5))
    assert (mask == 1).sum() == pytest.approx(25, rel=0.5)


def test_image_and_mask_move_alike():
    rng = np.random.default_rng(1)
    labels = torch.from_numpy((np.indices((120, 120)).sum(0) // 30 % 2).astype(np.uint8))
    pixels = labels[None].float()
    for _ in range(10):
        geometry = draw_geometry(only(flip=True, rotate90=True, rotation=180, scale=1.5), rng)
        image, mask = cut_tile(pixels, labels, (60, 60), 64, geometry)
        agree = (image[0] > 0.5).float() == (mask == 1).float()
        assert agree[mask != 255].float().mean() > 0.97


@pytest.mark.parametrize("name", ["brightness", "contrast", "color_jitter", "stain_jitter"])
def test_r34_each_colour_setting_changes_pixels_and_stays_in_range(name):
    x = batch()
    y = vary_color(x, only(**{name: 0.4}), np.random.default_rng(0))
    assert not torch.allclose(x, y, atol=0.01)
    assert y.min() >= 0
    assert y.max() <= 1
    assert torch.allclose(vary_color(x, only(), np.random.default_rng(0)), x, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_b5_channel_jitter_fires_for_fluorescence(channels):
    x = batch(channels)
    y = vary_color(x, only(channel_jitter=0.3), np.random.default_rng(0))
    change = (y - x).abs().mean(dim=(2, 3))
    assert (change > 0.005).all()
    assert y.min() >= 0
    assert y.max() <= 1


def test_tiles_of_a_batch_vary_apart():
    x = batch(n=1).expand(4, -1, -1, -1)
    y = vary_color(x, only(brightness=0.3, stain_jitter=0.5), np.random.default_rng(0))
    assert not torch.allclose(y[0], y[1], atol=0.01)


def test_colour_variation_leaves_its_input_alone():
    x = batch()
    before = x.clone()
    vary_color(x, only(stain_jitter=1, color_jitter=0.5, contrast=0.5), np.random.default_rng(0))
    assert torch.equal(x, before)


def test_stain_vectors_are_those_of_scikit_image():
    assert np.allclose(HED_FROM_RGB, hed_from_rgb)


def test_stain_jitter_leaves_white_nearly_white():
    white = torch.ones(8, 3, 4, 4)
    y = vary_color(white, only(stain_jitter=0.3), np.random.default_rng(0))
    assert y.min() > 0.85


def test_augmentation_off_gives_the_very_pixels():
    off = TrainingSettings(augmentation=False, downsample=1, brightness=0.5, rotation=180, elastic=1, blur=2, noise=0.1)
    assert Augmentation.of(off) is None
    drawn = training_tiles(off).draw()
    assert drawn.pixels is drawn.plain
    assert len(drawn.plain.unique()) <= 256, "values of the image, not resampled"


def test_torch_random_numbers_are_left_alone():
    before = torch.get_rng_state()
    pixels, labels = window()
    rng = np.random.default_rng(0)
    image, mask = cut_tile(pixels, labels, (50, 40), 32, draw_geometry(Augmentation.of(TrainingSettings()), rng))
    deform(image, mask, 0.5, rng)
    vary_color(batch(), Augmentation.of(TrainingSettings()), rng)
    assert torch.equal(before, torch.get_rng_state())


def test_blur_takes_detail_and_keeps_the_mean():
    before = batch(n=8)
    after = vary_color(before, only(blur=3), np.random.default_rng(0))
    assert (after.std(dim=(1, 2, 3)) < before.std(dim=(1, 2, 3))).all()
    assert torch.allclose(after.mean(dim=(1, 2, 3)), before.mean(dim=(1, 2, 3)), atol=0.02)
    assert torch.equal(before, batch(n=8))
    # Each tile is blurred by an amount of its own.
    assert len({round(float(s), 3) for s in after.std(dim=(1, 2, 3))}) == 8


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_noise_has_the_strength_asked_for_at_most(channels):
    grey = torch.full((16, channels, 64, 64), 0.5)
    after = vary_color(grey, only(noise=0.1), np.random.default_rng(0))
    spread = after.std(dim=(1, 2, 3))
    assert spread.max() < 0.105
    assert spread.max() > 0.07
    assert spread.min() < 0.03
    assert after.min() >= 0
    assert after.max() <= 1


def test_blur_and_noise_are_off_by_default_and_repeat_with_a_seed():
    assert (TrainingSettings().blur, TrainingSettings().noise) == (0, 0)
    assert torch.allclose(vary_color(batch(), only(), np.random.default_rng(0)), batch(), atol=1e-5)
    rough = only(blur=2, noise=0.1)
    one, other = (vary_color(batch(), rough, np.random.default_rng(4)) for _ in range(2))
    assert torch.equal(one, other)


def test_b5_three_colours_of_fluorescence_vary_apart_and_those_of_a_scan_do_not():
    scan = np.full((20, 20, 3), 200, np.uint8)
    bright, dark = (Normalization().fitted([open_image(pixels)]) for pixels in (scan, scan // 10))
    assert is_scan(bright, ("Red", "Green", "Blue"))
    assert not is_scan(dark, ("Red", "Green", "Blue"))
    assert not is_scan(bright, ("DAPI", "FITC", "TRITC"))
    grey = torch.full((1, 3, 8, 8), 0.5)
    apart, together = (
        vary_color(grey, only(channel_jitter=0.5, stain_jitter=0.5), np.random.default_rng(1), brightfield)
        for brightfield in (False, True)
    )
    offsets = apart.mean(dim=(0, 2, 3))
    assert len(set(offsets.tolist())) == 3
    assert not torch.equal(apart, together)
    same = vary_color(grey, only(stain_jitter=0.5, color_jitter=0.5), np.random.default_rng(1), brightfield=False)
    assert torch.allclose(same, grey, atol=1e-6)  # stains and hues are no matter of fluorescence
