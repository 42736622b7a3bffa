"""Training: settings, tiles, the loop, the thread that runs it, its events, cross-validation, the quick learner.

Settings and events load without torch; the rest is fetched when it is first used.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names
from histowidgets.training._events import (
    FINAL_STATES,
    BatchEnded,
    EpochEnded,
    EpochRecord,
    Event,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    State,
    StateChanged,
)
from histowidgets.training._replay import ReplayedRun, replay
from histowidgets.training._settings import TrainingSettings, setting_range

if TYPE_CHECKING:
    from histowidgets.training._cross_validation import CrossValidation, cross_validate
    from histowidgets.training._latest import LatestWorker
    from histowidgets.training._quick import quick_classifier, warm_quick
    from histowidgets.training._rate_test import LearningRateTest, find_learning_rate
    from histowidgets.training._run import TrainingRun, start_training, train

_HOME_OF = {
    "CrossValidation": "_cross_validation",
    "LatestWorker": "_latest",
    "LearningRateTest": "_rate_test",
    "TrainingRun": "_run",
    "cross_validate": "_cross_validation",
    "find_learning_rate": "_rate_test",
    "quick_classifier": "_quick",
    "start_training": "_run",
    "train": "_run",
    "warm_quick": "_quick",
}

__all__ = [
    "FINAL_STATES",
    "BatchEnded",
    "CrossValidation",
    "EpochEnded",
    "EpochRecord",
    "Event",
    "LatestWorker",
    "LearningRateTest",
    "Message",
    "ReplayedRun",
    "RunEnded",
    "RunFailed",
    "RunStarted",
    "State",
    "StateChanged",
    "TrainingRun",
    "TrainingSettings",
    "cross_validate",
    "find_learning_rate",
    "quick_classifier",
    "replay",
    "setting_range",
    "start_training",
    "train",
    "warm_quick",
]


__getattr__ = lazy_names(__name__, _HOME_OF)
