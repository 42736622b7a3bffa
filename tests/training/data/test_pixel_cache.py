"""Windows are read once as long as they have room, and normalized as prediction does."""

import numpy as np

from histowidgets.annotations import Split
from histowidgets.images import Normalization
from histowidgets.prediction.tiling import Tile
from histowidgets.training.data import _pixel_cache as module
from histowidgets.training.data import plan_sampling
from histowidgets.training.data._pixel_cache import PixelCache
from tests.training.helpers import painted

FIXED = Normalization("fixed_range", low=0, high=255)


def windows_of(project):
    snapshot = project.snapshot()
    return snapshot, plan_sampling(snapshot, Split({}), 64, 1, 0.0, 0).windows


def test_pixels_are_those_that_prediction_sees():
    snapshot, (window,) = windows_of(painted())
    pixels, labels = PixelCache(snapshot, FIXED, 1).get(window)
    seen = Tile(snapshot.images[window.image_name], window.region, FIXED).read()
    np.testing.assert_array_equal(pixels.numpy(), seen)
    np.testing.assert_array_equal(labels.numpy(), snapshot.labels(window.image_name, window.region, 1))


def test_the_least_recently_used_window_is_dropped_and_a_large_one_is_kept_alone(monkeypatch):
    snapshot, windows = windows_of(painted(n_images=3))
    reads, real = [], module.read_pieces
    monkeypatch.setattr(module, "read_pieces", lambda *given: reads.append(given[1]) or real(*given))
    size = 256 * 256 * (4 * 3 + 1)
    first, second, third = windows
    cache = PixelCache(snapshot, FIXED, 1, capacity=2 * size)
    for window in (first, second, first, third, first, second):
        cache.get(window)
    assert reads == [first, second, third, second]
    reads.clear()
    small = PixelCache(snapshot, FIXED, 1, capacity=size // 2)
    for window in (first, first, second, second, first):
        small.get(window)
    assert reads == [first, second, first]
