"""What can be made of predicted labels, in memory or on disk: objects, tables, measurements."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike

import numpy as np

from histowidgets._checks import is_within
from histowidgets.annotations import UNLABELLED, Annotation, rasterize
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction._limits import BAND_ROWS, MIN_AREA_UM2
from histowidgets.prediction.results._objects import PredictedObject, find_objects


class PredictionResults(ABC):
    """Objects and measurements of predicted labels.

    Attributes
    ----------
    classes : list of str
    colors : dict of str to str
    region : Region
        Where in the image, in full-size pixels.
    pixel_size_um : float or None
    image_name : str
    """

    classes: list[str]
    colors: dict[str, str]
    region: Region
    pixel_size_um: float | None
    image_name: str

    @abstractmethod
    def _blocks(self) -> list[Region]:
        """Return the parts, in pixels of the image, that are worked on one after the other."""

    @abstractmethod
    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the labels of a block or a part of it, and the probability of these classes if wanted and there."""

    def __repr__(self) -> str:
        measured = self.measurements()
        shares = ", ".join(f"{name} {measured[f'{name} (%)']:.1f} %" for name in self.classes)
        r = self.region
        return f"<{type(self).__name__} of {self.image_name!r} at x={r.x}, y={r.y}, {r.width} x {r.height}: {shares}>"

    def objects(
        self, min_area_um2: float = MIN_AREA_UM2, *, fill_holes_um2: float = 0.0, smooth_um: float = 0.0
    ) -> list[PredictedObject]:
        """Turn the labels into polygons with holes, for each class, the first one too (row B15).

        Pixels that touch along a side belong together. Areas equal the pixel count times the pixel's area.

        Parameters
        ----------
        min_area_um2 : float, default 10
            Smaller areas are left out; taken as px2 where the image has no pixel size, as the others are.
        fill_holes_um2 : float, default 0
            Holes up to this area are filled; the area then counts them.
        smooth_um : float, default 0
            Outlines may leave the edges of pixels by up to this, so that they have fewer corners (Douglas-Peucker,
            which keeps holes inside). The area remains that of the pixels.

        Returns
        -------
        list of PredictedObject
            By class, then from top to bottom.

        Raises
        ------
        PredictionError
            If one is no number, or negative.
        """
        for name, value in {
            "min_area_um2": min_area_um2,
            "fill_holes_um2": fill_holes_um2,
            "smooth_um": smooth_um,
        }.items():
            if not is_within(value, 0):
                raise PredictionError(f"{name} is {value!r}; a number of at least 0 is wanted.")
        size, classes = self.pixel_size_um, self.classes

        def read(region: Region) -> tuple[np.ndarray, np.ndarray | None]:
            return self._read_block(region, True)

        return find_objects(self._blocks(), read, classes, size, min_area_um2, fill_holes_um2, smooth_um)

    def object_table(
        self, min_area_um2: float = MIN_AREA_UM2, *, fill_holes_um2: float = 0.0, smooth_um: float = 0.0
    ) -> list[dict[str, str | float]]:
        """Return a row for each object: class, centre, area, perimeter, circularity, mean probability.

        ``pandas.DataFrame(prediction.object_table())`` makes a data frame of it. Units are in the names. For the
        parameters see `objects`.
        """
        found = self.objects(min_area_um2, fill_holes_um2=fill_holes_um2, smooth_um=smooth_um)
        return [one.row() for one in found]

    def save_csv(
        self,
        path: str | PathLike[str],
        min_area_um2: float = MIN_AREA_UM2,
        *,
        fill_holes_um2: float = 0.0,
        smooth_um: float = 0.0,
    ) -> None:
        """Write `object_table` as CSV.

        Raises
        ------
        PredictionError
            If the file cannot be written.
        """
        from histowidgets._io import atomic_write

        rows = self.object_table(min_area_um2, fill_holes_um2=fill_holes_um2, smooth_um=smooth_um)
        unit = "px" if self.pixel_size_um is None else "um"
        names = ["Class", "Centroid X (px)", "Centroid Y (px)", f"Area ({unit}2)", f"Perimeter ({unit})"]
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, [*names, "Circularity", "Mean probability"])
            table.writeheader()
            table.writerows(rows)

    def measurements(self, background: Sequence[str] = ()) -> dict[str, float]:
        """Area and share of each class in the region.

        Parameters
        ----------
        background : sequence of str
            Classes that are no tissue, such as empty glass.

        Returns
        -------
        dict of str to float
            ``"<class> area (um2)"``, or ``"<class> area (px2)"`` where the image has no pixel size; ``"<class> (%)"``
            of the region's pixels; where a background is named, ``"<class> (% of tissue)"`` for the other classes.

        Raises
        ------
        PredictionError
            If a class of the background is unknown.
        """
        return self._measured(self._counted(), self.region.area, background)

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
            A row each, after the one of all that was predicted.
        background : sequence of str
            See `measurements`.

        Raises
        ------
        PredictionError
            If a class of the background is unknown, or the file cannot be written.
        """
        from histowidgets._io import atomic_write

        whole: dict[str, str | float] = {"Annotation": "", "Annotated class": "", **self.measurements(background)}
        rows = [whole, *self.measure_annotations(annotations, background)]
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["Image", *whole])
            table.writeheader()
            table.writerows({"Image": self.image_name, **row} for row in rows)

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
            In the order of the annotations: ``"Annotation"`` (its id), ``"Annotated class"``, and as `measurements`
            gives them the areas and shares of the pixels inside the shape, each counted once (row B8).
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
        """Read the labels of a region in parts."""
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
        of = {name: int(n) for name, n in zip(self.classes, counts, strict=False)}
        return measured(self.classes, of, self.pixel_size_um, background, n_pixels)

    def save_geojson(
        self,
        path: str | PathLike[str],
        *,
        object_type: str = "annotation",
        min_area_um2: float = MIN_AREA_UM2,
        fill_holes_um2: float = 0.0,
        smooth_um: float = 0.0,
    ) -> None:
        """Write the objects as QuPath reads them, with their measurements.

        Parameters
        ----------
        path : path
        object_type : {"annotation", "detection"}
            What QuPath makes of them.
        min_area_um2, fill_holes_um2, smooth_um
            See `objects`.

        Raises
        ------
        PredictionError
            If `object_type` is neither, or the file cannot be written.
        """
        from histowidgets.prediction.results._export import write_geojson

        found = self.objects(min_area_um2, fill_holes_um2=fill_holes_um2, smooth_um=smooth_um)
        write_geojson(found, self.colors, path, object_type)


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
        Those that are missing count as 0.
    pixel_size_um : float or None
    background : sequence of str
    n_pixels : int, optional
        What the shares are of; the sum of the counts if not given.

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
