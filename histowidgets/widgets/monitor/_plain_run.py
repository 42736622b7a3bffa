"""Runs that are not ours, in the shape that the bridge reads."""

from collections.abc import Callable
from typing import Any


class PlainRun:
    """A run that has only ``subscribe`` and perhaps ``history``, with the list of events that the bridge reads.

    Parameters
    ----------
    run
        Calls back with events or with records; the records of its ``history`` come first.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        self.events: list[Any] = []

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Collect events from now on, ring `callback` after each, and return what ends that."""

        def keep(event: Any) -> None:
            self.events.append(event)
            callback(event)

        unsubscribe = self._run.subscribe(keep)
        # After subscribing, so that no epoch falls between; one that comes twice replaces itself.
        self.events[:0] = list(getattr(self._run, "history", None) or [])
        ways_out = [unsubscribe] if callable(unsubscribe) else []

        def end() -> None:
            # Once: the bridge may call twice, and not every loop forgives that.
            while ways_out:
                ways_out.pop()()

        return end
