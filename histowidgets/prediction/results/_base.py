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

#: Smallest object that is kept by default, in um2 (px2 of an image without a pixel size).
MIN_AREA_UM2 = 10.0


class PredictionResults(ABC):
    """The labels, and perhaps the probabilities, that were predicted for a region of an image.

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
        """Where in the image, in full-size pixels."""
        return self.info.region

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a full-size pixel; None if unknown."""
        return self.info.pixel_size_um

    @property
    def pixel_sides_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel that is not square."""
        return self.info.pixel_sides_um

    @property
    def pixel_size_yx_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel; None if unknown."""
        return self.info.pixel_size_yx_um

    @property
    def resampling(self) -> str:
        """How the image was resampled to the pixel size of the classifier, in words; "" where it was not."""
        return self.info.resampling

    @property
    def image_name(self) -> str:
        """Name of the image."""
        return self.info.image_name

    # --- labels and probabilities ----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def pyramid(self) -> bool:
        """Whether labels are read from the levels of a pyramid on disk, and probabilities have no levels."""

    @property
    @abstractmethod
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, and not labels alone."""

    @property
    @abstractmethod
    def labels(self) -> Any:
        """The label map of the region at full size, to cut from: ``prediction.labels[rows, columns]`` is uint8."""

    @abstractmethod
    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Read labels.

        Parameters
        ----------
        region : (x, y, width, height), optional
            In full-size pixels of the image, inside what was predicted; all of that if not given.

        Returns
        -------
        ndarray of uint8, (height, width)
            255 where nothing is predicted yet.

        Raises
        ------
        RegionError
            If it is not inside what was predicted.
        """

    @abstractmethod
    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities.

        Parameters
        ----------
        region : (x, y, width, height)
            In full-size pixels of the image, inside what was predicted.

        Returns
        -------
        ndarray of float32, (height, width, K)
            From 0 to 1; from disk in steps of 1/255.

        Raises
        ------
        PredictionError
            If there are labels alone.
        RegionError
            If the region is not inside what was predicted.
        """

    @abstractmethod
    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels where rows and columns of the region meet, as a view draws them.

        Parameters
        ----------
        rows, columns : ndarray of int
            From the region's corner, ascending, at least one.

        Returns
        -------
        ndarray of uint8, (rows, columns)
            Of a pyramid, from the level that fits the distance of the rows and columns.
        """

    @abstractmethod
    def probabilities_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel of the image: float32 (K,); None if there are none."""

    @property
    def probability_map(self) -> ProbabilityMap:
        """The probabilities of the whole region in memory, as computed.

        Raises
        ------
        PredictionError
            If there are labels alone, or the probabilities are on disk.
        """
        raise PredictionError("There are no probabilities in memory; read those of a part with read_probabilities.")

    def _place(self, region: Region | tuple[int, int, int, int]) -> Region:
        """Return a region in pixels from the corner of what was predicted.

        Raises
        ------
        RegionError
            If it is not inside.
        """
        wanted = Region(*region)
        if wanted.width < 1 or wanted.height < 1 or not self.region.contains(wanted):
            raise RegionError(f"{wanted} is not inside what was predicted, {self.region}.")
        return Region(wanted.x - self.region.x, wanted.y - self.region.y, wanted.width, wanted.height)

    @abstractmethod
    def _blocks(self) -> list[Region]:
        """Return the parts, in pixels of the image, that are worked on one after the other."""

    @abstractmethod
    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the labels of a part of a block, and, if wanted and available, their probabilities."""

    @property
    def no_data_share(self) -> float:
        """Share of the region's pixels, 0 to 1, that have no label: the image has no data there (NaN)."""
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
        """Turn the labels into polygons with holes, for each class, the first one too.

        Pixels that touch along a side belong together. Areas equal the pixel count times the pixel's area.

        Parameters
        ----------
        min_area_um2 : float, default 10
            Smaller areas are left out. Where the image has no pixel size, this and the others are in pixels.
        fill_holes_um2 : float, default 0
            Holes up to this area are filled; the area then counts them.
        simplify_um : float, default 0
            Outlines may leave the edges of pixels by up to this distance, so that they have fewer corners
            (Douglas-Peucker, which keeps holes inside). The area remains that of the pixels.

        Returns
        -------
        list of PredictedObject
            By class, then from top to bottom.

        Raises
        ------
        PredictionError
            If one of them is not a number of at least 0.
        """
        for name, value in {
            "min_area_um2": min_area_um2,
            "fill_holes_um2": fill_holes_um2,
            "simplify_um": simplify_um,
        }.items():
            if not is_within(value, 0):
                raise PredictionError(f"{name} is {value!r}; a number of at least 0 is wanted.")
        size, classes = self.info.pixel_size_yx_um, self.classes

        def read(region: Region) -> tuple[np.ndarray, np.ndarray | None]:
            return self._read_block(region, True)

        chosen = min_area_um2, fill_holes_um2, simplify_um
        return find_objects(self._blocks(), read, classes, size, *chosen)

    def object_table(
        self, min_area_um2: float = MIN_AREA_UM2, *, fill_holes_um2: float = 0.0, simplify_um: float = 0.0
    ) -> list[dict[str, str | float]]:
        """Return a row for each object: class, centre, area, perimeter, circularity, mean probability.

        ``pandas.DataFrame(prediction.object_table())`` makes a data frame of it. Units are in the names. See `objects`
        for the parameters.
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
        """Return the area and the share of each class in the region.

        Parameters
        ----------
        background : sequence of str
            Classes that are not tissue, such as empty glass.

        Returns
        -------
        dict of str to float
            ``"<class> area (um2)"``, or ``"<class> area (px2)"`` where the image has no pixel size; ``"<class> (%)"``
            of the region's pixels that have a label (not those without data, NaN); where a background is named,
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
        for _, labels in self._bands():
            counts += np.bincount(labels.ravel(), minlength=UNLABELLED + 1)
        return counts

    def save_measurements(
        self,
        path: str | PathLike[str],
        annotations: Sequence[Annotation] = (),
        background: Sequence[str] = (),
    ) -> None:
        """Write `measurements`, and below them `measure_annotations`, as one table.

        Parameters
        ----------
        path : path
        annotations : sequence of Annotation
            A row each, after that of the whole prediction.
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
            Of the same image, such as ``project.annotations(name)``; what lies outside the prediction is left out.
        background : sequence of str
            See `measurements`.

        Returns
        -------
        list of dict
            In the order of the annotations: ``"Annotation"`` (its id), ``"Annotated class"``, and, as
            in `measurements`, the areas and shares of the pixels inside the shape, each counted once.
        """
        rows: list[dict[str, str | float]] = []
        for annotation in annotations:
            counts, n_pixels = np.zeros(UNLABELLED + 1, np.int64), 0
            inside = annotation.shape.region().intersect(self.region)
            for band, labels in self._bands(inside) if inside is not None else ():
                drawn = rasterize([annotation], {annotation.class_name or "": 0}, band) == 0
                counts += np.bincount(labels[drawn], minlength=UNLABELLED + 1)
                n_pixels += int(drawn.sum())
            row: dict[str, str | float] = {
                "Annotation": annotation.id,
                "Annotated class": annotation.class_name or "",
            }
            rows.append({**row, **self._measured(counts, n_pixels, background)})
        return rows

    def _bands(self, region: Region | None = None) -> Iterator[tuple[Region, np.ndarray]]:
        """Read the labels of a region in parts; of the whole prediction by default."""
        wanted = self.region if region is None else region
        for block in self._blocks():
            found = block.intersect(wanted)
            if found is None:
                continue
            labels, _ = self._read_block(found, False)
            for top in range(found.y, found.bottom, BAND_ROWS):
                band = Region.from_edges(found.x, top, found.right, min(found.bottom, top + BAND_ROWS))
                yield band, labels[band.y - found.y : band.bottom - found.y]

    def pixel_counts(self) -> dict[str, int]:
        """Count the pixels of each class."""
        return {name: int(n) for name, n in zip(self.classes, self._counted(), strict=False)}

    def _measured(self, counts: np.ndarray, n_pixels: int, background: Sequence[str]) -> dict[str, float]:
        pixels = {name: int(n) for name, n in zip(self.classes, counts, strict=False)}
        return measured(self.classes, pixels, self.pixel_size_um, background, n_pixels)

    # --- files -----------------------------------------------------------------------------------------------------

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a PNG in the colours of the classes; read back, its pixels are the indices.

        The names of the classes stand in a text chunk, so that `Project.import_label_png` needs no list of them.

        Raises
        ------
        PredictionError
            If the prediction is larger than a PNG should be, or the file cannot be written.
        """
        write_label_png(path, self.read_labels(), self.colors, 1, PredictionError)

    @abstractmethod
    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write the label map as a tiled OME-TIFF.

        From memory, with the pixel size and the region's place; from disk, with the levels of the pyramid, for
        `open_prediction`.

        Parameters
        ----------
        path : path
        probabilities : bool, default False
            Write them too, as a second image with a channel for each class.

        Raises
        ------
        PredictionError
            If probabilities are wanted and there are none, if this is an OME-TIFF already or not complete, or if the
            file cannot be written.
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
        """Write the objects as QuPath reads them, with their measurements.

        Of a whole slide of which a part was scanned (``open_image(..., bounds=False)``), the coordinates begin at that
        part, as QuPath's do.

        Parameters
        ----------
        path : path
        object_type : {"annotation", "detection"}
            What the objects are in QuPath.
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
    """Turn pixel counts into areas and shares; see `PredictionResults.measurements`.

    Parameters
    ----------
    classes : sequence of str
    counts : mapping of class to int
        Missing classes count as 0.
    pixel_size_um : float or None
    background : sequence of str
    n_pixels : int, optional
        Pixels that the shares are of; the sum of the counts if not given.

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
