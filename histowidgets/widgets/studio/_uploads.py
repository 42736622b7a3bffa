"""Files that the page uploads in pieces, and completions of a path that is being typed."""

import os
import tempfile
from pathlib import Path

from histowidgets.errors import ImageOpenError

#: Larger files should be copied to the kernel's computer, since an upload passes through the browser.
MOST_UPLOAD_BYTES = 2**30
#: At most this many completions are offered.
MOST_HINTS = 20


class Upload:
    """A file that the page is uploading to a folder.

    Parameters
    ----------
    folder
        Where the file is saved; created if missing. None uses a folder that is removed when the kernel ends.
    name
        Name of the file; a path before it is removed.
    size
        Size in bytes.

    Raises
    ------
    ImageOpenError
        If the name is blank or the file too large.
    """

    def __init__(self, folder: Path | None, name: str, size: int) -> None:
        # A browser on Windows may send a whole path.
        plain = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
        if plain in ("", ".", ".."):
            raise ImageOpenError(f"The file name {name!r} cannot be used. Rename the file, then upload it again.")
        if not 0 < size <= MOST_UPLOAD_BYTES:
            raise ImageOpenError(
                f"{plain} has {size:,} bytes; files of 1 to {MOST_UPLOAD_BYTES:,} bytes can be uploaded. "
                "Copy the file to the kernel's computer, and type its path."
            )
        target = folder if folder is not None else kernel_folder()
        target.mkdir(parents=True, exist_ok=True)
        self.path = _free_path(target / plain)
        self.size, self.received = size, 0
        self._file = self.path.open("xb")

    def add(self, piece: bytes) -> bool:
        """Append a piece and return whether the file is complete (ImageOpenError if it exceeds the announced size)."""
        self.received += len(piece)
        if self.received > self.size:
            self.drop()
            raise ImageOpenError(f"{self.path.name} is larger than the announced {self.size:,} bytes. Upload it again.")
        self._file.write(piece)
        if self.received == self.size:
            self._file.close()
        return self.received == self.size

    def drop(self) -> None:
        """Delete the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)


_kernel_folder: "tempfile.TemporaryDirectory[str] | None" = None


def kernel_folder() -> Path:
    """Return a folder that is removed when the kernel ends."""
    global _kernel_folder
    if _kernel_folder is None:
        _kernel_folder = tempfile.TemporaryDirectory(prefix="histowidgets-", ignore_cleanup_errors=True)
    return Path(_kernel_folder.name)


def _free_path(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def path_hints(typed: str) -> list[str]:
    """Return at most `MOST_HINTS` paths that start with `typed`; those of folders end in a slash."""
    folder, start = os.path.split(typed)
    try:
        with os.scandir(Path(folder).expanduser()) as entries:
            fitting = sorted(
                (entry.name, entry.is_dir())
                for entry in entries
                if entry.name.lower().startswith(start.lower()) and (start or not entry.name.startswith("."))
            )
    except (OSError, RuntimeError, ValueError):  # an unknown user, as in "~unknown", or text that is not a path
        return []
    typed_folder = typed[: len(typed) - len(start)]  # as typed, with its "~"
    return [f"{typed_folder}{name}{'/' if is_folder else ''}" for name, is_folder in fitting[:MOST_HINTS]]
