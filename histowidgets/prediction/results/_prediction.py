"""What a classifier says about a region of an image."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike

import numpy as np

from histowidgets.annotations import UNLABELLED
from histowidgets.errors import HistowidgetsError, PredictionError
from histowidgets.images import Region
from histowidgets.prediction.results._base import PredictionResults
from histowidgets.prediction.results._colors import rgb
from histowidgets.prediction.results._sampling import samples
from histowidgets.prediction.tiling import ProbabilityMap


class Prediction(PredictionResults):
    """Classes and probabilities of a region; made by `Classifier.predict`.

    Parameters
    ----------
    probabilities : ProbabilityMap, ndarray of (height, width, K), or None
        An array is at full size; None if there are labels alone.
    classes : sequence of str
        One a class, in the order of the label map's indices.
    colors : mapping of class name to colour, or sequence of colours
        Like ``"#1f77b4"``.
    region : Region
        Where in the image, in full-size pixels.
    pixel_size_um : float, optional
        Side of a full-size pixel; None if unknown.
    image_name : str, default "image"
    labels : ndarray of uint8, (height, width), optional
        The label map, where there are no probabilities to make it from.

    Attributes
    ----------
    classes : list of str
    colors : dict of str to str
    region : Region
    pixel_size_um : float or None
    image_name : str

    Raises
    ------
    PredictionError
        If numbers of classes, colours and probabilities differ, or the shape does not fit the region.
    """

    def __init__(
        self,
        probabilities: ProbabilityMap | np.ndarray | None,
        *,
        classes: Sequence[str],
        colors: Mapping[str, str] | Sequence[str],
        region: Region,
        pixel_size_um: float | None = None,
        image_name: str = "image",
        labels: np.ndarray | None = None,
    ) -> None:
        self.region = Region(*region)
        self._map = None if probabilities is None else _checked_map(probabilities, self.region)
        self._labels = None if labels is None else _checked_labels(labels, self.region)
        if (self._map is None) == (self._labels is None):
            raise PredictionError("A prediction is made of probabilities or of labels; give one of them.")
        n_classes = len(classes) if self._map is None else len(self._map.values)
        self.classes, self.colors = checked_classes(classes, colors, n_classes)
        self.pixel_size_um = pixel_size_um
        self.image_name = image_name
        self._lock = threading.Lock()

    @property
    def labels(self) -> np.ndarray:
        """Label map of the region at full size: uint8 (height, width), read-only; computed once."""
        with self._lock:
            if self._labels is None:
                labels = self.probability_map.labels()
                labels.setflags(write=False)
                self._labels = labels
            return self._labels

    @property
    def probability_map(self) -> ProbabilityMap:
        """The probabilities as computed, before they are enlarged.

        Raises
        ------
        PredictionError
            If only labels were asked for.
        """
        if self._map is None:
            raise PredictionError(
                "This prediction has labels alone. Predict again without probabilities=False to have probabilities."
            )
        return self._map

    @property
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, and not labels alone."""
        return self._map is not None

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities at full size: float32 (height, width, K), enlarged anew at each call."""
        return self.probability_map.expanded()

    def labels_at(self, region: Region, shape: tuple[int, int]) -> np.ndarray:
        """Sample the label map for drawing it at another size, by nearest neighbour.

        Parameters
        ----------
        region : Region
            What is in view, in full-size pixels of the image; may stick out of what was predicted.
        shape : (rows, cols)
            Of the picture wanted.

        Returns
        -------
        ndarray of uint8, `shape`
            255 where nothing was predicted.
        """
        rows, row_inside = samples(region.y, region.height, shape[0], self.region.y, self.region.height)
        cols, col_inside = samples(region.x, region.width, shape[1], self.region.x, self.region.width)
        out = np.full(shape, UNLABELLED, np.uint8)
        out[np.ix_(row_inside, col_inside)] = self.labels_on(rows[row_inside], cols[col_inside])
        return out

    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels where some rows and columns of the region meet: uint8 (rows, columns)."""
        found: np.ndarray = self.labels[np.ix_(rows, columns)]
        return found

    def chances_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel of the image, as computed; None if there are none."""
        if self._map is None:
            return None
        column, row = (x - self.region.x) // self._map.scale, (y - self.region.y) // self._map.scale
        return self._map.values[:, row, column].astype(np.float32)

    def _blocks(self) -> list[Region]:
        return [self.region]

    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        y, x = region.y - self.region.y, region.x - self.region.x
        inside = np.s_[y : y + region.height, x : x + region.width]
        return self.labels[inside], self._map.confidence()[inside] if confidence and self._map is not None else None

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a PNG whose palette holds the class colours; read back, it gives the indices.

        Raises
        ------
        PredictionError
            If the file cannot be written.
        """
        from histowidgets.prediction.results._export import write_png

        write_png(self.labels, self.colors, path)

    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write the label map as a tiled OME-TIFF with the pixel size and the region's place.

        Parameters
        ----------
        path : path
        probabilities : bool, default False
            Write them too, as a second image of float32 with a channel a class.

        Raises
        ------
        PredictionError
            If the file cannot be written.
        """
        from histowidgets.prediction.results._export import write_ome_tiff

        write_ome_tiff(self, path, probabilities)


def _checked_map(probabilities: ProbabilityMap | np.ndarray, region: Region) -> ProbabilityMap:
    if not isinstance(probabilities, ProbabilityMap):
        array = np.asarray(probabilities)
        if array.ndim != 3:
            raise PredictionError(f"The probabilities have shape {array.shape}; (height, width, classes) is wanted.")
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


def listed_names(given: object, what: str, error: type[HistowidgetsError]) -> list[str]:
    """Return a list of names as text.

    Raises
    ------
    HistowidgetsError
        Of the type given, if it is no list.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise error(f"{what} is {given!r}; a list of names is wanted.")
    return [str(name) for name in given]


def checked_classes(
    classes: Sequence[str], colors: Mapping[str, str] | Sequence[str], n_classes: int
) -> tuple[list[str], dict[str, str]]:
    """Return class names and their colours in order.

    Raises
    ------
    PredictionError
        If they are not `n_classes` different names, each with a colour.
    """
    names = listed_names(classes, "classes", PredictionError)
    if len(names) != n_classes or len(set(names)) != n_classes or not 1 <= n_classes < UNLABELLED:
        raise PredictionError(
            f"{len(names)} class name(s) were given ({', '.join(names)}) for {n_classes} class(es) of "
            "probabilities. Give one different name a class."
        )
    if not isinstance(colors, Mapping | Sequence) or isinstance(colors, str):
        raise PredictionError(f"The colours are {colors!r}; a dict of class to colour, or a list, is wanted.")
    if isinstance(colors, Mapping):
        missing = [name for name in names if name not in colors]
        if missing:
            raise PredictionError(f"The class {missing[0]!r} has no colour; give one, like '#1f77b4'.")
        found = {name: str(colors[name]) for name in names}
    else:
        if len(colors) != n_classes:
            raise PredictionError(f"{len(colors)} colour(s) were given for {n_classes} classes; give one a class.")
        found = dict(zip(names, map(str, colors), strict=True))
    for color in found.values():
        rgb(color)
    return names, found
