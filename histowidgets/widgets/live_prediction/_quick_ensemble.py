"""Join the network and the quick learner into an ensemble for the live prediction."""

import time
from typing import TYPE_CHECKING

from histowidgets.errors import ClassifierError, TrainingDataError
from histowidgets.prediction import Classifier
from histowidgets.widgets.live_prediction._answer import PredictionRequest

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import QuickPartner

#: Seconds between joined answers while a network trains, as each takes the time of a few steps.
JOIN_EVERY = 10.0
#: Another answer must beat the score of the joined one by this much to be shown instead, since a few held-out strokes
#: cannot resolve smaller differences; compare `best_tolerance` in the presets.
USUALLY_BETTER = 0.03


class QuickEnsemble:
    """Joins networks with a quick learner, which is refitted only when strokes changed."""

    def __init__(self) -> None:
        self._partner: QuickPartner | None = None
        self._last: tuple[Classifier, Classifier] | None = None  # a network, and its ensemble with the quick learner
        self._joined_at = -JOIN_EVERY

    def is_due(self, request: PredictionRequest) -> bool:
        """Return whether to join the quick learner with the network that just predicted."""
        if request.alone or request.joined or request.tta or request.region is not None:
            return False  # of a large image only the view is predicted, for which every tenth of a second counts
        return request.final or time.monotonic() - self._joined_at >= JOIN_EVERY

    def join(self, request: PredictionRequest) -> Classifier | None:
        """Return the mean of the network and the quick learner; None if they cannot be joined."""
        from histowidgets.training import QuickPartner

        network = request.classifier
        if network is None:
            return None
        self._joined_at = time.monotonic()
        try:
            if self._partner is None or not self._partner.fits(request.snapshot, network, request.split):
                self._last, self._partner = None, QuickPartner(request.snapshot, network, request.split)
            if self._last is None or self._last[0] is not network:  # since scoring takes two predictions
                self._last = (network, self._partner.join(network))
            return self._last[1]
        except (
            ClassifierError,
            TrainingDataError,
        ):  # different channels or classes, or too few strokes outside the test area
            return None


def score_bonus(request: PredictionRequest, both: Classifier) -> float:
    """Return the bonus for the score of the joined answer.

    A score on few held-out strokes is rough, and the mean is usually better. The network's score is measured on tiles
    around the strokes, so it may also differ from one measured in the way of the mean's score.
    """
    own, alike = request.scores.get("val_miou"), both.scores.get("network_alone")
    return USUALLY_BETTER if own is None or alike is None else USUALLY_BETTER + own - alike
