"""Features that were computed, kept for the next stroke as far as memory allows."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from histowidgets.images import Image


class HasBytes(Protocol):
    """Something that says how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        ...


Kept = TypeVar("Kept", bound=HasBytes)


class FeatureCache(Generic[Kept]):
    """Keeps values an image and a key; the ones longest unused go first; those of a collected image go at once.

    Safe to use from several threads. Two that miss the same value at once both compute it.

    Parameters
    ----------
    max_bytes : int
        A value larger than this is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._values: OrderedDict[tuple[int, Hashable], Kept] = OrderedDict()
        self._images: dict[int, weakref.ref[Image]] = {}
        self._bytes = 0
        # Reentrant: an image may be collected, and its values dropped, while this very thread holds the lock.
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Memory that the values take, in bytes."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)

    def get(self, image: Image, key: Hashable, compute: Callable[[], Kept]) -> Kept:
        """Return what is kept, or compute it and keep it."""
        place = (id(image), key)
        with self._lock:
            found = self._values.get(place)
            if found is not None:
                self._values.move_to_end(place)
                return found
        value = compute()
        with self._lock:
            if value.nbytes > self.max_bytes or place in self._values:
                return value
            self._remember(image)
            self._values[place] = value
            self._bytes += value.nbytes
            while self._bytes > self.max_bytes and self._values:
                _, old = self._values.popitem(last=False)
                self._bytes -= old.nbytes
        return value

    def has(self, image: Image, key: Hashable) -> bool:
        """Tell whether a value is kept; it then counts as used."""
        place = (id(image), key)
        with self._lock:
            if place not in self._values:
                return False
            self._values.move_to_end(place)
            return True

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._bytes = 0

    def _remember(self, image: Image) -> None:
        number = id(image)
        if number in self._images:
            return

        def forget(_: "weakref.ref[Image]") -> None:
            with self._lock:
                self._images.pop(number, None)
                for place in [p for p in self._values if p[0] == number]:
                    self._bytes -= self._values.pop(place).nbytes

        self._images[number] = weakref.ref(image, forget)
