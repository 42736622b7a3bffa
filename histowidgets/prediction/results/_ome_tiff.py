"""Write predictions as OME-TIFF: from memory, or tile by tile from disk, with the pyramid."""

import json
from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np

from histowidgets._io import FREE_SPACE, atomic_write, written
from histowidgets.errors import PredictionError
from histowidgets.prediction.results._info import PredictionInfo
from histowidgets.prediction.results._zarr_store import Store

#: Side of the tiles of a label map from memory, and of one with a pyramid, in pixels.
TIFF_TILE, _SIDE = 256, 512


def write_ome_tiff(
    path: str | PathLike[str], labels: np.ndarray, info: PredictionInfo, probabilities: np.ndarray | None = None
) -> None:
    """Write labels, and probabilities if given, with the pixel size and the place of the region.

    Parameters
    ----------
    path : path
    labels : ndarray of uint8, (height, width)
    info : PredictionInfo
    probabilities : ndarray of float32, (height, width, K), optional
        Written as a second image with a channel for each class.

    Raises
    ------
    PredictionError
        If the file cannot be written.
    """
    import tifffile  # imported here because it is slow to load

    common: dict[str, Any] = {"tile": (TIFF_TILE, TIFF_TILE), "compression": "zlib", "photometric": "minisblack"}
    common |= resolution_tags(info.pixel_size_yx_um, 1)
    large = labels.size > 1 << 30
    with atomic_write(path, PredictionError) as part, tifffile.TiffWriter(part, ome=True, bigtiff=large) as tiff:
        metadata = placed_metadata(info, f"{written(info.image_name)} labels", 1)
        tiff.write(labels, metadata={"axes": "YX", **metadata}, **common)
        if probabilities is not None:
            metadata = placed_metadata(info, f"{written(info.image_name)} probabilities", len(info.classes))
            metadata["Channel"] = {"Name": info.classes}
            planes = np.ascontiguousarray(np.moveaxis(probabilities, -1, 0))
            tiff.write(planes, metadata={"axes": "CYX", **metadata}, predictor=3, **common)


def write_pyramid(store: Store, path: str | PathLike[str], probabilities: bool = True) -> None:
    """Write the labels of a finished prediction with all levels, and the probabilities as a second image.

    Parameters
    ----------
    store : Store
    path : path
    probabilities : bool, default True
        Whether to write the probabilities too, if the store has them.

    Raises
    ------
    PredictionError
        If the file cannot be written.
    """
    import tifffile

    planes = store.probabilities if probabilities else None
    card = store.card.model_copy(update={"probabilities": planes is not None})
    common: dict[str, Any] = {"tile": (_SIDE, _SIDE), "compression": "zlib", "photometric": "minisblack"}
    size = card.pixel_size_yx_um
    ome = {"Description": json.dumps(card.to_dict()), **_physical_size(size)}
    advice = f"What was predicted is kept: run it again to resume. {FREE_SPACE}"
    with (
        atomic_write(path, PredictionError, advice) as part,
        tifffile.TiffWriter(part, ome=True, bigtiff=True) as tiff,
    ):
        for level in range(store.n_levels):
            array = store.level(level)
            more = common | resolution_tags(size, 1 << level)
            if level == 0:
                metadata = {"axes": "YX", "Name": f"{written(card.image_name)} labels", **ome}
                more |= {"subifds": store.n_levels - 1, "metadata": metadata}
            else:
                more["subfiletype"] = 1
            tiff.write(_tiles(array), shape=array.shape, dtype=np.uint8, **more)
        if planes is not None:
            metadata = {"axes": "CYX", "Name": f"{written(card.image_name)} probabilities", **ome}
            metadata["Channel"] = {"Name": card.classes}
            more = common | resolution_tags(size, 1) | {"metadata": metadata}
            tiff.write(_plane_tiles(planes), shape=planes.shape, dtype=np.uint8, **more)


def _tiles(array: Any) -> Iterator[np.ndarray]:
    """Yield the tiles of (rows, cols), reading one row of tiles at a time; tiles at the edge are padded with 255."""
    rows, cols = array.shape
    for top in range(0, rows, _SIDE):
        band = np.asarray(array[top : top + _SIDE])
        for left in range(0, cols, _SIDE):
            part = band[:, left : left + _SIDE]
            tile = np.full((_SIDE, _SIDE), 255, np.uint8)
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def _plane_tiles(array: Any) -> Iterator[np.ndarray]:
    for plane in range(array.shape[0]):
        yield from _tiles(_Plane(array, plane))


class _Plane:
    """One plane of an array of (K, rows, cols)."""

    def __init__(self, array: Any, plane: int) -> None:
        self._array, self._plane = array, plane
        self.shape = array.shape[1:]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.asarray(self._array[self._plane, rows])


def resolution_tags(size_yx: tuple[float, float] | None, downsample: int) -> dict[str, Any]:
    """Return the TIFF tags of the pixel size: height and width of a full-size pixel, in um."""
    if size_yx is None:
        return {}
    down, across = (1e4 / (side * downsample) for side in size_yx)
    return {"resolution": (across, down), "resolutionunit": "CENTIMETER"}


def placed_metadata(info: PredictionInfo, name: str, n_planes: int) -> dict[str, Any]:
    """Return the OME metadata of an image: name, classes, pixel size, and the place of the region in the slide."""
    region, size = info.region, info.pixel_size_yx_um
    (down, across), unit = ((1.0, 1.0), "pixel") if size is None else (size, "µm")
    return {
        "Name": name,
        "Description": json.dumps({"classes": info.classes, "colors": info.colors, "region": list(region)}),
        "Plane": {
            "PositionX": [region.x * across] * n_planes,
            "PositionXUnit": [unit] * n_planes,
            "PositionY": [region.y * down] * n_planes,
            "PositionYUnit": [unit] * n_planes,
        },
        **_physical_size(size),
    }


def _physical_size(size_yx: tuple[float, float] | None) -> dict[str, Any]:
    if size_yx is None:
        return {}
    height, width = size_yx
    return {"PhysicalSizeX": width, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": height, "PhysicalSizeYUnit": "µm"}
