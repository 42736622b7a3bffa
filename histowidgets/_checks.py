"""Checks of values that a person typed or a file claims."""

import math
from numbers import Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def is_within(value: object, low: float, high: float = math.inf) -> bool:
    """Say whether a value is a number, of Python's or NumPy's, from `low` to `high`; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high


def first_problem(error: "ValidationError") -> str:
    """Say in a few words what is wrong with values that a pydantic model refused, such as those of a file.

    Names the entry, shows what it holds (80 characters of it), and says what it should be.
    """
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{name!r} is missing"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    wanted = problem["msg"].replace("Input should be", "it should be")
    return f"{name} is {problem['input']!r:.80}; {wanted}"
