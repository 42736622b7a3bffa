from ._learner import quick_classifier, warm_quick
from ._quick_partner import QuickPartner, ensemble_with_quick
from ._score import QuickScore, quick_score

__all__ = [
    "QuickPartner",
    "QuickScore",
    "ensemble_with_quick",
    "quick_classifier",
    "quick_score",
    "warm_quick",
]
