"""A cache of values computed from images, limited in memory."""

import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from histowidgets._byte_cache import ByteCache
from histowidgets.images import Image


class HasBytes(Protocol):
    """An object with a known memory size."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        ...


Kept = TypeVar("Kept", bound=HasBytes)


class FeatureCache(Generic[Kept]):
    """Cache of values by image and key; the least recently used are dropped first, those of a deleted image at once.

    Thread-safe. Two threads that miss the same value at the same time both compute it.

    Parameters
    ----------
    max_bytes : int
        Total size; larger values are not cached.
    """

    def __init__(self, max_bytes: int) -> None:
        self._values: ByteCache[tuple[int, Hashable], Kept] = ByteCache(max_bytes)
        self._images: dict[int, weakref.ref[Image]] = {}
        self._collected: deque[int] = deque()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Memory that the values use, in bytes."""
        return self._values.nbytes

    def __len__(self) -> int:
        return len(self._values)

    def get(self, image: Image, key: Hashable, compute: Callable[[], Kept]) -> Kept:
        """Return the cached value, or compute and cache it."""
        place = (id(image), key)
        with self._lock:
            self._drop_collected()
            found = self._values.get(place)
        if found is not None:
            return found
        value = compute()
        with self._lock:
            self._drop_collected()
            if self._values.get(place) is None:
                self._watch(image)
                self._values.put(place, value)
        return value

    def put(self, image: Image, key: Hashable, value: Kept) -> None:
        """Cache a value, in the place of an earlier one."""
        with self._lock:
            self._drop_collected()
            self._watch(image)
            self._values.put((id(image), key), value)

    def find(self, image: Image, key: Hashable) -> Kept | None:
        """Return the cached value, or None, and mark it as recently used."""
        with self._lock:
            self._drop_collected()
            return self._values.get((id(image), key))

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._values.clear()

    def _watch(self, image: Image) -> None:
        number = id(image)
        if number not in self._images:
            self._images[number] = weakref.ref(image, lambda _: self._forget(number))

    def _forget(self, number: int) -> None:
        """Drop the values of an image that is being garbage-collected.

        An image may be collected at any allocation, even while this thread holds the lock. In that case the next use of
        the cache drops the values, before another image can get the same id.
        """
        self._collected.append(number)
        if self._lock.acquire(blocking=False):
            try:
                self._drop_collected()
            finally:
                self._lock.release()

    def _drop_collected(self) -> None:
        while self._collected:
            number = self._collected.popleft()
            self._images.pop(number, None)
            self._values.drop(lambda place, number=number: place[0] == number)  # type: ignore[misc]
