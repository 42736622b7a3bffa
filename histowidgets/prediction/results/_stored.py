"""A prediction on disk; only the needed parts are read."""

import json
import xml.etree.ElementTree as ElementTree
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets._io import as_path
from histowidgets.errors import ImageError, PredictionError
from histowidgets.images import Image, Region, open_image
from histowidgets.prediction.results._base import PredictionResults
from histowidgets.prediction.results._info import Card, StoreState
from histowidgets.prediction.results._ome_tiff import write_pyramid
from histowidgets.prediction.results._zarr_store import Store, read_state

#: Number of pixels above which labels are not written as PNG, since a reader must decode it as a whole.
PNG_PIXELS = 400_000_000


class StoredPrediction(PredictionResults):
    """Labels, and probabilities if they were stored, in an OME-Zarr or an OME-TIFF, from `open_prediction`.

    Parameters
    ----------
    path : Path
    card : Card
    image : Image
        The labels, opened as an image.
    complete : bool
    counts : ndarray of int64, (256,), optional
        Number of pixels of each index, if known.

    Attributes
    ----------
    path : Path
    complete : bool
        Whether the whole region was predicted; `Classifier.predict_to` resumes an incomplete prediction.
    """

    def __init__(self, path: Path, card: Card, image: Image, complete: bool, counts: np.ndarray | None = None) -> None:
        super().__init__(card)
        self.path, self.complete = path, complete
        self._card, self._image, self._counts = card, image, counts

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by the path, so that a copy opens the prediction again."""
        return open_prediction, (self.path.absolute(),)

    @property
    def pyramid(self) -> bool:
        """True: labels are read from the levels on disk."""
        return True

    @property
    def has_probabilities(self) -> bool:
        """Whether probabilities were stored."""
        return self._card.probabilities

    @property
    def labels(self) -> "StoredLabels":
        """The label map, for slicing: ``prediction.labels[rows, columns]`` reads a part, as uint8."""
        return StoredLabels(self._image)

    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Read labels; see `PredictionResults.read_labels`."""
        labels: np.ndarray = self._image.read(*self._place(self.region if region is None else region))[..., 0]
        return labels

    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities, in steps of 1/255; see `PredictionResults.read_probabilities`."""
        self._require_probabilities()
        return np.moveaxis(self._steps(region), 0, -1).astype(np.float32) / np.float32(255)

    def _steps(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities as stored: uint8 (K, height, width)."""
        place = self._place(region)
        if self.path.is_dir():
            import zarr

            array: Any = zarr.open_group(str(self.path), mode="r")["probabilities/0"]
            return np.asarray(array[:, place.y : place.bottom, place.x : place.right])
        return _read_tiff_planes(self.path, place)

    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return labels at rows and columns, from the level that fits; see `PredictionResults.labels_on`."""
        apart = max(1.0, min(_spacing(rows), _spacing(columns)))
        n = int(max((d for d in self._image.downsamples if d <= apart and float(d).is_integer()), default=1.0))
        left, top = int(columns[0]) // n * n, int(rows[0]) // n * n
        right, bottom = int(columns[-1]) + 1, int(rows[-1]) + 1
        stored = self._image.read(left, top, right - left, bottom - top, n)[..., 0]
        found: np.ndarray = stored[np.ix_((rows - top) // n, (columns - left) // n)]
        return found

    def probabilities_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel; see `PredictionResults.probabilities_at`."""
        return self.read_probabilities((x, y, 1, 1))[0, 0] if self.has_probabilities else None

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a PNG; see `PredictionResults.save_png`."""
        if self.region.area > PNG_PIXELS:
            raise PredictionError(
                f"{self.region.width} x {self.region.height} pixels are too many for a PNG, which is read as a whole. "
                "Save an OME-TIFF, which has resolution levels."
            )
        super().save_png(path)

    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write a tiled OME-TIFF with levels; see `PredictionResults.save_ome_tiff`.

        Probabilities are written as stored: uint8, 0 to 255.
        """
        if not self.path.is_dir():
            raise PredictionError(f"{self.path} is already an OME-TIFF. Copy this file instead.")
        if not self.complete:
            raise PredictionError(f"{self.path} is not complete. First repeat the call of predict_to to finish it.")
        if probabilities:
            self._require_probabilities()
        store = Store(self.path, self._card)
        store.open()
        write_pyramid(store, path, probabilities)

    def _require_probabilities(self) -> None:
        if not self.has_probabilities:
            raise PredictionError(
                f"{self.path} has labels only. Predict with probabilities=True to store probabilities."
            )

    def _counted(self) -> np.ndarray:
        if self._counts is None:
            self._counts = super()._counted()
        return self._counts

    def _blocks(self) -> list[Region]:
        return self._squares()

    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        labels = self.read_labels(region)
        return labels, self._steps(region).max(0) if confidence and self.has_probabilities else None


def _spacing(places: np.ndarray) -> float:
    """Return the mean distance between ascending places."""
    return (float(places[-1]) - float(places[0])) / max(len(places) - 1, 1)


class StoredLabels:
    """A label map on disk that can be sliced like an array of (height, width)."""

    dtype = np.dtype(np.uint8)
    ndim = 2

    def __init__(self, image: Image) -> None:
        self._image = image
        self.shape = (image.height, image.width)

    def __getitem__(self, place: Any) -> np.ndarray:
        rows, cols = place if isinstance(place, tuple) else (place, slice(None))
        if not isinstance(rows, slice) or not isinstance(cols, slice):
            raise PredictionError("Labels on disk can only be sliced, such as labels[0:512, 0:512].")
        top, bottom, row_step = rows.indices(self.shape[0])
        left, right, col_step = cols.indices(self.shape[1])
        if row_step < 1 or col_step < 1 or bottom <= top or right <= left:
            return np.zeros((len(range(top, bottom, row_step)), len(range(left, right, col_step))), np.uint8)
        read: np.ndarray = self._image.read(left, top, right - left, bottom - top)[::row_step, ::col_step, 0]
        return read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:, :], dtype)


def open_prediction(path: str | PathLike[str]) -> StoredPrediction:
    """Open a prediction that `Classifier.predict_to` wrote; pixels are read only when needed.

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
        If it is missing, or is not a prediction by histowidgets.
    """
    where = as_path(path, PredictionError)
    card = _read(where)
    try:
        image = open_image(where, series=0)  # the labels; a second image may hold probabilities
    except ImageError as error:
        raise PredictionError(f"{where} cannot be opened: {error}") from error
    if not isinstance(card, StoreState):
        return StoredPrediction(where, card, image, complete=True)
    counts = np.array(card.pixels, np.int64) if card.complete and card.pixels is not None else None
    return StoredPrediction(where, card.card, image, card.complete, counts)


def read_card(path: Path) -> Card:
    """Read the card of a prediction on disk.

    Raises
    ------
    PredictionError
        If it is missing, or is not a prediction by histowidgets.
    """
    card = _read(path)
    return card.card if isinstance(card, StoreState) else card


def _read(path: Path) -> Card | StoreState:
    """Read the note of a .zarr folder, or the card of an .ome.tif."""
    try:
        if path.is_dir():
            return read_state(path)
        values = json.loads(_tiff_description(path))
    except FileNotFoundError:
        raise PredictionError(f"There is no prediction at {path}. Give the path that predict_to wrote to.") from None
    except PredictionError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise PredictionError(f"{path} is not a prediction by histowidgets ({error}).") from error
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
