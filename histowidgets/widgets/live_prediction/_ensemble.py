"""The network joined with the quick learner, for the picture: when, and with which strokes."""

import time
from typing import TYPE_CHECKING

from histowidgets.errors import ClassifierError, TrainingDataError
from histowidgets.prediction import Classifier
from histowidgets.widgets.live_prediction._answer import Request

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import QuickPartner

# Seconds from one joined answer to the next while a network trains: each takes the time of a few steps.
JOIN_EVERY = 10.0
# By so much another answer has to score better than the joined one to be shown instead: what few held-out strokes
# cannot tell apart, as in the presets' `best_tolerance`.
USUALLY_BETTER = 0.03


class LivePair:
    """Joins networks with a quick learner, which is fitted again only when strokes changed."""

    def __init__(self) -> None:
        self._partner: QuickPartner | None = None
        self._last: tuple[Classifier, Classifier] | None = None  # a network, and its mean with the partner
        self._joined_at = -JOIN_EVERY

    def is_due(self, request: Request) -> bool:
        """Whether the quick learner should be joined to the network that was just predicted with."""
        if request.alone or request.joined or request.turned or request.region is not None:
            return False  # of a large image only a view is predicted, where every tenth of a second counts
        return request.final or time.monotonic() - self._joined_at >= JOIN_EVERY

    def join(self, request: Request) -> Classifier | None:
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


def edge_of(request: Request, both: Classifier) -> float:
    """Return how much more than its score the joined answer counts.

    Few held-out strokes tell little, and the mean is usually the better one. The network's score is of tiles around
    the strokes; measured as the mean's is, it may be another one.
    """
    own, alike = request.scores.get("val_miou"), both.scores.get("network_alone")
    return USUALLY_BETTER if own is None or alike is None else USUALLY_BETTER + own - alike
