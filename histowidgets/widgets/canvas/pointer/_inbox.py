"""The order of the edits that pages send."""

import threading
from typing import Any

#: Most edits of one page that wait for a missing earlier edit before they are done without it.
MAX_WAITING = 64


class Inbox:
    """Puts the edits of each page in order, and drops duplicates.

    ipykernel may handle two messages of one widget on two threads, so that a later edit can overtake an earlier one.
    The page also resends edits that were not answered for a while.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, int] = {}
        self._waiting: dict[str, dict[int, Any]] = {}

    def take(self, client: str, number: int, item: Any) -> list[tuple[int, Any]] | None:
        """Return the edits to do now, as (number, item) in order; None for a duplicate."""
        with self._lock:
            following = self._next.setdefault(client, 1)
            waiting = self._waiting.setdefault(client, {})
            if number < following or number in waiting:
                return None
            waiting[number] = item
            if len(waiting) > MAX_WAITING:
                following = min(waiting)
            ready = []
            while following in waiting:
                ready.append((following, waiting.pop(following)))
                following += 1
            self._next[client] = following
            return ready

    def is_done(self, client: str, number: int) -> bool:
        """Return whether `take` has returned this edit."""
        with self._lock:
            return number < self._next.get(client, 1)
