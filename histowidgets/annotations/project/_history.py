"""Undo and redo without limit."""

from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._state import Record, State


class History:
    """The edits made and undone. Not thread-safe; the edit log holds a lock."""

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to redo."""
        return bool(self._undone)

    def records(self) -> list[Record]:
        """Return the lines of a journal that lead to the same state, with the same edits to undo and to redo."""
        edits = [*self._done, *reversed(self._undone)]
        return [edit.to_record() for edit in edits] + [{"op": "undo"}] * len(self._undone)

    def do(self, edit: Edit, state: State) -> None:
        """Apply an edit, after which earlier undone edits can no longer be redone."""
        edit.apply(state)
        self._done.append(edit)
        self._undone.clear()

    def undo(self, state: State) -> Edit:
        """Undo the last edit and return it (IndexError if there is none)."""
        edit = self._done.pop()
        edit.revert(state)
        self._undone.append(edit)
        return edit

    def redo(self, state: State) -> Edit:
        """Redo the edit that was undone last, and return it (IndexError if there is none)."""
        edit = self._undone.pop()
        edit.apply(state)
        self._done.append(edit)
        return edit
