"""The prediction that follows the strokes: who answers, and how well."""

from histowidgets.widgets.live_prediction._answer import ASKED_FOR, Answer, unlike_words
from histowidgets.widgets.live_prediction._controller import LivePrediction

__all__ = [
    "ASKED_FOR",
    "Answer",
    "LivePrediction",
    "unlike_words",
]
