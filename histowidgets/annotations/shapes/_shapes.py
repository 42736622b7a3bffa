"""The shapes that can be drawn: strokes, lines, polygons and rectangles, in full-size pixels.

A pixel (column i, row j) covers x from i to i + 1 and y from j to j + 1.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import shapely

from histowidgets.annotations.shapes._valid import enclosed, parts_of
from histowidgets.errors import ShapeError
from histowidgets.images import Region

#: Coordinates beyond this many pixels are refused: no image is that large, and sums up to it stay exact.
FARTHEST = 1e7


def _as_points(points: Any, kind: str, least: int) -> np.ndarray:
    """Return a read-only (N, 2) float64 copy of points (ShapeError if they are invalid)."""
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"The points of a {kind} must be numbers, as (N, 2): x then y.") from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise ShapeError(f"The points of a {kind} have shape {array.shape}; it must be (N, 2): x then y.")
    if len(array) < least:
        raise ShapeError(f"A {kind} needs at least {least} point(s); got {len(array)}.")
    if not np.isfinite(array).all():
        raise ShapeError(f"A point of the {kind} is NaN or infinite. Remove it.")
    if np.abs(array).max() > FARTHEST:
        raise ShapeError(f"A point of the {kind} is more than {FARTHEST:,.0f} pixels away from the image's corner.")
    array.setflags(write=False)
    return array


def checked_number(value: Any, what: str, above: float | None = None) -> float:
    """Return a finite float, above a bound if given (ShapeError otherwise)."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"The {what} is {value!r}; it must be a number.") from None
    if not math.isfinite(number) or (above is not None and number <= above):
        wanted = "a finite number" if above is None else f"a finite number above {above:g}"
        raise ShapeError(f"The {what} is {number}; it must be {wanted}.")
    if abs(number) > FARTHEST:
        raise ShapeError(f"The {what} is {number}; it must be at most {FARTHEST:,.0f} pixels.")
    return number


def _as_step(dx: float, dy: float) -> np.ndarray:
    """Return the offset of a move, (2,) (ShapeError if invalid)."""
    return np.array([checked_number(dx, "way to the right"), checked_number(dy, "way down")])


@dataclass(frozen=True, eq=False)
class Shape(ABC):
    """Base class of shapes, which are immutable and compare by value."""

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the covered area, in full-size pixels."""
        return self._find_bounds()

    @abstractmethod
    def _find_bounds(self) -> tuple[float, float, float, float]:
        """Compute `bounds`, which are cached."""

    @abstractmethod
    def moved(self, dx: float, dy: float) -> "Shape":
        """Return the shape moved by `dx` pixels to the right and `dy` down (ShapeError if not finite)."""

    @abstractmethod
    def scaled(self, sx: float, sy: float) -> "Shape":
        """Return the shape for an image that is `sx` times as wide and `sy` times as high.

        The width of a path is scaled by the mean of the two.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, from which `shape_from_dict` restores the shape."""

    def region(self) -> Region:
        """Return the smallest region of whole pixels that contains the shape."""
        left, top, right, bottom = self.bounds
        return Region.from_edges(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Shape) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.bounds))


def _as_width(value: Any, kind: str, n_points: int) -> float | np.ndarray:
    """Return a single width as a float, or a read-only (N,) float64 copy of one per point (ShapeError if invalid)."""
    if not (isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)):
        return checked_number(value, f"width of a {kind}", above=0)
    try:
        widths = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"The widths of a {kind} must be numbers: one, or one for each point.") from None
    if widths.shape != (n_points,):
        raise ShapeError(
            f"The widths of a {kind} of {n_points} point(s) have shape {widths.shape}; pass one number, or one "
            "for each point."
        )
    if not (np.isfinite(widths) & (widths > 0) & (widths <= FARTHEST)).all():
        raise ShapeError(f"A width of the {kind} is not a finite number above 0 and up to {FARTHEST:,.0f}.")
    widths.setflags(write=False)
    return widths


@dataclass(frozen=True, eq=False)
class PathShape(Shape):
    """Base class of strokes and lines: a path with a width and round ends and corners."""

    points: np.ndarray = field(init=False)
    points_xy: InitVar[Any]
    width: float | np.ndarray
    _least_points: ClassVar[int] = 1

    def __post_init__(self, points_xy: Any) -> None:
        kind = type(self).__name__.lower()
        object.__setattr__(self, "points", _as_points(points_xy, kind, self._least_points))
        object.__setattr__(self, "width", _as_width(self.width, kind, len(self.points)))

    @cached_property
    def radii(self) -> np.ndarray:
        """Half the width at each point, (N,), in full-size pixels."""
        return np.broadcast_to(np.asarray(self.width, np.float64) / 2, len(self.points))

    @property
    def mean_width(self) -> float:
        """The width, or the mean of several widths, in full-size pixels."""
        return float(np.mean(self.width))

    def _find_bounds(self) -> tuple[float, float, float, float]:
        radii = self.radii[:, None]
        low, high = (self.points - radii).min(axis=0), (self.points + radii).max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def moved(self, dx: float, dy: float) -> Self:
        """Return the path moved by `dx` pixels to the right and `dy` down."""
        return replace(self, points_xy=self.points + _as_step(dx, dy))

    def scaled(self, sx: float, sy: float) -> Self:
        """Return the path for an image of another size; see `Shape.scaled`."""
        return replace(self, points_xy=self.points * (sx, sy), width=self.width * math.sqrt(sx * sy))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        width = self.width.tolist() if isinstance(self.width, np.ndarray) else self.width
        return {"type": type(self).__name__.lower(), "points": self.points.tolist(), "width": width}


@dataclass(frozen=True, eq=False)
class Stroke(PathShape):
    """A stroke of a round brush.

    Parameters
    ----------
    points_xy : array-like of (N, 2)
        The path of the brush, x then y, in full-size pixels; one point is a dot.
    width : float or array-like of (N,), default 8
        Diameter of the brush in full-size pixels, or one per point, as from a pen's pressure. Between two points, the
        stroke tapers: it covers the convex hull of their discs.

    Attributes
    ----------
    points : ndarray of (N, 2), float64
    width : float, or ndarray of (N,)

    Raises
    ------
    ShapeError
        If a point is not finite, there are no points, or a width is not above 0.
    """

    width: float | np.ndarray = 8.0


@dataclass(frozen=True, eq=False)
class Line(PathShape):
    """A line of straight segments, with a width (QuPath's default is 5 pixels).

    Parameters
    ----------
    points_xy : array-like of (N, 2)
        Its corners, x then y, in full-size pixels; at least two.
    width : float, default 5
        In full-size pixels.

    Attributes
    ----------
    points : ndarray of (N, 2), float64
    width : float

    Raises
    ------
    ShapeError
        If a point is not finite, there are fewer than two, or the width is not above 0.
    """

    width: float = 5.0
    _least_points: ClassVar[int] = 2

    def __post_init__(self, points_xy: Any) -> None:
        object.__setattr__(self, "width", checked_number(self.width, "width of a line", above=0))
        super().__post_init__(points_xy)


@dataclass(frozen=True, eq=False)
class Polygon(Shape):
    """An area inside a closed outline, without its holes.

    Parameters
    ----------
    points_xy : array-like of (N, 2)
        Corners of the outline, x then y, in full-size pixels; at least three, the last joined to the first.
    holes : sequence of array-like of (M, 2), optional
        Outlines of areas that are cut out.

    Attributes
    ----------
    points : ndarray of (N, 2), float64
    holes : tuple of ndarray of (M, 2), float64

    Raises
    ------
    ShapeError
        If a point is not finite, or an outline has fewer than three points.

    Notes
    -----
    Where an outline crosses itself, the even-odd rule decides what is inside. A hole removes the area in it, even where
    it overlaps another hole; parts of it outside the outline have no effect.
    """

    points: np.ndarray = field(init=False)
    points_xy: InitVar[Any]
    holes: Sequence[np.ndarray] = ()

    def __post_init__(self, points_xy: Any) -> None:
        object.__setattr__(self, "points", _as_points(points_xy, "polygon", least=3))
        if not isinstance(self.holes, Iterable):
            raise ShapeError(f"The holes of a polygon are {self.holes!r}; pass a list of outlines, [] for none.")
        holes = tuple(_as_points(hole, "hole of a polygon", least=3) for hole in self.holes)
        object.__setattr__(self, "holes", holes)

    @classmethod
    def of(cls, area: shapely.Polygon) -> "Polygon":
        """Return the shape of an area of shapely, with its holes."""
        outline, *holes = (shapely.get_coordinates(ring)[:-1] for ring in (area.exterior, *area.interiors))
        return cls(outline, holes)

    @cached_property
    def rings(self) -> tuple[np.ndarray, ...]:
        """Outlines, (N, 2) each, of the area by the even-odd rule: those given, unless holes extend outside."""
        if not self.holes or shapely.Polygon(self.points, self.holes).is_valid:
            return self.points, *self.holes
        area = enclosed(self.points, self.holes)
        rings = [ring for part in parts_of(area) for ring in (part.exterior, *part.interiors)]
        return tuple(np.asarray(ring.coords)[:-1] for ring in rings)

    def _find_bounds(self) -> tuple[float, float, float, float]:
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def moved(self, dx: float, dy: float) -> "Polygon":
        """Return the polygon moved by `dx` pixels to the right and `dy` down."""
        step = _as_step(dx, dy)
        return Polygon(self.points + step, [hole + step for hole in self.holes])

    def scaled(self, sx: float, sy: float) -> "Polygon":
        """Return the polygon for an image of another size; see `Shape.scaled`."""
        return Polygon(self.points * (sx, sy), [hole * (sx, sy) for hole in self.holes])

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        values: dict[str, Any] = {"type": "polygon", "points": self.points.tolist()}
        if self.holes:
            values["holes"] = [hole.tolist() for hole in self.holes]
        return values


@dataclass(frozen=True, eq=False)
class Rectangle(Shape):
    """An axis-aligned rectangle.

    Parameters
    ----------
    x, y : float
        Left and top edge in full-size pixels.
    width, height : float
        Above 0, in full-size pixels.

    Raises
    ------
    ShapeError
        If a number is not finite, or a side is not above 0.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name, above in (("x", None), ("y", None), ("width", 0.0), ("height", 0.0)):
            object.__setattr__(self, name, checked_number(getattr(self, name), f"{name} of a rectangle", above))

    def _find_bounds(self) -> tuple[float, float, float, float]:
        return self.x, self.y, self.x + self.width, self.y + self.height

    def moved(self, dx: float, dy: float) -> "Rectangle":
        """Return the rectangle moved by `dx` pixels to the right and `dy` down."""
        step = _as_step(dx, dy)
        return Rectangle(self.x + step[0], self.y + step[1], self.width, self.height)

    def scaled(self, sx: float, sy: float) -> "Rectangle":
        """Return the rectangle for an image of another size; see `Shape.scaled`."""
        return Rectangle(self.x * sx, self.y * sy, self.width * sx, self.height * sy)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return {"type": "rectangle", "x": self.x, "y": self.y, "width": self.width, "height": self.height}


#: The shapes that can be drawn, and that a file can hold.
SHAPES: tuple[type[Shape], ...] = (Stroke, Line, Polygon, Rectangle)

_KINDS = {kind.__name__.lower(): kind for kind in SHAPES}


def shape_from_dict(values: Mapping[str, Any]) -> Shape:
    """Make a shape from the result of its `to_dict`.

    Raises
    ------
    ShapeError
        If the type is unknown, or a number is missing or invalid.
    """
    fields = dict(values) if isinstance(values, Mapping) else {}
    kind = fields.pop("type", None)
    if kind not in _KINDS:
        raise ShapeError(f"The shape type {kind!r} is unknown; the types are {', '.join(_KINDS)}.")
    given = {"points_xy" if name == "points" else name: value for name, value in fields.items()}
    try:
        return _KINDS[kind](**given)
    except TypeError as error:
        raise ShapeError(f"A {kind} has missing or unknown fields: {sorted(fields)}.") from error
