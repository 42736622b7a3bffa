"""The part of a project that draws, changes, finds and counts annotations."""

import time
import uuid
from collections.abc import Iterable, Sequence

import numpy as np

from histowidgets.annotations.project._edit import image_state, known_class
from histowidgets.annotations.project._edit_log import Editor
from histowidgets.annotations.project._state import Record
from histowidgets.annotations.shapes import Annotation, Shape, checked_number, is_near
from histowidgets.errors import ProjectError, ShapeError
from histowidgets.images import Region


class Drawing(Editor):
    """Annotations: drawn, erased, removed, moved, given other classes, pasted, found, counted."""

    # --- edits -----------------------------------------------------------------------------------------------------

    def annotate(self, name: str, shape: Shape, class_name: str) -> str:
        """Draw a shape with a class on an image. One step of undo.

        Parameters
        ----------
        name : str
            Of the image.
        shape : Stroke, Line, Polygon or Rectangle
            May reach past the edge of the image, but must touch it.
        class_name : str

        Returns
        -------
        str
            The id of the annotation.

        Raises
        ------
        ImageNameError, ClassNameError
            If the name is unknown.
        ShapeError
            If it is no shape, or lies wholly outside the image.
        ReadOnlyError
            If another session holds the folder.
        """
        with self._lock:
            known_class(class_name, self._state)
        return self._draw(name, shape, class_name)

    def erase(self, name: str, shape: Shape) -> str:
        """Erase what was drawn where a shape is; what is drawn later counts again. One step of undo."""
        return self._draw(name, shape, None)

    def remove(self, ids: str | Sequence[str]) -> None:
        """Remove one or several annotations of one image. One step of undo.

        Raises
        ------
        ProjectError
            If there is no annotation of an id, or they are of several images.
        """
        self._edit_annotations("remove", ids, {})

    def move(self, ids: str | Sequence[str], dx: float, dy: float) -> None:
        """Move one or several annotations of one image; the order of drawing stays. One step of undo.

        Parameters
        ----------
        ids : str or sequence of str
        dx, dy : float
            To the right and down, in full-size pixels.

        Raises
        ------
        ProjectError
            If there is no annotation of an id, or they are of several images.
        ShapeError
            If one would lie wholly outside the image; then nothing is moved.
        """
        self._edit_annotations(
            "move", ids, {"dx": checked_number(dx, "way to the right"), "dy": checked_number(dy, "way down")}
        )

    def reclassify(self, ids: str | Sequence[str], class_name: str) -> None:
        """Give one or several annotations of one image another class; the order of drawing stays. One step of undo.

        Raises
        ------
        ProjectError
            If there is no annotation of an id, or they are of several images.
        ClassNameError
            If the class is unknown, or one of them is an eraser.
        """
        self._edit_annotations("reclassify", ids, {"class": class_name})

    def paste(self, name: str, annotations: Sequence[Annotation], dx: float = 0, dy: float = 0) -> list[str]:
        """Draw copies of annotations on top of those of an image. One step of undo.

        Parameters
        ----------
        name : str
            Of the image; it need not be the one they come from.
        annotations : sequence of Annotation
            In the order of drawing. The copies have ids of their own, and are drawn now, by this annotator.
        dx, dy : float, default 0
            How far to the right and down of the originals, in full-size pixels.

        Returns
        -------
        list of str
            The new ids, in order. Copies that would lie wholly outside the image are left out.

        Raises
        ------
        ClassNameError
            If the project does not have one of the classes.
        ProjectError
            If these are no annotations.
        ShapeError
            If every copy would lie wholly outside the image.
        """
        given = list(annotations) if isinstance(annotations, Iterable) else [annotations]
        if not all(isinstance(one, Annotation) for one in given):
            raise ProjectError(
                f"{annotations!r:.80} is no list of annotations; give some of project.annotations(name). "
                "annotate draws a shape."
            )
        with self._lock:
            image = image_state(self._state, name).image
            copies = []
            for annotation in given:
                if annotation.class_name is not None:
                    known_class(annotation.class_name, self._state)
                shape = annotation.shape.moved(dx, dy)
                if shape.region().intersect(image.region) is not None:
                    copies.append(self._annotation_of(shape, annotation.class_name))
            if not copies:
                raise ShapeError(
                    f"None of the {len(given)} annotation(s) to paste would lie on image {name!r} of "
                    f"{image.width} x {image.height} pixels. Paste them elsewhere."
                )
            self._edit({"op": "add", "image": name, "annotations": [copy.to_dict() for copy in copies]})
        return [copy.id for copy in copies]

    # --- looking ---------------------------------------------------------------------------------------------------

    def annotation(self, annotation_id: str) -> Annotation:
        """Return an annotation by its id (ProjectError if there is none)."""
        with self._lock:
            for image in self._state.images.values():
                for annotation in image.annotations:
                    if annotation.id == annotation_id:
                        return annotation
        raise ProjectError(f"There is no annotation with the id {annotation_id!r}.")

    def annotation_at(self, name: str, x: float, y: float, tolerance: float = 0) -> str | None:
        """Return the id of the topmost annotation at a point, or None; erasers are looked through.

        Parameters
        ----------
        name : str
            Of the image.
        x, y : float
            Full-size pixels.
        tolerance : float, default 0
            How far from its area the point may lie, in full-size pixels.
        """
        for annotation in reversed(self.annotations(name)):
            if annotation.class_name is not None and is_near(annotation.shape, x, y, tolerance):
                return annotation.id
        return None

    def annotations_in(self, name: str, region: Region) -> list[str]:
        """Return the ids of the annotations that lie wholly within a region, in the order of drawing; no erasers."""
        return [a.id for a in self.annotations(name) if a.class_name is not None and _holds(region, a.shape.bounds)]

    def annotations(self, name: str) -> tuple[Annotation, ...]:
        """Return the annotations of an image in the order of drawing, erasers among them."""
        with self._lock:
            return image_state(self._state, name).frozen()

    def count(self, name: str | None = None) -> dict[str, int]:
        """Count the annotations of each class, of one image or of all; erasers do not count."""
        with self._lock:
            images = list(self._state.images.values()) if name is None else [image_state(self._state, name)]
            counts = dict.fromkeys(self._state.classes, 0)
            for image in images:
                for annotation in image.annotations:
                    if annotation.class_name is not None:
                        counts[annotation.class_name] += 1
            return counts

    def label_map(self, name: str, downsample: float = 1) -> np.ndarray:
        """Return the labels of a whole image.

        Parameters
        ----------
        name : str
        downsample : float, default 1
            Labels are taken at the centre of `downsample` x `downsample` full-size pixels (nearest).

        Returns
        -------
        ndarray of (ceil(height / downsample), ceil(width / downsample)), uint8
            Class indices, 255 where unlabelled; the caller's to change.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        RegionError
            If the downsample is no number of at least 1.
        """
        with self._lock:
            image_state(self._state, name)
            return self._maps.get(self._state, name, downsample)

    # --- how -------------------------------------------------------------------------------------------------------

    def _draw(self, name: str, shape: Shape, class_name: str | None) -> str:
        if not isinstance(shape, Shape):
            raise ShapeError(f"A {type(shape).__name__} is no shape; draw a Stroke, Line, Polygon or Rectangle.")
        with self._lock:
            image = image_state(self._state, name).image
            if shape.region().intersect(image.region) is None:
                raise ShapeError(
                    f"The {type(shape).__name__.lower()} lies wholly outside image {name!r} of {image.width} x "
                    f"{image.height} pixels. Coordinates are x then y, in full-size pixels."
                )
        annotation = self._annotation_of(shape, class_name)
        self._edit({"op": "add", "image": name, "annotations": [annotation.to_dict()]})
        return annotation.id

    def _annotation_of(self, shape: Shape, class_name: str | None) -> Annotation:
        return Annotation(uuid.uuid4().hex, shape, class_name, time.time(), self.annotator)

    def _edit_annotations(self, op: str, ids: str | Sequence[str], values: Record) -> None:
        given = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else list(ids)
        if not all(isinstance(one, str) for one in given):
            raise ProjectError(f"The ids are {ids!r:.80}; the id of an annotation, or a list of ids, is wanted.")
        wanted = list(dict.fromkeys(given))
        if not wanted:
            raise ProjectError("The list of ids is empty; give the id of at least one annotation.")
        with self._lock:
            self._edit({"op": op, "image": self._image_with(wanted), "ids": wanted, **values})

    def _image_with(self, ids: list[str]) -> str:
        """Return the name of the one image that has all of some annotations."""
        missing = set(ids)
        found = []
        for name, image in self._state.images.items():
            here = missing.intersection(a.id for a in image.annotations)
            if here:
                found.append(name)
                missing -= here
        if missing:
            raise ProjectError(f"There is no annotation with the id {', '.join(map(repr, sorted(missing)))}.")
        if len(found) > 1:
            raise ProjectError(
                f"The annotations are of {len(found)} images: {', '.join(map(repr, found))}. Edit one image at a time."
            )
        return found[0]


def _holds(region: Region, bounds: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = bounds
    return region.x <= left and region.y <= top and right <= region.right and bottom <= region.bottom
