from ._compare import compare
from ._comparison import ComparedRun, Comparison, compare_runs
from ._cross_validation import CrossValidation, cross_validate

__all__ = [
    "ComparedRun",
    "Comparison",
    "CrossValidation",
    "compare",
    "compare_runs",
    "cross_validate",
]
