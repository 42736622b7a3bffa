"""Images of other stains are brought to that of the training images; fluorescence stays as it is."""

import json

import numpy as np
import pytest

from histowidgets.errors import ImageError
from histowidgets.images import Normalization, Region, open_image, samples


def fitted(pixels, match=True):
    return Normalization(match_stain=match).fitted([open_image(pixels)])


def numbers(normalization, pixels):
    return normalization.of_image(open_image(pixels)).apply(pixels)


@pytest.fixture(scope="module")
def tissue():
    return samples.colon_ihc().read(0, 0, 512, 512)


@pytest.fixture(scope="module")
def restained(tissue):
    """The same tissue as another laboratory stains it: red thinner, blue denser, all a little darker."""
    density = -np.log(np.clip(tissue, 1, 255) / 255) * (0.75, 1.1, 1.3) + 0.05
    return np.round(255 * np.exp(-density)).astype(np.uint8)


def test_the_same_tissue_in_another_stain_becomes_nearly_the_same_numbers(tissue, restained):
    truth = numbers(fitted(tissue), tissue)
    matched = np.abs(numbers(fitted(tissue), restained) - truth).mean()
    plain = np.abs(
        numbers(fitted(tissue, match=False), restained) - numbers(fitted(tissue, match=False), tissue)
    ).mean()
    assert matched < 0.04
    assert plain > 3 * matched


def test_a_single_training_image_keeps_its_own_numbers(tissue):
    np.testing.assert_allclose(numbers(fitted(tissue), tissue), numbers(fitted(tissue, match=False), tissue), atol=1e-6)


def test_sixteen_bits_are_matched_like_eight(tissue, restained):
    wide = restained.astype(np.uint16) * 257
    matched = numbers(fitted(tissue.astype(np.uint16) * 257), wide)
    np.testing.assert_allclose(matched, numbers(fitted(tissue), restained), atol=0.06)


@pytest.mark.parametrize("kind", ["dark", "one channel", "four channels"])
def test_fluorescence_is_left_alone(tissue, kind):
    pixels = {"dark": tissue // 8, "one channel": tissue[..., :1], "four channels": tissue[..., [0, 1, 2, 0]]}[kind]
    other = pixels // 2
    np.testing.assert_array_equal(numbers(fitted(pixels), other), numbers(fitted(pixels, match=False), other))


def test_glass_without_tissue_is_left_alone(tissue):
    glass = np.full((64, 64, 3), 240, np.uint8)
    np.testing.assert_array_equal(numbers(fitted(tissue), glass), numbers(fitted(tissue, match=False), glass))


def test_r49_each_tile_is_matched_by_its_whole_image(tissue, restained):
    image = open_image(restained)
    normalization = fitted(tissue).of_image(image)
    part = normalization.apply(image.read(*Region(70, 90, 100, 60)))
    np.testing.assert_array_equal(part, normalization.apply(restained)[90:150, 70:170])


def test_channels_in_another_order_are_matched_by_name(tissue, restained):
    image = open_image(restained[..., ::-1])
    turned = fitted(tissue).of_image(image, (2, 1, 0)).apply(restained)
    np.testing.assert_array_equal(turned, numbers(fitted(tissue), restained))


def test_r50_the_stain_of_training_is_stored(tissue, restained):
    stored = Normalization.from_dict(json.loads(json.dumps(fitted(tissue).to_dict())))
    np.testing.assert_array_equal(numbers(stored, restained), numbers(fitted(tissue), restained))


@pytest.mark.parametrize("damage", [{}, {"means": [1, 2], "stds": [1, 2]}, {"means": [1, 2, "x"], "stds": [1, 1, 1]}])
def test_a_damaged_stain_is_refused(tissue, damage):
    with pytest.raises(ImageError, match="Train again"):
        Normalization.from_dict({**fitted(tissue).to_dict(), "stain": damage})
