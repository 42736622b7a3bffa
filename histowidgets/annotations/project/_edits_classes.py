"""Edits of classes: add, rename, recolour, merge, delete."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from histowidgets.annotations.project._edit import Edit, known_class, new_class
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.annotations.shapes import Annotation, checked_color, checked_name
from histowidgets.errors import ClassNameError


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
class DropClasses(Edit):
    """Take classes out, after giving their annotations to another one; later classes move up."""

    names: tuple[str, ...]
    into: str | None  # None if they have no annotations
    classes: tuple[str, ...]  # before
    colors: Mapping[str, str]  # before
    moved: tuple[tuple[str, int, Annotation], ...] = ()  # (image, place, annotation before)

    def apply(self, state: State) -> None:
        state.classes[:] = [name for name in self.classes if name not in self.names]
        state.colors = {name: self.colors[name] for name in state.classes}
        for image_name, place, annotation in self.moved:
            state.images[image_name].annotations[place] = replace(annotation, class_name=self.into)
        self._tell_images(state)

    def revert(self, state: State) -> None:
        state.classes[:] = self.classes
        state.colors = dict(self.colors)
        for image_name, place, annotation in self.moved:
            state.images[image_name].annotations[place] = annotation
        self._tell_images(state)

    def _tell_images(self, state: State) -> None:
        for image_name in {name for name, _, _ in self.moved}:
            state.images[image_name].changed()

    def change(self, state: State) -> Change:
        return Change("classes")

    def renumbers(self) -> bool:
        return True


def _add_class(record: Record, state: State) -> Edit:
    return AddClass(new_class(record["name"], state), checked_color(record["color"]))


def _rename_class(record: Record, state: State) -> Edit:
    old = known_class(record["old"], state)
    return RenameClass(old, checked_name(record["new"], [c for c in state.classes if c != old]))


def _recolor_class(record: Record, state: State) -> Edit:
    name = known_class(record["name"], state)
    return RecolorClass(name, state.colors[name], checked_color(record["color"]))


def _merge_classes(record: Record, state: State) -> Edit:
    into = known_class(record["into"], state)
    names = tuple(known_class(name, state) for name in dict.fromkeys(record["names"]) if name != into)
    if not names:
        raise ClassNameError(f"No class but {into!r} itself was given to merge into {into!r}; give another.")
    moved = tuple(
        (image_name, place, annotation)
        for image_name, image in state.images.items()
        for place, annotation in enumerate(image.annotations)
        if annotation.class_name in names
    )
    return DropClasses(names, into, tuple(state.classes), dict(state.colors), moved)


def _delete_class(record: Record, state: State) -> Edit:
    name = known_class(record["name"], state)
    count = sum(a.class_name == name for image in state.images.values() for a in image.annotations)
    if count:
        raise ClassNameError(
            f"The class {name!r} has {count} annotation(s), so it cannot be deleted. Move them to another class with "
            "merge_classes, or remove them first."
        )
    if len(state.classes) == 1:
        raise ClassNameError(f"{name!r} is the only class; a project needs one. Add another first, or rename it.")
    return DropClasses((name,), None, tuple(state.classes), dict(state.colors))


MAKERS: dict[str, Callable[[Record, State], Edit]] = {
    "add-class": _add_class,
    "rename-class": _rename_class,
    "recolor-class": _recolor_class,
    "merge-classes": _merge_classes,
    "delete-class": _delete_class,
}
