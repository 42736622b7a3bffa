from ._base import RunFace
from ._replay import ReplayedRun, replay
from ._run import TrainingRun, start_training, train
from ._run_log import RunLog
from ._tensorboard import write_tensorboard
from ._unfinished import RunSummary, resume_training, unfinished_run

__all__ = [
    "ReplayedRun",
    "RunFace",
    "RunLog",
    "RunSummary",
    "TrainingRun",
    "replay",
    "resume_training",
    "start_training",
    "train",
    "unfinished_run",
    "write_tensorboard",
]
