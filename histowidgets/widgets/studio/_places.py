"""Find the places where a new stroke helps most, on a thread, and step through them."""

import threading
from collections.abc import Callable
from typing import Any

from histowidgets.advice import Advice, suggest_regions
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common import LatestWorker
from histowidgets.widgets.studio._state import StudioState

PLACES = 8


class Places:
    """The suggested places, which are searched again after strokes were added.

    Parameters
    ----------
    state
        Has the images and the classifier.
    shown
        Called with the place to show, on the thread that found it.
    failed
        Called with the reason if no place was found.
    changed
        Called when a search starts.
    """

    def __init__(
        self,
        state: StudioState,
        shown: Callable[[Advice], object],
        failed: Callable[[str], object],
        changed: Callable[[], object],
    ) -> None:
        self._state, self._shown, self._failed, self._changed = state, shown, failed, changed
        self._found: tuple[Advice, ...] = ()
        self._at = -1
        self.looking = False
        self.seen = False
        self._worker: LatestWorker[Any, list[Advice]] = LatestWorker("places", self._work, self._answered)

    @property
    def idle(self) -> threading.Event:
        """Set while no search is under way."""
        return self._worker.idle

    @property
    def found(self) -> tuple[Advice, ...]:
        """The places found last, the best first."""
        return self._found

    @property
    def number(self) -> int:
        """The number of the place that is shown, from 1; 0 for none."""
        return self._at + 1

    @property
    def current(self) -> Advice | None:
        """The place that is shown."""
        return self._found[self._at] if 0 <= self._at < len(self._found) else None

    def forget(self) -> None:
        """Forget all places, as after an edit."""
        self._found, self._at, self.seen = (), -1, False

    def show_only(self, place: Advice) -> None:
        """Show a single place, such as that of an advice; `next` then searches for others."""
        self._found, self._at = (place,), 0
        self._shown(place)

    def next(self) -> None:
        """Show the next place, or search if there is none; once all were seen, start again with the first."""
        if self._at + 1 < len(self._found):
            self._at += 1
            self.seen = self._at + 1 == len(self._found)
            self._shown(self._found[self._at])
            return
        classifier = self._state.classifier
        if classifier is None:
            self._failed("There is no prediction yet: paint at least two classes first.")
            return
        if self.seen:  # start again with the first
            self._at = 0
            self._shown(self._found[0])
            return
        self.looking = True
        self._changed()
        self._worker.request((classifier, self._state.project.snapshot()))

    def _work(self, payload: Any, is_stale: Callable[[], bool]) -> list[Advice]:
        classifier, snapshot = payload
        return suggest_regions(snapshot, classifier, PLACES, should_stop=is_stale)

    def _answered(self, payload: Any, found: list[Advice] | None, error: BaseException | None) -> None:
        self.looking = False
        places = tuple(one for one in found or () if one.region is not None)
        if not places:
            known = isinstance(error, HistowidgetsError)
            why = "everything is labelled already" if error is None else str(error) if known else repr(error)
            self._failed(f"No place was found: {why}.")
            return
        self._found, self._at, self.seen = places, 0, len(places) == 1
        self._shown(places[0])

    def close(self) -> None:
        """End the worker."""
        self._worker.close()
