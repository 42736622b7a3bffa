"""The edits of a project. Each is one step of undo, and one line of the journal.

An edit is made from a record (`edit_from_record`), which is what the journal keeps, and the state that it will
change; it then knows all it needs to be taken back.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from histowidgets.annotations._annotation import Annotation
from histowidgets.annotations._classes import MAX_CLASSES, checked_color, checked_name
from histowidgets.annotations._state import ROLES, Change, ImageState, Record, State, region_of
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


@dataclass(frozen=True)
class AddAnnotations(Edit):
    """Draw annotations on top, after adding the classes that they need."""

    image_name: str
    annotations: tuple[Annotation, ...]
    classes: tuple[tuple[str, str], ...] = ()

    def apply(self, state: State) -> None:
        for name, color in self.classes:
            state.classes.append(name)
            state.colors[name] = color
        state.images[self.image_name].annotations.extend(self.annotations)
        state.images[self.image_name].changed()

    def revert(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        del annotations[len(annotations) - len(self.annotations) :]
        state.images[self.image_name].changed()
        for name, _ in reversed(self.classes):
            state.classes.remove(name)
            del state.colors[name]

    def change(self, state: State) -> Change:
        region = region_of(self.annotations, state.images[self.image_name].image)
        # New classes concern every view; the redrawn region is the same.
        return Change("classes" if self.classes else "annotations", self.image_name, region)

    def added(self) -> tuple[Annotation, ...]:
        return self.annotations


@dataclass(frozen=True)
class RemoveAnnotations(Edit):
    """Remove annotations; taken back, they return to their places in the order of drawing."""

    image_name: str
    removed: tuple[tuple[int, Annotation], ...]  # (place, annotation), by place

    def apply(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, _ in reversed(self.removed):
            del annotations[place]
        state.images[self.image_name].changed()

    def revert(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, annotation in self.removed:
            annotations.insert(place, annotation)
        state.images[self.image_name].changed()

    def change(self, state: State) -> Change:
        image = state.images[self.image_name].image
        return Change("annotations", self.image_name, region_of([a for _, a in self.removed], image))


@dataclass(frozen=True)
class AddClass(Edit):
    """Add a class after the others."""

    name: str
    color: str

    def apply(self, state: State) -> None:
        state.classes.append(self.name)
        state.colors[self.name] = self.color

    def revert(self, state: State) -> None:
        state.classes.remove(self.name)
        del state.colors[self.name]

    def change(self, state: State) -> Change:
        return Change("classes")


@dataclass(frozen=True)
class RenameClass(Edit):
    """Give a class another name; its annotations follow, its index and colour stay."""

    old: str
    new: str

    def apply(self, state: State) -> None:
        _rename(state, self.old, self.new)

    def revert(self, state: State) -> None:
        _rename(state, self.new, self.old)

    def change(self, state: State) -> Change:
        return Change("classes")


def _rename(state: State, old: str, new: str) -> None:
    state.classes[state.classes.index(old)] = new
    state.colors = {new if name == old else name: color for name, color in state.colors.items()}
    for image in state.images.values():
        image.annotations[:] = [replace(a, class_name=new) if a.class_name == old else a for a in image.annotations]
        image.changed()


@dataclass(frozen=True)
class RecolorClass(Edit):
    """Give a class another colour."""

    name: str
    old: str
    new: str

    def apply(self, state: State) -> None:
        state.colors[self.name] = self.new

    def revert(self, state: State) -> None:
        state.colors[self.name] = self.old

    def change(self, state: State) -> Change:
        return Change("classes")


@dataclass(frozen=True)
class SetRole(Edit):
    """Say what an image is used for."""

    image_name: str
    old: str
    new: str

    def apply(self, state: State) -> None:
        state.images[self.image_name].role = self.new

    def revert(self, state: State) -> None:
        state.images[self.image_name].role = self.old

    def change(self, state: State) -> Change:
        return Change("roles", self.image_name)


def edit_from_record(record: Record, state: State) -> Edit:
    """Make the edit that a record means, checking it against the state that it will change.

    Raises
    ------
    ProjectError
        If the record does not fit the state; the message is meant for a person.
    KeyError, TypeError, ValueError
        If a field is missing or of the wrong type (a damaged journal).
    """
    return _MAKERS[record["op"]](record, state)


def _add(record: Record, state: State) -> Edit:
    image_state(state, record["image"])
    classes: list[tuple[str, str]] = []
    for name, color in record.get("classes", ()):
        classes.append((_new_class(name, state, [n for n, _ in classes]), checked_color(color)))
    annotations = tuple(Annotation.from_dict(a) for a in record["annotations"])
    known = {*state.classes, *(name for name, _ in classes)}
    for annotation in annotations:
        if annotation.class_name is not None and annotation.class_name not in known:
            raise unknown_class(annotation.class_name, state)
    return AddAnnotations(record["image"], annotations, tuple(classes))


def _remove(record: Record, state: State) -> Edit:
    wanted = set(record["ids"])
    annotations = image_state(state, record["image"]).annotations
    removed = tuple((place, a) for place, a in enumerate(annotations) if a.id in wanted)
    if len(removed) != len(wanted):
        missing = sorted(wanted - {a.id for _, a in removed})
        raise ProjectError(f"Image {record['image']!r} has no annotation with the id {', '.join(missing)}.")
    return RemoveAnnotations(record["image"], removed)


def _add_class(record: Record, state: State) -> Edit:
    return AddClass(_new_class(record["name"], state), checked_color(record["color"]))


def _rename_class(record: Record, state: State) -> Edit:
    old = known_class(record["old"], state)
    return RenameClass(old, checked_name(record["new"], [c for c in state.classes if c != old]))


def _recolor_class(record: Record, state: State) -> Edit:
    name = known_class(record["name"], state)
    return RecolorClass(name, state.colors[name], checked_color(record["color"]))


def _set_role(record: Record, state: State) -> Edit:
    return SetRole(record["image"], image_state(state, record["image"]).role, checked_role(record["role"]))


_MAKERS: dict[str, Callable[[Record, State], Edit]] = {
    "add": _add,
    "remove": _remove,
    "add-class": _add_class,
    "rename-class": _rename_class,
    "recolor-class": _recolor_class,
    "set-role": _set_role,
}


def image_state(state: State, name: str) -> ImageState:
    """Return an image of the project by its name.

    Raises
    ------
    ImageNameError
        If there is none of that name.
    """
    if name not in state.images:
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


def _new_class(name: object, state: State, also: list[str] | None = None) -> str:
    checked = checked_name(name, [*state.classes, *(also or [])])
    if len(state.classes) + len(also or []) >= MAX_CLASSES:
        raise ClassNameError(f"The project has {MAX_CLASSES} classes already, which is the most it can hold.")
    return checked
