"""A finished prediction as a tiled pyramidal OME-TIFF, written tile by tile."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import PredictionError
from histowidgets.prediction._limits import TIFF_TILE
from histowidgets.prediction.results._zarr_store import Store

_SIDE = 2 * TIFF_TILE


def write_pyramid(store: Store, path: Path) -> None:
    """Write labels with their levels, and probabilities as a second image, beside the file and then in its place.

    Raises
    ------
    PredictionError
        If the file cannot be written.
    """
    import tifffile

    beside = path.with_name(f".{path.name}.part")
    card = store.card
    common: dict[str, Any] = {"tile": (_SIDE, _SIDE), "compression": "zlib", "photometric": "minisblack"}
    size = card.pixel_size_um
    ome: dict[str, Any] = {"Description": json.dumps(card.to_dict())}
    if size is not None:
        ome |= {"PhysicalSizeX": size, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": size, "PhysicalSizeYUnit": "µm"}
    try:
        with tifffile.TiffWriter(beside, ome=True, bigtiff=True) as tiff:
            for level in range(store.n_levels):
                array = store.level(level)
                more = common | _resolution(size, 1 << level)
                if level == 0:
                    metadata = {"axes": "YX", "Name": f"{card.image_name} labels", **ome}
                    more |= {"subifds": store.n_levels - 1, "metadata": metadata}
                else:
                    more["subfiletype"] = 1
                tiff.write(_tiles(array), shape=array.shape, dtype=np.uint8, **more)
            if store.probabilities is not None:
                metadata = {"axes": "CYX", "Name": f"{card.image_name} probabilities", **ome}
                metadata["Channel"] = {"Name": card.classes}
                shape = store.probabilities.shape
                more = common | _resolution(size, 1) | {"metadata": metadata}
                tiff.write(_planes(store.probabilities), shape=shape, dtype=np.uint8, **more)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PredictionError(
            f"{path} cannot be written ({error.strerror or error}). What was predicted is kept; the same call goes on."
        ) from error


def _tiles(array: Any) -> Iterator[np.ndarray]:
    """Read (rows, cols) tile by tile, one row of them at a time; those at the edge are filled up with 255."""
    rows, cols = array.shape
    for top in range(0, rows, _SIDE):
        band = np.asarray(array[top : top + _SIDE])
        for left in range(0, cols, _SIDE):
            part = band[:, left : left + _SIDE]
            tile = np.full((_SIDE, _SIDE), 255, np.uint8)
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def _planes(array: Any) -> Iterator[np.ndarray]:
    for plane in range(array.shape[0]):
        yield from _tiles(_Plane(array, plane))


class _Plane:
    """One plane of an array of (K, rows, cols)."""

    def __init__(self, array: Any, plane: int) -> None:
        self._array, self._plane = array, plane
        self.shape = array.shape[1:]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.asarray(self._array[self._plane, rows])


def _resolution(pixel_size: float | None, downsample: int) -> dict[str, Any]:
    if pixel_size is None:
        return {}
    per_cm = 1e4 / (pixel_size * downsample)
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
