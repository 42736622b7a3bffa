"""A fingerprint of a file, sufficient to notice that another file took its place."""

import hashlib
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from histowidgets._address import is_address

#: Bytes read at the beginning, at the end, and at each place between; and the number of these places.
_PIECE, _PLACES = 4096, 14
#: The metadata files of an OME-Zarr folder.
_FOLDER_FILES = ("zarr.json", ".zattrs", ".zarray", ".zgroup")


class FileMark(BaseModel):
    """The mark of a file, or of the folder of an OME-Zarr.

    Attributes
    ----------
    size : int
        Size in bytes; for a folder, of its metadata files.
    mtime_ns : int
        Time of the last change, in nanoseconds since 1970.
    ends : int
        Checksum of its first and last 4,096 bytes.
    middle : int
        Checksum of places between them.
    """

    size: int
    mtime_ns: int
    ends: int
    middle: int


def mark_file(path: Path | str) -> FileMark | None:
    """Return the mark of a file; None if it cannot be read or is an address."""
    if is_address(path):
        return None
    path = Path(path)
    try:
        if path.is_dir():
            return _mark_folder(path)
        stat = path.stat()
        with path.open("rb") as file:
            ends, middle = _ends(file, stat.st_size), _middle(file, stat.st_size)
    except (OSError, ValueError):
        return None
    return FileMark(size=stat.st_size, mtime_ns=stat.st_mtime_ns, ends=ends, middle=middle)


def _mark_folder(path: Path) -> FileMark | None:
    found = [path / name for name in _FOLDER_FILES if (path / name).is_file()]
    if not found:
        return None
    contents = [file.read_bytes() for file in found]
    joined = b"\0".join(contents)
    changed = max(file.stat().st_mtime_ns for file in found)
    return FileMark(size=len(joined), mtime_ns=changed, ends=zlib.crc32(joined), middle=0)


def is_same(mark: FileMark, path: Path) -> bool | None:
    """Return whether a file is the one that was marked; None if it cannot be read.

    A copy, which may have another time, counts as the same. The middle is read only if the time differs.
    """
    try:
        if path.is_dir():
            now = _mark_folder(path)
            return None if now is None else (now.size, now.ends) == (mark.size, mark.ends)
        stat = path.stat()
        if stat.st_size != mark.size:
            return False
        with path.open("rb") as file:
            if _ends(file, stat.st_size) != mark.ends:
                return False
            return stat.st_mtime_ns == mark.mtime_ns or _middle(file, stat.st_size) == mark.middle
    except (OSError, ValueError):
        return None


def identifying_marks(path: Path | str) -> tuple[str, ...]:
    """Return two marks to recognize a file by: a digest of its path, and one of its size and content.

    A file that was moved keeps the second mark, and one that was changed in place keeps the first. Folders and
    addresses have only the first, since the metadata of two OME-Zarr images can be equal.
    """
    place = hashlib.sha256(os.fsencode(Path(path).absolute())).hexdigest()
    mark = None if Path(path).is_dir() else mark_file(path)
    return (place,) if mark is None else (place, f"{mark.size}-{mark.ends:08x}-{mark.middle:08x}")


def _ends(file: BinaryIO, size: int) -> int:
    file.seek(0)
    first = zlib.crc32(file.read(_PIECE))
    file.seek(max(0, size - _PIECE))
    return zlib.crc32(file.read(_PIECE), first)


def _middle(file: BinaryIO, size: int) -> int:
    checksum = 0
    for place in range(1, _PLACES + 1):
        file.seek(size * place // (_PLACES + 1))
        checksum = zlib.crc32(file.read(_PIECE), checksum)
    return checksum
