"""Features are kept as far as memory allows, and no longer than their image."""

import gc
import threading
from dataclasses import dataclass

import numpy as np

import histowidgets as hw
from histowidgets.prediction.pixel_models._feature_cache import FeatureCache


@dataclass
class Value:
    name: str
    nbytes: int = 10


def image():
    return hw.open_image(np.zeros((8, 8, 3), np.uint8))


def test_a_value_is_computed_once():
    cache, one, calls = FeatureCache(100), image(), []

    def compute():
        calls.append(1)
        return Value("a")

    assert cache.get(one, "k", compute) is cache.get(one, "k", compute)
    assert len(calls) == 1
    cache.get(image(), "k", compute)
    assert len(calls) == 2


def test_the_longest_unused_goes_when_memory_is_full():
    cache, one = FeatureCache(30), image()
    for name in "abc":
        cache.get(one, name, lambda name=name: Value(name))
    cache.get(one, "a", lambda: Value("not computed again"))
    cache.get(one, "d", lambda: Value("d"))
    assert cache.nbytes == 30
    assert cache.get(one, "a", lambda: Value("new")).name == "a"
    assert cache.get(one, "b", lambda: Value("new")).name == "new"


def test_what_is_larger_than_all_the_memory_is_not_kept():
    cache, one = FeatureCache(30), image()
    cache.get(one, "small", lambda: Value("small"))
    assert cache.get(one, "big", lambda: Value("big", 31)).name == "big"
    assert len(cache) == 1
    assert cache.nbytes == 10


def test_a_collected_image_takes_its_features_with_it():
    cache, one, other = FeatureCache(100), image(), image()
    cache.get(one, "k", lambda: Value("a"))
    cache.get(other, "k", lambda: Value("b"))
    del one
    gc.collect()
    assert len(cache) == 1
    assert cache.nbytes == 10
    cache.clear()
    assert cache.nbytes == 0
    assert cache.get(other, "k", lambda: Value("again")).name == "again"


def test_threads_share_the_cache():
    cache, images = FeatureCache(200), [image() for _ in range(5)]
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(500):
            i, k = rng.integers(5), int(rng.integers(10))
            if cache.get(images[i], k, lambda i=i, k=k: Value(f"{i} {k}")).name != f"{i} {k}":
                wrong.append((i, k))

    threads = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.nbytes == 10 * len(cache) <= 200
