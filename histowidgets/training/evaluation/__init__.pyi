from ._compare_settings import compare_settings
from ._comparison import ComparedRun, Comparison, compare_runs
from ._cross_validation import CrossValidation, cross_validate

__all__ = [
    "ComparedRun",
    "Comparison",
    "CrossValidation",
    "compare_runs",
    "compare_settings",
    "cross_validate",
]
