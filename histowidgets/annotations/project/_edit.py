"""The base class of the edits of a project, and the checks that they share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from histowidgets.annotations.project._state import ROLES, Change, ImageState, Record, State
from histowidgets.annotations.shapes import MAX_CLASSES, Annotation, checked_name
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError


class Edit(ABC):
    """A change of a project: one step of undo, and one line of the journal.

    An edit is made by the class method `make`, which checks it against the state that it will change. From then on it
    knows all that undoing it takes.
    """

    #: The name of the edit in the journal.
    op: ClassVar[str]

    @abstractmethod
    def to_record(self) -> Record:
        """Return the edit as the journal keeps it: plain values, for JSON."""

    @classmethod
    @abstractmethod
    def from_record(cls, record: Record, state: State) -> Self:
        """Make the edit again from its line in the journal, when a folder is opened.

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
        """Undo the change; the state is the one that `apply` left."""

    @abstractmethod
    def change(self, state: State) -> Change:
        """Describe what the edit changes, whether it is applied or reverted."""

    def added(self) -> tuple[Annotation, ...] | None:
        """Return the annotations that `apply` draws on top, if it does nothing else to the labels; else None."""
        return None

    def renumbers(self) -> bool:
        """Tell whether the indices of classes change, or the classes of annotations in all images."""
        return False


def image_state(state: State, name: str) -> ImageState:
    """Return an image of the project by its name.

    Raises
    ------
    ImageNameError
        If there is no image of that name.
    """
    if not isinstance(name, str) or name not in state.images:
        known = ", ".join(repr(n) for n in state.images) or "none yet; add_image adds one"
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
            f"There is no class {name!r}; the classes are {', '.join(state.classes)}. add_class adds one."
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
    """Return the name of a class to add, without blanks around it.

    Parameters
    ----------
    name : object
    state : State
    also : sequence of str
        Names that are added before it, by the same edit.

    Raises
    ------
    ClassNameError
        If it is blank or taken, or the project has as many classes as it can hold.
    """
    checked = checked_name(name, [*state.classes, *also])
    if len(state.classes) + len(also) >= MAX_CLASSES:
        raise ClassNameError(f"The project has {MAX_CLASSES} classes already, which is the most it can hold.")
    return checked
