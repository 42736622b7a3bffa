"""Features of a frozen encoder kept on disk, beside the project whose images they are of."""

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from histowidgets._io import atomic_write
from histowidgets.errors import ProjectFolderError

#: Name of the folder in a project's folder.
FEATURE_FOLDER = "features"
#: Size of all files together, in bytes; those that were not used for longest are deleted first.
STORE_BYTES = 4 << 30


class FeatureStore:
    """Feature maps in files, up to a number of bytes; the folder can be deleted at any time.

    A file is named after the pixels that the encoder saw, normalized and with the chosen channels at the chosen
    downsample, and after the encoder's weights: whatever changes these changes the name, so that a file is never wrong.
    A store that cannot be written (a full disk, a read-only folder) is one that keeps nothing. Thread-safe, and safe
    for several processes.

    Parameters
    ----------
    folder : Path
        Made with the first file.
    max_bytes : int, default 4 GiB
    """

    def __init__(self, folder: Path, max_bytes: int = STORE_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._lock = threading.Lock()
        self._written: int | None = None  # bytes in the folder, as far as this process knows

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureStore, (self.folder, self.max_bytes)

    def get(self, key: str) -> tuple[torch.Tensor, ...] | None:
        """Return the maps of a key, or None; a damaged file counts as none, and is deleted."""
        path = self._path(key)
        try:
            found = load_file(path)
            maps = tuple(found[str(i)] for i in range(len(found)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (SafetensorError, KeyError, OSError):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # so that it counts as used
        return maps

    def put(self, key: str, maps: tuple[torch.Tensor, ...]) -> None:
        """Keep maps, and delete the files that were not used for longest if there is no room."""
        size = sum(one.numel() * one.element_size() for one in maps)
        if size > self.max_bytes:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path(key), ProjectFolderError, fsync=False) as part:
                save_file({str(i): one.contiguous() for i, one in enumerate(maps)}, part)
                size = part.stat().st_size
        except (ProjectFolderError, SafetensorError, OSError):
            return
        with self._lock:
            self._written = self.content()[1] if self._written is None else self._written + size
            if self._written > self.max_bytes:
                self._written = self._shrink()

    def content(self) -> tuple[int, int]:
        """Return the number of files, and their size together in bytes."""
        sizes = []
        for path in self.folder.glob("*.safetensors"):
            with suppress(OSError):
                sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _shrink(self) -> int:
        """Delete files until nine tenths of the room are used; return the number of bytes that are left."""
        files = []
        for path in self.folder.glob("*.safetensors"):
            with suppress(OSError):
                found = path.stat()
                files.append((found.st_mtime_ns, found.st_size, path))
        left = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if left <= self.max_bytes * 9 // 10:
                break
            with suppress(OSError):
                path.unlink()
                left -= size
        return left


def feature_key(pixels: torch.Tensor, digest: str) -> str:
    """Return the key of an encoder's features: from what it sees, (1, C, H, W), and the SHA-256 of its weights."""
    found = hashlib.sha256(f"1 {digest} {tuple(pixels.shape)} {pixels.dtype}".encode())
    found.update(pixels.contiguous().numpy().data)
    return found.hexdigest()
