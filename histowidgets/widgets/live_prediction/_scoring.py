"""What the quick learner is asked when the hand rests: how good it is, and to look once more, from eight sides."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from histowidgets.advice import held_out_counts
from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.errors import TrainingDataError
from histowidgets.widgets.common import LatestWorker
from histowidgets.widgets.live_prediction._answer import Answer, Request

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import QuickScore

# Seconds without an edit before it begins; sooner it would take the time of the next answer.
REST = 1.5

IsStale = Callable[[], bool]


class LiveScore:
    """A worker that waits until the hand rests.

    Parameters
    ----------
    look_again
        Called first, on the worker's thread, with the request and what says that it is stale.
    scored
        Called when there is a new score.
    log
        Called with the traceback of an error: the prediction stands without a score.
    """

    def __init__(
        self, look_again: Callable[[Request, IsStale], None], scored: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self._look_again, self._scored, self._log = look_again, scored, log
        self._turns: QuickScore | None = None  # the last one; its parts are used again
        self._worker = LatestWorker("quick-score", self._work, self._deliver, rest=REST)
        self.request, self.idle, self.close = self._worker.request, self._worker.idle, self._worker.close

    def put_on(self, answer: Answer) -> Answer:
        """Return a quick answer with the newest score in turn; that of a stroke ago, until the hand rests again."""
        turns = self._turns
        if turns is None:
            return answer
        return replace(answer, score=turns.miou, class_scores=turns.iou, scored_on=turns.strokes, in_turn=True)

    def _work(self, request: Request, is_stale: IsStale) -> "QuickScore | None":
        from histowidgets.training import quick_score

        if not any(request.snapshot.annotations.values()):
            return None
        self._look_again(request, is_stale)
        if request.split is not None or is_stale():
            return None
        return quick_score(request.snapshot, previous=self._turns, should_stop=is_stale, channels=request.channels)

    def _deliver(self, request: Request, score: "QuickScore | None", error: BaseException | None) -> None:
        if error is not None:
            self._log("".join(traceback.format_exception(error)))
        if score is not None:
            self._turns = score
            self._scored()


def held_out_strokes(snapshot: ProjectSnapshot, split: Split) -> int:
    """Count the annotations that lie at least partly in what is held out."""
    return sum(held_out_counts(snapshot, split).values())


def held_out_scores(request: Request) -> Mapping[str, Any]:
    """Score a quick learner that has seen only the training side of what the request holds out."""
    from histowidgets.training import quick_classifier

    try:
        scores: Mapping[str, Any] = quick_classifier(
            request.snapshot, split=request.split, channels=request.channels
        ).scores
    except TrainingDataError:
        return {}
    return scores
