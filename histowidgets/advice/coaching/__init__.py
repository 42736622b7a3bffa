"""The coach: what the annotations of a project still lack, from counts and boundaries to contradictions."""

from histowidgets.advice.coaching._coach import coach
from histowidgets.advice.coaching._counts import balanced_weights, counts_wanted

__all__ = [
    "balanced_weights",
    "coach",
    "counts_wanted",
]
