"""What a person gives as a path, checked before anything is done with it."""

import os
from pathlib import Path

from histowidgets.errors import HistowidgetsError


def as_path(given: object, error: type[HistowidgetsError]) -> Path:
    """Return a path, with "~" as the home folder.

    Parameters
    ----------
    given : object
        Text or a path.
    error : type of HistowidgetsError
        What to raise.

    Raises
    ------
    HistowidgetsError
        Of that type, if it is neither, or empty, or holds a NUL.
    """
    if not isinstance(given, str | os.PathLike) or isinstance(os.fspath(given), bytes):
        raise error(f"The path is {given!r}; text or a Path is wanted.")
    text = os.fspath(given)
    if not text or "\0" in text:
        raise error(f"The path is {given!r}; a name that is not empty, without NUL, is wanted.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # "~somebody" whom this computer does not know may be a name
        return Path(text)
