"""Predictions as files for other programs."""

import json
import uuid
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from histowidgets._io import atomic_write
from histowidgets.errors import PredictionError
from histowidgets.prediction._limits import TIFF_TILE
from histowidgets.prediction.results._colors import rgb

if TYPE_CHECKING:
    from histowidgets.prediction.results._objects import PredictedObject
    from histowidgets.prediction.results._prediction import Prediction

_OBJECT_TYPES = ("annotation", "detection")


def write_geojson(
    objects: Sequence["PredictedObject"], colors: Mapping[str, str], path: str | PathLike[str], object_type: str
) -> None:
    """Write objects as a FeatureCollection in QuPath's flavour; see `PredictionResults.save_geojson`."""
    if object_type not in _OBJECT_TYPES:
        raise PredictionError(f"object_type is {object_type!r}; QuPath knows {' and '.join(_OBJECT_TYPES)}.")
    triples = {name: list(rgb(color)) for name, color in colors.items()}
    features = [_feature(found, object_type, triples) for found in objects]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    with atomic_write(path, PredictionError) as part:
        part.write_text(text, encoding="utf-8")


def _feature(found: "PredictedObject", object_type: str, colors: dict[str, list[int]]) -> dict[str, Any]:
    rings = [found.polygon.exterior, *found.polygon.interiors]
    if found.area_um2 is None:
        measured = {"Area px^2": float(found.area_px), "Perimeter px": found.perimeter_px}
    else:
        measured = {"Area µm^2": round(found.area_um2, 6), "Perimeter µm": found.perimeter_um or 0.0}
    measured["Circularity"] = found.circularity
    if found.mean_probability is not None:
        measured["Mean probability"] = found.mean_probability
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


def _ring(points: Any) -> list[list[int]]:
    """Corners lie between pixels, on whole numbers."""
    return [[int(x), int(y)] for x, y in points]


def write_png(labels: np.ndarray, colors: Mapping[str, str], path: str | PathLike[str]) -> None:
    """Write a label map as a palette PNG; see `Prediction.save_png`."""
    picture = PillowImage.fromarray(labels)
    palette = np.zeros((256, 3), np.uint8)
    for index, color in enumerate(colors.values()):
        palette[index] = rgb(color)
    picture.putpalette(palette.ravel().tolist())
    with atomic_write(path, PredictionError) as part:
        picture.save(part, format="PNG")


def write_ome_tiff(prediction: "Prediction", path: str | PathLike[str], probabilities: bool) -> None:
    """Write labels, and probabilities if wanted, as OME-TIFF; see `Prediction.save_ome_tiff`."""
    import tifffile

    common: dict[str, Any] = {"tile": (TIFF_TILE, TIFF_TILE), "compression": "zlib", "photometric": "minisblack"}
    pixel_size = prediction.pixel_size_um
    if pixel_size is not None:
        common |= {"resolution": (1e4 / pixel_size, 1e4 / pixel_size), "resolutionunit": "CENTIMETER"}
    large = prediction.labels.size > 1 << 30
    with atomic_write(path, PredictionError) as part, tifffile.TiffWriter(part, ome=True, bigtiff=large) as tiff:
        metadata = _ome(prediction, f"{prediction.image_name} labels", 1)
        tiff.write(prediction.labels, metadata={"axes": "YX", **metadata}, **common)
        if probabilities:
            metadata = _ome(prediction, f"{prediction.image_name} probabilities", len(prediction.classes))
            metadata["Channel"] = {"Name": prediction.classes}
            planes = np.ascontiguousarray(np.moveaxis(prediction.probabilities, -1, 0))
            tiff.write(planes, metadata={"axes": "CYX", **metadata}, predictor=3, **common)


def _ome(prediction: "Prediction", name: str, n_planes: int) -> dict[str, Any]:
    """Describe an image in OME's words: name, classes, pixel size, and where in the slide the region lies."""
    region, pixel_size = prediction.region, prediction.pixel_size_um
    step, unit = (1.0, "pixel") if pixel_size is None else (pixel_size, "µm")
    metadata: dict[str, Any] = {
        "Name": name,
        "Description": json.dumps({"classes": prediction.classes, "colors": prediction.colors, "region": list(region)}),
        "Plane": {
            "PositionX": [region.x * step] * n_planes,
            "PositionXUnit": [unit] * n_planes,
            "PositionY": [region.y * step] * n_planes,
            "PositionYUnit": [unit] * n_planes,
        },
    }
    if pixel_size is not None:
        metadata |= {
            "PhysicalSizeX": pixel_size,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": pixel_size,
            "PhysicalSizeYUnit": "µm",
        }
    return metadata
