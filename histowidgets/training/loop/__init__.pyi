from ._allocator import kept_memory
from ._compute import Choice, choices, choose_device
from ._control import Kept, RunControl
from ._distributed import joined, make_control
from ._lr_finder import LearningRateTest, find_learning_rate
from ._metrics import Confusion
from ._model_selection import is_better
from ._os_tuning import yield_to_the_hand
from ._setup import Parts, fitted_normalization
from ._trainer import Loop, run_loop

__all__ = [
    "Choice",
    "Confusion",
    "Kept",
    "LearningRateTest",
    "Loop",
    "Parts",
    "RunControl",
    "choices",
    "choose_device",
    "find_learning_rate",
    "fitted_normalization",
    "is_better",
    "joined",
    "kept_memory",
    "make_control",
    "run_loop",
    "yield_to_the_hand",
]
