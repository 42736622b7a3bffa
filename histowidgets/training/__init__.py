"""Training: settings, tiles, the loop, the thread that runs it, its events, cross-validation, the quick learner.

Settings and events load without torch; the rest is fetched when it is first used.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names
from histowidgets.training._channels import with_channels
from histowidgets.training._comparison import ComparedRun, Comparison, compare_runs
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
from histowidgets.training._normalization import normalization_of
from histowidgets.training._replay import ReplayedRun, replay
from histowidgets.training._resume import RunSummary, resume_training, unfinished_run
from histowidgets.training._run_log import RunLog
from histowidgets.training._settings import TrainingSettings, setting_range

if TYPE_CHECKING:
    from histowidgets.training._budget import Estimate, estimate
    from histowidgets.training._compare import compare
    from histowidgets.training._cross_validation import CrossValidation, cross_validate
    from histowidgets.training._network_size import NetworkSize, network_size
    from histowidgets.training._preview import augmentation_preview
    from histowidgets.training._quick import quick_classifier, warm_quick
    from histowidgets.training._quick_score import QuickScore, quick_score
    from histowidgets.training._rate_test import LearningRateTest, find_learning_rate
    from histowidgets.training._run import TrainingRun, start_training, train
    from histowidgets.training._tensorboard import write_tensorboard
    from histowidgets.training._together import joined
    from histowidgets.training._with_quick import QuickPartner, with_quick

_HOME_OF = {
    "CrossValidation": "_cross_validation",
    "Estimate": "_budget",
    "LearningRateTest": "_rate_test",
    "NetworkSize": "_network_size",
    "QuickPartner": "_with_quick",
    "QuickScore": "_quick_score",
    "TrainingRun": "_run",
    "augmentation_preview": "_preview",
    "compare": "_compare",
    "cross_validate": "_cross_validation",
    "estimate": "_budget",
    "find_learning_rate": "_rate_test",
    "joined": "_together",
    "network_size": "_network_size",
    "quick_classifier": "_quick",
    "quick_score": "_quick_score",
    "start_training": "_run",
    "train": "_run",
    "warm_quick": "_quick",
    "with_quick": "_with_quick",
    "write_tensorboard": "_tensorboard",
}

__all__ = [
    "FINAL_STATES",
    "BatchEnded",
    "ComparedRun",
    "Comparison",
    "CrossValidation",
    "EpochEnded",
    "EpochRecord",
    "Estimate",
    "Event",
    "LearningRateTest",
    "Message",
    "NetworkSize",
    "QuickPartner",
    "QuickScore",
    "ReplayedRun",
    "RunEnded",
    "RunFailed",
    "RunLog",
    "RunStarted",
    "RunSummary",
    "State",
    "StateChanged",
    "TrainingRun",
    "TrainingSettings",
    "augmentation_preview",
    "compare",
    "compare_runs",
    "cross_validate",
    "estimate",
    "find_learning_rate",
    "joined",
    "network_size",
    "normalization_of",
    "quick_classifier",
    "quick_score",
    "replay",
    "resume_training",
    "setting_range",
    "start_training",
    "train",
    "unfinished_run",
    "warm_quick",
    "with_channels",
    "with_quick",
    "write_tensorboard",
]


__getattr__ = lazy_names(__name__, _HOME_OF)
