"""Issue warnings that point at the user's line of code."""

import sys
import warnings

from histowidgets.errors import HistowidgetsWarning

_PACKAGE = __name__.partition(".")[0]


def warn_user(warning: HistowidgetsWarning) -> None:
    """Issue a warning at the first line of the call stack outside this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(warning, stacklevel=level)
