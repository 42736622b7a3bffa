"""Check the edits of a project, write them to the journal, apply them, and notify the subscribers."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from histowidgets._interrupts import delayed_interrupt
from histowidgets.annotations.project._edit import Edit, image_state
from histowidgets.annotations.project._folder import ProjectFolder
from histowidgets.annotations.project._history import History
from histowidgets.annotations.project._label_cache import LabelCache
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.errors import ProjectError, ProjectFolderError, ReadOnlyError
from histowidgets.images import Image

logger = logging.getLogger(__name__)

AnyEdit = TypeVar("AnyEdit", bound=Edit)


class EditLog:
    """The state of a project, and the only way to change it. Independent of the kinds of edits.

    Parameters
    ----------
    state : State
    folder : ProjectFolder, optional
        Folder to write edits to; None keeps the project in memory only.
    history : History, optional
        The edits that led to the state.

    Attributes
    ----------
    lock : threading.RLock
        Held while the state is read or changed.
    adding : threading.Lock
        Held while an image is added, since writing it takes seconds during which `lock` is free. Always acquired
        before `lock`.
    state : State
    folder : ProjectFolder or None
    added : dict of name to (Image, role)
        The images that were added, with the role that they had then.
    annotator : str
        Written into each new annotation; empty by default.
    closed : bool
    """

    def __init__(self, state: State, folder: ProjectFolder | None = None, history: History | None = None) -> None:
        self.lock = threading.RLock()
        self.adding = threading.Lock()
        self.state = state
        self.folder = folder
        self.annotator = ""
        self.closed = False
        self.added: dict[str, tuple[Image, str]] = {}
        self._first_classes = State(list(state.classes), dict(state.colors))
        self._history = history or History()
        self._label_maps = LabelCache()
        self._subscribers: dict[int, Callable[[Change], None]] = {}
        self._next_subscriber = 0

    def close(self) -> None:
        """Release the folder, after finishing to write an image that is being added."""
        with self.adding, self.lock:
            self.closed = True
            if self.folder is not None:
                self.folder.close()

    def save(self, path: Path) -> None:
        """Keep a project that is in memory in a folder from now on. See `Project.save`."""
        with self.adding:  # the lock is free while images are written, so that painting can continue
            if self.folder is not None:
                raise ProjectFolderError(
                    f"The project is kept in {self.folder.path} already. To have a copy, copy that folder."
                )
            folder, saved = ProjectFolder.create(path, self._first_classes), []
            try:
                for name, (image, role) in self.added.items():
                    saved.append(folder.save_image(image, name))
                    folder.add_image(image, name, role, saved[-1])
                with self.lock, delayed_interrupt():
                    folder.append(*self._history.records())
                    self.folder, self.closed = folder, False
            except BaseException:
                folder.discard(saved)
                raise
        self.announce(Change("folder"))

    # --- editing ---------------------------------------------------------------------------------------------------

    def do(self, make: Callable[[State], AnyEdit]) -> AnyEdit:
        """Make and apply an edit, as one step of undo; it is on disk before any subscriber is called.

        Parameters
        ----------
        make : callable
            Called with the state while the lock is held; returns the edit, or raises if the state does not allow it.

        Returns
        -------
        Edit
            The edit that was made.

        Raises
        ------
        ReadOnlyError
            If another session holds the folder.
        ProjectError
            If the project is closed, or `make` raises.
        ProjectFolderError
            If the edit cannot be written; it is not applied then.
        """
        with self.lock:
            self.require_writable()
            edit = make(self.state)
            with delayed_interrupt():  # an edit is both on disk and applied, or neither
                if self.folder is not None:
                    self.folder.append(edit.to_record())
                self._history.do(edit, self.state)
                change = self._changed(edit, forward=True)
        self.announce(change)
        return edit

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        with self.lock:
            return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to redo."""
        with self.lock:
            return self._history.can_redo

    def undo(self) -> bool:
        """Undo the last edit; return whether there was one."""
        return self._step({"op": "undo"}, forward=False)

    def redo(self) -> bool:
        """Redo the edit that was undone last; return whether there was one."""
        return self._step({"op": "redo"}, forward=True)

    def _step(self, record: Record, forward: bool) -> bool:
        with self.lock:
            self.require_writable()
            if not (self._history.can_redo if forward else self._history.can_undo):
                return False
            with delayed_interrupt():
                if self.folder is not None:
                    self.folder.append(record)
                edit = self._history.redo(self.state) if forward else self._history.undo(self.state)
                change = self._changed(edit, forward)
        self.announce(change)
        return True

    def _changed(self, edit: Edit, forward: bool) -> Change:
        self._label_maps.update(self.state, edit, forward)
        return edit.change(self.state)

    def require_writable(self) -> None:
        """Raise an error if another session holds the project or it was closed.

        Raises
        ------
        ReadOnlyError, ProjectError
        """
        if self.folder is None:
            return
        if self.folder.read_only:
            raise ReadOnlyError(f"The project in {self.folder.path} is read-only: {self.folder.read_only_reason}")
        if self.closed:
            raise ProjectError("The project is closed. Open it again with Project.open(folder).")

    def relocate(self, where: Any) -> dict[str, Path]:
        """Set the new locations of moved image files; return the new paths by image. See `Project.relocate`."""
        with self.adding, self.lock:
            if self.folder is None:
                raise ProjectError("The project is in memory only, so none of its images can have moved.")
            moved = self.folder.relocate(where)
            for name, image in moved.items():
                if name in self.state.images:
                    self.state.images[name].image = image
        for name in moved:
            self.announce(Change("images", name))
        return {name: Path(str(image.source)) for name, image in moved.items()}

    # --- subscribers -----------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after each edit, on the thread that made it; return a function to unsubscribe."""
        with self.lock:
            number = self._next_subscriber
            self._next_subscriber += 1
            self._subscribers[number] = callback

        def unsubscribe() -> None:
            with self.lock:
                self._subscribers.pop(number, None)

        return unsubscribe

    def announce(self, change: Change) -> None:
        """Notify the subscribers of a change."""
        with self.lock:
            callbacks = list(self._subscribers.values())
        for callback in callbacks:
            try:
                callback(change)
            except Exception:
                # The edit is applied and on disk; an error in one subscriber must not hide it from the others.
                logger.exception("A subscriber of the project failed on %s", change)

    # --- reading ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> ProjectSnapshot:
        """Return the project as it is now."""
        with self.lock:
            images = self.state.images
            return ProjectSnapshot(
                classes=tuple(self.state.classes),
                colors=dict(self.state.colors),
                images={name: s.image for name, s in images.items()},
                roles={name: s.role for name, s in images.items()},
                annotations={name: s.frozen() for name, s in images.items()},
                audits=tuple(self.state.audits.values()),
                agreement_tiles=self.state.agreement_tiles,
                folder=None if self.folder is None or self.folder.read_only else self.folder.path,
            )

    def label_map(self, name: str, downsample: float) -> np.ndarray:
        """Return the labels of an image, which the caller may change; cached between edits."""
        with self.lock:
            image_state(self.state, name)
            return self._label_maps.get(self.state, name, downsample)
