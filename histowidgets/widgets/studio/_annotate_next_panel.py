"""Where to annotate next: a line that leads from one suggested place to the next."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import Advice, suggest_regions
from histowidgets.annotations import Change
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common import LatestWorker, evidence_text
from histowidgets.widgets.studio._state import StudioState

PLACES = 8
_IDLE = "Where does a stroke teach most?"


class AnnotateNextPanel(ipywidgets.HBox):
    """A button that goes to the place where a stroke teaches most, then to the next one, with the reason.

    After strokes were added it looks again, since the best place is then another one.

    Parameters
    ----------
    state
        Has the images and the classifier; it shows the place, and the reason, which the short line may not hold.
    """

    def __init__(self, state: StudioState) -> None:
        self._state = state
        self._places: list[Advice] = []
        self._easy: Advice | None = None
        self._at = 0
        self._stale = True
        self._button = ipywidgets.Button(
            description="Show me where",
            tooltip="Go to the place where a stroke of each class teaches most; again for the next one",
        )
        self._button.add_class("hw-link")
        self._button.on_click(lambda _: self.next())
        self._words = ipywidgets.HTML()
        super().__init__([self._words, self._button])
        self.add_class("hw-next-places")
        self._say(_IDLE)
        self._worker: LatestWorker[Any, list[Advice]] = LatestWorker("places", self._work, self._answered)
        self._unsubscribe = state.project.subscribe(self._changed)

    @property
    def idle(self) -> Any:
        """Set while nothing is being looked for."""
        return self._worker.idle

    @property
    def places(self) -> list[Advice]:
        """The places suggested last, the best first."""
        return list(self._places)

    @property
    def text(self) -> str:
        """The text of the line, as HTML."""
        return str(self._words.value)

    def next(self) -> None:
        """Go to the next place; look for places first if there are none or strokes were added since."""
        if self._stale or not self._places:
            self._look()
            return
        self._at = (self._at + 1) % len(self._places)
        self._show()

    def close(self) -> None:
        """End the worker and the widgets."""
        self._unsubscribe()
        self._worker.close()
        super().close()

    # -- the work -----------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if change.kind in ("annotations", "classes", "images"):
            self._stale = True

    def _look(self) -> None:
        classifier = self._state.classifier
        if classifier is None:
            self._say("Paint at least two classes first.")
            self._state.notify(
                "Paint at least two classes first: then there is a prediction that can be in doubt.", "info"
            )
            return
        self._button.disabled = True
        self._say("Looking for places…")
        self._stale = False
        self._worker.request((classifier, self._state.project.snapshot()))

    def _work(self, payload: Any, is_stale: Callable[[], bool]) -> list[Advice]:
        classifier, snapshot = payload

        def tell(done: int, total: int) -> None:
            if total > 1:
                self._say(f"Looking for places: image {done} of {total}…")

        return suggest_regions(snapshot, classifier, PLACES, warn_if_easy=True, progress=tell, should_stop=is_stale)

    def _answered(self, payload: Any, found: list[Advice] | None, error: BaseException | None) -> None:
        self._button.disabled = False
        if found is None:
            self._stale = True
            words = str(error) if isinstance(error, HistowidgetsError) else f"{type(error).__name__}: {error}"
            self._say(f"No place found: {words}")
            return
        self._easy = next((one for one in found if one.id == "only-easy-regions"), None)
        self._places = [one for one in found if one.region is not None]
        self._at = 0
        if not self._places:
            self._stale = True
            self._say("No place is left that is not labelled already.")
            return
        self._show()

    def _show(self) -> None:
        place = self._places[self._at]
        tip = f"{place.detail} {evidence_text(place)} (guide: {place.guide_title})"
        prefix = "" if self._easy is None else f"{self._easy.title}. "
        self._say(f"{prefix}{place.title}.", f"{self._at + 1}/{len(self._places)}", tip, place.guide)
        self._button.description = "Next place"
        self._state.notify(
            f"{prefix}Place {self._at + 1} of {len(self._places)}: {place.title}. {place.detail}", "info"
        )
        self._state.go_to(place)

    def _say(self, words: str, number: str = "", tip: str = "", guide: str = "") -> None:
        why = f' <a href="{escape(guide)}" target="_blank" rel="noopener">why</a>' if guide else ""
        lead = f"<b>{escape(number)}</b> " if number else ""
        self._words.value = f'<div role="status" title="{escape(tip, quote=True)}">{lead}{escape(words)}{why}</div>'
