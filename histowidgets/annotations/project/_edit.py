"""The base class of project edits, and their shared checks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from histowidgets.annotations.project._state import ROLES, Change, ImageState, Record, State
from histowidgets.annotations.shapes import MAX_CLASSES, Annotation, checked_name
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError


class Edit(ABC):
    """A change of a project: one step of undo, and one line of the journal.

    The class method `make` creates an edit and checks it against the state that it will change. From then on, the edit
    has all that is needed to undo it.
    """

    #: The name of the edit in the journal.
    op: ClassVar[str]

    @abstractmethod
    def to_record(self) -> Record:
        """Return the edit for the journal, as plain values for JSON."""

    @classmethod
    @abstractmethod
    def from_record(cls, record: Record, state: State) -> Self:
        """Restore the edit from its line in the journal, when a folder is opened.

        Raises
        ------
        ProjectError
            If the record does not fit the state.
        KeyError, TypeError, ValueError
            If a field is missing or of the wrong type.
        """

    @abstractmethod
    def apply(self, state: State) -> None:
        """Change the state."""

    @abstractmethod
    def revert(self, state: State) -> None:
        """Undo the change; the state must be that after `apply`."""

    @abstractmethod
    def change(self, state: State) -> Change:
        """Describe what the edit changes, whether it is applied or reverted."""

    def added(self) -> tuple[Annotation, ...] | None:
        """Return the annotations that `apply` draws on top, or None if it changes labels in other ways."""
        return None

    def renumbers(self) -> bool:
        """Return whether the edit changes class indices, or labels of several images."""
        return False


def image_state(state: State, name: str) -> ImageState:
    """Return an image of the project by its name.

    Raises
    ------
    ImageNameError
        If there is no image of that name.
    """
    if not isinstance(name, str) or name not in state.images:
        known = ", ".join(repr(n) for n in state.images) or "none yet; add one with add_image"
        raise ImageNameError(f"The project has no image named {name!r}. Its images: {known}.")
    return state.images[name]


def known_class(name: str, state: State) -> str:
    """Return the name of a class of the project.

    Raises
    ------
    ClassNameError
        If the project has no such class.
    """
    if name not in state.classes:
        raise ClassNameError(
            f"There is no class {name!r}; the classes are {', '.join(state.classes)}. Add one with add_class."
        )
    return name


def checked_role(role: object) -> str:
    """Return the role of an image.

    Raises
    ------
    ProjectError
        If there is no such role.
    """
    if role not in ROLES:
        raise ProjectError(f"The role {role!r} is unknown; choose one of {', '.join(ROLES)}.")
    return str(role)


def new_class(name: object, state: State, also: Sequence[str] = ()) -> str:
    """Return the name of a class to add, stripped of surrounding blanks.

    Parameters
    ----------
    name : object
    state : State
    also : sequence of str
        Names that the same edit adds before it.

    Raises
    ------
    ClassNameError
        If it is blank or taken, or the project has the largest number of classes already.
    """
    checked = checked_name(name, [*state.classes, *also])
    if len(state.classes) + len(also) >= MAX_CLASSES:
        raise ClassNameError(f"The project already has {MAX_CLASSES} classes, the most possible.")
    return checked
