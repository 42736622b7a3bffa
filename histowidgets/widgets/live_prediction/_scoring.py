"""Score the quick learner, and predict with test-time augmentation, while no strokes come."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from histowidgets.errors import TrainingDataError
from histowidgets.widgets.common import LatestWorker
from histowidgets.widgets.live_prediction._answer import LearnerAnswer, PredictionRequest

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import QuickScore

#: Seconds without an edit before scoring begins, so that it does not delay the next answer.
REST = 1.5

IsStale = Callable[[], bool]


class QuickScorer:
    """A worker that scores the quick learner after a pause in the edits.

    Parameters
    ----------
    refine
        Called first, on the worker's thread, with the request and a function that returns whether it is stale.
    scored
        Called when there is a new score.
    log
        Called with the traceback of an error, after which the prediction has no score.
    """

    def __init__(
        self,
        refine: Callable[[PredictionRequest, IsStale], None],
        scored: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._refine_quick, self._scored, self._log = refine, scored, log
        self._turns: QuickScore | None = None  # the last score, whose parts are reused
        self._worker = LatestWorker("quick-score", self._work, self._deliver, rest=REST)
        self.request, self.idle, self.close = self._worker.request, self._worker.idle, self._worker.close

    def put_on(self, answer: LearnerAnswer) -> LearnerAnswer:
        """Return a quick answer with the newest score, which may be from before the last strokes."""
        turns = self._turns
        if turns is None:
            return answer
        return replace(
            answer, score=turns.miou, class_scores=turns.iou, scored_on=turns.held_out_strokes, held_out_in_turn=True
        )

    def _work(self, request: PredictionRequest, is_stale: IsStale) -> "QuickScore | None":
        from histowidgets.training import quick_score

        if not any(request.snapshot.annotations.values()):
            return None
        self._refine_quick(request, is_stale)
        if request.split is not None or is_stale():
            return None
        return quick_score(
            request.snapshot,
            previous=self._turns,
            should_stop=is_stale,
            channels=request.channels,
            pixel_size_um=request.pixel_size_um,
        )

    def _deliver(self, request: PredictionRequest, score: "QuickScore | None", error: BaseException | None) -> None:
        if error is not None:
            self._log("".join(traceback.format_exception(error)))
        if score is not None:
            self._turns = score
            self._scored()


def held_out_scores(request: PredictionRequest) -> Mapping[str, Any]:
    """Score a quick learner that was fitted only to the training side of the request's split."""
    from histowidgets.training import quick_classifier

    try:
        scores: Mapping[str, Any] = quick_classifier(
            request.snapshot,
            split=request.split,
            channels=request.channels,
            pixel_size_um=request.pixel_size_um,
            announce=False,
        ).scores
    except TrainingDataError:
        return {}
    return scores
