"""Warns when the image that is shown lies outside of what the classifier was trained on (row N9)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from histowidgets.advice import Advice, check_image
from histowidgets.images import Image
from histowidgets.widgets._latest import LatestWorker

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier


class RangeWatch:
    """Checks an image against a classifier's statistics on a thread, and tells what it finds when that is news.

    Parameters
    ----------
    tell
        Called with each advice, on the worker's thread.
    """

    def __init__(self, tell: Callable[[Advice], None]) -> None:
        self._tell = tell
        self._checked: dict[str, str] = {}
        self._told: dict[str, list[str]] = {}
        self._worker: LatestWorker[Any, list[Advice]] = LatestWorker("range", self._work, self._answered)

    @property
    def idle(self) -> Any:
        """Set while nothing is being checked."""
        return self._worker.idle

    def look(self, name: str, image: Image, classifier: "Classifier") -> None:
        """Check an image, without holding the caller; nothing happens where that was the last thing checked of it."""
        against = repr(classifier.normalization)
        if self._checked.get(name) != against:
            self._checked[name] = against
            self._worker.request((name, image, classifier))

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _work(self, payload: Any, is_stale: Callable[[], bool]) -> list[Advice]:
        _, image, classifier = payload
        return check_image(image, classifier)

    def _answered(self, payload: Any, found: list[Advice] | None, error: BaseException | None) -> None:
        titles = [advice.title for advice in found or ()]
        if self._told.get(payload[0], []) != titles:
            self._told[payload[0]] = titles
            for advice in found or ():
                self._tell(advice)
