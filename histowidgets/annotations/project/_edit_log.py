"""How a project is edited: checked, put in the journal, made, told to those who listen; undone and redone."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._edits import edit_from_record
from histowidgets.annotations.project._folder import ProjectFolder
from histowidgets.annotations.project._history import History
from histowidgets.annotations.project._label_cache import LabelCache
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.errors import ProjectError, ReadOnlyError

logger = logging.getLogger(__name__)


class Editor:
    """The part of a project that does not care what the edits are.

    Parameters
    ----------
    state : State
    folder : ProjectFolder or None
        Where edits are kept.
    history : History, optional
        The edits that led to the state.
    """

    def __init__(self, state: State, folder: ProjectFolder | None, history: History | None = None) -> None:
        self._lock = threading.RLock()
        # Held while an image is written, which takes seconds; taken before `_lock`, never the other way round.
        self._adding = threading.Lock()
        self._state = state
        self._folder = folder
        self._history = history or History()
        self._maps = LabelCache()
        self._subscribers: dict[int, Callable[[Change], None]] = {}
        self._next_subscriber = 0
        self._closed = False
        #: Written into each new annotation; empty by default.
        self.annotator = ""

    # --- the folder ------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path | None:
        """Where the project is kept; None if in memory alone."""
        return None if self._folder is None else self._folder.path

    @property
    def read_only(self) -> bool:
        """Whether another session holds the folder, so that this one may only look."""
        return self._folder is not None and self._folder.read_only

    @property
    def held_by(self) -> str | None:
        """Who holds the folder, if it is not us."""
        return None if self._folder is None else self._folder.held_by

    @property
    def left_by(self) -> str | None:
        """Who held the folder before and ended without closing it, as a killed kernel does; None if all was well."""
        return None if self._folder is None else self._folder.left_by

    @property
    def closed(self) -> bool:
        """Whether `close` was called; a project in a folder cannot be edited after that."""
        return self._closed

    def close(self) -> None:
        """Let go of the folder, once an image that is being added is written; the project can still be read."""
        with self._adding, self._lock:
            self._closed = True
            if self._folder is not None:
                self._folder.close()

    # --- undo ------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        with self._lock:
            return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit that was taken back, to do again."""
        with self._lock:
            return self._history.can_redo

    def undo(self) -> bool:
        """Take the last edit back; return whether there was one."""
        return self._step({"op": "undo"})

    def redo(self) -> bool:
        """Do the edit again that was taken back last; return whether there was one."""
        return self._step({"op": "redo"})

    # --- who listens -----------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back after each edit, in the thread that made it; return what ends that.

        An exception in the callback is logged: the edit has been made.
        """
        with self._lock:
            number = self._next_subscriber
            self._next_subscriber += 1
            self._subscribers[number] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers.pop(number, None)

        return unsubscribe

    def snapshot(self) -> ProjectSnapshot:
        """Return the project as it is now, for other threads to work on."""
        with self._lock:
            images = self._state.images
            return ProjectSnapshot(
                classes=tuple(self._state.classes),
                colors=dict(self._state.colors),
                images={name: s.image for name, s in images.items()},
                roles={name: s.role for name, s in images.items()},
                annotations={name: s.frozen() for name, s in images.items()},
            )

    # --- how an edit is made ---------------------------------------------------------------------------------------

    def _edit(self, record: Record) -> None:
        """Check an edit, put it in the journal, make it, tell."""
        with self._lock:
            self._require_writable()
            edit = edit_from_record(record, self._state)
            self._write(record)
            self._history.do(edit, self._state)
            change = self._noted(edit, forward=True)
        self._tell(change)

    def _step(self, record: Record) -> bool:
        with self._lock:
            self._require_writable()
            forward = record["op"] == "redo"
            if not (self._history.can_redo if forward else self._history.can_undo):
                return False
            self._write(record)
            edit = self._history.redo(self._state) if forward else self._history.undo(self._state)
            change = self._noted(edit, forward)
        self._tell(change)
        return True

    def _noted(self, edit: Edit, forward: bool) -> Change:
        self._maps.update(self._state, edit, forward)
        return edit.change(self._state)

    def _write(self, record: Record) -> None:
        if self._folder is not None:
            self._folder.append(record)

    def _require_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(
                f"The project in {self.folder} is open for reading only: {self.held_by} holds it. Close it there, "
                "then open it here again."
            )
        if self._closed and self._folder is not None:
            raise ProjectError("The project is closed. Open it again with Project.open(folder).")

    def _tell(self, change: Change) -> None:
        with self._lock:
            callbacks = list(self._subscribers.values())
        for callback in callbacks:
            try:
                callback(change)
            except Exception:
                # The edit is made and on disk; one listener's fault must not hide that from the others.
                logger.exception("A subscriber of the project failed on %s", change)
