"""A prediction on disk, of which only what is asked for is read."""

import json
import xml.etree.ElementTree as ElementTree
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.annotations import UNLABELLED
from histowidgets.errors import ImageError, PredictionError
from histowidgets.images import Image, Region, open_image
from histowidgets.prediction._limits import BLOCK_SIDE
from histowidgets.prediction._results import PredictionResults
from histowidgets.prediction._sampling import samples
from histowidgets.prediction._store import STATE, Card, Store


class StoredPrediction(PredictionResults):
    """Labels, and probabilities if they were kept, in an OME-Zarr or an OME-TIFF; made by `open_prediction`.

    Attributes
    ----------
    path : Path
    classes : list of str
    colors : dict of str to str
    region : Region
        Where in the image, in full-size pixels.
    pixel_size_um : float or None
    image_name : str
    complete : bool
        Whether all of it was predicted; `Classifier.predict_to` goes on with what is not.
    """

    def __init__(self, path: Path, card: Card, image: Image, complete: bool) -> None:
        self.path, self.complete = path, complete
        self.classes, self.colors = card.classes, card.colors
        self.region, self.pixel_size_um, self.image_name = Region(*card.region), card.pixel_size_um, card.image_name
        self._image = image
        self._has_probabilities = card.probabilities

    @property
    def has_probabilities(self) -> bool:
        """Whether probabilities were kept."""
        return self._has_probabilities

    @property
    def labels(self) -> "StoredLabels":
        """The label map as something to cut from: ``prediction.labels[rows, columns]`` gives uint8, read then."""
        return StoredLabels(self._image)

    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Read labels.

        Parameters
        ----------
        region : (x, y, width, height), optional
            In full-size pixels of the image, inside what was predicted; all of that if not given.

        Returns
        -------
        ndarray of uint8, (height, width)
            255 where nothing was predicted yet.

        Raises
        ------
        RegionError
            If it is not inside what was predicted.
        """
        wanted = self.region if region is None else Region(*region)
        found = self._image.read(wanted.x - self.region.x, wanted.y - self.region.y, wanted.width, wanted.height)
        labels: np.ndarray = found[..., 0]
        return labels

    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities: float32 (height, width, K), in steps of 1/255.

        Raises
        ------
        PredictionError
            If they were not kept.
        """
        if not self.has_probabilities:
            raise PredictionError(f"{self.path} has labels alone. Predict with probabilities=True to keep them.")
        x, y, width, height = region
        left, top = x - self.region.x, y - self.region.y
        if self.path.is_dir():
            import zarr

            array: Any = zarr.open_group(str(self.path), mode="r")["probabilities/0"]
            values = np.asarray(array[:, top : top + height, left : left + width])
        else:
            values = _read_tiff_planes(self.path, Region(left, top, width, height))
        return np.moveaxis(values, 0, -1).astype(np.float32) / np.float32(255)

    def labels_at(self, region: Region, shape: tuple[int, int]) -> np.ndarray:
        """Sample the labels for drawing them at another size; as `Prediction.labels_at`, from the level that fits."""
        out = np.full(shape, UNLABELLED, np.uint8)
        inside = region.intersect(self.region)
        if inside is None:
            return out
        zoom = min(region.width / shape[1], region.height / shape[0])
        step = max((d for d in self._image.downsamples if d <= max(zoom, 1.0) and float(d).is_integer()), default=1.0)
        n = int(step)
        left, top = (inside.x - self.region.x) // n * n, (inside.y - self.region.y) // n * n
        right, bottom = inside.right - self.region.x, inside.bottom - self.region.y
        stored = self._image.read(left, top, right - left, bottom - top, n)[..., 0]
        rows, row_inside = samples(region.y, region.height, shape[0], self.region.y, self.region.height)
        cols, col_inside = samples(region.x, region.width, shape[1], self.region.x, self.region.width)
        picked = np.ix_((rows[row_inside] - top) // n, (cols[col_inside] - left) // n)
        out[np.ix_(row_inside, col_inside)] = stored[picked]
        return out

    def _blocks(self) -> list[Region]:
        side = BLOCK_SIDE
        return [
            Region.from_edges(x, y, min(x + side, self.region.right), min(y + side, self.region.bottom))
            for y in range(self.region.y, self.region.bottom, side)
            for x in range(self.region.x, self.region.right, side)
        ]

    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        labels = self.read_labels(region)
        return labels, self.read_probabilities(region).max(-1) if confidence and self.has_probabilities else None


class StoredLabels:
    """A label map on disk that can be cut like an array of (height, width)."""

    dtype = np.dtype(np.uint8)
    ndim = 2

    def __init__(self, image: Image) -> None:
        self._image = image
        self.shape = (image.height, image.width)

    def __getitem__(self, place: Any) -> np.ndarray:
        rows, cols = place if isinstance(place, tuple) else (place, slice(None))
        if not isinstance(rows, slice) or not isinstance(cols, slice):
            raise PredictionError("Labels on disk are cut by slices, such as labels[0:512, 0:512].")
        top, bottom, row_step = rows.indices(self.shape[0])
        left, right, col_step = cols.indices(self.shape[1])
        if row_step < 1 or col_step < 1 or bottom <= top or right <= left:
            return np.zeros((len(range(top, bottom, row_step)), len(range(left, right, col_step))), np.uint8)
        read: np.ndarray = self._image.read(left, top, right - left, bottom - top)[::row_step, ::col_step, 0]
        return read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:, :], dtype)


def open_prediction(path: str | PathLike[str]) -> StoredPrediction:
    """Open what `Classifier.predict_to` wrote; pixels are read when they are asked for.

    Parameters
    ----------
    path : path
        A .zarr folder or an .ome.tif.

    Returns
    -------
    StoredPrediction

    Raises
    ------
    PredictionError
        If it is missing, or no prediction of ours.
    """
    where = Path(path).expanduser()
    card = read_card(where)
    try:
        image = open_image(where)
    except ImageError as error:
        raise PredictionError(f"{where} cannot be opened: {error}") from error
    state = Store.read_state(where) if where.is_dir() else None
    complete = state is None or state.get("done") == state.get("total")
    return StoredPrediction(where, card, image, complete)


def read_card(path: Path) -> Card:
    """Read what a prediction says of itself.

    Raises
    ------
    PredictionError
        If it is missing, or no prediction of ours.
    """
    try:
        text = (path / STATE).read_text(encoding="utf-8") if path.is_dir() else _tiff_description(path)
        values = json.loads(text)
    except FileNotFoundError:
        raise PredictionError(f"There is no prediction at {path}. Give what predict_to wrote.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise PredictionError(f"{path} is no prediction that histowidgets wrote ({error}).") from error
    return Card.from_dict(values if isinstance(values, dict) else {}, path)


def _tiff_description(path: Path) -> str:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata or "<none/>")
    for element in root.iter():
        if element.tag.rsplit("}", 1)[-1] == "Description":
            return element.text or ""
    return ""


def _read_tiff_planes(path: Path, region: Region) -> np.ndarray:
    """Read a region of the second image of a TIFF, uint8 (K, height, width)."""
    import tifffile
    import zarr

    with tifffile.TiffFile(path) as tiff:
        array: Any = zarr.open(tiff.series[1].aszarr(), mode="r")
        return np.asarray(array[:, region.y : region.bottom, region.x : region.right])
