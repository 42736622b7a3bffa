"""The content of an annotation file, in the file's own coordinates and names, before it is fitted to an image."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from histowidgets._checks import first_problem
from histowidgets.annotations.shapes import Polygon, Shape, enclosed, parts_of
from histowidgets.errors import ShapeError

#: Number of corners of an ellipse, for an area within 0.1 %.
ELLIPSE_CORNERS = 96


class FileShape(NamedTuple):
    """A shape of a file; values that the file does not give are None.

    Attributes
    ----------
    shape : Shape
        The shape in the coordinates of the file.
    class_name : str or None
    name : str or None
        Name of the object, if that is not its class.
    color : "#RRGGBB" or None
        Colour of its class.
    plane : (z, t) or None
        Plane of the stack, counted from 0.
    erases : bool
        Whether it erases what was drawn before it.
    offset : (x, y) or None
        Offset that was already added to its coordinates, from those of the file to those of an image.
    in_image : bool
        Whether its coordinates are known to be those of the image.
    time, annotator, id
        As of an `Annotation`.
    """

    shape: Shape
    class_name: str | None = None
    name: str | None = None
    color: str | None = None
    plane: tuple[int, int] | None = None
    erases: bool = False
    offset: tuple[float, float] | None = None
    in_image: bool = False
    time: float | None = None
    annotator: str | None = None
    id: str | None = None


@dataclass
class FileContent:
    """The annotations of a file.

    Attributes
    ----------
    format : str
        Format of the file, such as "GeoJSON".
    shapes : list of FileShape
        In the order of drawing.
    left_out : dict of reason to count
        Objects that are not annotations of an area.
    problems : list of (number, reason)
        Objects that could not be read, numbered from 1.
    notes : list of str
        Further notes for the user, as sentences.
    size : (width, height) or None
        Size of the image that the annotations were drawn on.
    counts_from : {"image", "scanned area", "slide"}
        Origin of the coordinates: the corner of the annotated image, of the scanned part of a slide (QuPath), or of
        the whole slide (ASAP and other programs that use OpenSlide).
    may_be_um : bool
        Whether the coordinates may be in um, as nothing in the file says that they are pixels.
    """

    format: str
    shapes: list[FileShape] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    size: tuple[int, int] | None = None
    counts_from: str = "image"
    may_be_um: bool = False

    def skip(self, reason: str, count: int = 1) -> None:
        """Count objects that were left out."""
        if count:
            self.left_out[reason] = self.left_out.get(reason, 0) + count

    @contextmanager
    def reading(self, number: int) -> Iterator[None]:
        """Record an error in an object, numbered from 1, so that the others can still be read."""
        try:
            yield
        except (ShapeError, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            self.problems.append((number, words_of(error)))


def words_of(error: Exception) -> str:
    """Describe an error in an object of a file."""
    if isinstance(error, ValidationError):
        return f"{first_problem(error)}."
    return f"{error} is missing." if isinstance(error, KeyError) else str(error)


def ellipse(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return the ellipse inside a box, as a polygon of the same area."""
    angles = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)
    # The polygon lies as much outside the ellipse as inside it.
    outwards = np.sqrt(2 * np.pi / ELLIPSE_CORNERS / np.sin(2 * np.pi / ELLIPSE_CORNERS))
    half = np.array([right - left, bottom - top]) / 2 * outwards
    middle = np.array([left + right, top + bottom]) / 2
    return Polygon(middle + half * np.column_stack([np.cos(angles), np.sin(angles)]))


def polygons_of_rings(rings: list[np.ndarray]) -> list[Polygon]:
    """Return the areas that rings, each (N, 2), enclose together by the even-odd rule."""
    area: Any = None
    for ring in rings:
        if len(ring) >= 3:
            inside = enclosed(ring)
            area = inside if area is None else area.symmetric_difference(inside)
    found = [] if area is None else [part for part in parts_of(area) if part.geom_type == "Polygon"]
    return [Polygon.of(one) for one in found]


def open_ring(points: Any) -> np.ndarray:
    """Return the points of a ring, (N, 2), without a last one that repeats the first."""
    ring = np.asarray(points, float)
    repeats = len(ring) > 1 and bool((ring[0] == ring[-1]).all())
    return ring[:-1] if repeats else ring
