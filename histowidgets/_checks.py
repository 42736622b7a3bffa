"""Checks of values that a person typed or a file claims."""

import math
from numbers import Real


def is_within(value: object, low: float, high: float = math.inf) -> bool:
    """Say whether a value is a number, of Python's or NumPy's, from `low` to `high`; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high
