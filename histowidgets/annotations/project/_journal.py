"""The journal: a line of JSON for each edit, on disk before any subscriber is called."""

import json
import os
import warnings
import weakref
from pathlib import Path

from histowidgets.annotations.project._state import Record
from histowidgets.errors import ProjectFolderError


class Journal:
    """A file that is only ever appended to.

    Parameters
    ----------
    path : Path
        Created if missing.

    Raises
    ------
    ProjectFolderError
        If it cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise ProjectFolderError(f"{path} cannot be written: {error.strerror or error}.") from error
        self._end = path.stat().st_size
        # A project that is never closed releases its file when it is garbage-collected.
        self._closer = weakref.finalize(self, self._file.close)

    def append(self, *records: Record) -> None:
        """Write records, and return when they are on disk.

        Raises
        ------
        ProjectFolderError
            If that fails, for instance because the disk is full; the journal is then unchanged.
        """
        lines = b"".join(json.dumps(one, separators=(",", ":"), allow_nan=False).encode() + b"\n" for one in records)
        try:
            written = 0
            while written < len(lines):  # a raw file may write only part of the data
                written += self._file.write(lines[written:]) or 0
            os.fsync(self._file.fileno())
        except BaseException as error:
            self._file.truncate(self._end)  # also after Ctrl+C, since an edit that is not applied must not be on disk
            if not isinstance(error, OSError):
                raise
            raise ProjectFolderError(
                f"The edit could not be saved in {self._path}: {error.strerror or error}. It was not applied. Free "
                "some space, then try again."
            ) from error
        self._end += len(lines)

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        self._closer()


def read_journal(path: Path, repair: bool) -> list[tuple[int, Record]]:
    """Read the records of a journal with their line numbers.

    An incomplete last line is dropped with a warning: the program was killed before it confirmed the edit.

    Parameters
    ----------
    path : Path
        May be missing, in which case there are no records.
    repair : bool
        Whether to cut off the incomplete line, so that the next record starts on a new line.

    Raises
    ------
    ProjectFolderError
        If a line before the last is damaged; the message gives its number.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise ProjectFolderError(f"{path} cannot be read: {error.strerror or error}.") from error
    records: list[tuple[int, Record]] = []
    lines = content.split(b"\n")
    good = 0
    for number, line in enumerate(lines, start=1):
        if not line and number == len(lines):
            return records
        record = _parsed(line)
        last = number == len(lines) or (number == len(lines) - 1 and not lines[-1])
        if record is None and not last:
            raise damaged(path, number, "it is not a JSON object with an edit")
        # A record without its newline was never confirmed; a complete one can stay if it gets a newline.
        if record is None or number == len(lines):
            break
        records.append((number, record))
        good += len(line) + 1
    warnings.warn(
        f"The last line of {path} (line {len(records) + 1}) was cut short when the program ended, and was dropped. "
        "No confirmed edit is lost.",
        stacklevel=4,  # points at the line that opened the project
    )
    if repair:
        with path.open("r+b") as file:
            file.truncate(good)
    return records


def _parsed(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # bad JSON, or bytes that are not text
        return None
    return record if isinstance(record, dict) and isinstance(record.get("op"), str) else None


def damaged(path: Path, number: int, why: str) -> ProjectFolderError:
    """Make an error that names the damaged line of a journal."""
    return ProjectFolderError(
        f"Line {number} of {path} is damaged: {why}. Restore the file from a backup, or delete everything from line "
        f"{number} on in a text editor, which loses those edits."
    )
