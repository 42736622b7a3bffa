"""The decoded tiles, strips and chunks that are kept for the next read."""

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from histowidgets.images._limits import CACHE_BYTES


class SegmentCache:
    """Decoded tiles, strips or chunks, the least recently used dropped first."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._kept: OrderedDict[Any, np.ndarray] = OrderedDict()
        self._bytes = 0
        self._most = most_bytes
        self._lock = threading.Lock()

    def get(self, key: Any) -> np.ndarray | None:
        """Return what is kept under a key, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Any, segment: np.ndarray) -> None:
        """Keep a segment."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = segment
            self._bytes += segment.nbytes
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
