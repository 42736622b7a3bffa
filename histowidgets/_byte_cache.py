"""A cache limited by the memory that its values use."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from cachetools import Cache, LRUCache

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _nbytes(value: Any) -> int:
    return int(value.nbytes)


class ByteCache(Generic[Key, Value]):
    """Cache of values up to a total number of bytes; the least recently used are dropped first. Thread-safe.

    Parameters
    ----------
    max_bytes : int
    size : callable, optional
        Returns the size of a value in bytes; by default its ``nbytes``.
    keep_largest : bool, default False
        Keep a value larger than `max_bytes` too, as the only one; by default it is not kept.
    """

    def __init__(self, max_bytes: int, size: Callable[[Value], int] = _nbytes, *, keep_largest: bool = False) -> None:
        room = self.max_bytes = max(1, max_bytes)
        self._size, self._keep_largest = size, keep_largest
        # Such a value counts as the size of the whole cache, so that it is kept alone.
        self._kept: LRUCache[Key, Value] = LRUCache(room, lambda value: min(size(value), room))
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Memory that the values use, in bytes; `max_bytes` if a single larger value is kept."""
        return int(self._kept.currsize)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None, and mark it as recently used."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Store a value, replacing an earlier one with the same key."""
        if not self._keep_largest and self._size(value) > self.max_bytes:
            return
        with self._lock:
            self._kept[key] = value

    def items(self) -> list[tuple[Key, Value]]:
        """Return all keys and values, without marking them as recently used."""
        with self._lock:
            return [(key, Cache.__getitem__(self._kept, key)) for key in self._kept]

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Drop the values for whose keys `unwanted` returns True."""
        with self._lock:
            for key in [key for key in self._kept if unwanted(key)]:
                del self._kept[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()
