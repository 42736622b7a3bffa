"""What an edit of a project is, and the checks that edits share."""

from abc import ABC, abstractmethod

from histowidgets.annotations.project._state import ROLES, Change, ImageState, State
from histowidgets.annotations.shapes import MAX_CLASSES, Annotation, checked_name
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError


class Edit(ABC):
    """Something that can be done to a state, and taken back."""

    @abstractmethod
    def apply(self, state: State) -> None:
        """Do it."""

    @abstractmethod
    def revert(self, state: State) -> None:
        """Take it back; the state is the one that `apply` left."""

    @abstractmethod
    def change(self, state: State) -> Change:
        """Say what it changed, in either direction."""

    def added(self) -> tuple[Annotation, ...] | None:
        """Return the annotations that `apply` draws on top, if that is all that it does to the labels."""
        return None

    def renumbers(self) -> bool:
        """Tell whether classes get other indices, or annotations of all images other classes."""
        return False


def image_state(state: State, name: str) -> ImageState:
    """Return an image of the project by its name.

    Raises
    ------
    ImageNameError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in state.images:
        known = ", ".join(repr(n) for n in state.images) or "none yet; add_image adds one"
        raise ImageNameError(f"The project has no image named {name!r}. Its images: {known}.")
    return state.images[name]


def known_class(name: str, state: State) -> str:
    """Return a class name that is known.

    Raises
    ------
    ClassNameError
        If it is not.
    """
    if name not in state.classes:
        raise unknown_class(name, state)
    return name


def unknown_class(name: object, state: State) -> ClassNameError:
    """Make the error that says a class is unknown."""
    return ClassNameError(
        f"There is no class {name!r}; the classes are {', '.join(state.classes)}. add_class adds one."
    )


def checked_role(role: object) -> str:
    """Return a role that is known.

    Raises
    ------
    ProjectError
        If it is not.
    """
    if role not in ROLES:
        raise ProjectError(f"The role {role!r} is unknown; choose one of {', '.join(ROLES)}.")
    return str(role)


def new_class(name: object, state: State, also: list[str] | None = None) -> str:
    """Return the name of a class that can be added, blanks around it cut off.

    `also` are names that will be added with it.

    Raises
    ------
    ClassNameError
        If it is blank or taken, or there are as many classes as a project can hold.
    """
    checked = checked_name(name, [*state.classes, *(also or [])])
    if len(state.classes) + len(also or []) >= MAX_CLASSES:
        raise ClassNameError(f"The project has {MAX_CLASSES} classes already, which is the most it can hold.")
    return checked
