"""Undo and redo without limit."""

from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._state import State


class History:
    """The edits made, and those taken back. Not thread-safe: the project locks."""

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to do again."""
        return bool(self._undone)

    def do(self, edit: Edit, state: State) -> None:
        """Make an edit; what was taken back before can then no more be done again."""
        edit.apply(state)
        self._done.append(edit)
        self._undone.clear()

    def undo(self, state: State) -> Edit:
        """Take the last edit back and return it (IndexError if there is none)."""
        edit = self._done.pop()
        edit.revert(state)
        self._undone.append(edit)
        return edit

    def redo(self, state: State) -> Edit:
        """Do the edit again that was taken back last, and return it (IndexError if there is none)."""
        edit = self._undone.pop()
        edit.apply(state)
        self._done.append(edit)
        return edit
