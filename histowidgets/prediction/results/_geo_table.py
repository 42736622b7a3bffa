"""Write predicted objects as GeoPackage or GeoParquet, through geopandas."""

import warnings
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from shapely import affinity

from histowidgets._io import atomic_write
from histowidgets.errors import PredictionError
from histowidgets.prediction.results._objects import PredictedObject


def write_geopackage(
    objects: Sequence[PredictedObject], columns: Sequence[str], path: str | PathLike[str], offset: tuple[int, int]
) -> None:
    """Write objects as the layer "objects" of a GeoPackage; see `PredictionResults.save_geopackage`."""
    _write(objects, columns, path, offset, lambda table, part: table.to_file(part, layer="objects", driver="GPKG"))


def write_parquet(
    objects: Sequence[PredictedObject], columns: Sequence[str], path: str | PathLike[str], offset: tuple[int, int]
) -> None:
    """Write objects as GeoParquet; see `PredictionResults.save_parquet`."""
    _write(objects, columns, path, offset, lambda table, part: table.to_parquet(part))


def _write(
    objects: Sequence[PredictedObject],
    columns: Sequence[str],
    path: str | PathLike[str],
    offset: tuple[int, int],
    write: Callable[[Any, Path], object],
) -> None:
    try:
        import geopandas
    except ImportError as error:
        raise PredictionError(
            f"Tables with geometry need geopandas, which is not installed ({error}). Install it with "
            "pip install 'histowidgets[geo]', or save GeoJSON or CSV instead."
        ) from None
    moved = [affinity.translate(one.polygon, -offset[0], -offset[1]) for one in objects]
    rows = [one.row() for one in objects]
    values = {name: [row.get(name) for row in rows] for name in columns}
    table = geopandas.GeoDataFrame(values, geometry=moved, crs=None)
    with atomic_write(path, PredictionError) as part, warnings.catch_warnings():
        # Coordinates are pixels of an image, which have no reference system on Earth.
        warnings.filterwarnings("ignore", message=".*crs.*")
        warnings.filterwarnings("ignore", message="The filename extension")  # the file is renamed when it is complete
        try:
            write(table, part)
        except (ImportError, RuntimeError, ValueError) as error:
            raise PredictionError(
                f"The objects could not be written to {path}: {error}. If a package is missing, install it with "
                "pip install 'histowidgets[geo]'."
            ) from error
