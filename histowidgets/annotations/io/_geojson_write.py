"""GeoJSON as QuPath reads it.

Each feature carries, in its own property "histowidgets", the exact shape and a checksum of the geometry beside it:
our import takes the exact shape back as long as nobody changed the geometry. What has no geometry of its own
(erasers, and what they wiped out) goes with its place in the order into a member "histowidgets" of the collection.
Other programs ignore both.
"""

import contextlib
import json
import uuid
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from histowidgets._colors import hex_to_rgb
from histowidgets.annotations.shapes import Annotation, Line, only, painted_area, path_of
from histowidgets.errors import GeoJSONError

#: Version of the "histowidgets" properties.
EXACT_VERSION = 1


def write_geojson(path: Path, annotations: Sequence[Annotation], colors: Mapping[str, str]) -> None:
    """Write annotations as a FeatureCollection.

    Raises
    ------
    GeoJSONError
        If the file cannot be written.
    """
    text = json.dumps(feature_collection(annotations, colors), separators=(",", ":"), ensure_ascii=False)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise GeoJSONError(
            f"{path} cannot be written: {error.strerror or error}. Free some space, or choose a path in a folder that "
            "exists and that you may write to."
        ) from error


def feature_collection(annotations: Sequence[Annotation], colors: Mapping[str, str]) -> dict[str, Any]:
    """Make the FeatureCollection: erasers are cut out of what was drawn before them."""
    geometries = _visible(annotations)
    features, beside = [], []
    for place, (annotation, geometry) in enumerate(zip(annotations, geometries, strict=True)):
        if annotation.class_name is None or geometry.is_empty:
            color = None if annotation.class_name is None else colors[annotation.class_name]
            entry = {"place": place, "id": _as_uuid(annotation.id), "class": annotation.class_name, "color": color}
            beside.append(entry | _exact(annotation))
        else:
            features.append(_feature(annotation, geometry, colors[annotation.class_name]))
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if beside:
        collection["histowidgets"] = {"version": EXACT_VERSION, "features": len(features), "beside": beside}
    return collection


def _visible(annotations: Sequence[Annotation]) -> list[BaseGeometry]:
    """Return for each annotation what the erasers after it leave of it."""
    erased: BaseGeometry = shapely.Polygon()
    visible: list[BaseGeometry] = []
    for annotation in reversed(annotations):
        shape = annotation.shape
        if annotation.class_name is None:
            erased = erased.union(painted_area(shape))
            visible.append(erased)
            continue
        geometry = path_of(shape) if isinstance(shape, Line) else painted_area(shape)
        if not erased.is_empty and erased.intersects(geometry):
            geometry = only(geometry.difference(erased), "LineString" if isinstance(shape, Line) else "Polygon")
        visible.append(geometry)
    return visible[::-1]


def _feature(annotation: Annotation, geometry: BaseGeometry, color: str) -> dict[str, Any]:
    mapping = json.loads(shapely.to_geojson(geometry))
    exact = {"version": EXACT_VERSION, "geometry": checksum(mapping)} | _exact(annotation)
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


def _exact(annotation: Annotation) -> dict[str, Any]:
    return {
        "shape": annotation.shape.to_dict(),
        "time": annotation.time,
        "annotator": annotation.annotator,
    }


def _as_uuid(annotation_id: str) -> str:
    """Return an id as QuPath wants it: a UUID; the same one each time."""
    try:
        return str(uuid.UUID(annotation_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, annotation_id))


def checksum(geometry: Mapping[str, Any]) -> int:
    """Return a number that changes when a geometry is changed."""
    kept = {"type": geometry.get("type"), "coordinates": geometry.get("coordinates")}
    return zlib.crc32(json.dumps(kept, separators=(",", ":")).encode())
