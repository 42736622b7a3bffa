"""Write GeoJSON for QuPath.

Each feature has a property "histowidgets" with the exact shape and a checksum of its geometry: `read_geojson` uses the
exact shape unless the geometry has been edited. The exact shape is in image coordinates, and "offset" is what was
subtracted from them. Annotations without a geometry (erasers, and shapes that they erased completely) are listed, with
their places in the drawing order, in a member "histowidgets" of the collection. Other programs ignore both.
"""

import json
import uuid
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from histowidgets._colors import hex_to_rgb
from histowidgets._io import atomic_write
from histowidgets.annotations.shapes import Annotation, Line, only, painted_area, path_of
from histowidgets.errors import GeoJSONError

#: Version of the "histowidgets" properties.
EXACT_VERSION = 1


def write_geojson(
    path: Path,
    annotations: Sequence[Annotation],
    colors: Mapping[str, str],
    offset: tuple[float, float] = (0.0, 0.0),
    plane: tuple[int, int] = (0, 0),
) -> None:
    """Write annotations as a FeatureCollection.

    Parameters
    ----------
    path : Path
    annotations : sequence of Annotation
    colors : mapping of class to "#RRGGBB"
    offset : (x, y), default (0, 0)
        Origin of the file's coordinates in the image, in full-size pixels.
    plane : (z, t), default (0, 0)
        The image's plane of a stack, from 0.

    Raises
    ------
    GeoJSONError
        If the file cannot be written.
    """
    text = json.dumps(feature_collection(annotations, colors, offset, plane), separators=(",", ":"), ensure_ascii=False)
    with atomic_write(path, GeoJSONError) as part:
        part.write_text(text, encoding="utf-8")


def feature_collection(
    annotations: Sequence[Annotation],
    colors: Mapping[str, str],
    offset: tuple[float, float] = (0.0, 0.0),
    plane: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """Make the FeatureCollection; erasers are cut out of the shapes drawn before them."""
    geometries = _visible(annotations)
    features, beside = [], []
    for place, (annotation, geometry) in enumerate(zip(annotations, geometries, strict=True)):
        if annotation.class_name is None or geometry.is_empty:
            color = None if annotation.class_name is None else colors[annotation.class_name]
            entry = {"place": place, "id": _as_uuid(annotation.id), "class": annotation.class_name, "color": color}
            beside.append(entry | _exact(annotation, offset))
        else:
            features.append(_feature(annotation, geometry, colors[annotation.class_name], offset, plane))
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if beside:
        collection["histowidgets"] = {"version": EXACT_VERSION, "features": len(features), "beside": beside}
    return collection


def _visible(annotations: Sequence[Annotation]) -> list[BaseGeometry]:
    """Return the part of each annotation that later erasers leave."""
    erased: BaseGeometry = shapely.Polygon()
    visible: list[BaseGeometry] = []
    for annotation in reversed(annotations):
        shape = annotation.shape
        if annotation.class_name is None:
            erased = erased.union(painted_area(shape))
            visible.append(erased)
            continue
        geometry, kind = painted_area(shape), "Polygon"
        if isinstance(shape, Line) and path_of(shape).is_valid:  # invalid if it has no length
            geometry, kind = path_of(shape), "LineString"
        if not erased.is_empty and erased.intersects(geometry):
            geometry = only(geometry.difference(erased), kind)
        visible.append(geometry)
    return visible[::-1]


def _feature(
    annotation: Annotation, geometry: BaseGeometry, color: str, offset: tuple[float, float], plane: tuple[int, int]
) -> dict[str, Any]:
    if any(offset):
        geometry = affinity.translate(geometry, -offset[0], -offset[1])
    mapping = json.loads(shapely.to_geojson(geometry))
    if plane != (0, 0):
        mapping["plane"] = {"c": -1, "z": plane[0], "t": plane[1]}  # as QuPath writes it
    exact = {"version": EXACT_VERSION, "geometry": checksum(mapping)} | _exact(annotation, offset)
    return {
        "type": "Feature",
        "id": _as_uuid(annotation.id),
        "geometry": mapping,
        "properties": {
            "objectType": "annotation",
            "classification": {"name": annotation.class_name, "color": list(hex_to_rgb(color))},
            "isLocked": False,
            "histowidgets": exact,
        },
    }


def _exact(annotation: Annotation, offset: tuple[float, float]) -> dict[str, Any]:
    return {
        "offset": list(offset),
        "shape": annotation.shape.to_dict(),
        "time": annotation.time,
        "annotator": annotation.annotator,
    }


def _as_uuid(annotation_id: str) -> str:
    """Return an id as a UUID, as QuPath requires; the same id always gives the same UUID."""
    try:
        return str(uuid.UUID(annotation_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, annotation_id))


def checksum(geometry: Mapping[str, Any]) -> int:
    """Return a checksum of a geometry."""
    kept = {"type": geometry.get("type"), "coordinates": geometry.get("coordinates")}
    return zlib.crc32(json.dumps(kept, separators=(",", ":")).encode())
