"""A prediction on disk, of which only what is asked for is read."""

import json
import xml.etree.ElementTree as ElementTree
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets._io import as_path
from histowidgets.annotations import UNLABELLED
from histowidgets.errors import ImageError, PredictionError
from histowidgets.images import Image, Region, open_image
from histowidgets.prediction._limits import BLOCK_SIDE, PNG_PIXELS
from histowidgets.prediction.results._base import PredictionResults
from histowidgets.prediction.results._sampling import samples
from histowidgets.prediction.results._zarr_store import STATE, Card, Store


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

    def __init__(self, path: Path, card: Card, image: Image, complete: bool, counts: np.ndarray | None = None) -> None:
        self.path, self.complete = path, complete
        self._counts = counts
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
        rows, row_inside = samples(region.y, region.height, shape[0], self.region.y, self.region.height)
        cols, col_inside = samples(region.x, region.width, shape[1], self.region.x, self.region.width)
        if row_inside.any() and col_inside.any():
            out[np.ix_(row_inside, col_inside)] = self.labels_on(rows[row_inside], cols[col_inside])
        return out

    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels where some rows and columns of the region meet, from the level that fits.

        Parameters
        ----------
        rows, columns : ndarray of int
            From the region's corner, ascending, at least one.

        Returns
        -------
        ndarray of uint8, (rows, columns)
        """
        apart = max(1.0, min(_spacing(rows), _spacing(columns)))
        n = int(max((d for d in self._image.downsamples if d <= apart and float(d).is_integer()), default=1.0))
        left, top = int(columns[0]) // n * n, int(rows[0]) // n * n
        right, bottom = int(columns[-1]) + 1, int(rows[-1]) + 1
        stored = self._image.read(left, top, right - left, bottom - top, n)[..., 0]
        found: np.ndarray = stored[np.ix_((rows - top) // n, (columns - left) // n)]
        return found

    def chances_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel of the image; None if they were not kept."""
        return self.read_probabilities((x, y, 1, 1))[0, 0] if self.has_probabilities else None

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a PNG whose palette holds the class colours.

        Raises
        ------
        PredictionError
            If it is larger than a PNG should be, or the file cannot be written.
        """
        from histowidgets.prediction.results._export import write_png

        if self.region.area > PNG_PIXELS:
            raise PredictionError(
                f"{self.region.width} x {self.region.height} pixels are too many for a PNG, which is read whole. Save "
                "an OME-TIFF, which has levels."
            )
        write_png(self.read_labels(), self.colors, path)

    def save_ome_tiff(self, path: str | PathLike[str]) -> None:
        """Write a tiled OME-TIFF with levels, and the probabilities as a second image if they were kept.

        Raises
        ------
        PredictionError
            If this is an OME-TIFF already, is not complete, or the file cannot be written.
        """
        from histowidgets.prediction.results._ome_tiff import write_pyramid

        if not self.path.is_dir():
            raise PredictionError(f"{self.path} is an OME-TIFF already. Copy that file.")
        if not self.complete:
            raise PredictionError(f"{self.path} is not complete. Call predict_to again in the same way first.")
        store = Store(self.path, read_card(self.path))
        store.open()
        write_pyramid(store, as_path(path, PredictionError))

    def _counted(self) -> np.ndarray:
        if self._counts is None:
            self._counts = super()._counted()
        return self._counts

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


def _spacing(places: np.ndarray) -> float:
    """Return how far apart ascending places are."""
    return (float(places[-1]) - float(places[0])) / max(len(places) - 1, 1)


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
    where = as_path(path, PredictionError)
    card = read_card(where)
    try:
        image = open_image(where)
    except ImageError as error:
        raise PredictionError(f"{where} cannot be opened: {error}") from error
    state = Store.read_state(where) if where.is_dir() else None
    complete = state is None or 0 < state.get("total", 0) == state.get("done")
    return StoredPrediction(where, card, image, complete, Store.counts_in(state) if complete else None)


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
