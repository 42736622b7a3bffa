from ._base import Run, RunSummary
from ._classifier import read_classifier
from ._loaded import LoadedRun, load_last_run
from ._repeat import repeat_training, what_differs
from ._replay import ReplayedRun, replay
from ._resume import resume_training
from ._run import TrainingRun
from ._run_log import RunLog
from ._start import start_training, train
from ._state import RunState
from ._tensorboard import write_tensorboard
from ._unfinished import UnfinishedRun, find_unfinished_run

__all__ = [
    "LoadedRun",
    "ReplayedRun",
    "Run",
    "RunLog",
    "RunState",
    "RunSummary",
    "TrainingRun",
    "UnfinishedRun",
    "find_unfinished_run",
    "load_last_run",
    "read_classifier",
    "repeat_training",
    "replay",
    "resume_training",
    "start_training",
    "train",
    "what_differs",
    "write_tensorboard",
]
