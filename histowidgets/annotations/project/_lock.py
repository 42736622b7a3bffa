"""A lock that allows one writer per folder, and is released whenever its process ends."""

import contextlib
import json
import os
import socket
import time
from pathlib import Path

import filelock

LOCK_FILE = "project.lock"
HOLDER_FILE = "project.holder.json"


class FolderLock:
    """The right to write to a folder.

    The operating system holds the lock and releases it when the process dies, so that a dead process locks no one out.
    A small file beside it names the holder. If that file exists while the lock is free, the holder ended without
    releasing the lock.

    Parameters
    ----------
    folder : Path
        Must exist.

    Attributes
    ----------
    held : bool
        Whether this session may write.
    held_by : str or None
        The other session that may write, if any.
    left_by : str or None
        The session that ended without releasing the folder; None if there was none.
    fault : str or None
        Why the folder is not writable, if it is not.
    """

    def __init__(self, folder: Path) -> None:
        self._holder = folder / HOLDER_FILE
        # thread_local=False: the project is used from several threads.
        self._lock = filelock.FileLock(folder / LOCK_FILE, timeout=0, thread_local=False)
        self.held_by: str | None = None
        self.left_by: str | None = None
        self.fault: str | None = None
        self.held = False
        try:
            self._lock.acquire()
            if self._holder.exists():
                self.left_by = self._describe_holder()
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            holder = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
            self._holder.write_text(json.dumps(holder), encoding="utf-8")
        except filelock.Timeout:
            self.held_by = self._describe_holder()
            return
        except OSError as error:
            self._lock.release()
            self.fault = error.strerror or str(error)
            return
        self.held = True

    def release(self) -> None:
        """Let another session write."""
        if self.held:
            self.held = False
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _describe_holder(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            process, host, since = holder["process"], holder["host"], holder["since"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "another session"
        own = " (this kernel)" if process == os.getpid() and host == socket.gethostname() else ""
        return f"process {process}{own} on {host}, since {since}"
