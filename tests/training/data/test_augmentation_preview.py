"""The preview shows a real tile, and what training would make of it."""

import subprocess
import sys

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import SettingsError, TrainingDataError
from tests.training.helpers import painted, quick

PLAIN = {
    "flip": False,
    "rotate90": False,
    "rotation": 0.0,
    "scale": 1.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "color_jitter": 0.0,
    "stain_jitter": 0.0,
    "channel_jitter": 0.0,
}


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_pictures_are_of_the_tile_and_its_variations(channels):
    pictures = hw.preview_augmentation(painted(channels=channels), quick(), n=4)
    assert len(pictures) == 5
    assert {(p.shape, p.dtype) for p in pictures} == {((64, 64, 3), np.dtype(np.uint8))}
    assert all(p.std() > 5 for p in pictures), "stripes, and no flat picture"
    assert len({p.tobytes() for p in pictures}) == 5
    if channels == 1:
        assert (pictures[0][..., 0] == pictures[0][..., 1]).all()
    if channels == 2:
        assert (pictures[0][..., 2] == 0).all()


def test_the_first_is_a_piece_of_the_image():
    project = painted()
    first = hw.preview_augmentation(project, quick(downsample=1, normalization="min_max"), n=1)[0].astype(float)
    image = project.image(project.image_names[0])
    whole = image.read(0, 0, image.width, image.height).astype(float)
    scaled = np.round((whole - whole.min()) / (whole.max() - whole.min()) * 255)
    rows = np.lib.stride_tricks.sliding_window_view(scaled[..., 0], 64, axis=1)
    places = np.argwhere(np.abs(rows - first[0, :, 0]).max(axis=2) <= 1)
    assert any(np.abs(scaled[y : y + 64, x : x + 64] - first).max() <= 1 for y, x in places if y <= 256 - 64)


@pytest.mark.parametrize(
    "changes", [{"stain_jitter": 1.0}, {"elastic": 1.0}, {"noise": 0.2}, {"blur": 3.0}, {"rotation": 90.0}]
)
def test_each_setting_shows(changes):
    project = painted()
    quiet = hw.preview_augmentation(project, quick(**PLAIN), n=1, seed=3)
    loud = hw.preview_augmentation(project, quick(**{**PLAIN, **changes}), n=1, seed=3)
    np.testing.assert_array_equal(quiet[0], loud[0])
    np.testing.assert_array_equal(quiet[0], quiet[1])
    assert np.abs(loud[1].astype(int) - loud[0]).mean() > 2


def test_a_seed_shows_the_same_again():
    project = painted()
    one, same, other = (hw.preview_augmentation(project, quick(), seed=seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_what_cannot_be_shown_is_said():
    project = hw.Project(["A", "B"])
    project.add_image(np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(TrainingDataError, match="Nothing is painted yet"):
        hw.preview_augmentation(project)
    with pytest.raises(SettingsError, match="n is 0; expected 1 to 64"):
        hw.preview_augmentation(painted(), n=0)
    with pytest.raises(SettingsError, match="seed is -1"):
        hw.preview_augmentation(painted(), seed=-1)


def test_its_name_loads_no_torch():
    code = (
        "import sys, histowidgets.training as t;"
        "assert 'preview_augmentation' in t.__all__ and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
