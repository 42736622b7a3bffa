"""Values are kept up to a number of bytes, the least recently used dropped first."""

import threading

import numpy as np
import pytest

from histowidgets._byte_cache import ByteCache


@pytest.mark.parametrize("keep_largest", [False, True])
def test_the_cache_stays_within_its_bytes(keep_largest):
    cache = ByteCache(1000, keep_largest=keep_largest)
    for i in range(10):
        cache.put(i, np.zeros(300, np.uint8))
        cache.get(0)
    assert cache.get(0) is not None  # used all the time
    assert cache.get(1) is None
    assert cache.get(9) is not None
    assert (cache.nbytes, len(cache)) == (900, 3)
    cache.put(9, np.zeros(10, np.uint8))
    assert (cache.nbytes, len(cache)) == (610, 3)


def test_a_value_larger_than_the_cache_is_kept_alone_or_not_at_all():
    large, small = np.zeros(2000, np.uint8), np.zeros(300, np.uint8)
    without, with_it = ByteCache(1000), ByteCache(1000, keep_largest=True)
    for cache in (without, with_it):
        cache.put("small", small)
        cache.put("large", large)
    assert [key for key, _ in without.items()] == ["small"]
    assert [key for key, _ in with_it.items()] == ["large"]
    with_it.put("small", small)
    assert [key for key, _ in with_it.items()] == ["small"]
    nothing = ByteCache(0, keep_largest=True)
    nothing.put("a", small)
    nothing.put("b", small)
    assert [key for key, _ in nothing.items()] == ["b"]


def test_sizes_may_be_given_and_listing_is_not_using():
    cache = ByteCache(10, size=len)
    for text in ("aaaa", "bbbb"):
        cache.put(text[0], text)
    assert cache.items() == [("a", "aaaa"), ("b", "bbbb")]
    cache.put("c", "cccc")
    assert [key for key, _ in cache.items()] == ["b", "c"]
    cache.drop(lambda key: key == "b")
    assert (cache.items(), cache.nbytes) == ([("c", "cccc")], 4)
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


def test_threads_share_the_cache():
    cache, wrong = ByteCache(500), []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(2000):
            key = int(rng.integers(100))
            found = cache.get(key)
            if found is not None and found[0] != key:
                wrong.append(key)
            cache.put(key, np.full(10, key, np.uint8))
            if rng.random() < 0.01:
                cache.drop(lambda key: key < 50)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.nbytes == 10 * len(cache) <= 500
