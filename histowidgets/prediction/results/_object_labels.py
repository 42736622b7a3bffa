"""Write predicted objects as a label image with a table of them."""

import csv
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from histowidgets._io import atomic_write
from histowidgets.annotations import Polygon
from histowidgets.annotations.raster import paint, spans_of
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction.results._info import PredictionInfo
from histowidgets.prediction.results._objects import PredictedObject
from histowidgets.prediction.results._ome_tiff import placed_metadata, resolution_tags

#: Side of the tiles of the file, in pixels.
SIDE = 512
#: From this number of pixels on, the file is a BigTIFF.
LARGE = 1 << 29


def write_object_labels(
    objects: Sequence[PredictedObject], columns: Sequence[str], info: PredictionInfo, path: str | PathLike[str]
) -> Path:
    """Write the label image, and the table beside it; see `PredictionResults.save_object_labels`."""
    import tifffile  # imported here because it is slow to load

    target = Path(path)
    table = table_beside(target)
    region = info.region
    with atomic_write(table, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["label", "index", *columns])
        writer.writeheader()
        writer.writerows({"label": n, "index": n, **one.row()} for n, one in enumerate(objects, 1))
    common: dict[str, Any] = {"tile": (SIDE, SIDE), "compression": "zlib", "photometric": "minisblack"}
    metadata = {"axes": "YX", **placed_metadata(info, f"{info.image_name} objects", 1)}
    with (
        atomic_write(target, PredictionError) as part,
        tifffile.TiffWriter(part, ome=True, bigtiff=region.area > LARGE) as tiff,
    ):
        tiff.write(
            _tiles(objects, region),
            shape=(region.height, region.width),
            dtype=np.int32,
            metadata=metadata,
            **common,
            **resolution_tags(info.pixel_size_yx_um, 1),
        )
    return table


def table_beside(path: Path) -> Path:
    """Return where the table of a label image goes: ``cells.csv`` beside ``cells.ome.tif``."""
    name = path.name
    for ending in (".ome.tif", ".ome.tiff", ".tif", ".tiff"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return path.with_name(name[: -len(ending)] + ".csv")
    raise PredictionError(f"{path} does not end in .ome.tif or .tif, the formats of label images.")


def _tiles(objects: Sequence[PredictedObject], region: Region) -> Iterator[np.ndarray]:
    """Yield the tiles in rows, int32; 0 where there is no object."""
    # Where a hole of a larger object was filled, the smaller one inside it is painted last.
    order = sorted(range(len(objects)), key=lambda i: -objects[i].polygon.area)
    tree = shapely.STRtree([objects[i].polygon for i in order])
    for top in range(region.y, region.bottom, SIDE):
        for left in range(region.x, region.right, SIDE):
            tile = np.zeros((SIDE, SIDE), np.int32)
            near = np.sort(tree.query(shapely.box(left, top, left + SIDE, top + SIDE)))
            if len(near):
                shapes = [Polygon.of(objects[order[i]].polygon) for i in near]
                values = np.array([order[i] + 1 for i in near], np.int32)
                paint(tile, spans_of(shapes, Region(left, top, SIDE, SIDE), 1), values)
                tile[region.bottom - top :] = 0
                tile[:, region.right - left :] = 0
            yield tile
