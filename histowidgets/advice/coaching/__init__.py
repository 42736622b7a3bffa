"""What the annotations still lack: counts, boundaries, spread, contradictions."""

from histowidgets.advice.coaching._coach import coach
from histowidgets.advice.coaching._counts import balanced_weights, counts_wanted

__all__ = [
    "balanced_weights",
    "coach",
    "counts_wanted",
]
