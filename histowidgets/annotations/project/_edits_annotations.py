"""Edits of annotations: draw, remove, move, give another class."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from histowidgets.annotations.project._edit import Edit, image_state, known_class, new_class, unknown_class
from histowidgets.annotations.project._state import Change, Record, State, region_of
from histowidgets.annotations.shapes import Annotation, checked_color
from histowidgets.errors import ClassNameError, ProjectError, ShapeError


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
class ReplaceAnnotations(Edit):
    """Put other annotations in the places of some; the order of drawing stays."""

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


def _add(record: Record, state: State) -> Edit:
    image_state(state, record["image"])
    classes: list[tuple[str, str]] = []
    for name, color in record.get("classes", ()):
        classes.append((new_class(name, state, [n for n, _ in classes]), checked_color(color)))
    annotations = tuple(Annotation.from_dict(a) for a in record["annotations"])
    known = {*state.classes, *(name for name, _ in classes)}
    for annotation in annotations:
        if annotation.class_name is not None and annotation.class_name not in known:
            raise unknown_class(annotation.class_name, state)
    return AddAnnotations(record["image"], annotations, tuple(classes))


def _remove(record: Record, state: State) -> Edit:
    return RemoveAnnotations(record["image"], tuple(_found(record, state)))


def _move(record: Record, state: State) -> Edit:
    image = image_state(state, record["image"]).image
    dx, dy = record["dx"], record["dy"]
    replaced = []
    for place, old in _found(record, state):
        new = replace(old, shape=old.shape.moved(dx, dy))
        if new.shape.region().intersect(image.region) is None:
            raise ShapeError(
                f"Moved by {dx:g}, {dy:g} a {type(new.shape).__name__.lower()} would lie wholly outside image "
                f"{record['image']!r} of {image.width} x {image.height} pixels, so nothing was moved. Move it less."
            )
        replaced.append((place, old, new))
    return ReplaceAnnotations(record["image"], tuple(replaced))


def _reclassify(record: Record, state: State) -> Edit:
    name = known_class(record["class"], state)
    found = _found(record, state)
    erasers = sum(annotation.class_name is None for _, annotation in found)
    if erasers:
        raise ClassNameError(
            f"{erasers} of the {len(found)} annotations are erasers, which have no class. Leave them out, or remove "
            "them to bring back what they wiped out."
        )
    return ReplaceAnnotations(record["image"], tuple((p, old, replace(old, class_name=name)) for p, old in found))


def _found(record: Record, state: State) -> list[tuple[int, Annotation]]:
    """Return place and annotation of each id of a record, by place."""
    wanted = set(record["ids"])
    annotations = image_state(state, record["image"]).annotations
    found = [(place, a) for place, a in enumerate(annotations) if a.id in wanted]
    if len(found) != len(wanted):
        missing = sorted(wanted - {a.id for _, a in found})
        raise ProjectError(f"Image {record['image']!r} has no annotation with the id {', '.join(missing)}.")
    return found


MAKERS: dict[str, Callable[[Record, State], Edit]] = {
    "add": _add,
    "remove": _remove,
    "move": _move,
    "reclassify": _reclassify,
}
