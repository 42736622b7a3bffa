"""Read GeoJSON as written by QuPath, by `write_geojson`, or by other programs."""

import math
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat

from histowidgets.annotations.io._content import FileContent, FileShape, open_ring, words_of
from histowidgets.annotations.io._geojson_write import EXACT_VERSION, checksum
from histowidgets.annotations.shapes import Line, Polygon, Shape, shape_from_dict
from histowidgets.errors import GeoJSONError, ShapeError

_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
#: Properties that other programs use for a class, and for the name of an object.
_CLASS_PROPERTIES = ("class", "class_name", "className", "label", "category")
_NAME_PROPERTIES = ("name", "title")


class _Exact(BaseModel):
    """The exact shape of an annotation, in the property "histowidgets" of its feature; see `write_geojson`."""

    shape: dict[str, Any]
    time: FiniteFloat
    annotator: Annotated[Any, AfterValidator(str)]
    #: Offset from the coordinates of the geometry to those of the shape. Files of earlier versions lack it; their
    #: geometries have image coordinates.
    offset: tuple[FiniteFloat, FiniteFloat] | None = None

    def read(self, class_name: str | None, color: Any, own_id: Any) -> FileShape:
        return FileShape(
            shape_from_dict(self.shape),
            class_name,
            color=color_of(color),
            erases=class_name is None,
            offset=self.offset,
            in_image=self.offset is None,
            time=self.time,
            annotator=self.annotator,
            id=_id(own_id),
        )


class _Beside(_Exact):
    """An annotation without a geometry, in the member "histowidgets" of the collection."""

    place: int
    class_name: Annotated[Any, Field(alias="class")]
    color: Any
    id: Any = None


def read_geojson(name: str, values: Any) -> FileContent:
    """Read the features of a file.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    values : object
        Parsed JSON of the file.

    Raises
    ------
    GeoJSONError
        If the file has no features, or the data that `write_geojson` added is damaged.
    """
    content = FileContent("GeoJSON", counts_from="scanned area", may_be_um=True)
    features = list(_features(name, values))
    for number, feature in enumerate(features, start=1):
        with content.reading(number):
            content.shapes += _from_feature(feature, content)
    if isinstance(values, Mapping):
        if values.get("crs") is not None:
            content.notes.append(
                f"{name} declares map coordinates ({_crs_name(values['crs'])}), not pixels. Check that the annotations "
                "are in the right place."
            )
            content.may_be_um = False
        _add_beside(name, values, content)
    return content


def _add_beside(name: str, values: Mapping[str, Any], content: FileContent) -> None:
    """Insert annotations without a geometry into the drawing order, unless features were added or left out."""
    exact = values.get("histowidgets")
    if not (isinstance(exact, Mapping) and exact.get("version") == EXACT_VERSION):
        return
    if exact.get("features") != len(content.shapes):
        return
    try:
        for entry in map(_Beside.model_validate, exact["beside"]):
            class_name = None if entry.class_name is None else str(entry.class_name)
            content.shapes.insert(entry.place, entry.read(class_name, entry.color, entry.id))
    except (ShapeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise GeoJSONError(f'The "histowidgets" member of {name} is damaged: {words_of(error)}') from error


def _features(name: str, values: Any) -> Iterator[Any]:
    """Yield the features of a collection or list, or a single one; a bare geometry becomes a feature."""
    kind = values.get("type") if isinstance(values, Mapping) else None
    if isinstance(values, list):
        for value in values:
            is_collection = isinstance(value, Mapping) and value.get("type") == "FeatureCollection"
            yield from _features(name, value) if is_collection else (_feature(value),)
    elif kind == "FeatureCollection" and isinstance(values.get("features"), list):
        yield from values["features"]
    elif kind == "Feature" or kind in _GEOMETRIES:
        yield _feature(values)
    else:
        raise GeoJSONError(
            f"{name} has no GeoJSON features. It must be a FeatureCollection, a Feature, a geometry or a list of them."
        )


def _feature(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("type") in _GEOMETRIES:
        return {"type": "Feature", "geometry": value}
    return value


def _crs_name(crs: Any) -> str:
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    return str(properties.get("name", "crs") if isinstance(properties, Mapping) else crs)[:80]


def _from_feature(feature: Any, content: FileContent) -> list[FileShape]:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        raise ValueError('it is not an object of type "Feature".')
    properties = feature.get("properties") or {}
    geometry = feature.get("geometry")
    if not isinstance(properties, Mapping) or not isinstance(geometry, Mapping | None):
        raise ValueError("its properties or its geometry are not an object.")
    if not geometry:
        raise ValueError("it has no geometry.")
    class_name, color = _classification(properties)
    exact = properties.get("histowidgets")
    if exact is not None or "objectType" in properties:
        content.may_be_um = False
    if (
        isinstance(exact, Mapping)
        and class_name is not None
        and exact.get("version") == EXACT_VERSION
        and exact.get("geometry") == checksum(geometry)
    ):
        return [_Exact.model_validate(exact).read(class_name, color, feature.get("id"))]
    shapes = _shapes(geometry, content)
    own_id = _id(feature.get("id")) if len(shapes) == 1 else None
    plane = _plane(geometry)
    if plane is None and "objectType" in properties and exact is None:
        plane = (0, 0)  # QuPath does not write this plane
    return [FileShape(shape, class_name, _name(properties), color, plane, id=own_id) for shape in shapes]


def _id(value: Any) -> str | None:
    """Return the id of an annotation if it is a UUID, else None."""
    try:
        return uuid.UUID(value).hex if isinstance(value, str) else None
    except ValueError:
        return None


def _name(properties: Mapping[str, Any]) -> str | None:
    found = (properties.get(key) for key in _NAME_PROPERTIES)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), None)


def _plane(geometry: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return z and t, from 0, of the plane that QuPath writes beside the coordinates; None if missing."""
    plane = geometry.get("plane")
    if not isinstance(plane, Mapping):
        return None
    z, t = plane.get("z", 0), plane.get("t", 0)
    return (int(z), int(t)) if all(isinstance(v, int | float) and math.isfinite(v) for v in (z, t)) else None


def _classification(properties: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the name and colour of a classification in any of QuPath's three forms, or of another program."""
    value = properties.get("classification")
    if value is None:
        others = (properties.get(key) for key in _CLASS_PROPERTIES)
        value = next((text for text in others if isinstance(text, str) and text.strip()), None)
    if value is None:
        return None, color_of(properties.get("color"))
    if isinstance(value, str):
        return value.strip() or None, None
    if not isinstance(value, Mapping):
        raise ValueError("its classification is not an object.")
    name = value.get("name")
    if name is None and isinstance(value.get("names"), list):
        name = ": ".join(str(part) for part in value["names"])  # a derived class, as QuPath shows it
    if name is not None and not isinstance(name, str):
        raise ValueError("the name of its classification is not text.")
    color = color_of(value.get("color")) or color_of(value.get("colorRGB"))
    return (name.strip() or None) if name else None, color


def color_of(value: Any) -> str | None:
    """Return a colour in any known form as "#RRGGBB"; None if it is not recognized.

    Known forms are three or four numbers from 0 to 255, a number whose bytes are alpha, red, green and blue,
    "#rrggbb" and "rgb(r, g, b)".
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = [(value >> shift) & 255 for shift in (16, 8, 0)]
    if isinstance(value, str):
        if re.fullmatch(r"#[0-9A-Fa-f]{6}", value.strip()):
            return value.strip().upper()
        if not value.strip().lower().startswith("rgb"):
            return None
        value = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", value)]
    if not isinstance(value, list | tuple) or len(value) < 3:
        return None
    rgb = value[:3]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 255 for v in rgb):
        return None
    return "#{:02X}{:02X}{:02X}".format(*(round(v) for v in rgb))


def _shapes(geometry: Mapping[str, Any], content: FileContent) -> list[Shape]:
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return [shape for member in geometry["geometries"] for shape in _shapes(member, content)]
    if kind in ("Point", "MultiPoint"):
        content.skip("point(s), which have no area")
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
    return [_polygon(rings, content) for rings in coordinates]


def _polygon(rings: Any, content: FileContent) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise ValueError("a polygon has no outline.")
    outline, *holes = [open_ring(_points(ring)) for ring in rings]
    with_area = [hole for hole in holes if len(hole) >= 3]
    content.skip("hole(s) without an area", len(holes) - len(with_area))
    return Polygon(outline, tuple(with_area))


def _points(values: Any) -> np.ndarray:
    """Return x and y of each position; a third number (z) is ignored."""
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
