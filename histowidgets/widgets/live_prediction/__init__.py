"""The prediction that follows the strokes: which learner answers, and how well."""

from histowidgets.widgets.live_prediction._answer import ON_DISK, LearnerAnswer, range_warning_text
from histowidgets.widgets.live_prediction._controller import LivePrediction

__all__ = [
    "ON_DISK",
    "LearnerAnswer",
    "LivePrediction",
    "range_warning_text",
]
