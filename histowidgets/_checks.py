"""Checks of values that come from the user or from a file."""

import math
from numbers import Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def is_within(value: object, low: float, high: float = math.inf) -> bool:
    """Return whether a value is a Python or NumPy number from `low` to `high`; booleans do not count as numbers."""
    return isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high


def first_problem(error: "ValidationError") -> str:
    """Describe in a few words the first problem in values that a pydantic model rejected, such as those of a file.

    The text names the entry, shows its value (up to 80 characters), and says what is expected.
    """
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{name!r} is missing"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    wanted = problem["msg"].replace("Input should be", "it should be")
    return f"{name} is {problem['input']!r:.80}; {wanted}"
