"""The live prediction, which follows the strokes and shows the best learner's result and score."""

from histowidgets.widgets.live_prediction._answer import ON_DISK, LearnerAnswer, range_warning_text
from histowidgets.widgets.live_prediction._controller import LivePrediction

__all__ = [
    "ON_DISK",
    "LearnerAnswer",
    "LivePrediction",
    "range_warning_text",
]
