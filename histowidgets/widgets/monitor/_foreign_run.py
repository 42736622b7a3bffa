"""Adapt runs of other training loops to the events of this package."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from histowidgets.errors import TrainingError
from histowidgets.training import EpochEnded, Event, Message, RunFailed, StateChanged, parse_epoch_record

_EVENTS = get_args(Event)


class ForeignRun:
    """The events of another loop's run, as the bridge reads them.

    Parameters
    ----------
    run
        Calls back with events of `histowidgets.training` or with a record per epoch. Its past ``events``, or else the
        records of its ``history``, come first.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        self._has_events = hasattr(run, "events")
        self._heard: list[Any] = []
        self._ready = False
        self._read = 0
        self._adapted: list[Event] = []
        self._next_epoch = 1

    @property
    def events(self) -> list[Event]:
        """All events so far; those since the last call are adapted now."""
        if self._ready:
            heard = self._run.events if self._has_events else self._heard
            for one in heard[self._read :]:
                self._read += 1
                self._adapted.extend(self._adapt(one))
        return self._adapted

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Collect events from now on and call `callback` after each; return a function to unsubscribe."""

        def keep(event: Any) -> None:
            self._heard.append(event)
            callback(event)

        unsubscribe = self._run.subscribe(callback if self._has_events else keep)
        if not self._has_events:
            # After subscribing, so that no epoch is missed; an epoch that comes twice replaces itself.
            self._heard[:0] = list(getattr(self._run, "history", None) or [])
        self._ready = True
        endings = [unsubscribe] if callable(unsubscribe) else []

        def end() -> None:
            # Only once: the bridge may call this twice, which not every loop tolerates.
            while endings:
                endings.pop()()

        return end

    def _adapt(self, event: Any) -> Iterator[Event]:
        """Yield the events for an event or record of the other loop; an invalid record becomes a message."""
        is_best, confusion = False, None
        if isinstance(event, EpochEnded):
            is_best, confusion, event = event.is_best, event.confusion, event.record
        if isinstance(event, Mapping):
            try:
                record = parse_epoch_record(event, self._next_epoch)
            except TrainingError as error:
                yield Message("warning", f"The record of an epoch was left out: {error}")
                return
            self._next_epoch = max(self._next_epoch, int(record["epoch"] // 1) + 1)
            yield EpochEnded(record, is_best, confusion)
        elif isinstance(event, _EVENTS):
            yield event
            if isinstance(event, RunFailed):
                yield StateChanged("failed")
