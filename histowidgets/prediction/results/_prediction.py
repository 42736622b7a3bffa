"""A prediction in memory."""

import math
import threading
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from histowidgets.errors import PredictionError
from histowidgets.images import PixelSize, Region
from histowidgets.prediction.results._base import PredictionResults
from histowidgets.prediction.results._colors import checked_classes
from histowidgets.prediction.results._info import PredictionInfo, sides_if_not_square
from histowidgets.prediction.results._ome_tiff import write_ome_tiff
from histowidgets.prediction.tiling import ProbabilityMap


class Prediction(PredictionResults):
    """The predicted classes and probabilities of a region, from `Classifier.predict`.

    Parameters
    ----------
    probabilities : ProbabilityMap, ndarray of (height, width, K), or None
        An array must have full size; None if there are only labels.
    classes : sequence of str
        In the order of the label map's indices.
    colors : mapping of class name to colour, or sequence of colours
        Such as ``"#1f77b4"``.
    region : Region
        The predicted region of the image, in full-size pixels.
    pixel_size_um : float or (float, float), optional
        Side of a full-size pixel, or its height and width; None if unknown.
    image_name : str, default "image"
    labels : ndarray of uint8, (height, width), optional
        The label map, if there are no probabilities, or only less exact ones than it was made from.
    predicted_at_um, bounds_offset : optional
        See `PredictionInfo`.

    Raises
    ------
    PredictionError
        If the numbers of classes, colours and probabilities differ, or the shape does not fit the region.
    """

    def __init__(
        self,
        probabilities: ProbabilityMap | np.ndarray | None,
        *,
        classes: Sequence[str],
        colors: Mapping[str, str] | Sequence[str],
        region: Region,
        pixel_size_um: PixelSize | None = None,
        image_name: str = "image",
        labels: np.ndarray | None = None,
        predicted_at_um: float | None = None,
        bounds_offset: tuple[int, int] = (0, 0),
    ) -> None:
        place = Region(*(int(value) for value in region))
        self._map = None if probabilities is None else _checked_map(probabilities, place)
        self._labels = None if labels is None else _checked_labels(labels, place)
        if self._map is None and self._labels is None:
            raise PredictionError("A prediction needs probabilities or labels; neither was given.")
        n_classes = len(classes) if self._map is None else len(self._map.values)
        names, chosen = checked_classes(classes, colors, n_classes)
        size, sides = _pixel_size(pixel_size_um)
        super().__init__(
            PredictionInfo(
                image_name=image_name,
                region=place,
                pixel_size_um=size,
                pixel_sides_um=sides,
                classes=names,
                colors=chosen,
                predicted_at_um=predicted_at_um,
                bounds_offset=bounds_offset,
            )
        )
        self._steps: np.ndarray | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for copying and pickling: everything except the lock and what can be computed again."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_steps")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state of `__getstate__`; the labels stay read-only."""
        self.__dict__.update(state, _lock=threading.Lock(), _steps=None)
        if self._labels is not None:
            self._labels.setflags(write=False)

    @property
    def labels(self) -> np.ndarray:
        """The label map of the region at full size, uint8 (height, width), read-only; computed once."""
        with self._lock:
            if self._labels is None:
                labels = self.probability_map.labels()
                labels.setflags(write=False)
                self._labels = labels
            return self._labels

    @property
    def probability_map(self) -> ProbabilityMap:
        """The probabilities as computed, before enlarging to full size.

        Raises
        ------
        PredictionError
            If there are only labels.
        """
        if self._map is None:
            raise PredictionError(
                "This prediction has labels only. Predict again without probabilities=False to get probabilities."
            )
        return self._map

    @property
    def pyramid(self) -> bool:
        """False: labels and probabilities are in memory."""
        return False

    @property
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, rather than labels only."""
        return self._map is not None

    @property
    def probabilities(self) -> np.ndarray:
        """The probabilities at full size, float32 (height, width, K); they are enlarged again on each access."""
        return self.probability_map.expanded()

    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Return the labels of a part; see `PredictionResults.read_labels`."""
        if region is None:
            return self.labels
        x, y, width, height = self._place(region)
        return self.labels[y : y + height, x : x + width]

    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Return the probabilities of a part; see `PredictionResults.read_probabilities`."""
        found, (x, y, width, height) = self.probability_map, self._place(region)
        out = np.empty((height, width, len(self.classes)), np.float32)
        for top, band in found.bands():
            first, last = max(top, y), min(top + band.shape[1], y + height)
            if first < last:
                out[first - y : last - y] = np.moveaxis(band[:, first - top : last - top, x : x + width], 0, -1)
        return out

    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels where rows and columns meet; see `PredictionResults.labels_on`."""
        found: np.ndarray = self.labels[np.ix_(rows, columns)]
        return found

    def probabilities_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel, as computed; see `PredictionResults.probabilities_at`."""
        if self._map is None:
            return None
        rows, columns = self._map.places_of(np.array([y - self.region.y]), np.array([x - self.region.x]))
        return self._map.values[:, rows[0], columns[0]].astype(np.float32)

    def _blocks(self) -> list[Region]:
        return [self.region]

    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        y, x = region.y - self.region.y, region.x - self.region.x
        inside = np.s_[y : y + region.height, x : x + region.width]
        return self.labels[inside], self._confidence()[inside] if confidence and self._map is not None else None

    def _confidence(self) -> np.ndarray:
        """Return the highest probability at each pixel in steps of 1/255, uint8, as on disk; computed once."""
        with self._lock:
            if self._steps is None:
                self._steps = self.probability_map.confidence_steps()
            return self._steps

    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write the label map as a tiled OME-TIFF; see `PredictionResults.save_ome_tiff`.

        Probabilities are written as float32.
        """
        write_ome_tiff(path, self.labels, self.info, self.probabilities if probabilities else None)


def _checked_map(probabilities: ProbabilityMap | np.ndarray, region: Region) -> ProbabilityMap:
    if not isinstance(probabilities, ProbabilityMap):
        array = np.asarray(probabilities)
        if array.ndim != 3:
            raise PredictionError(f"The probabilities have shape {array.shape}; expected (height, width, classes).")
        probabilities = ProbabilityMap(np.moveaxis(array, -1, 0), region.width, region.height)
    if (probabilities.width, probabilities.height) != (region.width, region.height):
        raise PredictionError(
            f"Probabilities of {probabilities.width} x {probabilities.height} pixels do not fit {region}."
        )
    return probabilities


def _checked_labels(labels: np.ndarray, region: Region) -> np.ndarray:
    if labels.shape != (region.height, region.width) or labels.dtype != np.uint8:
        raise PredictionError(f"Labels of shape {labels.shape} and type {labels.dtype} do not fit {region}.")
    labels.setflags(write=False)
    return labels


def _pixel_size(given: PixelSize | None) -> tuple[float | None, tuple[float, float] | None]:
    """Return the side of a pixel, and its height and width if it is not square."""
    if given is None or not isinstance(given, Sequence):
        return None if given is None else float(given), None
    height, width = (float(side) for side in given)
    sides = sides_if_not_square((height, width))
    return (height if sides is None else math.sqrt(height * width)), sides
