"""Edits of classes: add, rename, recolour, merge, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from histowidgets.annotations.project._edit import Edit, known_class, new_class
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.annotations.shapes import Annotation, checked_color, checked_name
from histowidgets.errors import ClassNameError


class _ClassEdit(Edit):
    """Base of edits of classes, which affect every view of the project."""

    def change(self, state: State) -> Change:
        return Change("classes")


@dataclass(frozen=True)
class AddClass(_ClassEdit):
    """Add a class after the others."""

    op: ClassVar[str] = "add-class"
    name: str
    color: str

    @classmethod
    def make(cls, state: State, name: str, color: str) -> Self:
        """Check that the name is free and the colour valid."""
        return cls(new_class(name, state), checked_color(color))

    def to_record(self) -> Record:
        return {"op": self.op, "name": self.name, "color": self.color}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["name"], record["color"])

    def apply(self, state: State) -> None:
        state.classes.append(self.name)
        state.colors[self.name] = self.color

    def revert(self, state: State) -> None:
        state.classes.remove(self.name)
        del state.colors[self.name]


@dataclass(frozen=True)
class RenameClass(_ClassEdit):
    """Rename a class with its annotations and in audits; its index and colour do not change."""

    op: ClassVar[str] = "rename-class"
    old: str
    new: str
    audits: tuple[str, ...] = ()  # ids of those in which it is renamed

    @classmethod
    def make(cls, state: State, old: str, new: str) -> Self:
        """Check that the class exists and the new name is free."""
        known_class(old, state)
        checked = checked_name(new, [name for name in state.classes if name != old])
        # An audit may have the new name for a class that has been deleted since: there the names stay apart.
        audits = [one.id for one in state.audits.values() if old in one.classes and checked not in one.classes]
        return cls(old, checked, tuple(audits))

    def to_record(self) -> Record:
        return {"op": self.op, "old": self.old, "new": self.new}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["old"], record["new"])

    def apply(self, state: State) -> None:
        self._rename(state, self.old, self.new)

    def revert(self, state: State) -> None:
        self._rename(state, self.new, self.old)

    def _rename(self, state: State, old: str, new: str) -> None:
        state.classes[state.classes.index(old)] = new
        state.colors = {new if name == old else name: color for name, color in state.colors.items()}
        for image in state.images.values():
            image.annotations[:] = [replace(a, class_name=new) if a.class_name == old else a for a in image.annotations]
            image.changed()
        for audit_id in self.audits:
            state.audits[audit_id] = state.audits[audit_id].with_class_renamed(old, new)


@dataclass(frozen=True)
class RecolorClass(_ClassEdit):
    """Change the colour of a class."""

    op: ClassVar[str] = "recolor-class"
    name: str
    old: str
    new: str

    @classmethod
    def make(cls, state: State, name: str, color: str) -> Self:
        """Check that the class exists and the colour is valid."""
        known_class(name, state)
        return cls(name, state.colors[name], checked_color(color))

    def to_record(self) -> Record:
        return {"op": self.op, "name": self.name, "color": self.new}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["name"], record["color"])

    def apply(self, state: State) -> None:
        state.colors[self.name] = self.new

    def revert(self, state: State) -> None:
        state.colors[self.name] = self.old


@dataclass(frozen=True)
class _DropClasses(_ClassEdit):
    """Base of edits that remove classes, which lowers the indices of later ones."""

    names: tuple[str, ...]
    old_classes: tuple[str, ...]
    old_colors: Mapping[str, str]

    def apply(self, state: State) -> None:
        state.classes[:] = [name for name in self.old_classes if name not in self.names]
        state.colors = {name: self.old_colors[name] for name in state.classes}

    def revert(self, state: State) -> None:
        state.classes[:] = self.old_classes
        state.colors = dict(self.old_colors)

    def renumbers(self) -> bool:
        return True


@dataclass(frozen=True)
class MergeClasses(_DropClasses):
    """Move the annotations of some classes to another, and remove those classes."""

    op: ClassVar[str] = "merge-classes"
    into: str
    moved: tuple[tuple[str, int, Annotation], ...]  # (image, place, annotation before)

    @classmethod
    def make(cls, state: State, names: Sequence[str], into: str) -> Self:
        """Check that the classes exist, and find their annotations."""
        known_class(into, state)
        dropped = tuple(known_class(name, state) for name in dict.fromkeys(names) if name != into)
        if not dropped:
            raise ClassNameError(f"A class cannot be merged into itself; pass a class other than {into!r}.")
        moved = tuple(
            (image_name, place, annotation)
            for image_name, image in state.images.items()
            for place, annotation in enumerate(image.annotations)
            if annotation.class_name in dropped
        )
        return cls(dropped, tuple(state.classes), dict(state.colors), into, moved)

    def to_record(self) -> Record:
        return {"op": self.op, "names": list(self.names), "into": self.into}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["names"], record["into"])

    def apply(self, state: State) -> None:
        super().apply(state)
        for image_name, place, annotation in self.moved:
            state.images[image_name].annotations[place] = replace(annotation, class_name=self.into)
            state.images[image_name].changed()

    def revert(self, state: State) -> None:
        super().revert(state)
        for image_name, place, annotation in self.moved:
            state.images[image_name].annotations[place] = annotation
            state.images[image_name].changed()


@dataclass(frozen=True)
class DeleteClass(_DropClasses):
    """Remove a class that has no annotations."""

    op: ClassVar[str] = "delete-class"

    @classmethod
    def make(cls, state: State, name: str) -> Self:
        """Check that the class exists, has no annotations, and is not the only one."""
        known_class(name, state)
        count = sum(a.class_name == name for image in state.images.values() for a in image.annotations)
        if count:
            raise ClassNameError(
                f"The class {name!r} has {count} annotation(s), so it cannot be deleted. Move them to another class "
                "with merge_classes, or remove them first."
            )
        if len(state.classes) == 1:
            raise ClassNameError(
                f"{name!r} is the only class, and a project needs one. Add another first, or rename it."
            )
        return cls((name,), tuple(state.classes), dict(state.colors))

    def to_record(self) -> Record:
        return {"op": self.op, "name": self.names[0]}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["name"])
