from ._compute import ComputeContext, choose_device, compute_formats
from ._control import RunControl
from ._distributed import ProcessGroup, joined, make_control
from ._loss import TEACH_FROM_STEP, Loss
from ._lr_finder import LearningRateTest, find_learning_rate
from ._metrics import Confusion
from ._model_selection import ModelSelection
from ._os_tuning import keep_freed_memory, lower_thread_priority
from ._setup import fitted_normalization, prepare
from ._state import TrainerState
from ._trainer import Trainer, make_trainer, run_loop

__all__ = [
    "TEACH_FROM_STEP",
    "ComputeContext",
    "Confusion",
    "LearningRateTest",
    "Loss",
    "ModelSelection",
    "ProcessGroup",
    "RunControl",
    "Trainer",
    "TrainerState",
    "choose_device",
    "compute_formats",
    "find_learning_rate",
    "fitted_normalization",
    "joined",
    "keep_freed_memory",
    "lower_thread_priority",
    "make_control",
    "make_trainer",
    "prepare",
    "run_loop",
]
