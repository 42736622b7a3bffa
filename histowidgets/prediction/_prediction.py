"""What a classifier says about a region of an image."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import shapely
from shapely.affinity import translate

from histowidgets.annotations import UNLABELLED
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction._limits import MIN_AREA_UM2
from histowidgets.prediction._overlay import rgb
from histowidgets.prediction._polygons import polygons_of
from histowidgets.prediction._probability_map import ProbabilityMap


@dataclass(frozen=True)
class PredictedObject:
    """An area of one class.

    Attributes
    ----------
    class_name : str
    polygon : shapely.Polygon
        With holes, along pixel edges, in full-size pixels of the image.
    area_px : int
        Number of pixels; equals ``polygon.area`` (row B8).
    area_um2 : float or None
        None for an image without a pixel size.
    """

    class_name: str
    polygon: shapely.Polygon
    area_px: int
    area_um2: float | None


class Prediction:
    """Classes and probabilities of a region; made by `Classifier.predict`.

    Parameters
    ----------
    probabilities : ProbabilityMap or ndarray of (height, width, K)
        An array is at full size.
    classes : sequence of str
        One a class, in the order of the label map's indices.
    colors : mapping of class name to colour, or sequence of colours
        Like ``"#1f77b4"``.
    region : Region
        Where in the image, in full-size pixels.
    pixel_size_um : float, optional
        Side of a full-size pixel; None if unknown.
    image_name : str, default "image"

    Attributes
    ----------
    classes : list of str
    colors : dict of str to str
    region : Region
    pixel_size_um : float or None
    image_name : str
    probability_map : ProbabilityMap
        As computed, before it is enlarged.

    Raises
    ------
    PredictionError
        If numbers of classes, colours and probabilities differ, or the shape does not fit the region.
    """

    def __init__(
        self,
        probabilities: ProbabilityMap | np.ndarray,
        *,
        classes: Sequence[str],
        colors: Mapping[str, str] | Sequence[str],
        region: Region,
        pixel_size_um: float | None = None,
        image_name: str = "image",
    ) -> None:
        region = Region(*region)
        if not isinstance(probabilities, ProbabilityMap):
            array = np.asarray(probabilities)
            if array.ndim != 3:
                raise PredictionError(
                    f"The probabilities have shape {array.shape}; (height, width, classes) is wanted."
                )
            probabilities = ProbabilityMap(np.moveaxis(array, -1, 0), region.width, region.height)
        if (probabilities.width, probabilities.height) != (region.width, region.height):
            raise PredictionError(
                f"Probabilities of {probabilities.width} x {probabilities.height} pixels do not fit {region}."
            )
        self.classes, self.colors = checked_classes(classes, colors, len(probabilities.values))
        self.probability_map = probabilities
        self.region = region
        self.pixel_size_um = pixel_size_um
        self.image_name = image_name
        self._labels: np.ndarray | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        shares = ", ".join(f"{name} {self.measurements()[f'{name} (%)']:.1f} %" for name in self.classes)
        r = self.region
        return f"<Prediction of {self.image_name!r} at x={r.x}, y={r.y}, {r.width} x {r.height}: {shares}>"

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
        rows, row_inside = _samples(region.y, region.height, shape[0], self.region.y, self.region.height)
        cols, col_inside = _samples(region.x, region.width, shape[1], self.region.x, self.region.width)
        out = np.full(shape, UNLABELLED, np.uint8)
        out[np.ix_(row_inside, col_inside)] = self.labels[np.ix_(rows[row_inside], cols[col_inside])]
        return out

    def objects(self, min_area_um2: float = MIN_AREA_UM2) -> list[PredictedObject]:
        """Turn the label map into polygons with holes, for each class, the first one too (row B15).

        Pixels that touch along a side belong together. Areas equal the pixel count times the pixel's area.

        Parameters
        ----------
        min_area_um2 : float, default 10
            Smaller areas are left out; taken as px2 where the image has no pixel size.

        Returns
        -------
        list of PredictedObject
            By class, then from top to bottom.
        """
        pixel_area = 1.0 if self.pixel_size_um is None else self.pixel_size_um**2
        calibrated = self.pixel_size_um is not None
        return [
            PredictedObject(
                self.classes[group.class_index],
                translate(group.polygon, self.region.x, self.region.y),
                group.n_pixels,
                group.n_pixels * pixel_area if calibrated else None,
            )
            # Half a pixel below the limit: an area that equals it must not fall to rounding.
            for group in polygons_of(self.labels, len(self.classes), min_area_um2 / pixel_area - 0.5)
        ]

    def measurements(self) -> dict[str, float]:
        """Area and share of each class in the region.

        Returns
        -------
        dict of str to float
            ``"<class> area (um2)"``, or ``"<class> area (px2)"`` where the image has no pixel size, and
            ``"<class> (%)"`` of the region's pixels.
        """
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        unit = "px2" if self.pixel_size_um is None else "um2"
        pixel_area = 1.0 if self.pixel_size_um is None else self.pixel_size_um**2
        values: dict[str, float] = {}
        for name, count in zip(self.classes, counts, strict=False):
            values[f"{name} area ({unit})"] = float(count) * pixel_area
            values[f"{name} (%)"] = 100.0 * float(count) / self.labels.size
        return values

    def save_geojson(
        self,
        path: str | PathLike[str],
        *,
        object_type: str = "annotation",
        min_area_um2: float = MIN_AREA_UM2,
    ) -> None:
        """Write the objects as QuPath reads them; see `objects` for `min_area_um2`.

        Parameters
        ----------
        path : path
        object_type : {"annotation", "detection"}
            What QuPath makes of them.
        min_area_um2 : float, default 10

        Raises
        ------
        PredictionError
            If `object_type` is neither, or the file cannot be written.
        """
        from histowidgets.prediction._export import write_geojson

        write_geojson(self, path, object_type, min_area_um2)

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a PNG whose palette holds the class colours; read back, it gives the indices.

        Raises
        ------
        PredictionError
            If the file cannot be written.
        """
        from histowidgets.prediction._export import write_png

        write_png(self, path)

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
        from histowidgets.prediction._export import write_ome_tiff

        write_ome_tiff(self, path, probabilities)


def checked_classes(
    classes: Sequence[str], colors: Mapping[str, str] | Sequence[str], n_classes: int
) -> tuple[list[str], dict[str, str]]:
    """Return class names and their colours in order.

    Raises
    ------
    PredictionError
        If they are not `n_classes` different names, each with a colour.
    """
    names = [str(name) for name in classes]
    if len(names) != n_classes or len(set(names)) != n_classes or not 1 <= n_classes < UNLABELLED:
        raise PredictionError(
            f"{len(names)} class name(s) were given ({', '.join(names)}) for {n_classes} class(es) of "
            "probabilities. Give one different name a class."
        )
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


def _samples(start: int, length: int, count: int, first: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixel under the centre of each of `count` samples, from `first` on, and whether it is inside."""
    pixels = start + ((np.arange(count) + 0.5) * length / count).astype(np.int64) - first
    return pixels, (pixels >= 0) & (pixels < size)
