"""The interface of predictions in memory and on disk: labels, probabilities, objects, measurements, files."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from histowidgets._checks import is_within
from histowidgets._io import atomic_write, written
from histowidgets.annotations import UNLABELLED, Annotation, rasterize
from histowidgets.annotations.io import write_label_png
from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction.results._geojson import write_geojson
from histowidgets.prediction.results._info import PredictionInfo
from histowidgets.prediction.results._objects import PredictedObject, find_objects
from histowidgets.prediction.tiling import BAND_ROWS, ProbabilityMap

#: Smallest object that is kept by default, in um2 (px2 for an image without a pixel size).
MIN_AREA_UM2 = 10.0


class PredictionResults(ABC):
    """The predicted labels, and optionally probabilities, of a region of an image.

    Parameters
    ----------
    info : PredictionInfo

    Attributes
    ----------
    info : PredictionInfo
    """

    def __init__(self, info: PredictionInfo) -> None:
        self.info = info

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of the label map's indices."""
        return self.info.classes

    @property
    def colors(self) -> dict[str, str]:
        """The colour of each class, such as ``"#1f77b4"``."""
        return self.info.colors

    @property
    def region(self) -> Region:
        """The predicted region of the image, in full-size pixels."""
        return self.info.region

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a full-size pixel, in um; None if unknown."""
        return self.info.pixel_size_um

    @property
    def pixel_sides_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel, in um, if it is not square; otherwise None."""
        return self.info.pixel_sides_um

    @property
    def pixel_size_yx_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel, in um; None if unknown."""
        return self.info.pixel_size_yx_um

    @property
    def resampling(self) -> str:
        """Description of how the image was resampled to the classifier's pixel size; "" if it was not."""
        return self.info.resampling

    @property
    def image_name(self) -> str:
        """Name of the image."""
        return self.info.image_name

    # --- labels and probabilities ----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def pyramid(self) -> bool:
        """Whether labels are read from a pyramid on disk; probabilities never have levels."""

    @property
    @abstractmethod
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, rather than labels only."""

    @property
    @abstractmethod
    def labels(self) -> Any:
        """The label map of the region at full size, for slicing: ``prediction.labels[rows, columns]`` is uint8."""

    @abstractmethod
    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Read labels.

        Parameters
        ----------
        region : (x, y, width, height), optional
            In full-size pixels of the image, inside the predicted region; by default all of it.

        Returns
        -------
        ndarray of uint8, (height, width)
            255 where nothing has been predicted yet.

        Raises
        ------
        RegionError
            If it is not inside the predicted region.
        """

    def label_bands(self, region: Region | None = None) -> Iterator[tuple[Region, np.ndarray]]:
        """Yield the labels in parts, each with its region, so that a slide takes no more memory than a block of it.

        Parameters
        ----------
        region : Region, optional
            In full-size pixels of the image; what lies outside the predicted region is left out. By default all of it.

        Yields
        ------
        Region, ndarray of uint8, (height, width)
            The parts do not overlap. 255 where nothing has been predicted.
        """
        wanted = self.region if region is None else region
        for block in self._blocks():
            found = block.intersect(wanted)
            if found is None:
                continue
            labels, _ = self._read_block(found, False)
            for top in range(found.y, found.bottom, BAND_ROWS):
                band = Region.from_edges(found.x, top, found.right, min(found.bottom, top + BAND_ROWS))
                yield band, labels[band.y - found.y : band.bottom - found.y]

    @abstractmethod
    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities.

        Parameters
        ----------
        region : (x, y, width, height)
            In full-size pixels of the image, inside the predicted region.

        Returns
        -------
        ndarray of float32, (height, width, K)
            From 0 to 1; from disk in steps of 1/255.

        Raises
        ------
        PredictionError
            If there are only labels.
        RegionError
            If the region is not inside the predicted region.
        """

    @abstractmethod
    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels at the intersections of rows and columns of the region, as a view draws them.

        Parameters
        ----------
        rows, columns : ndarray of int
            Counted from the region's corner, ascending, at least one.

        Returns
        -------
        ndarray of uint8, (rows, columns)
            If there is a pyramid, they come from the level that fits the spacing of the rows and columns.
        """

    @abstractmethod
    def probabilities_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel of the image: float32 (K,); None if there are none."""

    @property
    def probability_map(self) -> ProbabilityMap:
        """The computed probabilities of the whole region, in memory.

        Raises
        ------
        PredictionError
            If there are only labels, or the probabilities are on disk.
        """
        raise PredictionError("There are no probabilities in memory. Read those of a region with read_probabilities.")

    def _place(self, region: Region | tuple[int, int, int, int]) -> Region:
        """Convert a region of the image to pixels from the corner of the predicted region.

        Raises
        ------
        RegionError
            If it is not inside the predicted region.
        """
        wanted = Region(*region)
        if wanted.width < 1 or wanted.height < 1 or not self.region.contains(wanted):
            raise RegionError(f"{wanted} is not inside the predicted region, {self.region}.")
        return Region(wanted.x - self.region.x, wanted.y - self.region.y, wanted.width, wanted.height)

    @abstractmethod
    def _blocks(self) -> list[Region]:
        """Return the blocks, in pixels of the image, that are processed one after another."""

    @abstractmethod
    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the labels of a part of a block, and, if requested and available, their probabilities."""

    @property
    def no_data_share(self) -> float:
        """Share of the region's pixels, 0 to 1, that have no label because the image has no data there (NaN)."""
        return int(self._counted()[UNLABELLED]) / self.region.area

    def __repr__(self) -> str:
        found = self.measurements()
        shares = ", ".join(f"{name} {found[f'{name} (%)']:.1f} %" for name in self.classes)
        r = self.region
        place = f"x={r.x}, y={r.y}, {r.width} x {r.height}"
        resampled = f", {self.resampling}" if self.resampling else ""
        missing = self.no_data_share
        shares += f"; {100 * missing:.1f} % without data" if missing else ""
        return f"<{type(self).__name__} of {self.image_name!r} at {place}{resampled}: {shares}>"

    # --- objects and measurements ----------------------------------------------------------------------------------

    def objects(
        self, min_area_um2: float = MIN_AREA_UM2, *, fill_holes_um2: float = 0.0, simplify_um: float = 0.0
    ) -> list[PredictedObject]:
        """Convert the labels to polygons with holes, for all classes, including the first.

        Pixels that touch along a side form one object. Its area is the number of pixels times the area of a pixel.

        Parameters
        ----------
        min_area_um2 : float, default 10
            Smaller objects are left out. If the image has no pixel size, this and the other parameters are in pixels.
        fill_holes_um2 : float, default 0
            Holes up to this area are filled, and count as area.
        simplify_um : float, default 0
            Outlines may deviate from the pixel edges by up to this distance, so that they have fewer corners
            (Douglas-Peucker, which keeps holes inside). The area is still that of the pixels.

        Returns
        -------
        list of PredictedObject
            By class, then from top to bottom.

        Raises
        ------
        PredictionError
            If a parameter is not a number of at least 0.
        """
        for name, value in {
            "min_area_um2": min_area_um2,
            "fill_holes_um2": fill_holes_um2,
            "simplify_um": simplify_um,
        }.items():
            if not is_within(value, 0):
                raise PredictionError(f"{name} is {value!r}; expected a number of at least 0.")
        size, classes = self.info.pixel_size_yx_um, self.classes

        def read(region: Region) -> tuple[np.ndarray, np.ndarray | None]:
            return self._read_block(region, True)

        chosen = min_area_um2, fill_holes_um2, simplify_um
        return find_objects(self._blocks(), read, classes, size, *chosen)

    def object_table(
        self, min_area_um2: float = MIN_AREA_UM2, *, fill_holes_um2: float = 0.0, simplify_um: float = 0.0
    ) -> list[dict[str, str | float]]:
        """Return a row for each object, with its class, centre, area, perimeter, circularity and mean probability.

        Convert it with ``pandas.DataFrame(prediction.object_table())``. The names of the columns include the units. See
        `objects` for the parameters.
        """
        found = self.objects(min_area_um2, fill_holes_um2=fill_holes_um2, simplify_um=simplify_um)
        return [one.row() for one in found]

    def save_csv(
        self,
        path: str | PathLike[str],
        min_area_um2: float = MIN_AREA_UM2,
        *,
        fill_holes_um2: float = 0.0,
        simplify_um: float = 0.0,
    ) -> None:
        """Write `object_table` as CSV.

        Raises
        ------
        PredictionError
            If the file cannot be written.
        """
        rows = self.object_table(min_area_um2, fill_holes_um2=fill_holes_um2, simplify_um=simplify_um)
        unit = "px" if self.pixel_size_um is None else "um"
        names = ["Class", "Centroid X (px)", "Centroid Y (px)", f"Area ({unit}2)", f"Perimeter ({unit})"]
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, [*names, "Circularity", "Mean probability"])
            table.writeheader()
            table.writerows(rows)

    def measurements(self, background: Sequence[str] = ()) -> dict[str, float]:
        """Measure the area and the share of each class in the region.

        Parameters
        ----------
        background : sequence of str
            Classes that are not tissue, such as empty glass.

        Returns
        -------
        dict of str to float
            ``"<class> area (um2)"``, or ``"<class> area (px2)"`` if the image has no pixel size; ``"<class> (%)"``, the
            share of the region's labelled pixels (without those that have no data, NaN); and, if there is a background,
            ``"<class> (% of tissue)"`` for the other classes.

        Raises
        ------
        PredictionError
            If a class of the background is unknown.
        """
        counts = self._counted()
        return self._measured(counts, self.region.area - int(counts[UNLABELLED]), background)

    def _counted(self) -> np.ndarray:
        """Count the pixels of each index: int64 (256,)."""
        counts = np.zeros(UNLABELLED + 1, np.int64)
        for _, labels in self.label_bands():
            counts += np.bincount(labels.ravel(), minlength=UNLABELLED + 1)
        return counts

    def save_measurements(
        self,
        path: str | PathLike[str],
        annotations: Sequence[Annotation] = (),
        background: Sequence[str] = (),
    ) -> None:
        """Write `measurements`, followed by `measure_annotations`, as one CSV table.

        Parameters
        ----------
        path : path
        annotations : sequence of Annotation
            Each gets a row, below the row of the whole prediction.
        background : sequence of str
            See `measurements`.

        Raises
        ------
        PredictionError
            If a class of the background is unknown, or the file cannot be written.
        """
        whole: dict[str, str | float] = {"Annotation": "", "Annotated class": "", **self.measurements(background)}
        rows = [whole, *self.measure_annotations(annotations, background)]
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["Image", *whole])
            table.writeheader()
            table.writerows({"Image": written(self.image_name), **row} for row in rows)

    def measure_annotations(
        self, annotations: Sequence[Annotation], background: Sequence[str] = ()
    ) -> list[dict[str, str | float]]:
        """Measure the predicted classes inside each annotation.

        Parameters
        ----------
        annotations : sequence of Annotation
            Annotations of the same image, such as ``project.annotations(name)``; parts outside the prediction are left
            out.
        background : sequence of str
            See `measurements`.

        Returns
        -------
        list of dict
            In the order of the annotations: ``"Annotation"`` (its id), ``"Annotated class"``, and the areas and shares
            as in `measurements`, for the pixels inside the shape that were not erased later. Erasers, and annotations
            that were erased completely, are left out.
        """
        rows: list[dict[str, str | float]] = []
        for place, annotation in enumerate(annotations):
            if annotation.class_name is None:
                continue
            erasers = [later for later in annotations[place + 1 :] if later.class_name is None]
            counts, n_pixels = np.zeros(UNLABELLED + 1, np.int64), 0
            inside = annotation.shape.region().intersect(self.region)
            for band, labels in self.label_bands(inside) if inside is not None else ():
                drawn = rasterize([annotation, *erasers], {annotation.class_name: 0}, band) == 0
                counts += np.bincount(labels[drawn], minlength=UNLABELLED + 1)
                n_pixels += int(drawn.sum())
            if n_pixels == 0 and erasers and inside is not None:
                continue
            row: dict[str, str | float] = {"Annotation": annotation.id, "Annotated class": annotation.class_name}
            rows.append({**row, **self._measured(counts, n_pixels, background)})
        return rows

    def pixel_counts(self) -> dict[str, int]:
        """Count the pixels of each class."""
        return {name: int(n) for name, n in zip(self.classes, self._counted(), strict=False)}

    def _measured(self, counts: np.ndarray, n_pixels: int, background: Sequence[str]) -> dict[str, float]:
        pixels = {name: int(n) for name, n in zip(self.classes, counts, strict=False)}
        return measured(self.classes, pixels, self.pixel_size_um, background, n_pixels)

    # --- files -----------------------------------------------------------------------------------------------------

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a palette PNG in the colours of the classes; its pixel values are the class indices.

        A text chunk holds the names of the classes, so that `Project.import_label_png` needs no list of them.

        Raises
        ------
        PredictionError
            If the prediction is too large for a PNG, or the file cannot be written.
        """
        write_label_png(path, self.read_labels(), self.colors, 1, PredictionError)

    @abstractmethod
    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write the label map as a tiled OME-TIFF.

        From memory, the file has the pixel size and the place of the region; from disk, also the levels of the pyramid,
        for `open_prediction`.

        Parameters
        ----------
        path : path
        probabilities : bool, default False
            Whether to write the probabilities too, as a second image with a channel for each class.

        Raises
        ------
        PredictionError
            If probabilities are requested but there are none, if the prediction is already an OME-TIFF or is not
            complete, or if the file cannot be written.
        """

    def save_geojson(
        self,
        path: str | PathLike[str],
        *,
        object_type: str = "annotation",
        min_area_um2: float = MIN_AREA_UM2,
        fill_holes_um2: float = 0.0,
        simplify_um: float = 0.0,
    ) -> None:
        """Write the objects and their measurements as GeoJSON for QuPath.

        Of a whole slide of which a part was scanned (``open_image(..., bounds=False)``), the coordinates begin at that
        part, as QuPath's do.

        Parameters
        ----------
        path : path
        object_type : {"annotation", "detection"}
            The type of the objects in QuPath.
        min_area_um2, fill_holes_um2, simplify_um
            See `objects`.

        Raises
        ------
        PredictionError
            If `object_type` is neither, or the file cannot be written.
        """
        found = self.objects(min_area_um2, fill_holes_um2=fill_holes_um2, simplify_um=simplify_um)
        write_geojson(found, self.colors, path, object_type, self.info.bounds_offset)


def measured(
    classes: Sequence[str],
    counts: Mapping[str, int],
    pixel_size_um: float | None,
    background: Sequence[str] = (),
    n_pixels: int | None = None,
) -> dict[str, float]:
    """Convert pixel counts to areas and shares; see `PredictionResults.measurements`.

    Parameters
    ----------
    classes : sequence of str
    counts : mapping of class to int
        Missing classes count as 0.
    pixel_size_um : float or None
    background : sequence of str
    n_pixels : int, optional
        Number of pixels that counts as 100 %; by default the sum of the counts.

    Raises
    ------
    PredictionError
        If a class of the background is unknown.
    """
    unknown = [name for name in background if name not in classes]
    if unknown:
        raise PredictionError(f"There is no class {unknown[0]!r}; the classes are {', '.join(classes)}.")
    unit, pixel_area = ("px2", 1.0) if pixel_size_um is None else ("um2", pixel_size_um**2)
    total = sum(counts.values()) if n_pixels is None else n_pixels
    tissue = sum(counts.get(name, 0) for name in classes if name not in background)
    values: dict[str, float] = {}
    for name in classes:
        n = counts.get(name, 0)
        values[f"{name} area ({unit})"] = n * pixel_area
        values[f"{name} (%)"] = 100.0 * n / max(total, 1)
        if background and name not in background:
            values[f"{name} (% of tissue)"] = 100.0 * n / max(tissue, 1)
    return values
