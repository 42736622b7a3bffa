"""Reading GeoJSON: as QuPath writes it, as `write_geojson` does, and plain."""

import json
import math
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, ValidationError

from histowidgets._checks import first_problem
from histowidgets.annotations.io._geojson_write import EXACT_VERSION, checksum
from histowidgets.annotations.shapes import Annotation, Line, Polygon, Shape, free_color, shape_from_dict
from histowidgets.errors import GeoJSONError, ShapeError, UnknownClassError
from histowidgets.images import Image


class ReadShape(NamedTuple):
    """One shape of the file; class None is an eraser. What the file does not say is None."""

    shape: Shape
    class_name: str | None
    time: float | None = None
    annotator: str | None = None
    id: str | None = None


class _Exact(BaseModel):
    """The exact shape of an annotation, in the property "histowidgets" of its feature; see `write_geojson`."""

    shape: dict[str, Any]
    time: FiniteFloat
    annotator: Annotated[Any, AfterValidator(str)]

    def read(self, class_name: str | None, own_id: Any) -> ReadShape:
        return ReadShape(shape_from_dict(self.shape), class_name, self.time, self.annotator, _id(own_id))


class _Beside(_Exact):
    """An annotation without a geometry, in the member "histowidgets" of the collection."""

    place: int
    class_name: Annotated[Any, Field(alias="class")]
    color: Any
    id: Any = None


@dataclass
class ReadGeoJSON:
    """The content of a file, as far as it fits an image.

    Attributes
    ----------
    shapes : list of ReadShape
        In the order of drawing.
    new_classes : list of (name, colour)
        Classes to add first.
    skipped : dict of reason to count
    """

    shapes: list[ReadShape] = field(default_factory=list)
    new_classes: list[tuple[str, str]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def annotations(self, annotator: str, taken: Collection[str]) -> list[Annotation]:
        """Return the shapes as annotations.

        Parameters
        ----------
        annotator : str
            For shapes of which the file does not say who drew them.
        taken : collection of str
            Ids that are in use. An annotation keeps the id of the file unless it is among them.
        """
        now = time.time()
        used = set(taken)
        drawn = []
        for item in self.shapes:
            own_id = uuid.uuid4().hex if item.id is None or item.id in used else item.id
            used.add(own_id)
            drawn_at = now if item.time is None else item.time
            drawn_by = annotator if item.annotator is None else item.annotator
            drawn.append(Annotation(own_id, item.shape, item.class_name, drawn_at, drawn_by))
        return drawn

    def skip(self, reason: str) -> None:
        """Count something that was left out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def left_out(self, path: Path) -> str:
        """Say what was left out; "" if nothing was."""
        what = ", ".join(f"{count} {reason}" for reason, count in self.skipped.items())
        return f"Left out of {path.name}: {what}." if what else ""


def read_geojson(path: Path, image: Image, colors: Mapping[str, str], unknown_classes: str) -> ReadGeoJSON:
    """Read a file for an image of a project with these classes.

    Parameters
    ----------
    path : Path
    image : Image
        Shapes wholly outside it are left out.
    colors : mapping of class to "#RRGGBB"
        Of the project.
    unknown_classes : {"error", "add", "skip"}

    Raises
    ------
    GeoJSONError
        If it cannot be read; the message gives the number of the feature, from 1.
    UnknownClassError
        If classes are unknown and that is an error.
    """
    if unknown_classes not in ("error", "add", "skip"):
        raise GeoJSONError(f'unknown_classes is {unknown_classes!r}; choose "error", "add" or "skip".')
    content = _load(path)
    read = ReadGeoJSON()
    unknown: dict[str, str | None] = {}
    for item, color in _in_order(path, content, read):
        name = item.class_name
        if item.shape.region().intersect(image.region) is None:
            read.skip("outside the image")
            continue
        if name is not None and name not in colors:
            if unknown_classes == "skip":
                read.skip(f"of the unknown class {name!r}")
                continue
            unknown.setdefault(name, color)
        read.shapes.append(item)
    if unknown and unknown_classes == "error":
        raise UnknownClassError(
            f"{path.name} has classes that the project does not: {', '.join(map(repr, unknown))}. Add them with "
            f'unknown_classes="add", leave them out with "skip", or rename a class; the project has '
            f"{', '.join(map(repr, colors))}."
        )
    for name, color in unknown.items():
        taken = [*colors.values(), *(c for _, c in read.new_classes)]
        read.new_classes.append((name, color or free_color(taken)))
    return read


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise GeoJSONError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise GeoJSONError(f"{path} is not JSON: {error}. Export it again as GeoJSON.") from error


def _in_order(path: Path, content: Any, read: ReadGeoJSON) -> Iterator[tuple[ReadShape, str | None]]:
    """Yield the shapes and the colours of their classes, in the order of drawing."""
    features = _features(path, content)
    shapes: list[tuple[ReadShape, str | None]] = []
    for number, feature in enumerate(features, start=1):
        try:
            shapes.extend(_from_feature(feature, read))
        except (ShapeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise GeoJSONError(f"Feature {number} of {path.name} cannot be read: {_words(error)}") from error
    exact = content.get("histowidgets") if isinstance(content, dict) else None
    if isinstance(exact, dict) and exact.get("version") == EXACT_VERSION and exact.get("features") == len(shapes):
        try:
            for entry in map(_Beside.model_validate, exact["beside"]):
                name = None if entry.class_name is None else str(entry.class_name)
                shapes.insert(entry.place, (entry.read(name, entry.id), entry.color))
        except (ShapeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise GeoJSONError(f'The "histowidgets" member of {path.name} is damaged: {_words(error)}') from error
    yield from shapes


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{first_problem(error)}."
    return f"{error} is missing." if isinstance(error, KeyError) else str(error)


def _features(path: Path, content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "Feature":
        return [content]
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        return list(content["features"])
    raise GeoJSONError(
        f"{path.name} holds no GeoJSON features. A FeatureCollection, a Feature or a list of them is wanted."
    )


def _from_feature(feature: Any, read: ReadGeoJSON) -> list[tuple[ReadShape, str | None]]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ValueError('it is not an object of type "Feature".')
    properties = feature.get("properties") or {}
    geometry = feature.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict | None):
        raise ValueError("its properties or its geometry are not an object.")
    name, color = _classification(properties.get("classification"))
    if name is None:
        read.skip("without a class")
        return []
    exact = properties.get("histowidgets")
    if (
        isinstance(exact, dict)
        and exact.get("version") == EXACT_VERSION
        and exact.get("geometry") == checksum(geometry or {})
    ):
        return [(_Exact.model_validate(exact).read(name, feature.get("id")), color)]
    shapes = _shapes(geometry or {}, read)
    own_id = _id(feature.get("id")) if len(shapes) == 1 else None
    return [(ReadShape(shape, name, id=own_id), color) for shape in shapes]


def _id(value: Any) -> str | None:
    """Return the id of an annotation, if the file has a UUID; else None."""
    try:
        return uuid.UUID(value).hex if isinstance(value, str) else None
    except ValueError:
        return None


def _classification(value: Any) -> tuple[str | None, str | None]:
    """Return the name and colour of a QuPath classification, in any of its three spellings."""
    if value is None:
        return None, None
    if isinstance(value, str):
        return value.strip() or None, None
    if not isinstance(value, dict):
        raise ValueError("its classification is not an object.")
    name = value.get("name")
    if name is None and isinstance(value.get("names"), list):
        name = ": ".join(str(part) for part in value["names"])  # a derived class, as QuPath shows it
    if name is not None and not isinstance(name, str):
        raise ValueError("the name of its classification is not text.")
    return (name.strip() or None) if name else None, _color(value)


def _color(value: Mapping[str, Any]) -> str | None:
    rgb = value.get("color")
    packed = value.get("colorRGB")
    if rgb is None and isinstance(packed, int):
        rgb = [(packed >> shift) & 255 for shift in (16, 8, 0)]
    if rgb is None:
        return None
    if not (isinstance(rgb, list) and len(rgb) >= 3 and all(isinstance(v, int) and 0 <= v <= 255 for v in rgb)):
        raise ValueError("the colour of its classification is not three numbers from 0 to 255.")
    return "#{:02X}{:02X}{:02X}".format(*rgb[:3])


def _shapes(geometry: Mapping[str, Any], read: ReadGeoJSON) -> list[Shape]:
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return [shape for member in geometry["geometries"] for shape in _shapes(member, read)]
    if kind in ("Point", "MultiPoint"):
        read.skip("point(s), which have no area")
        return []
    coordinates = geometry.get("coordinates")
    if kind in ("Polygon", "LineString"):
        coordinates = [coordinates]
    elif kind not in ("MultiPolygon", "MultiLineString"):
        raise ValueError(f"its geometry is of type {kind!r}.")
    if not isinstance(coordinates, list):
        raise ValueError("its coordinates are not a list.")
    if kind.endswith("LineString"):
        return [Line(_points(line)) for line in coordinates]
    return [_polygon(rings) for rings in coordinates]


def _polygon(rings: Any) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise ValueError("a polygon has no outline.")
    outline, *holes = [_open_ring(_points(ring)) for ring in rings]
    return Polygon(outline, tuple(holes))


def _points(values: Any) -> np.ndarray:
    """Return x and y of each position; a third number (z) is left out."""
    if not isinstance(values, list):
        raise ValueError("its coordinates are not a list of positions.")
    points = []
    for position in values:
        if not isinstance(position, list) or len(position) < 2:
            raise ValueError(f"the position {position!r:.60} is not [x, y].")
        x, y = position[:2]
        for number in (x, y):
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise ValueError(f"the position {position!r:.60} does not have two finite numbers.")
        points.append((float(x), float(y)))
    return np.array(points, float).reshape(-1, 2)


def _open_ring(points: np.ndarray) -> np.ndarray:
    """Drop the last point of a ring where it repeats the first."""
    repeats = len(points) > 1 and bool((points[0] == points[-1]).all())
    return points[:-1] if repeats else points
