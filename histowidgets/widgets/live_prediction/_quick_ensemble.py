"""The mean of the network and the quick learner for the live prediction: when it is made, and from which strokes."""

import time
from typing import TYPE_CHECKING

from histowidgets.errors import ClassifierError, TrainingDataError
from histowidgets.prediction import Classifier
from histowidgets.widgets.live_prediction._answer import PredictionRequest

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import QuickPartner

#: Seconds from one joined answer to the next while a network trains: each takes the time of a few steps.
JOIN_EVERY = 10.0
#: Another answer has to score better than the joined one by this much to be shown instead: few held-out strokes cannot
#: tell smaller differences, as with `best_tolerance` in the presets.
USUALLY_BETTER = 0.03


class QuickEnsemble:
    """Join networks with a quick learner, which is fitted again only when strokes changed."""

    def __init__(self) -> None:
        self._partner: QuickPartner | None = None
        self._last: tuple[Classifier, Classifier] | None = None  # a network, and its mean with the partner
        self._joined_at = -JOIN_EVERY

    def is_due(self, request: PredictionRequest) -> bool:
        """Whether the quick learner should be joined to the network that was just predicted with."""
        if request.alone or request.joined or request.tta or request.region is not None:
            return False  # of a large image only a view is predicted, where every tenth of a second counts
        return request.final or time.monotonic() - self._joined_at >= JOIN_EVERY

    def join(self, request: PredictionRequest) -> Classifier | None:
        """Return the mean of the network and the quick learner; None where they cannot be joined."""
        from histowidgets.training import QuickPartner

        network = request.classifier
        if network is None:
            return None
        self._joined_at = time.monotonic()
        try:
            if self._partner is None or not self._partner.fits(request.snapshot, network, request.split):
                self._last, self._partner = None, QuickPartner(request.snapshot, network, request.split)
            if self._last is None or self._last[0] is not network:  # judging it takes two predictions
                self._last = (network, self._partner.join(network))
            return self._last[1]
        except (ClassifierError, TrainingDataError):  # other channels or classes, or too few strokes outside the split
            return None


def score_bonus(request: PredictionRequest, both: Classifier) -> float:
    """Return what is added to the score of the joined answer.

    A score on few held-out strokes is rough, and the mean is usually better. The network's score is measured on tiles
    around the strokes; measured as the score of the mean is, it may differ.
    """
    own, alike = request.scores.get("val_miou"), both.scores.get("network_alone")
    return USUALLY_BETTER if own is None or alike is None else USUALLY_BETTER + own - alike
