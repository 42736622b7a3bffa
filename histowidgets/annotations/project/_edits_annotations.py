"""Edits of annotations: add, remove, import, move, change the class, cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from histowidgets.annotations.project._edit import Edit, image_state, known_class, new_class
from histowidgets.annotations.project._state import Change, Record, State, region_of
from histowidgets.annotations.shapes import Annotation, checked_color
from histowidgets.errors import ClassNameError, ProjectError, ShapeError


@dataclass(frozen=True)
class AddAnnotations(Edit):
    """Draw annotations on top, after adding the classes that they need."""

    op: ClassVar[str] = "add"
    image_name: str
    annotations: tuple[Annotation, ...]
    classes: tuple[tuple[str, str], ...] = ()  # (name, colour)

    @classmethod
    def make(
        cls,
        state: State,
        image_name: str,
        annotations: Sequence[Annotation],
        classes: Sequence[tuple[str, str]] = (),
    ) -> Self:
        """Check that the image and the classes exist, and that the classes to add are new."""
        image_state(state, image_name)
        added: list[tuple[str, str]] = []
        for name, color in classes:
            added.append((new_class(name, state, [n for n, _ in added]), checked_color(color)))
        new_names = {name for name, _ in added}
        for class_name in {annotation.class_name for annotation in annotations} - new_names - {None}:
            known_class(str(class_name), state)
        return cls(image_name, tuple(annotations), tuple(added))

    def to_record(self) -> Record:
        record: Record = {
            "op": self.op,
            "image": self.image_name,
            "annotations": [annotation.to_dict() for annotation in self.annotations],
        }
        return record | {"classes": [list(item) for item in self.classes]} if self.classes else record

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        annotations = [Annotation.from_dict(values) for values in record["annotations"]]
        return cls.make(state, record["image"], annotations, [(n, c) for n, c in record.get("classes", ())])

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
        # New classes concern every view; the region to redraw is the same.
        return Change("classes" if self.classes else "annotations", self.image_name, region)

    def added(self) -> tuple[Annotation, ...]:
        return self.annotations


@dataclass(frozen=True)
class RemoveAnnotations(Edit):
    """Remove annotations; undo restores their places in the drawing order."""

    op: ClassVar[str] = "remove"
    image_name: str
    removed: tuple[tuple[int, Annotation], ...]  # (place, annotation), sorted by place

    @classmethod
    def make(cls, state: State, image_name: str, ids: Sequence[str]) -> Self:
        """Find the annotations of an image."""
        return cls(image_name, tuple(_found(state, image_name, ids)))

    def to_record(self) -> Record:
        return {"op": self.op, "image": self.image_name, "ids": [annotation.id for _, annotation in self.removed]}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["image"], record["ids"])

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
class ImportAnnotations(Edit):
    """Remove annotations, and draw others on top."""

    op: ClassVar[str] = "import"
    removal: RemoveAnnotations
    addition: AddAnnotations

    @classmethod
    def make(
        cls,
        state: State,
        image_name: str,
        ids: Sequence[str],
        annotations: Sequence[Annotation],
        classes: Sequence[tuple[str, str]] = (),
    ) -> Self:
        """Find the annotations to remove, and check those to add as `AddAnnotations` does."""
        removal = RemoveAnnotations.make(state, image_name, ids)
        return cls(removal, AddAnnotations.make(state, image_name, annotations, classes))

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """The annotations that are drawn."""
        return self.addition.annotations

    def to_record(self) -> Record:
        return {**self.addition.to_record(), "op": self.op, "ids": self.removal.to_record()["ids"]}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls(RemoveAnnotations.from_record(record, state), AddAnnotations.from_record(record, state))

    def apply(self, state: State) -> None:
        self.removal.apply(state)
        self.addition.apply(state)

    def revert(self, state: State) -> None:
        self.addition.revert(state)
        self.removal.revert(state)

    def change(self, state: State) -> Change:
        before, after = self.removal.change(state), self.addition.change(state)
        regions = [change.region for change in (before, after) if change.region is not None]
        union = regions[0].union(regions[-1]) if regions else None
        return Change(after.kind, after.image_name, union)


@dataclass(frozen=True)
class ReplaceAnnotations(Edit):
    """Base of edits that replace annotations in place, keeping the drawing order."""

    image_name: str
    replaced: tuple[tuple[int, Annotation, Annotation], ...]  # (place, old, new)

    def apply(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, _, new in self.replaced:
            annotations[place] = new
        state.images[self.image_name].changed()

    def revert(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, old, _ in self.replaced:
            annotations[place] = old
        state.images[self.image_name].changed()

    def change(self, state: State) -> Change:
        both = [annotation for _, old, new in self.replaced for annotation in (old, new)]
        return Change("annotations", self.image_name, region_of(both, state.images[self.image_name].image))

    def to_record(self) -> Record:
        return {"op": self.op, "image": self.image_name, "ids": [old.id for _, old, _ in self.replaced]}


@dataclass(frozen=True)
class MoveAnnotations(ReplaceAnnotations):
    """Move annotations by `dx` pixels to the right and `dy` down."""

    op: ClassVar[str] = "move"
    dx: float
    dy: float

    @classmethod
    def make(cls, state: State, image_name: str, ids: Sequence[str], dx: float, dy: float) -> Self:
        """Move copies of the annotations, and check that each still touches the image (ShapeError otherwise)."""
        image = image_state(state, image_name).image
        replaced = []
        for place, old in _found(state, image_name, ids):
            new = replace(old, shape=old.shape.moved(dx, dy))
            if new.shape.region().intersect(image.region) is None:
                raise ShapeError(
                    f"Moved by {dx:g}, {dy:g}, a {type(new.shape).__name__.lower()} would lie entirely outside image "
                    f"{image_name!r} of {image.width} x {image.height} pixels, so nothing was moved. Move it less."
                )
            replaced.append((place, old, new))
        return cls(image_name, tuple(replaced), dx, dy)

    def to_record(self) -> Record:
        return {**super().to_record(), "dx": self.dx, "dy": self.dy}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["image"], record["ids"], record["dx"], record["dy"])


@dataclass(frozen=True)
class ReclassifyAnnotations(ReplaceAnnotations):
    """Give annotations another class."""

    op: ClassVar[str] = "reclassify"
    class_name: str

    @classmethod
    def make(cls, state: State, image_name: str, ids: Sequence[str], class_name: str) -> Self:
        """Check that the class exists, and that no annotation is an eraser (ClassNameError otherwise)."""
        known_class(class_name, state)
        found = _found(state, image_name, ids)
        erasers = sum(annotation.class_name is None for _, annotation in found)
        if erasers:
            raise ClassNameError(
                f"{erasers} of the {len(found)} annotations are erasers, which have no class. Leave them out, or "
                "remove them to bring back what they erased."
            )
        replaced = tuple((place, old, replace(old, class_name=class_name)) for place, old in found)
        return cls(image_name, replaced, class_name)

    def to_record(self) -> Record:
        return {**super().to_record(), "class": self.class_name}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, record["image"], record["ids"], record["class"])


@dataclass(frozen=True)
class CutAnnotations(Edit):
    """Replace annotations by what is left of them, in place; nothing may be left."""

    op: ClassVar[str] = "cut"
    image_name: str
    cuts: tuple[tuple[int, Annotation, tuple[Annotation, ...]], ...]  # (place, old, what is left), sorted by place

    @classmethod
    def make(cls, state: State, image_name: str, left: Mapping[str, Sequence[Annotation]]) -> Self:
        """Find the annotations by their ids."""
        found = _found(state, image_name, list(left))
        return cls(image_name, tuple((place, old, tuple(left[old.id])) for place, old in found))

    def to_record(self) -> Record:
        cuts = [[old.id, [one.to_dict() for one in left]] for _, old, left in self.cuts]
        return {"op": self.op, "image": self.image_name, "cuts": cuts}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        left = {one_id: [Annotation.from_dict(one) for one in some] for one_id, some in record["cuts"]}
        return cls.make(state, record["image"], left)

    def apply(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, _, left in reversed(self.cuts):
            annotations[place : place + 1] = left
        state.images[self.image_name].changed()

    def revert(self, state: State) -> None:
        annotations = state.images[self.image_name].annotations
        for place, old, left in self.cuts:
            annotations[place : place + len(left)] = [old]
        state.images[self.image_name].changed()

    def change(self, state: State) -> Change:
        olds = [old for _, old, _ in self.cuts]
        return Change("annotations", self.image_name, region_of(olds, state.images[self.image_name].image))


def _found(state: State, image_name: str, ids: Sequence[str]) -> list[tuple[int, Annotation]]:
    """Return the place and the annotation of each id, sorted by place."""
    wanted = set(ids)
    annotations = image_state(state, image_name).annotations
    found = [(place, a) for place, a in enumerate(annotations) if a.id in wanted]
    if len(found) != len(wanted):
        missing = sorted(wanted - {a.id for _, a in found})
        raise ProjectError(f"Image {image_name!r} has no annotation with the id {', '.join(missing)}.")
    return found
