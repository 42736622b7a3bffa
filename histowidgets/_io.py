"""Paths that a person gives, names of files, and files that are written whole or not at all."""

import hashlib
import os
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from histowidgets._address import is_address
from histowidgets.errors import HistowidgetsError

#: What usually helps when a file cannot be written.
FREE_SPACE = "Free some space, or choose a folder that you may write to."

#: Bytes at the beginning and the end of a file that tell whether it is the same.
_ENDS = 1 << 16


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
        Of that type, if it is neither, or empty, holds a NUL, or is an address.
    """
    if not isinstance(given, str | os.PathLike) or isinstance(os.fspath(given), bytes):
        raise error(f"The path is {reprlib.repr(given)}; text or a Path is wanted.")
    text = os.fspath(given)
    if not text or "\0" in text:
        raise error(f"The path is {given!r}; a name that is not empty, without NUL, is wanted.")
    if is_address(text):
        raise error(
            f"{text} is an address, not a path on this computer. Give a path; download what is to be read, upload what "
            "was written, or mount the storage as a folder."
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:  # "~somebody" may be a name where no such user is known
        return Path(text)


@contextmanager
def atomic_write(
    path: str | os.PathLike[str], error: type[HistowidgetsError], advice: str = FREE_SPACE, *, fsync: bool = True
) -> Iterator[Path]:
    """Give a temporary path to write to; when the block ends well it replaces `path`.

    A reader sees the old file or the new one, never a part. The folder must exist.

    Parameters
    ----------
    path : str or path-like
    error : type of HistowidgetsError
        What to raise.
    advice : str
        What to do about a failure: the end of the message.
    fsync : bool
        Flush the file to the disk before it replaces the old one, so that it survives a power failure.

    Raises
    ------
    HistowidgetsError
        Of the type `error`, if `path` is not a path or cannot be written; what was there before is then unchanged.
    """
    target = as_path(path, error)
    if not target.name:
        raise error(f"{path} is a folder. Give the name of a file in it.")
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        if fsync:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(target)
    except OSError as failure:
        if not target.parent.is_dir():
            why, advice = f"there is no folder {target.parent}", "Make it first, or choose another."
        elif target.is_dir():
            why, advice = "a folder has this name", "Give the name of a file."
        else:
            why = failure.strerror or str(failure)
        raise error(f"{path} cannot be written: {why}. {advice}") from failure
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def file_stem(name: str, default: str = "image") -> str:
    """Return a name as a file's, without ending: letters and digits of any script, ``-`` and ``_``."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name).strip("_")[:60] or default


def written(text: str) -> str:
    """Return text as it can be written to any file: what is left of a file name that is not UTF-8 is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def file_marks(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return what tells a file from others: a digest of its place, and one of its size, beginning and end.

    The same file has at least one of them in common with itself: moved, or changed in its place.
    """
    place = hashlib.sha256(os.fsencode(Path(path).absolute())).hexdigest()
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest = hashlib.sha256(str(size).encode())
            for start in (0, max(0, size - _ENDS)):
                file.seek(start)
                digest.update(file.read(_ENDS))
    except OSError:  # a folder, or not there
        return (place,)
    return place, digest.hexdigest()
