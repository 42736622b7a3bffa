"""Write predicted objects as GeoJSON for QuPath."""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from shapely import affinity

from histowidgets._colors import hex_to_rgb
from histowidgets._io import atomic_write
from histowidgets.errors import PredictionError
from histowidgets.prediction.results._objects import PredictedObject

_OBJECT_TYPES = ("annotation", "detection")


def write_geojson(
    objects: Sequence[PredictedObject],
    colors: Mapping[str, str],
    path: str | PathLike[str],
    object_type: str,
    offset: tuple[int, int],
) -> None:
    """Write objects as a FeatureCollection; see `PredictionResults.save_geojson`.

    `offset` is where the coordinates of the file begin in the image, (x, y) in full-size pixels.
    """
    if object_type not in _OBJECT_TYPES:
        raise PredictionError(f"object_type is {object_type!r}; use {' or '.join(_OBJECT_TYPES)}.")
    triples = {name: list(hex_to_rgb(color)) for name, color in colors.items()}
    features = [_feature(found, object_type, triples, offset) for found in objects]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    with atomic_write(path, PredictionError) as part:
        part.write_text(text, encoding="utf-8")


def _feature(
    found: PredictedObject, object_type: str, colors: dict[str, list[int]], offset: tuple[int, int]
) -> dict[str, Any]:
    polygon = affinity.translate(found.polygon, -offset[0], -offset[1]) if any(offset) else found.polygon
    rings = [polygon.exterior, *polygon.interiors]
    if found.area_um2 is None:
        measured = {"Area px^2": float(found.area_px), "Perimeter px": found.perimeter_px}
    else:
        measured = {"Area µm^2": round(found.area_um2, 6), "Perimeter µm": found.perimeter_um or 0.0}
    measured |= {"Circularity": found.circularity, "Eccentricity": found.eccentricity}
    if found.mean_probability is not None:
        measured["Mean probability"] = found.mean_probability
    measured |= {f"Mean {name}": mean for name, mean in found.means.items() if math.isfinite(mean)}
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": {"type": "Polygon", "coordinates": [_ring(ring.coords) for ring in rings]},
        "properties": {
            "objectType": object_type,
            "classification": {"name": found.class_name, "color": colors[found.class_name]},
            "measurements": measured,
        },
    }


def _ring(points: Any) -> list[list[float]]:
    """Return the corners: whole numbers at pixel corners, otherwise at full precision."""
    return [[int(v) if float(v).is_integer() else float(v) for v in point] for point in points]
