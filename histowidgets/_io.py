"""Check paths given by the user, make file names, and write files atomically."""

import os
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from histowidgets._address import is_address
from histowidgets.errors import HistowidgetsError

#: Advice for when a file cannot be written.
FREE_SPACE = "Free some space, or choose a folder that you may write to."


def as_path(given: object, error: type[HistowidgetsError]) -> Path:
    """Convert text or a path to a `Path`, with "~" expanded to the home folder.

    Parameters
    ----------
    given : object
        Text or a path.
    error : type of HistowidgetsError
        What to raise.

    Raises
    ------
    HistowidgetsError
        Of the type `error`, if `given` is neither text nor a path, is empty, contains a NUL character, or is an
        address.
    """
    if not isinstance(given, str | os.PathLike) or isinstance(os.fspath(given), bytes):
        raise error(f"The path is {reprlib.repr(given)}; expected text or a Path.")
    text = os.fspath(given)
    if not text or "\0" in text:
        raise error(f"The path is {given!r}; expected a name that is not empty and has no NUL character.")
    if is_address(text):
        raise error(
            f"{text} is an address, not a path on this computer. Give a local path: download a file before reading it, "
            "upload it after writing, or mount the storage as a folder."
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:  # "~name" may be the name of a file if there is no such user
        return Path(text)


@contextmanager
def atomic_write(
    path: str | os.PathLike[str], error: type[HistowidgetsError], advice: str = FREE_SPACE, *, fsync: bool = True
) -> Iterator[Path]:
    """Yield a temporary path to write to, and move it to `path` if the block succeeds.

    A reader sees either the old file or the new one, never a partial file. The folder must exist.

    Parameters
    ----------
    path : str or path-like
    error : type of HistowidgetsError
        What to raise.
    advice : str
        What the user can do about a failure; appended to the message.
    fsync : bool
        Flush the file to disk before it replaces the old one, so that it survives a power failure.

    Raises
    ------
    HistowidgetsError
        Of the type `error`, if `path` is not a path or cannot be written; an existing file is then unchanged.
    """
    target = as_path(path, error)
    if not target.name:
        raise error(f"{path} is a folder. Give the path of a file.")
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        if fsync:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(target)
    except OSError as failure:
        # `os.path.isdir` is False where `Path.is_dir` raises PermissionError.
        if not os.path.isdir(target.parent) and not isinstance(failure, PermissionError):  # noqa: PTH112
            why, advice = f"there is no folder {target.parent}", "Make it first, or choose another."
        elif os.path.isdir(target):  # noqa: PTH112
            why, advice = "a folder has this name", "Give the name of a file."
        else:
            why = failure.strerror or str(failure)
        raise error(f"{path} cannot be written: {why}. {advice}") from failure
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def file_stem(name: str, default: str = "image") -> str:
    """Convert a name to a file name without extension: letters and digits of any script, ``-`` and ``_``."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name).strip("_")[:60] or default


def written(text: str) -> str:
    """Return text that can be encoded as UTF-8: surrogates, from file names that are not UTF-8, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
