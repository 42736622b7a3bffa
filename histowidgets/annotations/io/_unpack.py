"""Read the bytes of a file, decompressed if necessary; from an archive, the entry for the image."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from histowidgets.errors import AnnotationFileError, SeveralEntriesError

#: Most bytes of an unpacked file, since a small archive can claim any size.
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Unpacked:
    """The content of a file.

    Attributes
    ----------
    name : str
        Name of the file, and of the entry in it.
    data : bytes
        Content; empty for an archive of ImageJ's ROIs.
    rois : mapping of name to bytes
        The entries of an archive of ImageJ's ROIs.
    """

    name: str
    data: bytes
    rois: Mapping[str, bytes] = field(default_factory=dict)


def read_unpacked(path: Path, entry: str | None, stems: Collection[str]) -> Unpacked:
    """Read a file, and unpack it if necessary.

    Parameters
    ----------
    path : Path
    entry : str or None
        Name of the archive entry to read.
    stems : collection of str
        Possible names of the entry, without ending, if `entry` is None and there are several.

    Raises
    ------
    AnnotationFileError
        If it cannot be read, is damaged, or is too large when unpacked.
    SeveralEntriesError
        If an archive has several entries and none was chosen.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnnotationFileError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    return _unpacked(Unpacked(path.name, data), entry, stems)


def _unpacked(content: Unpacked, entry: str | None, stems: Collection[str]) -> Unpacked:
    data = content.data
    if data[:2] == b"\x1f\x8b":
        return _unpacked(Unpacked(content.name, _gunzip(content)), entry, stems)
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _from_zip(content, entry, stems)
    return content


def _gunzip(content: Unpacked) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content.data)) as file:
            return _limited(file.read(MOST_BYTES + 1), content.name)
    except (OSError, EOFError, zlib.error) as error:
        raise AnnotationFileError(f"{content.name} cannot be unpacked: {error}. Copy it again.") from error


def _from_zip(content: Unpacked, entry: str | None, stems: Collection[str]) -> Unpacked:
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir() and _is_content(info.filename)]
            rois = [name for name in names if name.lower().endswith(".roi")]
            if rois and entry is None:
                return Unpacked(content.name, b"", {name: _entry(archive, name, content.name) for name in rois})
            chosen = _chosen(content.name, names, entry, stems)
            inner = Unpacked(f"{content.name}/{chosen}", _entry(archive, chosen, content.name))
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        if isinstance(error, AnnotationFileError):
            raise
        raise AnnotationFileError(f"{content.name} cannot be unpacked: {error}. Unpack it yourself.") from error
    return _unpacked(inner, None, stems) if inner.data[:2] == b"\x1f\x8b" else inner


def _is_content(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and parts[0] != "__MACOSX" and not parts[-1].startswith(".")


def _chosen(archive: str, names: list[str], entry: str | None, stems: Collection[str]) -> str:
    if not names:
        raise AnnotationFileError(f"{archive} is an empty archive. Export the annotations again.")
    if entry is not None:
        found = [name for name in names if entry in (name, PurePosixPath(name).name)]
    else:
        found = names if len(names) == 1 else [name for name in names if stem_of(name) in stems]
    if len(found) != 1:
        raise SeveralEntriesError(f"{archive} holds {len(names)} files", names)
    return found[0]


def stem_of(name: str) -> str:
    """Return the name of a file without folder and endings."""
    return PurePosixPath(name.replace("\\", "/")).name.split(".")[0]


def _entry(archive: zipfile.ZipFile, name: str, file: str) -> bytes:
    with archive.open(name) as source:
        return _limited(source.read(MOST_BYTES + 1), f"{file}/{name}")


def _limited(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise AnnotationFileError(
            f"{name} has more than {MOST_BYTES:,} bytes when unpacked. Export fewer annotations at once."
        )
    return data
