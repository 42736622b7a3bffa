"""An image unlike those of training is said when it is shown, once."""

from types import SimpleNamespace

import numpy as np
import pytest

from histowidgets.images import Normalization, open_image
from histowidgets.widgets._range_watch import RangeWatch


def image(level, seed=0):
    pixels = np.random.default_rng(seed).integers(level, level + 40, (64, 64, 3)).astype(np.uint8)
    return open_image(pixels, name=f"level {level}")


@pytest.fixture
def said():
    return []


@pytest.fixture
def watch(said):
    watch = RangeWatch(said.append)
    yield watch
    watch.close()


def test_n9_an_image_outside_the_training_statistics_is_said_once_and_one_like_them_is_not(watch, said):
    trained = SimpleNamespace(normalization=Normalization().fitted([image(100), image(105, 1)]))
    watch.look("a", image(102, 2), trained)
    assert watch.idle.wait(20)
    assert said == []
    for _ in range(2):
        watch.look("b", image(200), trained)
        assert watch.idle.wait(20)
    assert [one.id for one in said] == ["image-outside-training"]


def test_n9_it_is_checked_again_against_new_statistics(watch, said):
    watch.look("b", image(200), SimpleNamespace(normalization=Normalization().fitted([image(100), image(105, 1)])))
    assert watch.idle.wait(20)
    assert len(said) == 1
    watch.look("b", image(200), SimpleNamespace(normalization=Normalization().fitted([image(200), image(202, 1)])))
    assert watch.idle.wait(20)
    assert len(said) == 1, "it is like those that were trained on now"
    watch.look("b", image(200), SimpleNamespace(normalization=Normalization().fitted([image(100), image(105, 1)])))
    assert watch.idle.wait(20)
    assert len(said) == 2
