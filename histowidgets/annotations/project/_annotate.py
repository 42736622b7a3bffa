"""Drawing, changing, finding and counting the annotations of a project."""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from histowidgets.annotations.project._edit import image_state, known_class
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._edits_annotations import (
    AddAnnotations,
    CutAnnotations,
    ImportAnnotations,
    MoveAnnotations,
    ReclassifyAnnotations,
    RemoveAnnotations,
)
from histowidgets.annotations.project._state import State
from histowidgets.annotations.shapes import (
    SHAPES,
    Annotation,
    Polygon,
    Shape,
    checked_number,
    painted_area,
    parts_of,
    topmost_at,
)
from histowidgets.errors import ProjectError, ShapeError
from histowidgets.images import Region

#: What is left of a cut annotation is dropped below this area, in pixels: it covers the centre of hardly any pixel.
LEAST_REST = 0.25


def new_annotation(log: EditLog, shape: Shape, class_name: str | None) -> Annotation:
    """Make an annotation with the current time and annotator; class None is an eraser."""
    return Annotation(uuid.uuid4().hex, shape, class_name, time.time(), str(log.annotator))


def annotate(log: EditLog, name: str, shape: Shape, class_name: str) -> str:
    """Draw a shape with a class on an image. See `Project.annotate`."""
    with log.lock:
        known_class(class_name, log.state)
    return _draw(log, name, shape, class_name)


def erase(log: EditLog, name: str, shape: Shape) -> str:
    """Erase what was drawn under a shape. See `Project.erase`."""
    return _draw(log, name, shape, None)


def erase_own(log: EditLog, name: str, shape: Shape) -> list[str]:
    """Cut a shape out of what the current annotator drew. See `Project.erase_own`."""
    _require_shape(shape)
    bounds, eraser = shape.bounds, painted_area(shape)
    with log.lock:
        left: dict[str, list[Annotation]] = {}
        for one in annotations(log, name):
            mine = one.class_name is not None and one.annotator == log.annotator
            if mine and _overlap(one.shape.bounds, bounds):
                area = painted_area(one.shape)
                if area.intersection(eraser).area > 0:
                    rest = [part for part in parts_of(area.difference(eraser)) if part.area >= LEAST_REST]
                    shapes = [Polygon.of(part) for part in rest if part.geom_type == "Polygon"]
                    # The first keeps the id, so that a selected annotation stays selected.
                    ids = [one.id, *(uuid.uuid4().hex for _ in shapes[1:])]
                    left[one.id] = [
                        replace(one, id=new_id, shape=part) for new_id, part in zip(ids, shapes, strict=False)
                    ]
        if left:
            log.do(lambda state: CutAnnotations.make(state, name, left))
    return list(left)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _require_shape(shape: Shape) -> None:
    if type(shape) not in SHAPES:  # no subclasses either, since the journal could not restore them
        raise ShapeError(f"A {type(shape).__name__} is not a shape; draw a Stroke, Line, Polygon or Rectangle.")


def _draw(log: EditLog, name: str, shape: Shape, class_name: str | None) -> str:
    _require_shape(shape)

    def make(state: State) -> AddAnnotations:
        image = image_state(state, name).image
        if shape.region().intersect(image.region) is None:
            raise ShapeError(
                f"The {type(shape).__name__.lower()} lies entirely outside image {name!r} of {image.width} x "
                f"{image.height} pixels. Coordinates are x then y, in full-size pixels."
            )
        return AddAnnotations.make(state, name, [new_annotation(log, shape, class_name)])

    return log.do(make).annotations[0].id


def remove(log: EditLog, ids: str | Sequence[str]) -> None:
    """Remove annotations of one image. See `Project.remove`."""
    wanted = _checked_ids(ids)
    log.do(lambda state: RemoveAnnotations.make(state, _image_with(state, wanted), wanted))


def move(log: EditLog, ids: str | Sequence[str], dx: float, dy: float) -> None:
    """Move annotations of one image. See `Project.move`."""
    right, down = checked_number(dx, "way to the right"), checked_number(dy, "way down")
    wanted = _checked_ids(ids)
    log.do(lambda state: MoveAnnotations.make(state, _image_with(state, wanted), wanted, right, down))


def reclassify(log: EditLog, ids: str | Sequence[str], class_name: str) -> None:
    """Give annotations of one image another class. See `Project.reclassify`."""
    wanted = _checked_ids(ids)
    log.do(lambda state: ReclassifyAnnotations.make(state, _image_with(state, wanted), wanted, class_name))


def paste(
    log: EditLog,
    name: str,
    annotations: Sequence[Annotation],
    dx: float,
    dy: float,
    replacing: str | Sequence[str] = (),
) -> list[str]:
    """Draw copies of annotations on an image. See `Project.paste`."""
    unwanted = _checked_ids(replacing) if replacing else []
    given = list(annotations) if isinstance(annotations, Iterable) else [annotations]
    if not all(isinstance(one, Annotation) and type(one.shape) in SHAPES for one in given):
        raise ProjectError(
            f"{annotations!r:.80} is not a list of annotations. Pass annotations of project.annotations(name); "
            "to draw a shape, use annotate."
        )

    def make(state: State) -> AddAnnotations | ImportAnnotations:
        image = image_state(state, name).image
        copies = []
        for annotation in given:
            if annotation.class_name is not None:
                known_class(annotation.class_name, state)
            shape = annotation.shape.moved(dx, dy)
            if shape.region().intersect(image.region) is not None:
                copies.append(new_annotation(log, shape, annotation.class_name))
        if not copies:
            raise ShapeError(
                f"None of the {len(given)} annotation(s) to paste would lie on image {name!r} of "
                f"{image.width} x {image.height} pixels. Paste them elsewhere."
            )
        if unwanted:
            return ImportAnnotations.make(state, name, unwanted, copies)
        return AddAnnotations.make(state, name, copies)

    return [copy.id for copy in log.do(make).annotations]


def annotation(log: EditLog, annotation_id: str) -> Annotation:
    """Return an annotation by its id. See `Project.annotation`."""
    with log.lock:
        for image in log.state.images.values():
            for one in image.annotations:
                if one.id == annotation_id:
                    return one
    raise ProjectError(f"There is no annotation with the id {annotation_id!r}.")


def annotations(log: EditLog, name: str) -> tuple[Annotation, ...]:
    """Return the annotations of an image, including erasers, in drawing order."""
    with log.lock:
        return image_state(log.state, name).frozen()


def annotation_at(log: EditLog, name: str, x: float, y: float, tolerance: float) -> str | None:
    """Return the id of the topmost annotation at a point, or None. See `Project.annotation_at`."""
    return topmost_at(annotations(log, name), x, y, tolerance)


def annotations_in(log: EditLog, name: str, region: Region) -> list[str]:
    """Return the ids of the annotations, except erasers, that lie entirely within a region."""
    return [a.id for a in annotations(log, name) if a.class_name is not None and _contains(region, a.shape.bounds)]


def count(log: EditLog, name: str | None) -> dict[str, int]:
    """Count the annotations of each class in one image or all images, except erasers."""
    with log.lock:
        images = list(log.state.images.values()) if name is None else [image_state(log.state, name)]
        counts = dict.fromkeys(log.state.classes, 0)
        for image in images:
            for one in image.annotations:
                if one.class_name is not None:
                    counts[one.class_name] += 1
        return counts


def _checked_ids(ids: str | Sequence[str]) -> list[str]:
    """Return ids as a list without duplicates."""
    given = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else list(ids)
    if not all(isinstance(one, str) for one in given):
        raise ProjectError(f"The ids are {ids!r:.80}; pass the id of an annotation, or a list of ids.")
    if not given:
        raise ProjectError("The list of ids is empty. Pass the id of at least one annotation.")
    return list(dict.fromkeys(given))


def _image_with(state: State, ids: list[str]) -> str:
    """Return the name of the single image that has all the given annotations."""
    missing = set(ids)
    found = []
    for name, image in state.images.items():
        here = missing.intersection(a.id for a in image.annotations)
        if here:
            found.append(name)
            missing -= here
    if missing:
        raise ProjectError(f"There is no annotation with the id {', '.join(map(repr, sorted(missing)))}.")
    if len(found) > 1:
        raise ProjectError(
            f"The annotations are from {len(found)} images: {', '.join(map(repr, found))}. Edit one image at a time."
        )
    return found[0]


def _contains(region: Region, bounds: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = bounds
    return region.x <= left and region.y <= top and right <= region.right and bottom <= region.bottom
